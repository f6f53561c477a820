#!/usr/bin/env bash
# Run in a lab, as learner, by tests/steps.sh: from one state of the machine to another.
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
    it "$(systemctl --version | sed -n 1p)" systemctl is-system-running
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
    be_at "$1"
    # What is printed and what is written depends on the scripts alone, so once is enough.
    if [ -n "${BRIEFLY-}" ]; then
        apply "$2"
        is_at "$2"
        scripts/check.sh "$2"
        return
    fi
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

# Mostly the test before has ended there.
be_at() {
    if is_at "$1" >/dev/null; then return; fi
    go_to "$1"
    is_at "$1"
}

reset_leaves_nothing() {
    be_at "$1"
    scripts/reset.sh
    is_at nothing
    scripts/reset.sh | says "Nothing to take away"
}

# check.sh has to be able to say no.
check_says_no() {
    be_at "$1"
    ends 1 scripts/check.sh "$2" | says ✗
}

# way FROM TO: one of the ways that there are.
way() {
    if [ "$2" = nothing ]; then
        it "reset.sh from $1 leaves nothing" reset_leaves_nothing "$1"
    else
        it "from $1 to $2, dry and real, and once more" from_to "$1" "$2"
    fi
}

# around STATE: from there to itself, and to the step after it and back; around nothing, to each step. What goes away is
# the union of all steps' things, wherever one comes from: so this and the pile say it, and grow as the book does. With
# WAYS=every, to each state after it and back: for all states, that is every way.
around() {
    local step later
    mapfile -t later < <(printf '%s\n' nothing "${steps[@]}" | sed "0,/^$1\$/d")
    way "$1" "$1"
    for step in "${later[@]}"; do
        if [ "$1" = nothing ] || [ "$step" = "${later[0]}" ]; then
            it "check.sh $step says no after $1" check_says_no "$1" "$step"
        elif [ "${WAYS-}" != every ]; then
            continue
        fi
        way "$1" "$step"
        way "$step" "$1"
    done
}

# --- a pile: what every step leaves, all at once, on top of the last one -----------------------------------

keep_for_pile() {
    apply "$1" >/dev/null
    things -print | sudo tar --absolute-names --no-recursion --append --file=/tmp/pile.tar --files-from=-
}
pile_up() {
    apply "${steps[-1]}"
    # For later files over earlier ones.
    sudo tar --absolute-names --file=/tmp/pile.tar --extract
    systemctl --user daemon-reload
    sudo systemctl daemon-reload
    systemctl --user start hellod.service
    ends 1 is_at "${steps[-1]}" >/dev/null
}
from_pile() {
    pile_up
    go_to "$1"
    is_at "$1"
    [ "$1" = nothing ] || scripts/check.sh "$1"
}
pile() {
    local step
    for step in "${steps[@]}"; do keep_for_pile "$step"; done
    for step in "${steps[@]}" nothing; do it "from what every step leaves, at once, to $step" from_pile "$step"; done
}

"$@"
