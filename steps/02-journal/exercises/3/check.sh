# Sourced by scripts/exercise.sh: did one message arrive in the journal with fields of its own?
# shellcheck shell=bash

# field NAME: of that message.
field() { sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p" <<<"$message"; }

must_run
wrote "Hello from hellod" || not_yet "It did not even say \"Hello from hellod\"."
message=$(journal_of "$(property MainPID)" --output=json --lines=all | grep "Trying out fields") ||
    not_yet "No message of hellod has the text \"Trying out fields\"."
[ "$(grep -c . <<<"$message")" -eq 1 ] ||
    not_yet "There are several messages \"Trying out fields\", and not only one."
[ "$(field _TRANSPORT)" = journal ] ||
    not_yet "hellod wrote about the fields on its standard error: \"$(field MESSAGE)\"."
[ "$(field MESSAGE)" = "Trying out fields" ] || not_yet "The message is \"$(field MESSAGE)\"."
[ "$(field PRIORITY)" = 4 ] || not_yet "Its PRIORITY is \"$(field PRIORITY)\", and not 4."
[ "$(field SYSLOG_IDENTIFIER)" = hellod ] ||
    not_yet "Its SYSLOG_IDENTIFIER is \"$(field SYSLOG_IDENTIFIER)\", and not hellod."
file=$(field CODE_FILE) line=$(field CODE_LINE)
[[ $file == *.rs && $line =~ ^[1-9][0-9]*$ ]] ||
    not_yet "It says that it comes from CODE_FILE=$file and CODE_LINE=$line, which is no place in a program."
