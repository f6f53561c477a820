# Sourced by scripts/exercise.sh: does hellod greet on SIGUSR1, and still end on SIGTERM?
# shellcheck shell=bash disable=SC2154  # the variables are those of exercise.sh

# last_hellos: when it said its last two, in seconds, the last one first.
last_hellos() {
    grep "Hello from hellod" <(journal_of "$(property MainPID)" --output=short-unix) | tail -n 2 | tac | sed 's/ .*//'
}
# In the middle between two hellos: early enough for one more to be seen, and too late for the last one.
is_between() {
    local last
    read -r last < <(last_hellos) && awk "BEGIN { age = ${EPOCHREALTIME/,/.} - $last; exit !(age > 1 && age < 3) }"
}
handles_usr1() {
    # Bit 9 of the caught signals, see proc_pid_status(5): signal 10.
    local caught
    caught=$(sed -n 's/^SigCgt:\t//p' "/proc/$(property MainPID)/status")
    [ $((0x$caught >> 9 & 1)) -eq 1 ]
}

must_run
wait_until 10 is_between || not_yet "hellod does not say hello every five seconds any more."
process=$(property MainPID)
before=$(lines_with "Hello from hellod")
has_hellos() { ! property_is MainPID "$process" || [ "$(lines_with "Hello from hellod")" -ge "$1" ]; }
send USR1
wait_until 1 has_hellos $((before + 1)) || {
    handles_usr1 || not_yet "SIGUSR1 did nothing, and hellod does not even handle it."
    not_yet "SIGUSR1 came, and within a second there was no hello."
}
property_is MainPID "$process" || not_yet "SIGUSR1 ended hellod: the process that got it is gone."
wait_until 8 has_hellos $((before + 2)) || not_yet "After the hello of SIGUSR1, no other one came."
property_is MainPID "$process" || not_yet "SIGUSR1 ended hellod a little later: the process that got it is gone."
mapfile -t hellos < <(last_hellos)
awk "BEGIN { exit !(${hellos[0]} - ${hellos[1]} > 4.5) }" ||
    not_yet "The next hello came $(awk "BEGIN { printf \"%.1f\", ${hellos[0]} - ${hellos[1]} }") seconds after that of SIGUSR1, and not five."
# While it learns.
run "${ctl[@]}" restart --no-block hellod.service
is_learning() { [[ $(state) == "activating (start)" ]] && has_line "Learning phrase 1 of 3"; }
wait_until 8 is_learning || not_yet "hellod does not learn any more when it is started again: it is $(state)."
process=$(property MainPID)
send USR1
if ! wait_until 8 is_active || ! property_is MainPID "$process"; then
    not_yet "A SIGUSR1 while it was learning ended hellod."
fi
send USR1
send TERM
has_ended() { [[ $(property ActiveState) =~ ^(inactive|failed|activating)$ ]]; }
wait_until 3 has_ended || not_yet "SIGTERM, right after a SIGUSR1, did not end hellod."
property_is Result success ||
    not_yet "SIGTERM, right after a SIGUSR1, ended hellod, but not well: the result is \"$(property Result)\"."
