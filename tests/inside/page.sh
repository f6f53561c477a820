#!/usr/bin/env bash
# Run beside a companion, by tests/machine.sh: what a page does, without a browser. Ends the companion at the end.
set -euo pipefail
cd "$(dirname "$0")/../.."
port=$1 way_in=target/companion-$1.html

trap 'pkill --full "companion .*--port $port "' EXIT
for ((tries = 0; tries < 1200; tries++)); do
    if [ -s "$way_in" ]; then break; fi
    sleep 0.1
done
token=$(sed 's/.*token=\([0-9a-f]*\).*/\1/' "$way_in")

exec 4<>"/dev/tcp/localhost/$port"
printf '%s\r\n' "GET /live HTTP/1.1" "Host: localhost:$port" "Origin: http://localhost:$port" "Cookie: hellod-$port=$token" \
    "Connection: Upgrade" "Upgrade: websocket" "Sec-WebSocket-Version: 13" "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==" "" >&4
# A short text, masked with zeros, RFC 6455.
# shellcheck disable=SC2059  # its length is part of the head
send() { printf "\x81\x$(printf %02x $((0x80 | ${#1})))\0\0\0\0%s" "$1" >&4; }
# waits_for TEXT: in what comes, in pieces that end with a brace.
waits_for() {
    local piece
    while LC_ALL=C IFS= read -r -t 120 -d '}' piece <&4; do
        if [[ $piece == *"$1"* ]]; then echo "${piece##*\{}" && return; fi
    done
    return 1
}
waits_for '"systemd":"'
send '{"play":{"suite":"trixie","job":{"part":{"step":"01-hello-loop","part":"unknown","how":"bring"}}}}'
waits_for '"ends":"'
