# Sourced by scripts/exercise.sh: does the status count the visitors?
# shellcheck shell=bash disable=SC2154  # the variables are those of exercise.sh

must_run
start_anew # from here on, the count is known
must_run
status_is() { property_is StatusText "$1"; }
wait_until 2 status_is "Greeting every 5s" || not_yet "Nobody has come yet, and the status says: \"$(property StatusText)\"."
number=0
for text in "1 visitor" "2 visitors"; do
    number=$((number + 1))
    visit "$pipe" "visitor $number" || not_yet "Nobody reads from the pipe $pipe."
    wait_until 3 has_line "Hello, visitor $number" || not_yet "hellod did not greet the visitor who came."
    wait_until 2 status_is "Greeting every 5s, $text so far" ||
        not_yet "$text came, and the status said: \"$(property StatusText)\"."
done
