# Sourced by scripts/exercise.sh: does the manager know where to read on?
# shellcheck shell=bash

must_run
[ -n "$(property Documentation)" ] ||
    not_yet "systemctl --user status hellod has no line Docs:, the manager knows of no documentation.
$(complaints)"
