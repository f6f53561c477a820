# Sourced by scripts/exercise.sh: how does hellod end with a bad setting, and what does systemd make of it?
# shellcheck shell=bash

must_run
with_drop_in '[Service]' Environment=HELLOD_EVERY=soon
# As seen at that moment: if it is started again, the code is 0 once more.
has_ended() { code=$(property ExecMainStatus) && [ "$code" != 0 ] && [[ $(state) != "activating (start)" ]]; }
wait_until 5 has_ended || not_yet "With HELLOD_EVERY=soon, hellod did not end: it is $(state)."
[ "$code" = 78 ] || not_yet "With HELLOD_EVERY=soon, hellod ended with exit code $code."
! property_is ActiveState inactive ||
    not_yet "With HELLOD_EVERY=soon, hellod ended with exit code 78, and systemd calls that a success: it is $(state)."
property_is ActiveState failed ||
    not_yet "With HELLOD_EVERY=soon, hellod ended with exit code 78, and systemd is about to start it again: $(state)."
without_drop_in
must_run
before=$(property MainPID)
send KILL
wait_until 5 has_new_process "$before" ||
    not_yet "After a crash, here by SIGKILL, systemd did not start hellod again: it is $(state)."
[[ $(property Restart) =~ ^(on-failure|always)$ ]] ||
    not_yet "After a SIGKILL it comes back, and with Restart=$(property Restart) it does not after an exit code such as 1."
[ "$(property RestartPreventExitStatus)" = 78 ] ||
    not_yet "78 is not the only code after which it stays down: RestartPreventExitStatus=$(property RestartPreventExitStatus)."
