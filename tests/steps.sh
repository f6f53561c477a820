#!/usr/bin/env bash
# apply.sh, check.sh and reset.sh, in labs, from every state to every step.
set -euo pipefail
cd "$(dirname "$0")/.."
. tests/lib.sh

work=$(mktemp -d)
cleanup() {
    local lab
    for lab in "$work"/*; do scripts/lab.sh down --name "${lab##*/}"; done
    rm -r "$work"
}
trap cleanup EXIT

# inside LAB COMMAND...: in a fresh lab of that name. What it prints is kept, to be shown in order.
inside() {
    touch "$work/$1"
    scripts/lab.sh up --name "$1" >/dev/null
    scripts/lab.sh run --name "$1" -- "${@:2}" >"$work/$1" 2>&1 || echo "FAILED  ${*:2} did not run to its end" >>"$work/$1"
}

# What each step leaves when it is applied to a clean machine. All labs compare with that.
inside "learn-$$" tests/inside/steps.sh learn
cat "$work/learn-$$"
expected=$(scripts/lab.sh run --name "learn-$$" -- tar -C /tmp -cz expected | base64 -w0)
scripts/lab.sh down --name "learn-$$"

# Most of the time goes into waiting for hellod to be ready, so they wait side by side.
for from in nothing $(all_steps); do
    inside "from-${from%%-*}-$$" bash -c "base64 -d <<<$expected | tar -C /tmp -xz && tests/inside/steps.sh from $from" &
done
inside "faults-$$" tests/inside/faults.sh &
inside "cycles-$$" tests/inside/cycles.sh &
wait
rm "$work/learn-$$"
cat "$work"/*
