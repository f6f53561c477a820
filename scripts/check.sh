#!/usr/bin/env bash
# Looks at the live system and says whether it is where a step of the book leaves it.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=scripts/looking.sh
. scripts/looking.sh

usage() {
    cat <<END
Usage: scripts/check.sh STEP

Prints a line for each thing that should be true after STEP: ✓ it is, ✗ it is not, and what to do.
Changes nothing.

STEP is one of these; step-01, 01, 1 and the whole name mean the same:
$(list_steps)
END
}

word=
for argument; do
    case $argument in
        -h | --help) usage && exit ;;
        -*) misuse "There is no option '$argument'." ;;
        *) [ -z "$word" ] || misuse "One step at a time, please: '$word' or '$argument'?" && word=$argument ;;
    esac
done
[ -n "$word" ] || misuse "Which step?"
find_step "$word"
require_managers
use_manager "$manager"

wrong=0
# expect WHAT HINT COMMAND...: the command succeeds if it is so.
expect() {
    if "${@:3}" &>/dev/null; then
        printf '✓ %s\n' "$1"
    else
        printf '✗ %s\n  %s\n' "$1" "$2"
        wrong=$((wrong + 1))
    fi
}

is_enabled() { [ "$("${ctl[@]}" is-enabled hellod.service)" = enabled ]; }

expect "systemd knows hellod.service" \
    "Is the unit in $units? Then: ${sudo[*]} ${ctl[*]} daemon-reload" \
    property_is LoadState loaded
expect "systemd has read the unit as it is now" \
    "It changed on disk since. Run: ${sudo[*]} ${ctl[*]} daemon-reload, then restart hellod" \
    property_is NeedDaemonReload no
expect "hellod is active" \
    "Why not: ${ctl[*]} status hellod; ${journal[*]} -u hellod -n 20" \
    property_is ActiveState active
expect "the running program is the installed one" \
    "The file was replaced and the old program still runs: ${sudo[*]} ${ctl[*]} restart hellod" \
    runs_what_is_installed
# shellcheck source=/dev/null  # what is new in this step
. "steps/$step/check.sh"
if grep -q '^\[Install\]' "$unit"; then
    expect "hellod is enabled" \
        "Nothing starts it at boot: ${sudo[*]} ${ctl[*]} enable hellod" \
        is_enabled
    [ "$manager" = system ] || expect "your user manager runs from boot on" \
        "It waits for your login: sudo loginctl enable-linger $(id -un)" \
        lingers
fi

[ "$wrong" -eq 0 ] || { echo "$wrong of the above not so; scripts/apply.sh step-${crate#step-} brings you there." && exit 1; }
echo "All as it should be after $step."
