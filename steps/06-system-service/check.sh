# Sourced by scripts/check.sh: what should be true after step 06.
# shellcheck shell=bash

pipe=/run/hellod/hellod.pipe
program=/usr/local/lib/hellod/hellod
unit_file=/etc/systemd/system/hellod.service
only_root_may_change() { [ "$(stat -c '%U %a' "$program" "$unit_file")" = $'root 755\nroot 644' ]; }
no_user_service() { [ "$(systemctl --user show --property=LoadState --value hellod.service)" = not-found ]; }

expect "the program and the unit file are root's, and nobody else may change them" \
    "Compare: ls -l $program $unit_file" \
    only_root_may_change
expect "your user manager has no hellod of its own any more" \
    "Two of them would greet: systemctl --user disable --now hellod, and remove its unit file" \
    no_user_service
expect "hellod greets in the journal" \
    "Nothing has arrived there: sudo journalctl -u hellod -n 20" \
    wrote "Hello from hellod"
expect "hellod greets visitors who write into $pipe" \
    "Is there such a pipe (ls -l $pipe)? Is hellod ready (systemctl status hellod)?" \
    greets_visitors_at "$pipe"
