#!/usr/bin/env bash
# Takes everything away that the book put on this machine, whatever step it is at.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

usage() {
    cat <<END
Usage: scripts/reset.sh

Stops hellod and removes its unit, links, drop-ins and program, and turns lingering off again if
apply.sh turned it on. Prints every command before running it. What hellod wrote to the journal
stays there.
END
}

for argument; do
    case $argument in
        -h | --help) usage && exit ;;
        *) misuse "reset.sh takes no '$argument'." ;;
    esac
done

require_user_manager

changed=
# Everything goes through here, so that a second run can say that there was nothing left.
away() { changed=yes && run "$@"; }

case $(property ActiveState) in
    active | activating | reloading | deactivating) away systemctl --user stop hellod.service ;;
esac
if is_linked; then changed=yes && remove_link; fi
if has_drop_ins; then away systemctl --user revert hellod.service; fi
if [ -e "$linger_mark" ]; then changed=yes && stop_lingering; fi

# Every place where some step's unit wants its program, and a half-made copy beside each.
programs=$(for unit in units/*/user/hellod.service; do program_of "$unit"; done | sort -u)
while read -r file; do
    if [ -e "$file" ] || [ -L "$file" ]; then
        away rm "$file"
        remove_empty "${file%/*}"
    fi
done <<<"$(for file in "$user_units/hellod.service" $programs; do printf '%s\n' "$file" "$file.new"; done)"

if [ -n "$changed" ] || is_loaded; then
    away systemctl --user daemon-reload
    # A failed unit stays in memory after its file is gone, so that its end can be looked into.
    if is_loaded; then away systemctl --user reset-failed hellod.service; fi
fi

[ -n "$changed" ] || echo "Nothing to take away: there is no hellod here."
if lingers; then
    echo "Lingering is on for $(id -un), and was not turned on by apply.sh, so it stays on."
    echo "If it was you, for this book: sudo loginctl disable-linger $(id -un)"
fi
