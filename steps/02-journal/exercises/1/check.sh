# Sourced by scripts/exercise.sh: does hellod say that it goes to sleep, and at which level?
# shellcheck shell=bash

must_run
wrote "Hello from hellod" || not_yet "It did not even say \"Hello from hellod\"."
wait_until 2 has_line "Going to sleep" ||
    not_yet "After its hello, hellod wrote no line \"Going to sleep\"."
wrote "Going to sleep" 2 || not_yet "hellod wrote \"Going to sleep\" after its first hello, and not after the next."
said=$(grep "Going to sleep" <(journal_of "$(property MainPID)") | uniq)
[ "$said" = "Going to sleep" ] || not_yet "hellod wrote \"$said\"."
! grep -q "Going to sleep" <(journal_of "$(property MainPID)" --priority=info) ||
    not_yet "journalctl -p info shows \"Going to sleep\", too."
