#!/usr/bin/env bash
# Takes everything away that the book put on this machine, whatever step it is at.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

usage() {
    cat <<END
Usage: scripts/reset.sh

Stops hellod and removes its unit, links, drop-ins, program and account, in your user manager and in
the system's, and turns lingering off again if apply.sh turned it on. Prints every command before
running it. What hellod wrote to the journal stays there.
END
}

no_arguments "$@"

require_managers
alone
if has_roots_things; then require_sudo; fi

{
    use_manager system
    clear_away
    use_manager user
    clear_away
    stop_lingering
    if is_our_account hellod; then run sudo userdel hellod; fi
} | { grep . || echo "Nothing to take away: there is no hellod here."; }

for one in user system; do
    use_manager "$one"
    strangers
done | while read -r file; do
    echo "$file was not made for this book, so it stays."
done
if lingers; then
    echo "Lingering is on for $(id -un), and was not turned on by apply.sh, so it stays on."
    echo "If it was you, for this book: sudo loginctl disable-linger $(id -un)"
fi
if has_account hellod; then
    echo "There is an account hellod that was not made for this book, so it stays."
    echo "If it was you, for this book: sudo userdel hellod"
fi
