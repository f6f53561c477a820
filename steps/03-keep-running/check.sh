# Sourced by scripts/check.sh: what should be true after step 03.
# shellcheck shell=bash

expect "hellod greets in the journal" \
    "Nothing has arrived there: journalctl --user -u hellod -n 20" \
    wrote "Hello from hellod"
expect "hellod is started again after a failure" \
    "The unit has no Restart=on-failure, or was not reloaded: systemctl --user cat hellod" \
    property_is Restart on-failure
