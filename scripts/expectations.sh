# What should be true after a step; check.sh asks it once, watch.sh again and again. Sourced by them, never run.
# shellcheck shell=bash disable=SC2154  # the variables are those of lib.sh

is_enabled() { [ "$("${ctl[@]}" is-enabled hellod.service)" = enabled ]; }

# Of a unit that isn't there, systemd says that it needs no reload.
is_read() { property_is LoadState loaded && property_is NeedDaemonReload no; }

# expectations: of the step that find_step has found. Whoever sources this says what `expect` does with each:
# expect WHAT HINT COMMAND...: the command succeeds if it is so.
expectations() {
    expect "systemd knows hellod.service" \
        "Is there a hellod.service (ls $units)? Then: ${sudo[*]} ${ctl[*]} daemon-reload" \
        property_is LoadState loaded
    expect "systemd has read the unit as it is now" \
        "It isn't read yet, or changed on disk since. Run: ${sudo[*]} ${ctl[*]} daemon-reload, then restart hellod" \
        is_read
    expect "hellod is active" \
        "Why not: ${ctl[*]} status hellod; ${journal[*]} -u hellod -n 20" \
        property_is ActiveState active
    expect "the running program is the installed one" \
        "None runs, or the file was replaced and the old one still runs: ${sudo[*]} ${ctl[*]} restart hellod" \
        runs_what_is_installed
    # shellcheck source=/dev/null  # what is new in this step
    . "steps/$step/check.sh"
    if grep -q '^\[Install\]' "$unit"; then
        expect "hellod is enabled" \
            "Nothing starts it at boot: ${sudo[*]} ${ctl[*]} enable hellod" \
            is_enabled
        [ "$manager" = system ] || expect "your user manager runs from boot on" \
            "It waits for your login: sudo loginctl enable-linger $(id -un)" \
            lingers
    fi
}
