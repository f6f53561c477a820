#!/usr/bin/env bash
# Run in a lab, as learner, by tests/steps.sh: from a state to every step and back.
set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/lib.sh
. tests/inside/state.sh

mapfile -t steps < <(all_steps)

from_nothing() {
    local manager
    apply "$1"
    scripts/check.sh "$1"
    manager=$(basename "units/$1"/*)
    same "" "$(systemd-analyze "--$manager" verify "units/$1/$manager/hellod.service" 2>&1)"
}

learn() {
    it "$(systemctl --version | head -n 1)" systemctl is-system-running
    mkdir "$expected"
    state >"$expected/nothing"
    for step in "${steps[@]}"; do
        it "$step: from nothing, check.sh passes and its unit verifies" from_nothing "$step"
        state >"$expected/$step"
        scripts/reset.sh >/dev/null 2>&1
    done
}

# from_to FROM TO: the dry run changes nothing and prints what the real run prints; the state is
# that of TO, whatever it was; applying it again writes no file.
from_to() {
    local printed before
    go_to "$1"
    is_at "$1"
    # What is printed and what is written depends on the scripts alone, so once is enough.
    if [ -n "${BRIEFLY-}" ]; then apply "$2" && is_at "$2" && scripts/check.sh "$2" && return; fi
    before=$(writes)
    printed=$(scripts/apply.sh "$2" --dry-run 2>&1 | grep '^  \$ ')
    same "$before" "$(writes)"
    is_at "$1"
    same "$printed" "$(apply "$2" | grep '^  \$ ')"
    is_at "$2"
    scripts/check.sh "$2"
    before=$(writes)
    apply "$2"
    same "$before" "$(writes)"
}

reset_leaves_nothing() {
    go_to "$1"
    scripts/reset.sh
    is_at nothing
    scripts/reset.sh | says "Nothing to take away"
}

# check.sh has to be able to say no.
check_says_no() {
    go_to "$1"
    ends 1 scripts/check.sh "$2" | says ✗
}

from() {
    local step before=nothing
    for step in "${steps[@]}"; do
        it "from $1 to $step, dry and real, and once more" from_to "$1" "$step"
    done
    it "reset.sh from $1 leaves nothing" reset_leaves_nothing "$1"
    for step in "${steps[@]}"; do
        if [ "$1" = nothing ] || [ "$1" = "$before" ]; then
            it "check.sh $step says no after $1" check_says_no "$1" "$step"
        fi
        before=$step
    done
}

"$@"
