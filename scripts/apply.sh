#!/usr/bin/env bash
# Brings this machine, whatever state it is in, to one step of the book.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

usage() {
    cat <<END
Usage: scripts/apply.sh STEP [--dry-run]

Builds hellod as it is at STEP, installs it with its unit, and leaves it running. Prints every
command that changes the machine before running it. From any step, forwards or backwards.

  --dry-run   build, and print the commands without running them

STEP is one of these; step-01, 01, 1 and the whole name mean the same:
$(list_steps)
END
}

word=
for argument; do
    case $argument in
        -h | --help) usage && exit ;;
        --dry-run) dry_run=yes ;;
        -*) misuse "There is no option '$argument'." ;;
        *) [ -z "$word" ] || misuse "One step at a time, please: '$word' or '$argument'?" && word=$argument ;;
    esac
done
[ -n "$word" ] || misuse "Which step?"
find_step "$word"

require_managers
require_cargo

alone
account=$(directive User "$unit")
use_manager "$manager"
# Before strangers are looked for: without sudo, what only root may see would count as absent.
[ "$manager" = user ] || require_sudo
strange=$(strangers)
if [ -n "$account" ] && has_account "$account" && ! is_our_account "$account"; then
    strange+=${strange:+$'\n'}"the account $account"
fi
[ -z "$strange" ] ||
    die "There is a hellod that was not made for this book, so nothing was changed:" "$strange
Move it out of the way if it is yours, or follow the book in the lab: scripts/lab.sh up"

# Build first: a program that does not compile leaves the machine as it was. A dry run builds too,
# because whether the program has to be installed depends on what comes out.
echo "  \$ cargo build --release --locked --package $crate"
# Without the lock: a compiler cache that cargo starts, and that stays, would keep it.
cargo build --release --locked --package "$crate" 9<&- ||
    die "$crate did not build, so nothing was changed." \
        "Cargo's message is above; fix steps/$step and run this again."

wants_boot=
if grep -q '^\[Install\]' "$unit"; then wants_boot=yes; fi
wants_linger=
if [ -n "$wants_boot" ] && [ "$manager" = user ]; then wants_linger=yes; fi

if has_roots_things || { [ -n "$wants_linger" ] && ! lingers; }; then require_sudo; fi

# What an earlier step or an experiment left, and this step does not have.
here=$manager
use_manager "$(other_manager)"
clear_away
use_manager "$here"
if is_linked && [ -z "$wants_boot" ]; then remove_link; fi
if [ -z "$wants_linger" ]; then stop_lingering; fi
# shellcheck disable=SC2119  # it is about all of them
if has_other_drop_ins; then change revert; fi
if exists "$runtime_units/hellod.service"; then remove "$runtime_units/hellod.service"; fi
remove_pipe
# A unit that was restarted too often refuses to start until this clears its count.
if is_loaded; then change reset-failed; fi

# install_file SOURCE TARGET MODE: unless it is there already. The new file gets its name in one
# move, so that nobody ever sees, or starts, half of it.
install_file() {
    if cmp -s "$1" "$2" && [ "$(stat -c %a "$2")" = "$3" ]; then return; fi
    if run "${sudo[@]}" install -D -m "$3" "$1" "$2.new" && run "${sudo[@]}" mv "$2.new" "$2"; then
        [ -n "$dry_run" ] || sha256sum <"$1" >>"$installed_before"
        return
    fi
    "${sudo[@]}" rm -f "$2.new"
    die "Cannot write $2." \
        "Is the disk full (df -h ${2%/*}) or read-only (findmnt -T ${2%/*})? Fix that and run this again."
}
if [ -n "$account" ] && ! has_account "$account"; then
    run sudo useradd --system --shell /usr/sbin/nologin --comment "$account_comment" "$account"
fi
install_file "${CARGO_TARGET_DIR:-target}/release/$crate" "$(program "$unit")" 755
install_file "$unit" "$installed" 644
for file in "$unit.d"/*.conf; do
    [ ! -e "$file" ] || install_file "$file" "$units/hellod.service.d/${file##*/}" 644
done

reload
if [ -n "$wants_boot" ] && [ "$("${ctl[@]}" is-enabled hellod.service 2>/dev/null)" != enabled ]; then
    change enable
fi
if [ -n "$wants_linger" ] && ! lingers; then start_lingering; fi

# settled: waits until hellod has either said its first word or given up, and the journal has what it said.
# `restart` does not: for Type=simple it returns as soon as there is a process.
settled() {
    local tries
    for ((tries = 0; tries < 100; tries++)); do
        case $(property ActiveState)/$(property SubState) in
            activating/auto-restart* | active/* | failed/* | inactive/*)
                [ -z "$(journal_of "$(property ExecMainPID)")" ] || return 0
                ;;
        esac
        sleep 0.1
    done
}
change restart || true
# The account may go when no process of it is left.
if [ -z "$account" ] && is_our_account hellod; then run sudo userdel hellod; fi
[ -n "$dry_run" ] || settled
run "${ctl[@]}" --no-pager --lines=3 status hellod.service || true
[ -n "$dry_run" ] && exit
[ "$(property ActiveState)" = active ] && exit

# By its name too: a process that ends at once is gone before the journal can see which unit it was.
"${journal[@]}" --boot --no-pager --lines=10 SYSLOG_IDENTIFIER=hellod + USER_UNIT=hellod.service + UNIT=hellod.service
die "hellod did not stay up; its last lines in the journal are above." \
    "Fix what they name and run this again, or take everything away with scripts/reset.sh."
