# Sourced by scripts/check.sh: what should be true after step 04.
# shellcheck shell=bash

expect "hellod says when it is ready" \
    "The unit has no Type=notify, or was not reloaded: systemctl --user cat hellod" \
    property_is Type notify
expect "hellod tells the manager how it is" \
    "Its status text is empty: is the program still that of step 03?" \
    grep -q Greeting <(property StatusText)
expect "hellod is given up after five starts within half a minute" \
    "The unit has no StartLimitIntervalSec=30 in [Unit], or was not reloaded: systemctl --user cat hellod" \
    property_is StartLimitIntervalUSec 30s
expect "hellod greets in the journal" \
    "Nothing has arrived there: journalctl --user -u hellod -n 20" \
    wrote "Hello from hellod"
