#!/usr/bin/env bash
# The book as serve.sh --lab serves it: tied to a lab, tried in a browser, and attacked.
set -euo pipefail
cd "$(dirname "$0")/.."
. tests/lib.sh

npm --prefix tests/browser ci --loglevel=error --no-audit --no-fund >/dev/null
lab=live-$$ port=$((20000 + $$ % 10000)) log=$(mktemp)
trap 'end_server; scripts/lab.sh down --name "$lab"; rm -f "$log"' EXIT

# serve ARGUMENT...: until it prints its address. It is ended by its own process group, as Ctrl-C does it.
serve() {
    : >"$log" # what an earlier one has said is no answer
    setsid scripts/serve.sh -p "$port" "$@" >"$log" 2>&1 &
    server=$!
    until grep -q 'Serving on' "$log"; do
        kill -0 "$server" || { cat "$log" && return 1; }
        sleep 0.1
    done
    address=$(sed -n 's/^Serving on //p' "$log")
}
end_server() {
    [ -n "${server-}" ] || return 0
    kill -INT -- "-$server" 2>/dev/null || true
    wait "$server" 2>/dev/null || true
    server=
}

serve --lab --name "$lab"
export ABOUT="trixie, page"
it "serve.sh --lab boots a lab and prints its address" says "http://localhost:$port/?token=" <"$log"
node tests/browser/live.mjs "$address" "$lab"
node tests/browser/attacks.mjs "$address"

# --- what happens to servers ---------------------------------------------------------------------------------

port_is_taken() {
    ends 1 scripts/serve.sh -p "$port" 2>&1 | says "cannot listen on localhost:$port. Does another serve.sh run?"
}
lab_is_taken() {
    ends 1 scripts/serve.sh -p "$((port + 1))" --lab --name "$lab" 2>&1 | says "Another serve.sh is tied to the lab '$lab'."
}
# Its token is nobody else's business: not in a file that others read, and on no command line.
token_is_kept() {
    local token=${address#*token=}
    same 600 "$(stat -c %a "target/companion-$port.html")"
    says "$token" <"target/companion-$port.html"
    same "" "$(grep -alsF -f <(echo "$token") /proc/[0-9]*/cmdline || true)" # some end meanwhile
}
# Labs that were booted for another systemd go with it; the reader's own stays.
killed() {
    local pid
    pid=$(pgrep -f "companion .*--port $port ")
    kill -KILL "$pid"
    soon eval "! pgrep -f 'lab.sh serve --name $lab ' && ! pgrep -P 1 -f 'mdbook watch'"
    soon eval "! scripts/lab.sh status | grep -F '$lab-'"
    scripts/lab.sh status | says "$lab: Debian trixie"
    # Nobody looks on there any more.
    soon eval "! scripts/lab.sh run --name '$lab' -- pgrep -f '[w]atch.sh'"
}
old_token() {
    [ "$old" != "$address" ]
    ends 22 curl --fail --silent --output /dev/null "http://localhost:$port/?token=${old#*token=}"
}

called_wrongly() {
    local wrong
    for wrong in "-p" "-p x" "-p 70000" "--nonsense" "step-01"; do
        # shellcheck disable=SC2086
        ends 2 scripts/serve.sh $wrong 2>&1 | says "Usage: scripts/serve.sh"
    done
    ends 2 scripts/serve.sh -n 0.0.0.0 2>&1 | says "name the address that browsers will use"
}

it "serve.sh called wrongly: usage, and 2" called_wrongly
it "the port is taken: a clear sentence" port_is_taken
it "the lab is taken: a clear sentence" lab_is_taken
it "the token is in a file of its owner's, and on no command line" token_is_kept
it "killed, nothing of it stays but the lab" killed
wait "$server" 2>/dev/null || true
old=$address
serve --lab --name "$lab"
it "started again, the old token is none" old_token
end_server
serve
node tests/browser/here.mjs "$address"
