#!/usr/bin/env bash
# apply.sh, check.sh and reset.sh, on each systemd: from state to step, interrupted, and on odd machines.
set -euo pipefail
cd "$(dirname "$0")/.."
. tests/lib.sh

read -ra suites <<<"${SUITES:-trixie}"
# Most of the time goes into waiting for hellod to be ready, so many labs wait side by side.
at_once=16

work=$(mktemp -d)
cleanup() {
    local lab
    for lab in "$work"/*.log; do scripts/lab.sh down --name "$(basename "$lab" .log)"; done
    rm -r "$work"
}
trap cleanup EXIT

# inside SUITE WHAT COMMAND...: in a lab of its own. What it prints is kept, to be shown in order.
inside() {
    while [ "$(jobs -rp | wc -l)" -ge "$at_once" ]; do wait -n || true; done
    number=$((number + 1))
    in_lab "$(printf 'steps-%03d-%s' "$number" "$$")" "$@" &
}
number=0
in_lab() {
    local name=$1 suite=$2 what=$3 told=${*:4} log=$work/$1.log
    # What it was given to know is nothing to read.
    [[ $told != *H4sI* ]] || { told=${told#*H4sI} && told=${told#* }; }
    : >"$log"
    {
        scripts/lab.sh up --name "$name" --suite "$suite" >/dev/null &&
            scripts/lab.sh run --name "$name" -- env ABOUT="$suite, ${what/learn/steps}" "${@:4}"
    } >"$log" 2>&1 || echo "FAILED  $suite, $what: $told did not run to its end, and ended with $?" >>"$log"
    # What each step leaves on a clean machine; the other labs of this release compare with that.
    if [ "$what" = learn ]; then
        scripts/lab.sh run --name "$name" -- tar -C /tmp -cz expected | base64 -w0 >"$work/$suite.part" || true
        mv "$work/$suite.part" "$work/$suite.expected"
    fi
    scripts/lab.sh down --name "$name"
}
# learned SUITE: waits until it is known what each step leaves.
learned() { until [ -e "$work/$1.expected" ]; do sleep 0.1; done; }
# knowing SUITE WHAT COMMAND...: the same, in a lab that knows what each step leaves.
knowing() {
    # shellcheck disable=SC2016  # expanded by the bash in the lab
    inside "$1" "$2" bash -c 'base64 -d <<<"$1" | tar -C /tmp -xz && exec "${@:2}"' bash "$(cat "$work/$1.expected")" "${@:3}"
}

mapfile -t steps < <(all_steps)
for suite in "${suites[@]}"; do inside "$suite" learn tests/inside/steps.sh learn; done
# The longest first.
for suite in "${suites[@]}"; do
    for who in surroundings logins; do inside "$suite" readers tests/inside/readers.sh "$who"; done
    for what in cycles strangers daemon faults doctor pipe; do inside "$suite" "$what" "tests/inside/$what.sh"; done
done
# What is interrupted are the scripts, and they are the same everywhere: one release is enough.
learned "${suites[0]}"
interrupt() { knowing "${suites[0]}" interruptions tests/inside/interrupted.sh "$@"; }
next=
for step in $(all_steps | tac) nothing; do
    if [ -n "$next" ]; then
        for moments in odd even; do
            interrupt "$moments" "$step" "$next"
            [ "$step" = nothing ] || interrupt "$moments" "$next" "$step"
        done
        [ "$step" = nothing ] || interrupt two "$step" "$next"
    fi
    next=$step
done
for suite in "${suites[@]}"; do
    learned "$suite"
    briefly=$([ "$suite" = "${suites[0]}" ] || echo yes)
    knowing "$suite" steps tests/inside/steps.sh pile
    for state in nothing "${steps[@]}"; do
        knowing "$suite" steps env BRIEFLY="$briefly" WAYS="${WAYS-}" tests/inside/steps.sh around "$state"
    done
done
wait
cat "$work"/*.log
