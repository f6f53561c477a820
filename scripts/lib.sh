# What the scripts share. Sourced by them, never run.
# shellcheck shell=bash disable=SC2034  # the variables are for the scripts that source this

# Every path that a script prints is relative to the repository, so the commands can be pasted there.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root" || exit

# --- saying what is wrong -------------------------------------------------------------------------

# die WHAT-IS-WRONG WHAT-TO-DO: it did not work, exit 1.
die() {
    printf '%s: %s\n' "${0##*/}" "$1" >&2
    printf '%s\n' "$2" >&2
    exit 1
}

# misuse WHAT-IS-WRONG: it was called wrongly, exit 2.
misuse() {
    printf '%s: %s\n\n' "${0##*/}" "$1" >&2
    usage >&2
    exit 2
}

# --- steps ----------------------------------------------------------------------------------------

list_steps() {
    local unit
    for unit in units/[0-9][0-9]-*/; do
        unit=${unit#units/}
        printf '  step-%s  %s\n' "${unit%%-*}" "${unit%/}"
    done
}

# find_step WORD: step-05, 05, 5 or 05-graceful-stop. Sets step, crate, manager and unit.
find_step() {
    local word=${1#step-} number
    case $word in
        [0-9]) number=0$word ;;
        [0-9][0-9]) number=$word ;;
        [0-9][0-9]-*) number=${word%%-*} ;;
        *) misuse "There is no step '$1'." ;;
    esac
    local found=(units/"$number"-*/*/hellod.service)
    unit=${found[0]}
    [ -f "$unit" ] || misuse "There is no step '$1'."
    step=${unit#units/}
    manager=${step#*/}
    manager=${manager%%/*}
    step=${step%%/*}
    [[ $word != *-* || $word == "$step" ]] || misuse "There is no step '$1'."
    crate=step-$number
}

# --- doing, and saying so -------------------------------------------------------------------------

dry_run=

# run COMMAND...: print a command that changes the machine, then run it.
run() {
    printf '  $%s\n' "$(printf ' %q' "$@")"
    [ -n "$dry_run" ] || "$@"
}

# --- the user manager -----------------------------------------------------------------------------

require_user_manager() {
    [ -d /run/systemd/system ] ||
        die "systemd does not run this machine: process 1 is '$(cat /proc/1/comm)'." \
            "Use the lab instead: scripts/lab.sh up, then scripts/lab.sh shell."
    [ "$EUID" -ne 0 ] ||
        die "This is a user step, and you are root." \
            "Run it again as yourself, without sudo."
    [ -n "${XDG_RUNTIME_DIR-}" ] ||
        die "XDG_RUNTIME_DIR is not set, so nothing here can find your user manager." \
            "Log in properly (console, ssh or desktop, not su), or: export XDG_RUNTIME_DIR=/run/user/$UID"
    systemctl --user show-environment &>/dev/null ||
        die "Your user manager does not answer." \
            "Start it with: sudo systemctl start user@$UID.service"
}

user_units=${XDG_CONFIG_HOME:-$HOME/.config}/systemd/user
# Who turned lingering on: if this file is there, it was apply.sh, and reset.sh turns it off again.
linger_mark=${XDG_STATE_HOME:-$HOME/.local/state}/hellod/linger

# property NAME: what the manager knows about hellod, systemctl(1).
property() { systemctl --user show --property="$1" --value hellod.service; }

is_loaded() { [ -n "$(systemctl --user list-units --all --plain --no-legend hellod.service)" ]; }

lingers() { [ -e "/var/lib/systemd/linger/$(id -un)" ]; }

# The path in a unit's ExecStart=, with %h filled in: there the program has to be.
program_of() {
    local line
    line=$(sed -n 's/^ExecStart=//p' "$1")
    printf '%s\n' "${line/#%h/$HOME}"
}

# What this process of hellod has written to the journal.
journal_of() { journalctl --user --quiet --boot --output=cat _PID="$1" "${@:2}"; }

# --- what outlives the unit file --------------------------------------------------------------------

is_linked() { compgen -G "$user_units/*.wants/hellod.service" >/dev/null; }

# Drop-ins, in the four places where systemctl(1) edit and set-property put them.
has_drop_ins() {
    local place
    for place in "$user_units"{,.control} "$XDG_RUNTIME_DIR"/systemd/user{,.control}; do
        [ ! -d "$place/hellod.service.d" ] || return 0
    done
    return 1
}

remove_link() {
    if [ -e "$user_units/hellod.service" ]; then
        run systemctl --user disable hellod.service
    else
        # disable wants to see the unit file; a link whose file is gone has to go by hand.
        run rm "$user_units"/*.wants/hellod.service
    fi
}

stop_lingering() {
    run sudo loginctl disable-linger "$(id -un)"
    run rm "$linger_mark"
    remove_empty "${linger_mark%/*}"
}

# remove_empty FOLDER: removes it if it is empty, and then those above it, up to the home folder.
remove_empty() {
    local folder=$1
    while [[ $folder == "$HOME"/* ]] && rmdir "$folder" 2>/dev/null; do
        folder=${folder%/*}
    done
}
