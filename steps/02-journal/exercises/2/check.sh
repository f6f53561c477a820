# Sourced by scripts/exercise.sh: under which name are hellod's lines in the journal?
# shellcheck shell=bash

name_in_journal() { journal_of "$(property MainPID)" --output=json --lines=1 | sed -n 's/.*"SYSLOG_IDENTIFIER":"\([^"]*\)".*/\1/p'; }

must_run
wrote "Hello from hellod" || not_yet "It did not even say \"Hello from hellod\"."
[ "$(name_in_journal)" = greeter ] ||
    not_yet "The name in front of its lines is \"$(name_in_journal)\".
$(complaints)"
