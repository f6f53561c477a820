# Sourced by scripts/check.sh: what should be true after step 05.
# shellcheck shell=bash

pipe=$XDG_RUNTIME_DIR/hellod.pipe
handles_sigterm() {
    # Bit 14 of the caught signals, see proc_pid_status(5): signal 15.
    local caught
    caught=$(sed -n 's/^SigCgt:\t//p' "/proc/$(property MainPID)/status")
    [ $((0x$caught >> 14 & 1)) -eq 1 ]
}

expect "hellod greets in the journal" \
    "Nothing has arrived there: journalctl --user -u hellod -n 20" \
    wrote "Hello from hellod"
expect "hellod handles SIGTERM" \
    "A stop would end it in the middle of its work: is the program still that of step 04?" \
    handles_sigterm
expect "hellod greets visitors who write into $pipe" \
    "Is there such a pipe (ls -l $pipe)? Is hellod ready (systemctl --user status hellod)?" \
    greets_visitors_at "$pipe"
