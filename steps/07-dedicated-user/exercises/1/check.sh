# Sourced by scripts/exercise.sh: is hellod locked in, and does it still do its work?
# shellcheck shell=bash disable=SC2154  # the variables are those of exercise.sh

must_run
exposure=$(systemd-analyze security --no-pager hellod.service | sed -n 's/.*exposure level for hellod.service: \([0-9.]*\).*/\1/p')
visit "$pipe/hellod.pipe" "a visitor" || not_yet "There is no pipe that anybody could write into, $pipe/hellod.pipe."
wait_until 3 has_line "Hello, a visitor" || not_yet "hellod runs, but did not greet a visitor."
awk "BEGIN { exit !($exposure <= 6.0) }" || not_yet "The exposure is $exposure."
