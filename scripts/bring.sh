#!/usr/bin/env bash
# Brings a machine to a step of the book without losing what was changed: that is set aside first.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

usage() {
    cat <<END
Usage: scripts/bring.sh STEP

Copies what you have changed in steps/ and units/, and units that you have written or edited yourself, into a
new folder in ~/kept, puts the book's own files back, and runs apply.sh. In a class, the teacher has this done for
everybody who is to catch up. STEP is step-05, 05, 5 or 05-graceful-stop.
END
}

case ${1-} in -h | --help) usage && exit ;; esac
[ $# -eq 1 ] || misuse "Which step?"
find_step "$1"
require_managers

kept=$HOME/kept/$(date +%Y-%m-%d-%H%M%S)
# keep FILE AS: with what is above it.
keep() { run install -D -m 600 "$1" "$kept/$2"; }

# In the repository: what git does not know in this way.
if git rev-parse --is-inside-work-tree &>/dev/null; then
    while IFS= read -r -d '' file; do
        [ ! -f "$file" ] || keep "$file" "$file"
    done < <(git ls-files -z --modified --others --exclude-standard --deduplicate -- steps units)
    if [ -n "$(git ls-files --modified -- steps units)" ]; then run git checkout --quiet -- steps units; fi
    if [ -n "$(git ls-files --others --exclude-standard -- steps units)" ]; then run git clean --quiet --force -d -- steps units; fi
fi

# Where the managers look: what is in none of the book's steps.
for one in user system; do
    use_manager "$one"
    for file in "$installed" "$units"{,.control}/hellod.service.d/*.conf "$runtime_units"{,.control}/hellod.service.d/*.conf; do
        [ -f "$file" ] || continue
        is_the_books=
        for unit in units/*/"$one"/"${file##*/}" units/*/"$one"/hellod.service.d/"${file##*/}"; do
            if cmp -s "$unit" "$file"; then is_the_books=yes; fi
        done
        [ -n "$is_the_books" ] || keep "$file" "installed/$file"
    done
done

scripts/apply.sh "$step"
[ ! -d "$kept" ] || echo "kept ${kept/#"$HOME"/\~}"
echo "done"
