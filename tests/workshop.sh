#!/usr/bin/env bash
# A workshop: its seats and its board in a browser, what it needs of the machine, and what harms a seat alone.
set -euo pipefail
cd "$(dirname "$0")/.."
. tests/lib.sh

npm --prefix tests/browser ci --loglevel=error --no-audit --no-fund >/dev/null
port=$((20000 + $$ % 10000)) inotify=/proc/sys/fs/inotify/max_user_instances
instances=$(cat "$inotify") # put back, whatever happens: all other tests need them
# A crate that no lab may read; gone again, whatever happens.
private=$(echo "${CARGO_HOME:-$HOME/.cargo}"/registry/src/*/)private-0.0.0
trap 'scripts/workshop.sh down >/dev/null; echo "$instances" >"$inotify"; [ ! -d "$private" ] || rmdir "$private"' EXIT
export ABOUT="trixie, workshop"
folder=target/workshop

# --- called wrongly, and a machine that has too little ---------------------------------------------------

called_wrongly() {
    local wrong
    for wrong in "" "up" "up 0" "up 100" "up x" "up 3 4" "reset" "down 3" "up 3 -p 70000" "up 3 --listen 0.0.0.0" "up 3 --public class" "teach"; do
        # shellcheck disable=SC2086
        ends 2 scripts/workshop.sh $wrong 2>&1 | says "Usage: scripts/workshop.sh"
    done
    ends 1 scripts/workshop.sh status 2>&1 | says "No workshop runs."
    ends 1 scripts/workshop.sh reset 1 2>&1 | says "No workshop runs."
    ends 1 scripts/workshop.sh cards 2>&1 | says "There is no workshop."
    scripts/workshop.sh down | says "No workshop was begun here."
}
it "called wrongly: usage, and 2; without a workshop: a clear sentence" called_wrongly

too_little() {
    echo 20 >"$inotify"
    ends 1 scripts/workshop.sh up 9 -p "$port" 2>&1 | says "Run this again with --raise"
    same 20 "$(cat "$inotify")"
    ends 1 compgen -G '/run/hellod-lab-seat-*'
    scripts/workshop.sh up 3 -p "$port" --raise 2>&1 | says "sysctl --quiet fs.inotify.max_user_instances="
    [ "$(cat "$inotify")" -gt 20 ]
    scripts/workshop.sh down 2>&1 | says "sysctl --quiet fs.inotify.max_user_instances=20"
    same 20 "$(cat "$inotify")"
}
it "what the machine lacks is said before a seat starts, allowed when told to, and put back" too_little
echo "$instances" >"$inotify"

port_is_taken() {
    local other
    node -e "require('net').createServer().listen($port, '127.0.0.1')" &>/dev/null &
    other=$!
    soon eval ": </dev/tcp/127.0.0.1/$port"
    ends 1 scripts/workshop.sh up 1 -p "$port" 2>&1 | says "cannot listen on localhost:$port."
    kill "$other"
    wait "$other" || true
    scripts/workshop.sh down >/dev/null
}
it "the port is taken: a clear sentence" port_is_taken

# As on a machine where cargo has fetched with another umask.
cannot_boot() {
    local said
    mkdir -m 700 "$private"
    said=$(ends 1 scripts/workshop.sh up 2 -p "$port" 2>&1)
    rmdir "$private"
    says "private-0.0.0 may not be read by others" <<<"$said"
    says "Allow it: chmod" <<<"$said"
    says "2 of 2 seats cannot be booted" <<<"$said"
    scripts/workshop.sh up 2 -p "$port" 2>&1 | says "2 of 2 seats are up"
    scripts/workshop.sh down >/dev/null
}
it "seats cannot be booted: why, and what to do; mended, they are" cannot_boot

# --- a class ---------------------------------------------------------------------------------------------

scripts/workshop.sh up 3 -p "$port" >/dev/null
node tests/browser/workshop.mjs "http://localhost:$port" "$folder"

secrets_are_kept() {
    local name word
    while read -r name word; do
        same "" "$(grep -alsF -f <(echo "$word") /proc/[0-9]*/cmdline || true)"
    done <"$folder/words"
    same 700 "$(stat -c %a "$folder")"
    same 600 "$(stat -c %a "$folder/words")"
    # But what is built on the way is as its owner's umask has it: the seats read it.
    same "$(printf %o $((0666 & ~$(umask))))" "$(stat -c %a target/book/print.html)"
}
it "the words are in files of their owner's, and on no command line" secrets_are_kept

cards() {
    local word
    scripts/workshop.sh cards | says "Written: "
    word=$(sed -n 's/^seat-02 //p' "$folder/words")
    says "${word:0:5} ${word:5}" <"$folder/cards.html"
    same 3 "$(grep -c '<b>Seat' "$folder/cards.html")"
    ends 1 grep -F "$(sed -n 's/^board //p' "$folder/words")" "$folder/cards.html"
}
it "there is a card for each seat, and none for the board" cards

it "status says what each seat is at" eval "scripts/workshop.sh status | says 'seat  3  up'"

# in_seat NUMBER COMMAND: as its owner.
in_seat() { scripts/lab.sh run --name "seat-0$1" -- bash -c "$2"; }

# Whoever sits there ends it by ending its lab; until then the others do not notice.
fork_bomb() {
    local lab
    lab=$(cat /run/hellod-lab-seat-03/holder)
    in_seat 3 'setsid bash -c ":(){ :|:& };:" &>/dev/null & sleep 2' || true
    in_seat 1 'systemctl --user is-system-running' | says running
    scripts/check.sh --help >/dev/null # this machine can still start things
    scripts/workshop.sh reset 3 >/dev/null
    ends 1 kill -0 "$lab" 2>/dev/null
    soon eval "in_seat 3 true"
}
it "a seat with a fork bomb harms itself alone" fork_bomb
full_disk() {
    ends 1 in_seat 3 'yes >~/file' 2>&1 | says "No space left on device"
    in_seat 3 'df --output=size -m / | tail -n 1' | says 768
    in_seat 1 'echo still >~/there && cat ~/there' | says still
    in_seat 3 'rm ~/file'
}
it "a seat that fills its disk fills its own" full_disk
all_memory() {
    # Memory that a file in /dev/shm takes counts too.
    in_seat 3 'timeout 60 bash -c "yes >/dev/shm/file"' &>/dev/null || true
    in_seat 1 'echo still there' | says "still there"
    scripts/workshop.sh reset 3 >/dev/null
    same "" "$(in_seat 3 'ls /dev/shm')"
}
it "a seat that takes all memory ends in its own limit" all_memory

# --- root in a seat ----------------------------------------------------------------------------------------

root_in_a_seat() {
    local word try
    word=$(sed -n 's/^board //p' "$folder/words")
    for try in "grep -rsF $word /proc/*/environ /proc/*/cmdline /root /run /var/lib" \
        "curl -s --max-time 2 http://localhost:$port/" "ls -d /run/hellod-lab-*" "mount -t cgroup2 none /mnt && ls -d /mnt/hellod-lab-*" \
        "kill -0 $(cat "$folder/pid") && grep companion /proc/$(cat "$folder/pid")/cmdline"; do
        ends_not 0 in_seat 1 "sudo bash -c '$try'" &>/dev/null || { echo "this worked: $try" && return 1; }
    done
}
ends_not() { ! "${@:2}"; }
it "root of a seat finds neither the words, the board, nor other seats" root_in_a_seat

# --- killed, and back --------------------------------------------------------------------------------------

killed() {
    local before pid
    before=$(cat "$folder/words")
    pid=$(cat "$folder/pid")
    kill -KILL "$pid"
    soon eval "! kill -0 $pid 2>/dev/null"
    scripts/lab.sh down --name seat-02
    in_seat 1 'echo mine >~/mine'
    scripts/workshop.sh up 3 -p "$port" | says "3 of 3 seats are up"
    same "$before" "$(cat "$folder/words")"
    in_seat 1 'cat ~/mine' | says mine
    in_seat 2 true
}
it "killed, and up again: what is missing is brought back, what was there stays, the cards too" killed

hand_killed() {
    local hand
    hand=$(pgrep -f "lab.sh serve --all --name workshop")
    kill -KILL "$hand"
    scripts/lab.sh down --name seat-02
    # Who looks finds out what to do.
    soon eval "scripts/workshop.sh status | says 'Begin again: scripts/workshop.sh up'"
    scripts/workshop.sh up 3 -p "$port" | says "3 of 3 seats are up"
    in_seat 2 true
}
it "what starts the labs is killed: said, and up again brings it back" hand_killed

it "asked for other seats or addresses than run: said" eval "ends 1 scripts/workshop.sh up 4 -p $port 2>&1 | says 'A workshop runs already, as: up 3 '"

# As a room with a proxy has it: tests/Caddyfile is what the book shows.
behind_a_proxy() {
    local caddy name=class.example word code
    command -v caddy >/dev/null || apt-get install --yes --quiet --quiet --no-install-recommends caddy >/dev/null
    scripts/workshop.sh down >/dev/null
    scripts/workshop.sh up 1 -p "$port" --public "https://$name:$((port + 1))" >/dev/null
    XDG_DATA_HOME=$(mktemp -d) BOOK_PORT=$port BOOK_NAME=$name:$((port + 1)) caddy run --config tests/Caddyfile --adapter caddyfile &>/dev/null &
    caddy=$!
    ask() { curl --silent --insecure --max-time 3 --output /dev/null --write-out '%{http_code}' --resolve "$name:$((port + 1)):127.0.0.1" "$@"; }
    soon eval "[ \"\$(ask https://$name:$((port + 1))/)\" = 200 ]"
    word=$(sed -n 's/^seat-01 //p' "$folder/words")
    same 303 "$(ask -c "$folder/cookies" "https://$name:$((port + 1))/seat-01/?token=$word")"
    says TRUE <"$folder/cookies" # it is sent over TLS alone
    upgrade=(-H 'Connection: Upgrade' -H 'Upgrade: websocket' -H 'Sec-WebSocket-Version: 13' -H 'Sec-WebSocket-Key: c2VjcmV0IHNlY3JldCBzZQ==' --http1.1)
    code=$(ask -b "$folder/cookies" "${upgrade[@]}" -H "Origin: https://$name:$((port + 1))" "https://$name:$((port + 1))/seat-01/live" || true)
    same 101 "$code"
    code=$(ask -b "$folder/cookies" "${upgrade[@]}" -H "Origin: https://evil.example" "https://$name:$((port + 1))/seat-01/live" || true)
    same 403 "$code"
    kill "$caddy"
    wait "$caddy" || true
}
it "behind a proxy with TLS: the page, its cookie, its connection" behind_a_proxy

down_leaves_nothing() {
    scripts/workshop.sh down >/dev/null
    ends 1 compgen -G '/run/hellod-lab-seat-*'
    ends 1 pgrep -f "companion --workshop $PWD"
    [ ! -e "$folder" ]
    same "" "$(find /sys/fs/cgroup -maxdepth 2 -name 'hellod-lab-seat-*')"
}
it "down leaves nothing" down_leaves_nothing
