# Sourced by scripts/exercise.sh: is there an end to what hellod can take, and does it still do its work?
# shellcheck shell=bash disable=SC2154  # the variables are those of exercise.sh

must_run
visit "$pipe/hellod.pipe" "a visitor" || not_yet "There is no pipe that anybody could write into, $pipe/hellod.pipe."
wait_until 3 has_line "Hello, a visitor" || not_yet "hellod runs, but did not greet a visitor."
# "infinity", where there is no limit.
tasks=$(property TasksMax) memory=$(property MemoryMax)
[[ $tasks =~ ^[0-9]+$ ]] && [ "$tasks" -ge 1 ] && [ "$tasks" -le 4 ] || not_yet "The manager lets it have $tasks processes and threads."
[[ $memory =~ ^[0-9]+$ ]] && [ "$memory" -ge $((8 << 20)) ] && [ "$memory" -le $((64 << 20)) ] ||
    not_yet "The manager lets it have $memory bytes of memory."
