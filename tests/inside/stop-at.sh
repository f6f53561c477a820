# Sourced by bash before apply.sh or reset.sh, through BASH_ENV: ends that script at one moment.
# shellcheck shell=bash
#
# STOP_AT=4 is the moment before its fourth command, which is the one after its third: nothing else
# changes the machine in between. STOP_WITH=KILL ends the script alone, and STOP_WITH=INT all of its
# process group, as Ctrl-C does.
unset BASH_ENV # for what the script starts
moment=0
# The commands that it prints go through `"$@"` in the function `run`.
stop_here() {
    if [ "$1" != run ] || [ "$2" != '"$@"' ]; then return; fi
    moment=$((moment + 1))
    [ "$moment" = "$STOP_AT" ] || return 0
    if [ "$STOP_WITH" = INT ]; then kill -INT 0; else kill -KILL $$; fi
}
set -o functrace
trap 'stop_here "${FUNCNAME[0]-}" "$BASH_COMMAND"' DEBUG
