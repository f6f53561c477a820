# Sourced by scripts/exercise.sh: does hellod refuse to work as root?
# shellcheck shell=bash disable=SC2154  # the variables are those of exercise.sh

must_run
transient=hellod-exercise.service
run sudo systemd-run --quiet --no-block --unit="$transient" --property=Type=notify \
    --property=RuntimeDirectory=hellod-exercise "$(program "$unit")"
as_root() { systemctl show --property="$1" --value "$transient"; }
has_decided() { [[ $(as_root ActiveState) =~ ^(active|failed|inactive)$ ]] && [ "$(as_root ExecMainStartTimestampMonotonic)" != 0 ]; }
wait_until 8 has_decided || not_yet "As root, hellod was neither ready nor at its end after eight seconds."
[ "$(as_root ActiveEnterTimestampMonotonic)" = 0 ] || not_yet "As root, hellod said that it was ready."
has_said_why() { [ -n "$("${journal[@]}" --quiet --priority=err --output=cat _PID="$(as_root ExecMainPID)")" ]; }
wait_until 2 has_said_why || not_yet "As root, hellod wrote no error: the journal has nothing of it with -p err."
[ "$(as_root ExecMainStatus)" = 77 ] || not_yet "As root, hellod ended with exit code $(as_root ExecMainStatus)."
