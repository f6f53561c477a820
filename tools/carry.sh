#!/usr/bin/env bash
# Carries what you have changed in a step, and not committed yet, through the steps that come after it.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../scripts/lib.sh"

usage() {
    cat <<END
Usage: tools/carry.sh STEP

What git diff says of each file in STEP's src and tests is applied to that file in each later step, as far as it fits.
Where it doesn't, that file is left as it is, and you can change it by hand and go on from there.

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
[ -n "$word" ] || misuse "From which step?"
find_step "$word"
from=$step
# differences ARGUMENT...: since the last commit, in a form that does not depend on anybody's settings.
differences() { git diff HEAD --no-color --no-ext-diff --src-prefix=a/ --dst-prefix=b/ "$@"; }
new=$(git ls-files --others --exclude-standard -- "steps/$from")
[ -z "$new" ] || die "git doesn't know ${new//$'\n'/, }." "If it is to be carried along: git add it first"
mapfile -t changed < <(differences --name-only -- "steps/$from/src" "steps/$from/tests")
[ ${#changed[@]} -gt 0 ] || die "Nothing in steps/$from/src and steps/$from/tests differs from what is committed." \
    "Change it there first, and carry it on before you commit it."

# carry FILE: as far as it fits.
carry() {
    local change folder
    for folder in steps/[0-9]*; do
        [[ $folder > steps/$from ]] || continue
        change=$(differences -- "$1" | sed "s#steps/$from/#$folder/#g")
        if git apply --reverse --check <<<"$change" 2>/dev/null; then
            echo "$folder/${1#steps/"$from"/} has it."
        elif git apply <<<"$change" 2>/dev/null; then
            echo "$folder/${1#steps/"$from"/} has it now."
        else
            folder=${folder#steps/}
            echo "steps/$folder/${1#steps/"$from"/} is too different. Change it by hand, then: tools/carry.sh ${folder%%-*}" >&2
            return 1
        fi
    done
}
status=0
for file in "${changed[@]}"; do carry "$file" || status=1; done
exit "$status"
