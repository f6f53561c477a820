# Sourced by scripts/exercise.sh: does the manager know where to read on?
# shellcheck shell=bash disable=SC2154  # the variables are those of exercise.sh

# What systemd does not understand in a unit file, it leaves out with a warning.
ignored() { systemd-analyze --user verify "$installed" 2>&1 | grep -F "$installed" || true; }

must_run
[ -n "$(property Documentation)" ] ||
    not_yet "systemctl --user status hellod has no line Docs:, the manager knows of no documentation.
$(ignored)"
