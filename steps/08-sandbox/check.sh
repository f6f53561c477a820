# Sourced by scripts/check.sh: what should be true after step 08.
# shellcheck shell=bash disable=SC2154  # account_comment is that of scripts/ours.sh

pipe=/run/hellod/hellod.pipe
runs_as_hellod() { [ "$(ps -o user= -p "$(property MainPID)")" = hellod ]; }
cannot_log_in() { grep -q '/nologin$' <(getent passwd hellod); }
owns_its_folder() { [ "$(stat -c %U "${pipe%/*}")" = hellod ]; }

expect "there is an account hellod that nobody can log in to" \
    "Make one: sudo useradd --system --shell /usr/sbin/nologin --comment '$account_comment' hellod" \
    cannot_log_in
expect "hellod runs as hellod" \
    "The unit has no User=hellod, or was not reloaded and restarted: systemctl cat hellod" \
    runs_as_hellod
expect "its runtime directory is its own" \
    "The unit has no RuntimeDirectory=hellod: ls -ld ${pipe%/*}" \
    owns_its_folder
expect "hellod greets in the journal" \
    "Nothing has arrived there: sudo journalctl -u hellod -n 20" \
    wrote "Hello from hellod"
expect "hellod greets visitors who write into $pipe" \
    "Is there such a pipe (ls -l $pipe)? Is hellod ready (systemctl status hellod)?" \
    greets_visitors_at "$pipe"

# What the kernel holds hellod to, proc_pid_status(5).
is_held_to() { grep -q "^$1:[[:space:]]*$2$" "/proc/$(property MainPID)/status"; }
exposed_at_most() { systemd-analyze security --no-pager --threshold="$1" hellod.service; }
expect "hellod can't get more rights, as by sudo" \
    "The unit has no NoNewPrivileges=yes, or was not restarted: systemctl cat hellod" \
    is_held_to NoNewPrivs 1
expect "hellod has no capability, and could not get one" \
    "The unit has no CapabilityBoundingSet= with nothing behind it: systemctl cat hellod" \
    is_held_to CapBnd 0000000000000000
expect "its system calls are filtered" \
    "The unit has no SystemCallFilter=: systemctl cat hellod" \
    is_held_to Seccomp 2
expect "its exposure is 0.2 at most" \
    "See which lines have a ✗: systemd-analyze security hellod" \
    exposed_at_most 2
