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

require_user_manager
command -v cargo >/dev/null ||
    die "cargo is not on the PATH, so hellod cannot be built." \
        "Install Rust from https://rustup.rs and open a new terminal."

# Build first: a program that does not compile leaves the machine as it was. A dry run builds too,
# because whether the program has to be installed depends on what comes out.
echo "  \$ cargo build --release --locked --package $crate"
cargo build --release --locked --package "$crate" ||
    die "$crate did not build, so nothing was changed." \
        "Cargo's message is above; mend steps/$step and run this again."

program=$(program_of "$unit")
wants_boot=
if grep -q '^\[Install\]' "$unit"; then wants_boot=yes; fi

# What an earlier step or an experiment left, and this step does not have.
if is_linked && [ -z "$wants_boot" ]; then remove_link; fi
if [ -e "$linger_mark" ] && [ -z "$wants_boot" ]; then stop_lingering; fi
if has_drop_ins; then run systemctl --user revert hellod.service; fi
# A unit that was restarted too often refuses to start until this clears its count.
if is_loaded; then run systemctl --user reset-failed hellod.service; fi

# install_file SOURCE TARGET MODE: unless it is there already. The new file gets its name in one
# move, so that nobody ever sees, or starts, half of it.
install_file() {
    if cmp -s "$1" "$2" && [ "$(stat -c %a "$2")" = "$3" ]; then return; fi
    if run install -D -m "$3" "$1" "$2.new" && run mv "$2.new" "$2"; then return; fi
    rm -f "$2.new"
    die "Cannot write $2." \
        "Is the disk full (df -h ~) or read-only (findmnt -T ~)? Mend that and run this again."
}
install_file "${CARGO_TARGET_DIR:-target}/release/$crate" "$program" 755
install_file "$unit" "$user_units/hellod.service" 644

run systemctl --user daemon-reload
if [ -n "$wants_boot" ]; then
    [ "$(systemctl --user is-enabled hellod.service 2>/dev/null)" = enabled ] ||
        run systemctl --user enable hellod.service
    if ! lingers; then
        run install -D /dev/null "$linger_mark"
        run sudo loginctl enable-linger "$(id -un)"
    fi
fi

# settled: waits until hellod has either said its first word or given up. `restart` does not: for
# Type=simple it returns as soon as there is a process.
settled() {
    local tries
    for ((tries = 0; tries < 100; tries++)); do
        case $(property ActiveState) in
            active) [ -z "$(journal_of "$(property MainPID)")" ] || return 0 ;;
            failed | inactive) return 0 ;;
            activating) [ "$(property SubState)" != auto-restart ] || return 0 ;;
        esac
        sleep 0.1
    done
}
run systemctl --user restart hellod.service || true
[ -n "$dry_run" ] || settled
run systemctl --user --no-pager --lines=3 status hellod.service || true
[ -n "$dry_run" ] && exit
[ "$(property ActiveState)" = active ] && exit

journalctl --user --boot --no-pager --lines=10 --unit=hellod.service
die "hellod did not stay up; its last lines in the journal are above." \
    "Mend what they name and run this again, or take everything away with scripts/reset.sh."
