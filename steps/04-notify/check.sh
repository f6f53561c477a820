# Sourced by scripts/check.sh: what should be true after step 04.
# shellcheck shell=bash

expect "hellod says when it is ready" \
    "The unit has no Type=notify, or was not reloaded: systemctl --user cat hellod" \
    property_is Type notify
expect "hellod tells the manager how it is" \
    "Its status text is empty: is the program still that of step 03?" \
    grep -q Greeting <(property StatusText)
expect "hellod greets in the journal" \
    "Nothing has arrived there: journalctl --user -u hellod -n 20" \
    wrote "Hello from hellod"
