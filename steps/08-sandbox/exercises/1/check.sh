# Sourced by scripts/exercise.sh: is there an end to what hellod can take, and does it still do its work?
# shellcheck shell=bash disable=SC2154  # the variables are those of exercise.sh

must_run
visit "$pipe/hellod.pipe" "a visitor" || not_yet "There is no pipe that anybody could write into, $pipe/hellod.pipe."
wait_until 3 has_line "Hello, a visitor" || not_yet "hellod runs, but did not greet a visitor."
# lies_between NUMBER LEAST MOST: and is one; without a limit it is "infinity".
lies_between() { [[ $1 =~ ^[0-9]+$ ]] && [ "$1" -ge "$2" ] && [ "$1" -le "$3" ]; }
tasks=$(property TasksMax) memory=$(property MemoryMax)
lies_between "$tasks" 1 4 || not_yet "The manager lets it have $tasks processes and threads."
lies_between "$memory" $((8 << 20)) $((64 << 20)) || not_yet "The manager lets it have $memory bytes of memory."
