#!/usr/bin/env bash
# Looks on while hellod changes, and prints what is so now; the companion of the served book runs it.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=scripts/looking.sh
. scripts/looking.sh
# shellcheck source=scripts/expectations.sh
. scripts/expectations.sh

usage() {
    cat <<END
Usage: scripts/watch.sh [--sudo]

Prints lines for programs, with a tab between their words, until its standard input ends:

  machine NAME SYSTEM SYSTEMD         once
  state MANAGER ACTIVE SUB STATUS STEP
                                      whenever it changes; MANAGER is user, system or none, and STEP the one
                                      whose unit is installed, if it is one of the book's
  looking                             before the first of these, of which some may be missing then
  check STEP MARK WHAT HINT           all of every step, whenever something has happened: ✓, ✗, or
                                      ? for what cannot be seen without sudo
  checked                             after the last of them
  doctor MARK WHAT WHAT-HELPS         what doctor.sh says, when 'doctor' is read from standard input
  examined                            after the last of them
  journal ENTRY                       of hellod, as journalctl --output=json has it

It changes nothing and says nothing to hellod, so nothing of it is in the journal; only --sudo, for a lab,
leaves what sudo itself writes there.
END
}

may_sudo=
case ${1-} in
    -h | --help) usage && exit ;;
    --sudo) may_sudo=yes && shift ;;
esac
no_arguments "$@"
[ ! -t 0 ] || stty raw -echo # a terminal that stands for a pipe: not a byte of it is for people
require_managers

# --- asking each manager once, and not again for each step --------------------------------------------

look_at() {
    use_manager "$1"
    if [ -z "$may_sudo" ] && [ "$1" = system ]; then sudo=() && journal=(journalctl); fi
}

declare -A known answers
ask_managers() {
    local one line from_user from_system
    known=() answers=()
    # Both at once.
    exec {from_user}< <(systemctl --user show hellod.service) {from_system}< <(systemctl show hellod.service)
    while IFS= read -r line; do known[user ${line%%=*}]=${line#*=}; done <&"$from_user"
    while IFS= read -r line; do known[system ${line%%=*}]=${line#*=}; done <&"$from_system"
    exec {from_user}<&- {from_system}<&-
}
property() { printf '%s\n' "${known[$manager $1]-}"; }
property_is() { [ "${known[$manager $1]-}" = "$2" ]; }

# once COMMAND...: its answer, from the second time on without asking again.
once() {
    local key="$manager $*"
    [ -n "${answers[$key]+yes}" ] || answers[$key]=$("$@" 2>/dev/null || true)
    answer=${answers[$key]}
}
is_enabled() { once "${ctl[@]}" is-enabled hellod.service && [ "$answer" = enabled ]; }
hellos() { "${journal[@]}" --quiet --boot --output=cat "_PID=$1" "${@:2}"; }
journal_of() { once hellos "$@" && printf '%s\n' "$answer"; }

# --- looking, without a word to hellod ------------------------------------------------------------------

# A visit would stand in the journal, and in the reader's next look at it. So: whether hellod has the pipe open.
greets_visitors_at() {
    [ -p "$1" ] && property_is ActiveState active &&
        grep -q . <("${sudo[@]}" find "/proc/$(property MainPID)/fd" -lname "$1" 2>/dev/null)
}
# What has not come yet will be a reason to look again, and none to wait.
wrote() { property_is ActiveState active && journal_of "$(property MainPID)" | grep -c -- "$1" >/dev/null; }

# needs_root COMMAND: without root this cannot be seen of somebody else's process, or in somebody else's journal.
needs_root() {
    case $1 in
        runs_what_is_installed | wrote | wrote_* | greets_visitors_at) [ "$manager" = system ] && [ -z "$may_sudo" ] ;;
        *) false ;;
    esac
}

expect() {
    local mark=✓
    if ! "${@:3}" &>/dev/null; then
        mark=✗
        if property_is ActiveState active && needs_root "$3"; then mark='?'; fi
    fi
    printf 'check\t%s\t%s\t%s\t%s\n' "$step" "$mark" "$1" "$2"
}

# --- the state, which is wanted soon: without a process more than it needs ---------------------------------

# read_whole FILE: into `whole`.
read_whole() { IFS= read -r -d '' whole <"$1" || true; }

# Whose unit it is, to the letter.
installed_step() {
    local unit whole installed
    step_now=
    [ -r "${known[$manager_now FragmentPath]-}" ] || return 0
    read_whole "${known[$manager_now FragmentPath]}"
    installed=$whole
    for unit in units/*/"$manager_now"/hellod.service; do
        read_whole "$unit"
        if [ "$whole" = "$installed" ]; then step_now=${unit#units/} step_now=${step_now%%/*}; fi
    done
}

# Which manager's hellod is meant: the system's, if both have one, since that is where the book goes.
whose() {
    local one
    for one in system user; do
        # Also one that systemd does not understand.
        manager_now=$one
        [ "${known[$one LoadState]-not-found}" = not-found ] || return 0
    done
    manager_now=none
}

broken_off=3 # the first is not
state_before=
say_state() {
    local state
    printf -v state 'state\t%s\t%s\t%s\t%s\t%s' "$manager_now" "${known[$manager_now ActiveState]-inactive}" \
        "${known[$manager_now SubState]-dead}" "${known[$manager_now StatusText]-}" "$step_now"
    [ "$state" = "$state_before" ] || printf '%s\n' "$state"
    state_before=$state
}

look_at_state() {
    ask_managers
    whose
    installed_step
    say_state
}

look() {
    look_at_state
    process=${known[$manager_now MainPID]-0}
    # To tell the start of a process from the end of one, without asking anybody.
    group=/sys/fs/cgroup${known[$manager_now ControlGroup]-}
    local unit
    echo looking
    for unit in units/[0-9][0-9]-*/; do
        # If something has happened meanwhile, first its state, and all checks anew; but not for ever.
        if read -r -t 0 -u "$events"; then
            if [ "$broken_off" -lt 3 ]; then
                broken_off=$((broken_off + 1))
                return 1
            fi
            look_at_state
        fi
        unit=${unit#units/}
        find_step "${unit%/}"
        look_at "$manager"
        expectations
    done
    broken_off=0
    echo checked
}

# --- what is a reason to look -----------------------------------------------------------------------------

# Of hellod, and of the managers, which say there when they have started, stopped or read something.
follow() {
    look_at "$1"
    "${journal[@]}" --quiet --follow --lines="$2" --output=json \
        --output-fields=MESSAGE,SYSLOG_IDENTIFIER,PRIORITY,UNIT,USER_UNIT,_SYSTEMD_UNIT,_SYSTEMD_USER_UNIT "${@:3}"
}
events() {
    follow user 20 _SYSTEMD_USER_UNIT=hellod.service + USER_UNIT=hellod.service + SYSLOG_IDENTIFIER=systemd "_UID=$UID" &
    follow system 20 _SYSTEMD_UNIT=hellod.service + UNIT=hellod.service + _PID=1 &
    # Its end is the end of everything here.
    local word
    while read -r word; do printf '%s\n' "$word"; done <&3
    echo end
}

# What the manager has not read, and what it does not say: files, and the folders that they come and go in.
places=("$HOME/.local/bin"{,/hellod} "$HOME/.config/systemd/user"{,/hellod.service,/hellod.service.d,/default.target.wants}
    /etc/systemd/system/{hellod.service,hellod.service.d,multi-user.target.wants} /usr/local/lib/hellod{,/hellod}
    "$XDG_RUNTIME_DIR/hellod.pipe" /run/hellod{,/hellod.pipe} /var/lib/systemd/linger /etc/passwd
    "$XDG_RUNTIME_DIR/systemd/user" /run/systemd/system/hellod.service)
# All that stat(1) says of them, which costs a process; and whether one is newer than the last look, which costs nothing.
all_of_places() { stat --format='%n %i %Y %Z' "${places[@]}" 2>/dev/null || true; }
newer_place() {
    local file
    for file in "${places[@]}"; do
        [[ ! $file -nt /dev/fd/$looked ]] || return 0
    done
    return 1
}

trap 'kill $(jobs -p) 2>/dev/null || true' EXIT
trap 'exit 0' HUP INT TERM
printf 'machine\t%s\t%s\t%s\n' "$(uname -n)" "$(. /etc/os-release && echo "$PRETTY_NAME")" \
    "$(systemctl --version | sed -n '1s/systemd \([0-9]*\).*/\1/p')"
exec 3<&0 {events}< <(trap 'kill $(jobs -p) 2>/dev/null || true' EXIT && events)

has_process() { [ "$process" != 0 ] && [ -e "/proc/$process" ]; }
has_group() { [ "$group" != /sys/fs/cgroup ] && [ -e "$group" ]; }
entries_of_process=0
looked=
look_and_note() {
    # A pipe is as old as this moment, and leaves no file behind.
    [ -z "$looked" ] || exec {looked}<&-
    exec {looked}<<<now
    again=
    look || again=look
    had_process=
    if has_process; then had_process=yes; fi
    [ -n "$again" ] || files=$(all_of_places)
}
files=
look_and_note
ticks=0 pending='' wanted=$again said='' since=$SECONDS
while :; do
    if IFS= read -r -t 0.25 -u "$events" line; then
        line=$pending$line pending=
        case $line in
            end) exit ;;
            doctor)
                scripts/doctor.sh --lines | sed 's/^/doctor\t/' || true
                echo examined
                ;;
            '{'*'"SYSLOG_IDENTIFIER":"hellod"'*)
                printf 'journal\t%s\n' "$line"
                # Its first lines may be what a check has waited for. A later one that is new may come with another
                # STATUS=; the same again tells nothing.
                message=${line#*\"MESSAGE\":\"} entries_of_process=$((entries_of_process + 1))
                message=${message%%\"*}
                if [ "$entries_of_process" -le 3 ]; then wanted=look; fi
                if [ "$message" != "$said" ]; then wanted=${wanted:-state}; fi
                said=$message
                ;;
            # What it says whenever somebody asks for a unit that has no ExecStart=; looking again would have it say so again.
            '{'*'"'*'UNIT":"hellod.service"'*Refusing.* | '{'*Refusing.*'UNIT":"hellod.service"'*) printf 'journal\t%s\n' "$line" ;;
            '{'*'"'*'UNIT":"hellod.service"'*)
                printf 'journal\t%s\n' "$line"
                wanted=look entries_of_process=0
                ;;
            # Of all else that managers say: that they have read their units anew.
            *Reload* | *hellod*) wanted=look ;;
        esac
        line=
        # Whatever else has come first, but not for ever.
        if [ -z "$wanted" ]; then since=$SECONDS; fi
        if [ -z "$wanted" ] || [ "$SECONDS" -le "$((since + 1))" ]; then continue; fi
    elif [ $? -le 128 ]; then
        exit # nothing can come any more
    fi
    pending+=$line # half a line
    ticks=$((ticks + 1))
    if [ -n "$had_process" ] && ! has_process; then wanted=look; fi
    if [ -z "$had_process" ] && has_group && [ "$process" = 0 ]; then wanted=look; fi
    if [ $((ticks % 4)) -eq 0 ] && newer_place; then wanted=look; fi
    if [ $((ticks % 40)) -eq 0 ] && [ "$(all_of_places)" != "$files" ]; then wanted=look; fi
    case $wanted in
        look) look_and_note ;;
        state)
            known[$manager_now StatusText]=$("${ctl[@]}" show --property=StatusText --value hellod.service)
            say_state
            again=
            ;;
        *) again= ;;
    esac
    wanted=$again
done
