#!/usr/bin/env bash
# Twenty seats for ten minutes, with labs killed and connections cut at random. Not among those that run by themselves.
set -euo pipefail
cd "$(dirname "$0")/.."
. tests/lib.sh

npm --prefix tests/browser ci --loglevel=error --no-audit --no-fund >/dev/null
port=$((20000 + $$ % 10000)) seats=${SEATS:-20} minutes=${MINUTES:-10}
trap 'scripts/workshop.sh down >/dev/null' EXIT
scripts/workshop.sh up "$seats" -p "$port" --raise >/dev/null
sleep 20 # until nothing starts any more: this is what memory is compared with
ABOUT="trixie, soak" node tests/browser/soak.mjs "http://localhost:$port" target/workshop "$seats" "$minutes"
