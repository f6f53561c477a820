#!/usr/bin/env bash
# Says, before chapter 1, what on this machine will get in the way, and what helps.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

usage() {
    cat <<END
Usage: scripts/doctor.sh [--lines]

Prints a line for each thing that the book needs: ✓ it is there, or ✗, what that breaks, and what
helps; a – marks what will look different from the book and needs no fix. Changes nothing.
Exit 1 if there is a ✗.

  --lines   for programs: a line for each, with the mark, what it found and what helps, and a tab between
END
}

lines=
if [ "${1-}" = --lines ]; then lines=yes && shift; fi
no_arguments "$@"

oldest_systemd=252 # that the tests run on
space=300          # megabytes that the steps take, built

wrong=0
# say MARK WHAT WHAT-HELPS
say() {
    if [ -n "$lines" ]; then
        printf '%s\t%s\t%s\n' "$@"
    else
        printf '%s %s%s\n' "$1" "$2" "${3:+. $3}"
    fi
}
good() { say ✓ "$1" ""; }
# bad WHAT-AND-WHAT-IT-BREAKS WHAT-HELPS
bad() { say ✗ "$1" "$2" && wrong=$((wrong + 1)); }

in_lab="Or follow the book in the lab: scripts/lab.sh up"
container=$(systemd-detect-virt --container 2>/dev/null || true)
if grep -qi microsoft /proc/sys/kernel/osrelease; then container=wsl; fi

# --- systemd --------------------------------------------------------------------------------------

version=$(systemctl --version 2>/dev/null | sed -n '1s/systemd \([0-9]*\).*/\1/p' || true)
# As sd_booted(3) does it.
if [ ! -d /run/systemd/system ]; then
    what="systemd does not run this machine: process 1 is '$(cat /proc/1/comm)'"
    case ${container:-none} in
        wsl) bad "$what" "In /etc/wsl.conf, below [boot]: systemd=true; then in Windows: wsl --shutdown" ;;
        none) bad "$what" "$in_lab" ;;
        *) bad "$what, for this is a container ($container)" "Use the machine around it, or a virtual one. $in_lab" ;;
    esac
elif [ "$version" -lt "$oldest_systemd" ]; then
    bad "systemd $version is older than $oldest_systemd, the oldest that the book was tried on" "$in_lab"
else
    good "systemd $version runs this machine$(case ${container:-none} in none) ;; *) echo " ($container)" ;; esac)"
fi

# What the machine can count and limit, with version 2 of control groups or with version 1.
missing=
for one in memory pids; do
    grep -qsw "$one" /sys/fs/cgroup/cgroup.controllers || [ -d "/sys/fs/cgroup/$one" ] || missing+="${missing:+, }$one"
done
if [ -z "$missing" ]; then
    good "memory and processes are counted and limited"
else
    say – "not counted or limited here: $missing" "MemoryMax= and the like do nothing; the book does without"
fi

# --- you, and your user manager -------------------------------------------------------------------

if [ "$EUID" -eq 0 ]; then
    bad "You are root, and the steps begin with services of your own" "Do all of this as yourself, without sudo"
else
    good "you are $(id -un), and not root"
fi
managers=
if [ -z "${XDG_RUNTIME_DIR-}" ]; then
    bad "XDG_RUNTIME_DIR is not set, so nothing finds your user manager" \
        "Log in properly (console, ssh or desktop, not su), or: export XDG_RUNTIME_DIR=/run/user/$UID"
elif ! systemctl --user show-environment &>/dev/null; then
    bad "Your user manager does not answer, so chapters 1 to 5 cannot work" "sudo systemctl start user@$UID.service"
else
    managers=yes
    good "your user manager answers"
fi
if [ -e "/var/lib/systemd/linger/$(id -un)" ] && [ ! -e "$linger_mark" ]; then
    bad "Lingering is on for you already, so chapter 3 cannot show what happens without" \
        "sudo loginctl disable-linger $(id -un)"
else
    good "lingering is as the book expects it"
fi
if ! command -v sudo >/dev/null; then
    bad "There is no sudo: lingering (chapter 3) and the system service (from 6 on) need it" \
        "As root: apt install sudo && adduser $(id -un) sudo, and log in again. $in_lab"
elif sudo -n true 2>/dev/null; then
    good "sudo works without a password"
else
    good "sudo is there, and will ask for your password in chapter 3, and from chapter 6 on"
fi

# --- Rust -----------------------------------------------------------------------------------------

needed_rust=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
has_rust=$(rustc --version 2>/dev/null | cut -d' ' -f2 || true)
if ! command -v cargo >/dev/null || [ -z "$has_rust" ]; then
    bad "cargo is not on the PATH, so nothing can be built" "Install Rust from https://rustup.rs and open a new terminal"
elif ! sort --version-sort --check=quiet <<<"$needed_rust"$'\n'"$has_rust"; then
    bad "Rust $has_rust is older than $needed_rust, which the steps are written in" "rustup update, or https://rustup.rs"
else
    good "Rust $has_rust, and $needed_rust is enough"
fi
if echo 'int main(void) { return 0; }' | cc -x c -o /dev/null - &>/dev/null; then
    good "a C compiler links programs"
else
    bad "There is no C compiler that works, and Rust links with it" "On Debian: sudo apt install gcc libc6-dev"
fi
if [ -n "${CARGO_TARGET_DIR-}" ]; then
    bad "CARGO_TARGET_DIR is set, and the chapters install from target/release" "unset CARGO_TARGET_DIR"
else
    good "cargo builds into target, where the chapters look"
fi

# --- places ---------------------------------------------------------------------------------------

for place in "$HOME" "$root"; do
    if [[ ,$(findmnt --noheadings --output OPTIONS --target "$place"), == *,noexec,* ]]; then
        bad "$place is mounted noexec, so what is built or installed there does not run (203/EXEC)" \
            "sudo mount -o remount,exec $(findmnt --noheadings --output TARGET --target "$place")"
    elif [ ! -w "$place" ]; then
        bad "$place cannot be written, so nothing can be built or installed there" \
            "Is it read-only, or of another user? findmnt --target $place; ls -ld $place"
    elif [ "$(df --output=avail --block-size=1M "$place" | tail -n 1)" -lt "$space" ]; then
        bad "$place is full: the steps need $space MB" "See what takes the room: du -xh --max-depth=2 $place | sort -h"
    else
        good "$place has room, and programs may run there"
    fi
done
if [ "$(cat /sys/fs/selinux/enforce 2>/dev/null)" = 1 ]; then
    bad "SELinux is enforcing, and may keep systemd from starting what you built (203/EXEC)" \
        "See what it denied: sudo ausearch -m avc -ts recent. The book was not tried with it. $in_lab"
else
    good "SELinux is not in the way"
fi

# --- a hellod that is not ours --------------------------------------------------------------------

strange=
if [ -n "$managers" ] && [ -d /run/systemd/system ]; then
    strange=$(for manager in user system; do use_manager "$manager" && strangers; done)
fi
if has_account hellod && ! is_our_account hellod; then strange+=${strange:+$'\n'}"the account hellod"; fi
while read -r one; do
    [ -z "$one" ] || bad "$one was not made for this book, and apply.sh will not touch it" "Move it out of the way. $in_lab"
done <<<"$strange"
[ -n "$strange" ] || good "nothing else here is called hellod"

[ -z "$lines" ] || exit "$((wrong > 0))"
[ "$wrong" -eq 0 ] || { echo "$wrong of the above will get in the way." && exit 1; }
echo "Ready for chapter 1."
