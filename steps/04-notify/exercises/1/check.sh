# Sourced by scripts/exercise.sh: does hellod become ready with less time than it needs, and is it given up if it hangs?
# shellcheck shell=bash disable=SC2154  # the variables are those of exercise.sh

must_run
with_drop_in '[Service]' TimeoutStartSec=2
if ! is_active; then
    phrase=$(property StatusText)
    result=$(property Result)
    not_yet "With TimeoutStartSec=2, hellod was not ready in time: the result is \"$result\", and the last it said is \"$phrase\"."
fi
has_line "Learning phrase 3 of 3" || not_yet "hellod said that it was ready before it had learned its last phrase."
# It hangs at its first phrase.
run "${ctl[@]}" restart --no-block hellod.service
is_learning() { [[ $(state) == "activating (start)" ]] && has_line "Learning phrase 1 of 3"; }
wait_until 8 is_learning || not_yet "hellod does not learn any more when it is started again: it is $(state)."
send STOP
was_given_up() { ! property_is NRestarts 0 || property_is Result timeout; }
wait_until 8 was_given_up ||
    not_yet "hellod hung in its first phrase, and after eight seconds systemd still waited: it has asked for too much time."
