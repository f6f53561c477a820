# Sourced by scripts/exercise.sh: does hellod warn where there is no sandbox, and only there?
# shellcheck shell=bash disable=SC2154  # the variables are those of exercise.sh

must_run
warnings() { "${journal[@]}" --quiet --priority=warning..warning --output=cat _PID="$1"; }
said=$(warnings "$(property MainPID)")
[ -z "$said" ] || not_yet "In its sandbox, hellod warns as well: \"$said\""
transient=hellod-exercise.service
run sudo systemd-run --quiet --no-block --unit="$transient" --property=Type=notify --property=User=hellod \
    --property=RuntimeDirectory=hellod-exercise "$(program "$unit")"
outside() { systemctl show --property="$1" --value "$transient"; }
has_decided() { [[ $(outside ActiveState) =~ ^(active|failed)$ ]]; }
wait_until 8 has_decided || not_yet "Without a sandbox, hellod was neither ready nor at its end after eight seconds."
[ "$(outside ActiveState)" = active ] || not_yet "Without a sandbox, hellod did not start. A warning is enough."
has_warned() { [ -n "$(warnings "$(outside ExecMainPID)")" ]; }
wait_until 2 has_warned || not_yet "Without a sandbox, hellod gave no warning: the journal has nothing of it with -p warning..warning."
