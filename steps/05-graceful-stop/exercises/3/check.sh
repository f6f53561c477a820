# Sourced by scripts/exercise.sh: does hellod greet one last visitor when it is stopped?
# shellcheck shell=bash disable=SC2154  # the variables are those of exercise.sh

# Written when nobody reads any more, the name makes a file, and no pipe finds its place there.
clear_the_place() {
    [ -f "$pipe" ] || return 0
    stop || true
    run rm "$pipe"
    not_yet "The name was written when hellod and its pipe were gone: it became an ordinary file, $pipe."
}
clear_the_place # by the stop with which this version was installed
must_run
[ -n "$(property DropInPaths)" ] || not_yet "hellod.service has no drop-in."
process=$(property MainPID)
place=$(journal_now)
stop
clear_the_place
greeted() { grep -qx "Hello, the last one" <(journal_of "$process"); }
if ! wait_until 2 greeted; then
    stray=$(grep -m 1 "the last one" <(journal_since "$place") || true)
    not_yet "hellod was stopped, and did not say \"Hello, the last one\".${stray:+ But the journal has \"$stray\".}"
fi
