#!/usr/bin/env bash
# Says whether you have solved an exercise of the book, by looking at the live system.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=scripts/looking.sh
. scripts/looking.sh
# shellcheck source=scripts/trying.sh
. scripts/trying.sh
# shellcheck source=scripts/solution.sh
. scripts/solution.sh

usage() {
    cat <<END
Usage: scripts/exercise.sh EXERCISE [--hint | --solve | --back]

Builds and installs what you have written in steps/ and units/, tries it, and says whether it does what
EXERCISE asks for. Prints every command that changes the machine before running it.

  --hint    the same, with the next hint
  --solve   put the book's solution into steps/ and units/; keeps what you have written beside it
  --back    take that solution out again

EXERCISE is one of these:
$(list_exercises)
END
}

# title FOLDER: as the chapter has it.
title() { sed -n '1s/^### Exercise //p' "$1/task.md" | sed 's/://'; }
list_exercises() {
    local folder
    for folder in steps/*/exercises/*/; do printf '  %s\n' "$(title "$folder")"; done
}

word='' action=check
for argument; do
    case $argument in
        -h | --help) usage && exit ;;
        --hint | --solve | --back)
            [ "$action" = check ] || misuse "One thing at a time, please: '--$action' or '$argument'?"
            action=${argument#--}
            ;;
        -*) misuse "There is no option '$argument'." ;;
        *) [ -z "$word" ] || misuse "One exercise at a time, please: '$word' or '$argument'?" && word=$argument ;;
    esac
done
[ -n "$word" ] || misuse "Which exercise?"
[[ $word =~ ^[1-9]\.[1-9]$ ]] || misuse "There is no exercise '$word'."
folder=$(compgen -G "steps/0${word%.*}-*/exercises/${word#*.}") || misuse "There is no exercise '$word'."
find_step "${word%.*}"
title=$(title "$folder")

case $action in
    solve) solve; exit ;;
    back) take_back; exit ;;
esac

# --- the verdict --------------------------------------------------------------------------------------

verdict=
shown=${CARGO_TARGET_DIR:-target}/exercises/$word # how many of the hints
mapfile -t hints <"$folder/hints"

# not_yet WHAT-WAS-SEEN: the end, with a hint.
not_yet() {
    local hint
    hint=$(cat "$shown" 2>/dev/null || echo 0)
    # The first time there is one in any case.
    if [ "$hint" -eq 0 ] || { [ "$action" = hint ] && [ "$hint" -lt ${#hints[@]} ]; }; then hint=$((hint + 1)); fi
    mkdir -p "${shown%/*}"
    echo "$hint" >"$shown"
    verdict=no
    printf '✗ %s\n' "$title"
    sed -n 's/^..*/  &/p' <<<"$1"
    printf '  Hint: %s\n' "${hints[hint - 1]}"
    if [ "$hint" -lt ${#hints[@]} ]; then
        printf '  Another hint: scripts/exercise.sh %s --hint\n' "$word"
    else
        printf '  That was the last hint; scripts/exercise.sh %s --solve writes the solution into your files.\n' "$word"
    fi
    # Last of all, since a start may take long, and who loses patience has read it.
    take_all_back
    exit 1
}

# Also when it is interrupted: what the check has changed for its own ends goes.
at_the_end() {
    local status=$?
    take_all_back
    [ -n "$verdict" ] || [ "$status" -eq 130 ] || echo "The check of $word broke off; run it again." >&2
}

require_managers
require_cargo
use_manager "$manager"
[ "$manager" = user ] || require_sudo
bring_up_to_date
alone
trap at_the_end EXIT
trap 'exit 130' INT TERM
# shellcheck source=/dev/null  # what the exercise asks for
. "$folder/check.sh"
take_all_back
verdict=yes
rm -f "$shown"
printf '✓ %s\n' "$title"
