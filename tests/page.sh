#!/usr/bin/env bash
# The book as mdBook serves it, without anything behind it, opened in a browser.
set -euo pipefail
cd "$(dirname "$0")/.."
. tests/lib.sh

npm --prefix tests/browser ci --loglevel=error --no-audit --no-fund >/dev/null
log=$(mktemp)
# mdBook takes no port of its own choosing, so this one is drawn, below those that the kernel gives to others;
# a second run next door has another.
port=$((10000 + $$ % 10000))
scripts/serve.sh --still -p "$port" >"$log" 2>&1 &
server=$!
trap 'kill "$server"; rm -f "$log"' EXIT

# The server's own word is the event to wait for.
while ! grep -q 'Serving on' "$log"; do
    kill -0 "$server" || { cat "$log" && exit 1; }
    sleep 0.1
done
node tests/browser/page.mjs "http://localhost:$port"
