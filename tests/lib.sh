# What the tests share. Sourced by them, never run.
# shellcheck shell=bash

# it WHAT COMMAND...: one test. It passes if the command, mostly a function, does not fail anywhere.
# ABOUT, if set, says on which release it runs, and as part of what.
it() {
    local output status=0
    # Not as a condition: bash would then ignore errors inside of the function.
    set +e
    output=$(set -e && "${@:2}" 2>&1)
    status=$?
    set -e
    if [ "$status" -eq 0 ]; then
        printf 'ok      %s\n' "${ABOUT:+$ABOUT: }$1"
    else
        printf 'FAILED  %s\n' "${ABOUT:+$ABOUT: }$1"
        printf '        %s\n' "${output//$'\n'/$'\n        '}"
    fi
}

# same ONE OTHER: the texts are the same; if not, says how they differ.
same() { diff <(printf '%s\n' "$1") <(printf '%s\n' "$2"); }

# ends STATUS COMMAND...: the command ends with this status. Prints what it said.
ends() {
    local status=0
    "${@:2}" || status=$?
    [ "$status" -eq "$1" ] || { echo "ended with $status instead of $1: ${*:2}" && return 1; }
}

# says TEXT: what is read from standard input has this text in it.
says() {
    local input
    input=$(cat)
    grep -qF -- "$1" <<<"$input" || { printf 'should say "%s", says:\n%s\n' "$1" "$input" && return 1; }
}

# soon COMMAND...: it succeeds within ten seconds; the journal may be late.
soon() {
    local tries
    for ((tries = 0; tries < 100; tries++)); do
        ! "$@" &>/dev/null || return 0
        sleep 0.1
    done
    "$@"
}

all_steps() { for unit in units/[0-9][0-9]-*; do echo "${unit#units/}"; done; }

# Whether the kernel delegates control groups to namespaces, cgroups(7). It does where systemd has mounted
# them, and so on a reader's host; elsewhere this turns it on, or off again, for the whole machine.
delegates() { findmnt --noheadings --first-only --types cgroup2 --output OPTIONS | grep -c nsdelegate >/dev/null; }
nsdelegate() {
    local place options
    read -r place options < <(findmnt --noheadings --first-only --types cgroup2 --output TARGET,FS-OPTIONS)
    options=${options//,nsdelegate/}
    [ "$1" = off ] || options+=,nsdelegate
    mount --options-mode ignore -t cgroup2 -o "remount,$options" cgroup2 "$place"
}
