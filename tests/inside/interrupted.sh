#!/usr/bin/env bash
# Run in a lab, as learner, by tests/steps.sh: apply.sh ended before and after each of its commands.
set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/lib.sh
. tests/inside/state.sh

# stopped MOMENT SIGNAL COMMAND...: it is ended at that moment. Fails if it came to its end before.
stopped() {
    local status=0
    # In a process group of its own, and with Ctrl-C not ignored, as in a terminal.
    STOP_AT=$1 STOP_WITH=$2 BASH_ENV=tests/inside/stop-at.sh \
        setsid --wait env --default-signal=INT "${@:3}" &>/tmp/stopped || status=$?
    case $status in
        130 | 137) ;;
        0) return 1 ;;
        *) echo "ended with $status: ${*:3}" && cat /tmp/stopped && exit 1 ;;
    esac
}

# Ended at a moment on the way, with either signal, it leaves the same behind. From there the same
# apply.sh gets to the step, and reset.sh to nothing, even if it is ended in its turn.
# ended FROM TO FIRST: at every other moment from the first on; two labs share the work.
ended() {
    local moment left
    for ((moment = $3; ; moment += 2)); do
        go_to "$1" >/dev/null
        stopped "$moment" KILL scripts/apply.sh "$2" || break
        left=$(state)
        apply "$2"
        is_at "$2"
        go_to "$1" >/dev/null
        stopped "$moment" INT scripts/apply.sh "$2"
        same "$left" "$(state)"
        stopped "$moment" INT scripts/reset.sh || true
        scripts/reset.sh
        is_at nothing
    done
    # It was ended before the last command too, which shows the status and changes nothing.
    is_at "$2"
    [ "$moment" -gt 4 ]
}

# While one works, another waits, and then does its work.
at_work() { ! flock --nonblock /etc/systemd/system true; }
two_at_once() {
    go_to "$1"
    scripts/apply.sh "$2" &>/tmp/first &
    until at_work; do sleep 0.01; done
    scripts/apply.sh "$1" | says "Another apply.sh or reset.sh is at work"
    wait $!
    is_at "$1"
    scripts/apply.sh "$2" &>/tmp/first &
    until at_work; do sleep 0.01; done
    scripts/reset.sh | says "Another apply.sh or reset.sh is at work"
    wait $!
    is_at nothing
}

case $1 in
    odd) it "$2 to $3, SIGKILL and Ctrl-C before the first command, the third, ..." ended "$2" "$3" 1 ;;
    even) it "$2 to $3, SIGKILL and Ctrl-C before the second command, the fourth, ..." ended "$2" "$3" 2 ;;
    two) it "apply.sh $2 and apply.sh $3 at once: the second waits" two_at_once "$2" "$3" ;;
esac
