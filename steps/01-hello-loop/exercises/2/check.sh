# Sourced by scripts/exercise.sh: does hellod name its parent, once?
# shellcheck shell=bash

must_run
wrote "Hello from hellod" || not_yet "It did not even say \"Hello from hellod\"."
parent=$(ps -o ppid= -p "$(property MainPID)" | tr -d ' ')
said=$(grep "My parent" <(journal_of "$(property MainPID)")) ||
    not_yet "hellod did not write a line that begins with \"My parent is\"."
[ "$said" = "My parent is $parent" ] ||
    not_yet "hellod wrote \"$said\", and its parent is $parent."
grep -q "My parent" <(journal_of "$(property MainPID)" | sed '/Hello/q') || not_yet "hellod named its parent only after its first hello."
