# Sourced by scripts/exercise.sh: does the unit say that it is open, and when?
# shellcheck shell=bash disable=SC2154  # the variables are those of exercise.sh

must_run
place=$(journal_now)
start_anew
must_run
property_is LoadState loaded || not_yet "systemd does not take the unit; this says why: systemd-analyze --user verify $installed"
said() { grep -E "Open for visitors|^Greeting every" <(journal_since "$place"); }
said_both() { [ "$(said | wc -l)" -ge 2 ]; }
wait_until 3 said_both || not_yet "hellod was ready, and nobody wrote \"Open for visitors\"."
[ "$(said | grep Open)" = "Open for visitors" ] || not_yet "The journal has \"$(said | grep Open)\"."
[[ $(said) == Greeting* ]] ||
    not_yet "\"Open for visitors\" came before hellod was ready, which it says with \"Greeting every\"."
