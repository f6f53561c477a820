# Sourced by scripts/check.sh: what should be true after step 01.
# shellcheck shell=bash

expect "hellod greets in the journal" \
    "Nothing has arrived there: journalctl --user -u hellod -n 20" \
    wrote "Hello from hellod"
