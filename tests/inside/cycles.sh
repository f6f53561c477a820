#!/usr/bin/env bash
# Run in a lab, as learner, by tests/steps.sh: 200 starts, each stopped at a random moment.
set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/lib.sh

# The last user step that cleans up.
scripts/apply.sh 5 >/dev/null 2>&1
# Starting so often is what the start limit is for.
printf '[Unit]\nStartLimitIntervalSec=0\n' |
    install -D /dev/stdin "$XDG_RUNTIME_DIR/systemd/user/hellod.service.d/often.conf"
systemctl --user daemon-reload
systemctl --user stop hellod

# cycles COUNT FROM TO: stops after a random number of milliseconds.
cycles() {
    local round moment
    for ((round = 0; round < $1; round++)); do
        moment=$(($2 + RANDOM % ($3 - $2)))
        systemctl --user start --no-block hellod
        sleep "$((moment / 1000)).$(printf %03d $((moment % 1000)))"
        systemctl --user stop hellod
        [ "$(systemctl --user is-active hellod)" = inactive ] || { echo "after $moment ms: failed" && return 1; }
        [ ! -e "$XDG_RUNTIME_DIR/hellod.pipe" ] || { echo "after $moment ms: left its pipe" && return 1; }
    done
    # A stop that had to use force says so.
    local said
    said=$(journalctl --user --boot -u hellod -o cat)
    says Started <<<"$said"
    ends 1 grep -e SIGKILL -e timed <<<"$said"
}
it "100 stops within a tenth of a second of the start" cycles 100 0 100
it "60 stops while it learns" cycles 60 100 2950
it "40 stops around the moment when it is ready" cycles 40 2950 3100
scripts/reset.sh >/dev/null
