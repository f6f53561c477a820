# What the scripts share. Sourced by them, never run.
# shellcheck shell=bash disable=SC2034  # the variables are for the scripts that source this

# Every path that a script prints is relative to the repository, so the commands can be pasted there.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root" || exit

# shellcheck source=scripts/ours.sh
. scripts/ours.sh

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

# no_arguments "$@": for a script that takes none but --help.
no_arguments() {
    [ $# -gt 0 ] || return 0
    case $1 in
        -h | --help) usage && exit ;;
        *) misuse "${0##*/} takes no '$1'." ;;
    esac
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

# alone: waits until nobody else changes this machine. The lock is on a folder that is always there, so
# it leaves nothing behind; the kernel drops it when this process and what it started have ended.
alone() {
    exec 9</etc/systemd/system
    flock --nonblock 9 && return
    echo "Another apply.sh or reset.sh is at work; waiting for its end."
    flock 9
}

# --- Rust, and what came packed ---------------------------------------------------------------------

# What workshop.sh pack took along, for a machine that has neither Rust nor network: what labs are made of. This
# repository's target came with it, built, and nothing is to be built there.
packed=$root/packed
is_packed() { [ -d "$packed" ]; }

# find_rust: what a lab borrows. Sets LAB_RUST, the toolchain; LAB_REGISTRY, what cargo has fetched; and
# LAB_REGISTRY_AS, where the lab has that.
find_rust() {
    if is_packed; then
        LAB_RUST=$packed/rust LAB_REGISTRY=$packed/registry LAB_REGISTRY_AS=$(cat "$packed/registry-path")
    else
        command -v cargo >/dev/null ||
            die "cargo is not on the PATH, and the lab borrows your Rust toolchain." \
                "Install Rust from https://rustup.rs and open a new terminal."
        LAB_RUST=$(rustc --print sysroot)
        LAB_REGISTRY=${CARGO_HOME:-$HOME/.cargo}/registry
        # To cargo, the same source in another place is another source, and has to be built again.
        LAB_REGISTRY_AS=$LAB_REGISTRY
        # The lab has no network: what the steps depend on has to be here before it starts.
        cargo fetch --locked --quiet ||
            die "The crates that the steps need could not be fetched." \
                "Is there a network? They are fetched once; after that the lab needs none."
    fi
    export LAB_RUST LAB_REGISTRY LAB_REGISTRY_AS
}

# build_tool NAME: one of those in tools/.
build_tool() { cargo build --quiet --locked --manifest-path tools/Cargo.toml --target-dir target/tools --package "$1"; }

# build_steps: as apply.sh and the chapters do it, so that they find it done: one by one, for together they would
# be given other features of their crates, and without the examples, which have more of these.
build_steps() {
    local step
    for step in steps/[0-9]*; do
        step=${step#steps/}
        cargo build --quiet --release --locked --target-dir target --package "step-${step%%-*}"
        cargo build --quiet --release --locked --target-dir target --package "step-${step%%-*}" --examples
    done
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

require_cargo() {
    local place=${CARGO_TARGET_DIR:-$root}
    command -v cargo >/dev/null ||
        die "cargo is not on the PATH, so hellod cannot be built." \
            "Install Rust from https://rustup.rs and open a new terminal."
    [ -w "$place" ] || [ ! -e "$place" ] ||
        die "$place is $(stat -c %U "$place")'s, and cargo cannot build in it for you." \
            "Either: sudo chown -R $(id -un): $(printf %q "$place"), or: export CARGO_TARGET_DIR=~/hellod-target"
}

# require_sudo: before anything is changed, so that a wrong password does not leave half of a step.
require_sudo() {
    command -v sudo >/dev/null ||
        die "This needs root in places, and there is no sudo; nothing was changed." \
            "As root: apt install sudo && adduser $(id -un) sudo, and log in again. Or use the lab: scripts/lab.sh up"
    sudo true ||
        die "sudo did not let you, so nothing was changed." \
            "Its message is above. Run this in a terminal, as somebody who may use sudo, or in the lab: scripts/lab.sh up"
}

# use_manager user|system: whom the functions below talk to, where its units are, who may change them.
use_manager() {
    manager=$1
    case $manager in
        user)
            sudo=()
            ctl=(systemctl --user)
            journal=(journalctl --user)
            # As the manager sees it: its XDG_CONFIG_HOME may be another than this shell's.
            units=$("${ctl[@]}" show --property=UnitPath --value | tr ' ' '\n' |
                sed -n '0,/\/systemd\/user$/{//p}')
            runtime_units=$XDG_RUNTIME_DIR/systemd/user
            folders=("$units" "$runtime_units" "$HOME/.local/bin")
            pipe=$XDG_RUNTIME_DIR/hellod.pipe
            ;;
        system)
            sudo=(sudo)
            ctl=(systemctl)
            journal=(sudo journalctl)
            units=/etc/systemd/system
            folders=(/usr/local/lib/hellod)
            runtime_units=/run/systemd/system
            pipe=/run/hellod
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

# has_other_drop_ins [FIND-TEST...]: than the working copy has for the unit; an empty folder of them counts.
has_other_drop_ins() {
    local file
    while read -r file; do
        [ "$file" = "$units/hellod.service.d/${file##*/}" ] && cmp -s "$file" "$unit.d/${file##*/}" || return 0
    done < <(find "$units"{,.control}/hellod.service.d "$runtime_units"{,.control}/hellod.service.d \
        \( ! -type d -o -empty \) "$@" 2>/dev/null)
    return 1
}

# What a process of hellod has written to the journal.
journal_of() { "${journal[@]}" --quiet --boot --output=cat _PID="$1" "${@:2}"; }

# directive NAME UNIT-FILE: what it is set to there.
directive() { sed -n "s/^$1=//p" "$2"; }

# program UNIT-FILE...: what it starts, with %h filled in; no arguments, and no prefix such as @ or -.
program() {
    local path
    while read -r path; do
        printf '%s\n' "${path/#%h/$HOME}"
    done < <(sed -n 's/^ExecStart=[-@:+!|]*\([^ ]*\).*/\1/p' "$@")
}

# What apply.sh has installed, by its checksum: whatever else is there, somebody has written by hand.
installed_before=${CARGO_TARGET_DIR:-target}/installed

# --- what outlives the unit file --------------------------------------------------------------------

# If this file is there, it was apply.sh that turned lingering on, and it is to be turned off again.
linger_mark=${XDG_STATE_HOME:-$HOME/.local/state}/hellod/linger

# What only root can take away again.
has_roots_things() {
    [ -e "$linger_mark" ] || is_our_account hellod || [ -e /usr/local/lib/hellod ] ||
        exists /etc/systemd/system/hellod.service
}

lingers() { [ -e "/var/lib/systemd/linger/$(id -un)" ]; }

start_lingering() {
    run install -D /dev/null "$linger_mark"
    run sudo loginctl enable-linger "$(id -un)"
}

stop_lingering() {
    if [ -e "$linger_mark" ]; then
        run sudo loginctl disable-linger "$(id -un)"
        run rm "$linger_mark"
    fi
    remove_empty "${linger_mark%/*}"
}

has_account() { getent passwd "$1" >/dev/null; }

remove_link() {
    if [ -e "$installed" ]; then
        change disable
    else
        # disable wants to see the unit file; a link whose file is gone has to go by hand.
        run "${sudo[@]}" rm "$units"/*.wants/hellod.service
        run "${sudo[@]}" rmdir --ignore-fail-on-non-empty "$units"/*.wants
    fi
}

# remove FILE
remove() {
    case $1 in
        "$HOME"/*) run rm "$1" ;;
        *) run "${sudo[@]}" rm "$1" ;;
    esac
}

# remove_empty FOLDER: one that was made for hellod, and those above it, if nothing of others is in it.
# One that cannot go, say because something is mounted there, does no harm.
remove_empty() {
    local rmdir=(rmdir --ignore-fail-on-non-empty)
    if [ ! -d "$1" ] || [ -n "$(of_others "$1")" ]; then return; fi
    case $1 in
        "$HOME"/*) run env --chdir="$HOME" "${rmdir[@]}" --parents "${1#"$HOME"/}" || true ;;
        *) run "${sudo[@]}" "${rmdir[@]}" "$1" || true ;;
    esac
}
of_others() {
    "${sudo[@]}" find "$1" -mindepth 1 ! -name 'hellod*' ! -name linger ! -name '*.target.wants' -print -quit
}

# programs: where this manager's steps put the program.
programs() { program units/*/"$manager"/hellod.service | sort -u; }

# remove_pipe: one that a hellod left that was killed, and that nobody has open.
remove_pipe() {
    if is_our_pipe "$pipe" && ! in_use "$pipe"; then run rm "$pipe"; fi
}

# clear_away: takes hellod from the manager that is used. What is not there prints nothing.
clear_away() {
    local file state changed=
    [ -z "$(strange_unit)" ] || return 0
    state=$(property ActiveState)
    case $state in
        active | activating | reloading | deactivating) change stop ;;
    esac
    if is_linked; then changed=yes && remove_link; fi
    if has_drop_ins; then changed=yes && change revert; fi
    for file in "$installed" "$installed.new" "$runtime_units/hellod.service"; do
        if exists "$file"; then changed=yes && remove "$file"; fi
    done
    while read -r file; do
        if exists "$file" && is_our_program "$file"; then remove "$file"; fi
        # A half-made copy.
        if exists "$file.new"; then remove "$file.new"; fi
    done < <(programs)
    remove_pipe
    # The manager removes it at the stop, if the unit is still there then.
    if [ "$state" = inactive ]; then folders+=("$pipe"); fi
    for file in "${folders[@]}"; do remove_empty "$file"; done
    if [ -n "$changed" ]; then reload; fi
    # A failed unit stays in memory after its file is gone, so that its end can be looked into.
    if [ "$(property ActiveState)" = failed ]; then change reset-failed; fi
}
