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

# --- the managers ---------------------------------------------------------------------------------

require_managers() {
    [ -d /run/systemd/system ] ||
        die "systemd does not run this machine: process 1 is '$(cat /proc/1/comm)'." \
            "Use the lab instead: scripts/lab.sh up, then scripts/lab.sh shell."
    [ "$EUID" -ne 0 ] ||
        die "You are root, and the steps begin with services of your own." \
            "Run it again as yourself, without sudo; it asks for sudo where it has to."
    [ -n "${XDG_RUNTIME_DIR-}" ] ||
        die "XDG_RUNTIME_DIR is not set, so nothing here can find your user manager." \
            "Log in properly (console, ssh or desktop, not su), or: export XDG_RUNTIME_DIR=/run/user/$UID"
    systemctl --user show-environment &>/dev/null ||
        die "Your user manager does not answer." \
            "Start it with: sudo systemctl start user@$UID.service"
}

# use_manager user|system: whom the functions below talk to, where its units are, who may change them.
use_manager() {
    manager=$1
    case $manager in
        user)
            sudo=()
            ctl=(systemctl --user)
            journal=(journalctl --user)
            units=${XDG_CONFIG_HOME:-$HOME/.config}/systemd/user
            runtime_units=$XDG_RUNTIME_DIR/systemd/user
            ;;
        system)
            sudo=(sudo)
            ctl=(systemctl)
            journal=(sudo journalctl)
            units=/etc/systemd/system
            runtime_units=/run/systemd/system
            ;;
    esac
    installed=$units/hellod.service
}
other_manager() { if [ "$manager" = user ]; then echo system; else echo user; fi; }

# change VERB: has the manager do something to hellod, with sudo if it is the system's.
change() { run "${sudo[@]}" "${ctl[@]}" "$1" hellod.service; }
reload() { run "${sudo[@]}" "${ctl[@]}" daemon-reload; }

# property NAME: what the manager knows about hellod, systemctl(1).
property() { "${ctl[@]}" show --property="$1" --value hellod.service; }

is_loaded() { [ -n "$("${ctl[@]}" list-units --all --plain --no-legend hellod.service)" ]; }

is_linked() { compgen -G "$units/*.wants/hellod.service" >/dev/null; }

# Drop-ins, in the four places where systemctl(1) edit and set-property put them.
has_drop_ins() {
    local place
    for place in "$units"{,.control} "$runtime_units"{,.control}; do
        [ ! -d "$place/hellod.service.d" ] || return 0
    done
    return 1
}

# What a process of hellod has written to the journal.
journal_of() { "${journal[@]}" --quiet --boot --output=cat _PID="$1" "${@:2}"; }

# directive NAME UNIT-FILE: its value there, with %h filled in.
directive() {
    local value
    value=$(sed -n "s/^$1=//p" "$2")
    printf '%s\n' "${value/#%h/$HOME}"
}

# --- what outlives the unit file --------------------------------------------------------------------

# If this file is there, it was apply.sh that turned lingering on, and it is to be turned off again.
linger_mark=${XDG_STATE_HOME:-$HOME/.local/state}/hellod/linger

lingers() { [ -e "/var/lib/systemd/linger/$(id -un)" ]; }

start_lingering() {
    run install -D /dev/null "$linger_mark"
    run sudo loginctl enable-linger "$(id -un)"
}

stop_lingering() {
    run sudo loginctl disable-linger "$(id -un)"
    remove "$linger_mark"
}

# An account with this comment was made for the book. Any other of that name is somebody else's.
account_comment="hellod, from the book"

has_account() { getent passwd "$1" >/dev/null; }
is_ours() { [ "$(getent passwd hellod | cut -d: -f5)" = "$account_comment" ]; }

remove_link() {
    if [ -e "$installed" ]; then
        change disable
    else
        # disable wants to see the unit file; a link whose file is gone has to go by hand.
        run "${sudo[@]}" rm "$units"/*.wants/hellod.service
    fi
}

# remove_folder FOLDER: one below the home folder, and those above it, as far as they are empty. One
# that cannot go, say because something is mounted there, does no harm.
remove_folder() {
    run env --chdir="$HOME" rmdir --parents --ignore-fail-on-non-empty "${1#"$HOME"/}" || true
}

# remove FILE: and the folders above it that were made for it, if they are empty then.
remove() {
    local folder=${1%/*}
    case $folder in
        "$HOME"/*)
            run rm "$1"
            remove_folder "$folder"
            ;;
        */hellod)
            run sudo rm "$1"
            run sudo rmdir --ignore-fail-on-non-empty "$folder"
            ;;
        *) run sudo rm "$1" ;;
    esac
}

# places: where this manager's steps put their files.
places() {
    local file place
    {
        echo "$installed"
        for file in units/*/"$manager"/hellod.service; do directive ExecStart "$file"; done | sort -u
    } | while read -r place; do printf '%s\n' "$place" "$place.new"; done
}

# clear_away: takes hellod from the manager that is used. What is not there prints nothing.
clear_away() {
    local file state changed=
    state=$(property ActiveState)
    case $state in
        active | activating | reloading | deactivating) change stop ;;
    esac
    if is_linked; then changed=yes && remove_link; fi
    if has_drop_ins; then changed=yes && change revert; fi
    # The unit, every place where some step wants its program, and a half-made copy beside each.
    while read -r file; do
        if [ -e "$file" ] || [ -L "$file" ]; then changed=yes && remove "$file"; fi
    done < <(places)
    # What somebody else, or the reader by hand, has emptied.
    if [ "$manager" = user ]; then
        for file in "$units" "$HOME/.local/bin"; do
            if [ -d "$file" ] && [ -z "$(ls -A "$file")" ]; then remove_folder "$file"; fi
        done
    fi
    if [ -n "$changed" ]; then reload; fi
    # A failed unit stays in memory after its file is gone, so that its end can be looked into.
    if [ "$state" = failed ]; then change reset-failed; fi
}
