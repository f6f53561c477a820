# Gets hellod to run as the working copy says, tries things on it for the check of an exercise, and takes
# them back. Sourced by exercise.sh, never run.
# shellcheck shell=bash disable=SC2154  # the variables are those of exercise.sh

# --- the machine as the working copy says -----------------------------------------------------------

other_manager_has_one() { (use_manager "$(other_manager)" && exists "$installed" && is_our_unit "$installed"); }

# is_installed: what is in the working copy, and nothing else. A drop-in that you made with systemctl(1)
# edit may stay: it may be the very answer.
is_installed() {
    local file
    cmp -s "${CARGO_TARGET_DIR:-target}/release/$crate" "$(program "$unit")" &&
        cmp -s "$unit" "$installed" && is_loaded || return
    for file in "$unit.d"/*.conf; do
        [ ! -e "$file" ] || cmp -s "$file" "$units/hellod.service.d/${file##*/}" || return
    done
    ! has_other_drop_ins ! -name override.conf && ! other_manager_has_one
}

# runs_as_installed: it runs, and nothing of it has changed since it was started.
runs_as_installed() {
    local since
    since=$("${ctl[@]}" show --timestamp=us+utc --property=ExecMainStartTimestamp --value hellod.service)
    property_is ActiveState active && property_is NeedDaemonReload no && [ -n "$since" ] && runs_what_is_installed &&
        [ -z "$(find "$installed" "$(program "$unit")" {"$units","$runtime_units"}{,.control}/hellod.service.d \
            -newermt "$since" 2>/dev/null)" ]
}

# by_hand FILE: somebody's own, and neither put there by apply.sh nor one of the book's.
by_hand() {
    [ -f "$1" ] && [ ! -L "$1" ] && [ "$1" != "$(try_file)" ] &&
        ! grep -qxF "$(sha256sum <"$1")" "$installed_before" 2>/dev/null &&
        ! grep -qF " $(git hash-object "$1" 2>/dev/null)" <(git ls-tree -r HEAD -- units 2>/dev/null) &&
        ! grep -q "^$(sha256sum <"$1" | cut -d' ' -f1)" <(find units -type f -exec sha256sum {} +)
}

# keep_by_hand: apply.sh takes away or replaces what you may have written with systemctl(1) edit.
keep_by_hand() {
    local one file
    for one in user system; do
        use_manager "$one"
        if by_hand "$installed"; then keep "$installed" "$unit"; fi
        for file in {"$units","$runtime_units"}{,.control}/hellod.service.d/*.conf; do
            by_hand "$file" || continue
            mkdir -p "$unit.d"
            keep "$file" "$unit.d/${file##*/}"
        done
    done
    use_manager "$here"
}

bring_up_to_date() {
    local said
    echo "  \$ cargo build --release --locked --package $crate"
    if ! cargo build --quiet --release --locked --package "$crate"; then
        printf '✗ %s\n  %s\n' "$title" "It does not compile, and cargo's message is above; nothing was changed."
        exit 1
    fi
    if is_installed; then
        runs_as_installed || { reload && start_anew; }
        return
    fi
    local here=$manager
    keep_by_hand
    # Its failure is no reason to stop here: if hellod does not stay up, the check says what it makes of that.
    exec 3>&1
    said=$(scripts/apply.sh "$crate" 2>&1 3>&- | tee >(grep --line-buffered -E '^  \$ |^Another ' | grep --line-buffered -vE ' (cargo build|status) ' >&3)) || true
    exec 3>&-
    is_installed || { grep -v '^  \$ ' <<<"$said" >&2; exit 1; }
}

# --- trying things ------------------------------------------------------------------------------------

disturbed= # whether hellod was started, stopped or killed here
transient= # the unit that runs beside it
# The last by name, so that it has the last word.
try_file() { echo "$runtime_units/hellod.service.d/zz-exercise.conf"; }

# start_anew: also after it was started too often.
start_anew() {
    disturbed=yes
    if is_loaded; then change reset-failed; fi
    change restart || true # it may be the very thing to look at
}
stop() { disturbed=yes && change stop; }
# send SIGNAL: to hellod, as somebody would who knows nothing of the manager.
send() {
    local process
    process=$(property MainPID)
    # 0 is none, and to kill(1) it is everybody in here.
    [ "$process" -gt 0 ] || not_yet "hellod has no process any more, it is $(state)."
    disturbed=yes
    run "${sudo[@]}" kill "-$1" "$process"
}

# with_drop_in LINE...: hellod is started anew, with these directives besides.
with_drop_in() {
    local text
    text=$(printf '%s\n' "$@")
    printf '  $%s <<<%q\n' "$(printf ' %q' "${sudo[@]}" install -D -m 644 /dev/stdin "$(try_file)")" "$text"
    "${sudo[@]}" install -D -m 644 /dev/stdin "$(try_file)" <<<"$text"
    reload
    start_anew
}
without_drop_in() { remove_drop_in && start_anew; }
# Stopped before the file goes, so that the manager still knows what it has to clear away.
remove_drop_in() {
    change stop || true
    remove "$(try_file)"
    remove_empty "$(dirname "$(try_file)")"
    [ "$manager" = system ] || remove_empty "$runtime_units" # the system's own is there from boot on
    reload
}

# take_all_back: afterwards your hellod runs again, as you have written it.
take_all_back() {
    trap '' INT TERM # not halfway
    if [ -n "$transient" ]; then
        run sudo systemctl stop "$transient" || true
        sudo systemctl reset-failed "$transient" 2>/dev/null || true # if it failed, it is still in memory
        transient=
    fi
    if exists "$(try_file)"; then
        remove_drop_in
        disturbed=yes
    fi
    trap - INT TERM # a start may take as long as TimeoutStartSec= says
    if [ -n "$disturbed" ] && ! property_is ActiveState active; then start_anew; fi
    disturbed=
}

# --- waiting, and asking ------------------------------------------------------------------------------

# wait_until SECONDS COMMAND...: whether it succeeds within that time.
wait_until() {
    local tries
    for ((tries = 0; tries < $1 * 10; tries++)); do
        ! "${@:2}" &>/dev/null || return 0
        sleep 0.1
    done
    return 1
}

# state: active (running), say, as systemctl(1) status has it.
state() { echo "$(property ActiveState) ($(property SubState))"; }

is_active() { property_is ActiveState active; }

# must_run: on one that does not even start, nothing can be tried.
must_run() {
    wait_until 5 is_active && return
    [[ $(state) != "activating (start)" ]] || not_yet "hellod is running, and systemd still waits for its READY=1: it is $(state)."
    not_yet "hellod does not run, it is $(state), after $(how_it_ended). The last it wrote: \"$(last_words)\""
}
# how_it_ended: status=226/NAMESPACE, say, as systemctl(1) status has it.
how_it_ended() { grep -oE "(status|signal)=[^)]*" <("${ctl[@]}" --lines=0 status hellod.service) | sed -n 1p; }
# last_words: of any attempt since this script began, and an error rather than what the next attempt says.
begun=@$EPOCHSECONDS
last_words() {
    # The last with sed: of two lines, systemd 252 takes the first for the last one.
    local all=("${journal[@]}" --quiet --since="$begun" --output=cat SYSLOG_IDENTIFIER=hellod)
    { "${all[@]}" --priority=err | grep . || "${all[@]}" _PID="$(property ExecMainPID)"; } | sed -n '$p'
}

# complaints: what systemd does not understand in a unit file or drop-in, it leaves out with a warning.
complaints() { grep -F hellod.service <(systemd-analyze "--$manager" verify "$installed" 2>&1) || true; }

# has_line PATTERN: the running hellod has written it.
has_line() { [ "$(lines_with "$1")" -gt 0 ]; }

# has_new_process PID: it runs, as another process than that.
has_new_process() {
    local process
    process=$(property MainPID)
    [ "$process" -gt 0 ] && [ "$process" != "$1" ] && is_active
}

# journal_now: a place in the journal, for journal_since.
journal_now() { "${journal[@]}" --quiet --lines=1 --output=cat --show-cursor | sed -n 's/^-- cursor: //p'; }
# journal_since PLACE: all of it, since with a match besides, systemd 252 leaves out the first that matches.
journal_since() { "${journal[@]}" --quiet --output=cat --after-cursor="$1"; }

# visit PIPE NAME: as somebody who writes a name there. Opening a pipe that nobody reads would wait for ever.
visit() { [ -p "$1" ] && timeout 6 tee "$1" <<<"$2" >/dev/null; }
