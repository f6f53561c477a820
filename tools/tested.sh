#!/usr/bin/env bash
# From the lines of a test run: the table of what was run on what, in tests/tested.md and the README.
set -euo pipefail
cd "$(dirname "$0")/.."

results=$1
table=tests/tested.md
# The oldest systemd first, and the machine after the labs.
mapfile -t suites < <(sed -n 's/^ok      \([a-z]*\), steps: systemd \([0-9]*\).*/\2 \1/p' "$results" |
    sed 's/.* machine$/999 machine/' | sort -n | cut -d' ' -f2)
# heading SUITE
heading() { if [ "$1" = machine ]; then echo "a whole machine"; else echo "Debian $1"; fi; }

# count SUITE GROUP: how many tests passed.
count() { grep -c "^ok      $1, $2: " "$results" || true; }
answers() {
    sed -n "s/^ok      $1, sessions: .*, \([0-9]*\) answers.*$/\1/p" "$results" | awk '{ sum += $1 } END { print sum + 0 }'
}
# row WHAT GROUP
row() {
    local suite number
    printf '| %s |' "$1"
    for suite in "${suites[@]}"; do
        number=$(if [ "$2" = sessions ]; then answers "$suite"; else count "$suite" "$2"; fi)
        printf ' %s |' "${number/#0/–}"
    done
    echo
}

# shellcheck disable=SC2016  # backticks for the table
{
    printf '| |' && for suite in "${suites[@]}"; do printf ' %s |' "$(heading "$suite")"; done && echo
    printf '| --- |' && printf ' --- |%.0s' "${suites[@]}" && echo
    printf '| systemd |'
    for suite in "${suites[@]}"; do
        printf ' %s |' "$(sed -n "s/^ok      $suite, steps: systemd \([0-9]*\).*/\1/p" "$results" | uniq)"
    done
    echo
    row 'commands of the chapters, typed again' sessions
    row '`apply.sh`, `check.sh` and `reset.sh`: from nothing, from the steps beside, from a pile of all' steps
    row 'the exercises: wrong answers told, solutions right' exercises
    row 'the live page: what it sees, runs, and keeps out' page
    row 'a workshop: seats, board, and what harms a seat alone' workshop
    row 'the lab: a login, limits, nothing that gets out of it, nothing that stays' lab
    row '`apply.sh` ended before and after each of its commands; two at once' interruptions
    row 'mistakes and broken machines, each met with a clear sentence' faults
    row 'a `hellod` of somebody else, which has to stay as it is' strangers
    row 'unusual machines: other shells, languages, folders, no `sudo`' readers
    row 'faults that `doctor.sh` has to recognise' doctor
    row 'tests of the programs themselves, a set for each step' daemon
    row 'a pipe that cannot be made, or not be removed' pipe
    row '`hellod` stopped at random moments, in three sets' cycles
} >"$table.new"

if cmp --silent "$table.new" "$table"; then
    rm "$table.new"
else
    mv "$table.new" "$table"
    awk -v table="$table" '
        /<!-- tested -->/ { print; while ((getline line < table) > 0) print line; skip = 1 }
        /<!-- \/tested -->/ { skip = 0 }
        !skip' README.md >README.md.new
    mv README.md.new README.md
    echo "What was run on what has changed: $table and README.md have the new table."
fi
