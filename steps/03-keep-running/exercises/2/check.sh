# Sourced by scripts/exercise.sh: does hellod come back after a SIGTERM, and not after a stop?
# shellcheck shell=bash

must_run
before=$(property MainPID)
send TERM
wait_until 5 has_new_process "$before" ||
    not_yet "After a SIGTERM, hellod did not come back: it is $(state)."
before=$(property MainPID)
send KILL
wait_until 5 has_new_process "$before" ||
    not_yet "After a SIGTERM it came back, but after a SIGKILL it did not: it is $(state)."
stop
property_is ActiveState inactive || not_yet "After a stop, hellod is $(state)."
