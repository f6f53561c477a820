#!/usr/bin/env bash
# apply.sh, check.sh and reset.sh, in a lab, from every state to every step.
set -euo pipefail
cd "$(dirname "$0")/.."
. tests/lib.sh

lab=steps-$$
trap 'scripts/lab.sh down --name "$lab"' EXIT
scripts/lab.sh up --name "$lab" >/dev/null
scripts/lab.sh run --name "$lab" -- tests/inside/steps.sh
scripts/lab.sh run --name "$lab" -- tests/inside/faults.sh
