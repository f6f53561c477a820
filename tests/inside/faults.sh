#!/usr/bin/env bash
# Run in a lab, as learner, by tests/steps.sh: what goes wrong for people, made to go wrong.
set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/lib.sh

# The last that is a user's: it has a program, a unit, a link and lingering.
last=$(basename "$(dirname "$(printf '%s\n' units/*/user | tail -n 1)")")
first=$(all_steps | sed -n 1p)
apply() { scripts/apply.sh "$@" 2>&1; }

# Afterwards everything works again: the next apply.sh, and the next reset.sh.
works_again() {
    apply "$first"
    scripts/check.sh "$first"
    scripts/reset.sh
    scripts/reset.sh | says "Nothing to take away"
}

# drop_in DIRECTIVES [FOLDER]: for the service, until the next apply.sh or reset.sh.
drop_in() {
    install -D /dev/stdin "${2:-$XDG_RUNTIME_DIR}/systemd/user/hellod.service.d/x.conf" <<<$'[Service]\n'"$1"
    systemctl --user daemon-reload
}

nothing_there() {
    local said
    said=$(ends 1 scripts/check.sh "$first")
    same "" "$(sed -n '/✓/p' <<<"$said")"
}

called_wrongly() {
    local script wrong
    for script in apply.sh check.sh; do
        for wrong in "" step-99 99 nonsense "1 2" --nonsense 01-hello 1x ../01; do
            # shellcheck disable=SC2086  # no word, or two
            ends 2 "scripts/$script" $wrong 2>&1 | says "step-01  $first"
        done
        scripts/$script --help | says "Usage: scripts/$script STEP"
    done
    ends 2 scripts/reset.sh step-01 2>&1 | says "Usage: scripts/reset.sh"
}

step_by_any_name() {
    local name
    for name in "step-01" "01" "1" "$first" "step-$first"; do apply "$name" --dry-run; done
}

no_runtime_dir() {
    for script in "apply.sh 1" "check.sh 1" reset.sh; do
        # shellcheck disable=SC2086
        ends 1 env -u XDG_RUNTIME_DIR scripts/$script 2>&1 | says "export XDG_RUNTIME_DIR=/run/user/1000"
    done
}

as_root() { ends 1 sudo scripts/apply.sh 1 2>&1 | says "Run it again as yourself"; }

no_user_manager() {
    sudo systemctl stop user@1000.service
    ends 1 scripts/apply.sh 1 2>&1 | says "sudo systemctl start user@1000.service"
    sudo systemctl start user@1000.service
    works_again
}

no_cargo() {
    ends 1 env PATH=/usr/bin:/bin scripts/apply.sh 1 2>&1 | says "https://rustup.rs"
}

does_not_compile() {
    apply "$first"
    cp "steps/$last/src/main.rs" /tmp/main.rs
    echo "this is no Rust" >>"steps/$last/src/main.rs"
    local said
    said=$(ends 1 scripts/apply.sh "$last" 2>&1)
    # A new time, or cargo would take the old build for the newer one.
    cp /tmp/main.rs "steps/$last/src/main.rs"
    says "nothing was changed" <<<"$said"
    says "error:" <<<"$said"
    scripts/check.sh "$first"
    works_again
}

# cannot_write FOLDER MOUNT-OPTIONS
cannot_write() {
    mkdir -p "$1"
    sudo mount -t tmpfs -o "uid=1000,$2" full "$1"
    local said
    said=$(ends 1 scripts/apply.sh 1 2>&1) || { sudo umount "$1" && echo "$said" && return 1; }
    scripts/reset.sh
    sudo umount "$1"
    rmdir "$1" 2>/dev/null || true
    says "Cannot write $1" <<<"$said"
    says "Is the disk full" <<<"$said"
    works_again
}

# A program that gives up as soon as it is started, as one with a bug does.
does_not_stay_up() {
    cp "steps/$last/src/main.rs" /tmp/main.rs
    sed -i 's/^fn main() .*/&\n    eprintln!("no disk, no bread");\n    std::process::exit(3);\n}\nfn not_main() -> ExitCode {/' \
        "steps/$last/src/main.rs"
    local said
    said=$(ends 1 scripts/apply.sh "$last" 2>&1) || { cp /tmp/main.rs "steps/$last/src/main.rs" && echo "$said" && return 1; }
    cp /tmp/main.rs "steps/$last/src/main.rs"
    says "hellod did not stay up" <<<"$said"
    says "no disk, no bread" <<<"$said"
    works_again
}

# Left by hand or by a crash: a link without its unit, a drop-in, a half-made copy, a start limit.
strange_states() {
    apply "$last"
    rm ~/.config/systemd/user/hellod.service
    works_again
    apply "$last"
    touch ~/.local/bin/hellod.new ~/.config/systemd/user/hellod.service.new
    drop_in ExecStart=/bin/false ~/.config
    works_again
    apply "$last"
    drop_in $'ExecStart=\nExecStart=/bin/false\nRestart=no'
    for _ in 1 2 3 4 5 6 7; do systemctl --user restart hellod || true; done
    [ "$(systemctl --user is-active hellod)" = failed ]
    works_again
}

lingering_of_others_stays() {
    sudo loginctl enable-linger learner
    apply "$last"
    scripts/reset.sh | says "so it stays on"
    [ -e /var/lib/systemd/linger/learner ]
    sudo loginctl disable-linger learner
}

# As sccache does it, whose server stays.
compiler_cache_that_stays() {
    printf '#!/bin/sh\nsleep 600 </dev/null >/dev/null 2>&1 &\nexec "$@"\n' | install -D /dev/stdin /tmp/cache
    RUSTC_WRAPPER=/tmp/cache apply "$first"
    trap 'pkill -fx "sleep 600"' EXIT
    # It does not hold the lock that makes the next one wait.
    flock --nonblock /etc/systemd/system true
    works_again
}

# Killed, and without another start: its pipe stays, and nobody reads from it.
dead_with_its_pipe() {
    apply "$last"
    drop_in Restart=no
    systemctl --user kill --signal=KILL hellod
    until systemctl --user is-failed hellod; do sleep 0.1; done
    [ -p "$XDG_RUNTIME_DIR/hellod.pipe" ]
    ends 1 timeout 60 scripts/check.sh "$last" | says "✗ hellod greets visitors"
    works_again
}

# What was true a minute ago: it greeted a visitor, and now it does not even run on.
deaf() {
    apply "$last"
    scripts/check.sh "$last"
    systemctl --user kill --signal=STOP hellod
    ends 1 scripts/check.sh "$last" | says "✗ hellod greets visitors"
    systemctl --user kill --signal=CONT hellod
    scripts/check.sh "$last"
    works_again
}

# Each step whose unit has [Install].
not_enabled() {
    local step manager ctl
    for step in $(all_steps); do
        manager=$(basename "units/$step"/*)
        grep -q '^\[Install\]' "units/$step/$manager/hellod.service" || continue
        if [ "$manager" = user ]; then ctl=(systemctl --user); else ctl=(sudo systemctl); fi
        apply "$step"
        "${ctl[@]}" disable hellod
        ends 1 scripts/check.sh "$step" | says "✗ hellod is enabled"
        "${ctl[@]}" enable hellod
        scripts/check.sh "$step"
    done
    works_again
}

# An edited one that does not end as it should: the unit is failed only when it has been stopped.
fails_at_the_stop() {
    apply "$last"
    drop_in ExecStopPost=/bin/false
    scripts/reset.sh
    scripts/reset.sh | says "Nothing to take away"
}

# More than a pipe holds, as after days.
has_said_much() {
    apply "$last"
    seq 5000 >"$XDG_RUNTIME_DIR/hellod.pipe"
    scripts/check.sh "$last"
    works_again
}

# Its status is that of the command, hellod goes on as before, and nothing of it stays.
breaks_in() {
    local process
    scripts/reset.sh
    ends 1 scripts/break-in.sh id 2>&1 | says "The system has no hellod.service to break into."
    apply 8
    process=$(systemctl show -P MainPID hellod)
    ends 3 scripts/break-in.sh 'exit 3'
    same hellod "$(scripts/break-in.sh 'id -un')"
    same /run/hellod "$(scripts/break-in.sh 'find /run -type d -writable 2>/dev/null || true')"
    # shellcheck disable=SC2016  # for the shell inside
    same "1 2" "$(scripts/break-in.sh 'one=1; echo ${one} $((one + 1))')"
    # However a directive is written.
    printf '[Service]\n User = hellod\nInaccessiblePaths=-/opt \\\n# a comment\n -/srv\n' |
        sudo install -D -m 644 /dev/stdin /etc/systemd/system/hellod.service.d/odd.conf
    sudo systemctl daemon-reload
    same hellod "$(scripts/break-in.sh 'id -un; ls /srv 2>/dev/null || true')"
    sudo rm -r /etc/systemd/system/hellod.service.d
    sudo systemctl daemon-reload
    # What a restart would bring is not yet hellod's.
    echo '# changed' | sudo tee -a /etc/systemd/system/hellod.service >/dev/null
    ends 1 scripts/break-in.sh id 2>&1 | says "the manager hasn't read it yet"
    scripts/apply.sh 8
    process=$(systemctl show -P MainPID hellod)
    ends 1 scripts/break-in.sh -p ProtectSistem=strict id 2>&1 | says ProtectSistem
    same "$process" "$(systemctl show -P MainPID hellod)"
    scripts/check.sh 8
    same "" "$(systemctl list-units --all --plain --no-legend 'run-*.service')"
    scripts/reset.sh
}

it "no step, two steps, an unknown step: usage with the steps, and 2" called_wrongly
it "nothing is there: no check passes" nothing_there
it "a step by number, with and without its name" step_by_any_name
it "no XDG_RUNTIME_DIR: says how to set it" no_runtime_dir
it "as root: refused" as_root
it "no cargo: says where to get it" no_cargo
it "a program that does not compile changes nothing" does_not_compile
it "a home that is full" cannot_write ~/.local size=4k,nr_inodes=3
it "a home that is read-only" cannot_write ~/.config ro
it "a program that does not stay up: its last words" does_not_stay_up
it "a compiler cache that stays when cargo has ended" compiler_cache_that_stays
it "killed, with its pipe left behind: check.sh says no, and does not wait" dead_with_its_pipe
it "stopped after it has greeted: check.sh says no" deaf
it "disabled, at each step: check.sh says no" not_enabled
it "a stop that fails: reset.sh clears that too" fails_at_the_stop
it "a journal longer than a pipe" has_said_much
it "a missing unit, a drop-in, a half-made copy, a start limit" strange_states
it "lingering that was on before stays on" lingering_of_others_stays
it "no user manager: says how to start it" no_user_manager
it "break-in.sh: what hellod may, and nothing else" breaks_in
