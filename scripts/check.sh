#!/usr/bin/env bash
# Looks at the live system and says whether it is where a step of the book leaves it.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=scripts/looking.sh
. scripts/looking.sh
# shellcheck source=scripts/expectations.sh
. scripts/expectations.sh

usage() {
    cat <<END
Usage: scripts/check.sh STEP [--lines]

Prints a line for each thing that should be true after STEP: ✓ it is, ✗ it is not, and what to do.
Changes nothing.

  --lines   for programs: a line for each, with the mark, what should be true and what to do, and a tab between

STEP is one of these; step-01, 01, 1 and the whole name mean the same:
$(list_steps)
END
}

word='' lines=''
for argument; do
    case $argument in
        -h | --help) usage && exit ;;
        --lines) lines=yes ;;
        -*) misuse "There is no option '$argument'." ;;
        *) [ -z "$word" ] || misuse "One step at a time, please: '$word' or '$argument'?" && word=$argument ;;
    esac
done
[ -n "$word" ] || misuse "Which step?"
find_step "$word"
require_managers
use_manager "$manager"

wrong=0
expect() {
    local mark=✓
    "${@:3}" &>/dev/null || { mark=✗ && wrong=$((wrong + 1)); }
    if [ -n "$lines" ]; then
        printf '%s\t%s\t%s\n' "$mark" "$1" "$2"
    elif [ "$mark" = ✓ ]; then
        printf '✓ %s\n' "$1"
    else
        printf '✗ %s\n  %s\n' "$1" "$2"
    fi
}

expectations

[ -z "$lines" ] || exit "$((wrong > 0))"
[ "$wrong" -eq 0 ] || { echo "$wrong of the above not so; scripts/apply.sh step-${crate#step-} brings you there." && exit 1; }
echo "All as it should be after $step."
