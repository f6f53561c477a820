# Sourced by scripts/check.sh: what should be true after step 02.
# shellcheck shell=bash

wrote_notice() { grep -q Greeting <(journal_of "$(property MainPID)" --priority=notice..notice); }

expect "hellod is told how often to greet" \
    "The unit has no Environment=HELLOD_EVERY=: is it still that of step 01?" \
    grep -q HELLOD_EVERY <(property Environment)
expect "hellod greets in the journal" \
    "Nothing has arrived there: journalctl --user -u hellod -n 20" \
    wrote "Hello from hellod"
expect "its messages have levels" \
    "journalctl --user -u hellod -p notice finds none: is the program still that of step 01?" \
    wrote_notice
