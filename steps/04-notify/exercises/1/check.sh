# Sourced by scripts/exercise.sh: does hellod become ready although it has less time than it needs?
# shellcheck shell=bash

must_run
with_drop_in '[Service]' TimeoutStartSec=2
if ! is_active; then
    phrase=$(property StatusText)
    result=$(property Result)
    not_yet "With TimeoutStartSec=2, hellod was not ready in time: the result is \"$result\", and the last it said is \"$phrase\"."
fi
