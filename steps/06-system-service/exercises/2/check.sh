# Sourced by scripts/exercise.sh: is hellod started after the network is up?
# shellcheck shell=bash

# among NAME UNIT: the property lists that unit.
among() { [[ " $(property "$1") " == *" $2 "* ]]; }
target=network-online.target

[ -n "$(property DropInPaths)" ] || not_yet "hellod.service has no drop-in."
if among After network.target && ! among After "$target"; then
    not_yet "hellod waits for network.target: by then the network is about to be set up, and not yet up."
fi
among After "$target" || not_yet "hellod does not wait for $target: After= does not list it."
among Wants "$target" || among Requires "$target" ||
    not_yet "hellod comes after $target, but does not ask for it: if nothing else does, there is nothing to wait for."
# shellcheck disable=SC2046  # one path, or several
grep -q "$target" $(property DropInPaths) /dev/null || not_yet "It is not a drop-in that names $target: is it in the unit file?"
must_run
is_up() { [ "$(systemctl show --property=ActiveState --value "$target")" = active ]; }
is_up || not_yet "hellod runs, and $target is not active: was hellod started before the drop-in was there?"
