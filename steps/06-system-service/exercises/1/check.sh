# Sourced by scripts/exercise.sh: does hellod find its pipe's place in a list of folders?
# shellcheck shell=bash

must_run
with_drop_in '[Service]' RuntimeDirectory=hellod-more
is_active || not_yet "With RUNTIME_DIRECTORY=/run/hellod:/run/hellod-more, hellod does not start. The last it wrote: \"$(last_words)\""
visit /run/hellod/hellod.pipe "the first" ||
    not_yet "With RUNTIME_DIRECTORY=/run/hellod:/run/hellod-more, the pipe is not in /run/hellod, but here: $(
        find /run/hellod /run/hellod-more -type p
    )"
wait_until 3 has_line "Hello, the first" || not_yet "hellod did not greet a visitor at /run/hellod/hellod.pipe."
