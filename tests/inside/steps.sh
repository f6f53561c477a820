#!/usr/bin/env bash
# Run in a lab, as learner, by tests/steps.sh: from every state to every step and back.
set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/lib.sh

mapfile -t steps < <(all_steps)

# What a step leaves: files with their content and mode, links, units, lingering. The journal is a
# record of what happened and stays, and so does what cargo caches.
state() {
    # shellcheck disable=SC2016
    find ~ \( -path ~/book -o -path ~/.cargo \) -prune -o -printf '%y %m %P %l\n' | sort
    find ~ \( -path ~/book -o -path ~/.cargo \) -prune -o -type f -exec sha256sum {} +
    ls /var/lib/systemd/linger
    systemctl --user list-units --all --plain --no-legend '*hellod*'
    systemctl --user list-unit-files --no-legend '*hellod*' || true
}

# Which files were written, even if with the same content.
writes() { find ~ \( -path ~/book -o -path ~/.cargo \) -prune -o -printf '%P %i %T@\n' | sort; }

apply() { scripts/apply.sh "$1" 2>&1; }
go_to() { if [ "$1" = nothing ]; then scripts/reset.sh; else apply "$1"; fi; }

nothing=$(state)
declare -A expected=([nothing]=$nothing)

learn_and_check() {
    go_to "$1"
    scripts/check.sh "$1"
    same "" "$(systemd-analyze --user verify "units/$1/user/hellod.service" 2>&1)"
}

for step in "${steps[@]}"; do
    it "$step: from nothing, check.sh passes and its unit verifies" learn_and_check "$step"
    expected[$step]=$(state)
    # shellcheck disable=SC2119
    scripts/reset.sh >/dev/null
done

# from_to FROM TO: the dry run changes nothing and prints what the real run prints; the state is
# that of TO, whatever it was; applying it again writes no file.
from_to() {
    local printed before
    go_to "$1"
    same "${expected[$1]}" "$(state)"
    before=$(writes)
    printed=$(scripts/apply.sh "$2" --dry-run 2>&1 | grep '^  \$ ')
    same "$before" "$(writes)"
    same "${expected[$1]}" "$(state)"
    same "$printed" "$(apply "$2" | grep '^  \$ ')"
    same "${expected[$2]}" "$(state)"
    scripts/check.sh "$2"
    before=$(writes)
    apply "$2"
    same "$before" "$(writes)"
}
for from in nothing "${steps[@]}"; do
    for to in "${steps[@]}"; do
        it "from $from to $to, dry and real, and once more" from_to "$from" "$to"
    done
done

reset_leaves_nothing() {
    go_to "$1"
    scripts/reset.sh
    same "$nothing" "$(state)"
    scripts/reset.sh | says "Nothing to take away"
}
for step in "${steps[@]}"; do
    it "reset.sh from $step leaves nothing" reset_leaves_nothing "$step"
done

# check.sh has to be able to say no.
check_says_no() {
    go_to "$1"
    ends 1 scripts/check.sh "$2" | says ✗
}
before=nothing
for step in "${steps[@]}"; do
    it "check.sh $step says no on a clean machine" check_says_no nothing "$step"
    [ "$before" = nothing ] || it "check.sh $step says no after $before" check_says_no "$before" "$step"
    before=$step
done
scripts/reset.sh >/dev/null
