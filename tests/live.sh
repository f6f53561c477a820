#!/usr/bin/env bash
# The book as serve.sh --lab serves it: tied to a lab, tried in a browser, and attacked.
set -euo pipefail
cd "$(dirname "$0")/.."
. tests/lib.sh

npm --prefix tests/browser ci --silent --no-audit --no-fund
lab=live-$$ port=$((40000 + $$ % 20000)) log=$(mktemp)
trap 'end_server; scripts/lab.sh down --name "$lab"; rm -f "$log"' EXIT

# serve ARGUMENT...: until it prints its address. It is ended by its own process group, as Ctrl-C does it.
serve() {
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
ABOUT="live" it "serve.sh --lab boots a lab and prints its address" says "http://localhost:$port/?token=" <"$log"
node tests/browser/live.mjs "$address" "$lab"
