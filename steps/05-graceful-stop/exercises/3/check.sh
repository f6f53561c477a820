# Sourced by scripts/exercise.sh: does hellod greet one last visitor when it is stopped?
# shellcheck shell=bash disable=SC2154  # the variables are those of exercise.sh

# Written when there is no pipe, the name makes an ordinary file, which is then in the pipe's place.
took_the_place() { [ -f "$pipe" ] && stop && run rm "$pipe"; }

# That was the stop with which this version was installed, maybe of a hellod that had no pipe yet.
if took_the_place; then start_anew; fi
must_run
[ -n "$(property DropInPaths)" ] || not_yet "hellod.service has no drop-in."
process=$(property MainPID)
place=$(journal_now)
stop
if took_the_place; then
    not_yet "The name was written when hellod and its pipe were gone: it became an ordinary file, $pipe."
fi
greeted() { grep -qx "Hello, the last one" <(journal_of "$process"); }
if ! wait_until 2 greeted; then
    stray=$(grep -m 1 "the last one" <(journal_since "$place") || true)
    not_yet "hellod was stopped, and did not say \"Hello, the last one\".${stray:+ But the journal has \"$stray\".}"
fi
