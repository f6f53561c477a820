# How to look at the running hellod; what check.sh and the checks of the exercises ask. Sourced by them, never run.
# shellcheck shell=bash disable=SC2154  # the variables are those of lib.sh

property_is() { [ "$(property "$1")" = "$2" ]; }
runs_what_is_installed() {
    "${sudo[@]}" test "/proc/$(property MainPID)/exe" -ef "$(program "$unit")"
}
# wrote PATTERN [TIMES]: the running hellod has so many such lines in the journal, or within six seconds.
wrote() {
    local tries
    for ((tries = 0; tries < 60; tries++)); do
        [ "$(lines_with "$1")" -lt "${2-1}" ] || return 0
        property_is ActiveState active || return 1
        sleep 0.1
    done
    return 1
}

lines_with() { grep -c -- "$1" <(journal_of "$(property MainPID)"); }

# greets_visitors_at PIPE: this visit, and not an earlier one. Opening a pipe that nobody reads would wait
# for ever.
greets_visitors_at() {
    local before
    before=$(lines_with "Hello, check.sh")
    [ -p "$1" ] && timeout 6 tee "$1" <<<"check.sh" && wrote "Hello, check.sh" "$((before + 1))"
}
