#!/usr/bin/env bash
# The scripts on this machine, as far as they can be tried without a lab.
set -euo pipefail
cd "$(dirname "$0")/.."
. tests/lib.sh

# A machine that systemd does not run: here, or what looks like one.
without_systemd() {
    # shellcheck disable=SC2016
    unshare --mount bash -c 'mount -t tmpfs none /run && exec "$@"' -- "$@"
}
no_systemd() {
    local call
    for call in "apply.sh step-01" "check.sh step-01" "exercise.sh 1.1" reset.sh; do
        # shellcheck disable=SC2086
        ends 1 without_systemd scripts/$call 2>&1 | says "scripts/lab.sh up, then scripts/lab.sh shell"
    done
    ends 1 without_systemd scripts/doctor.sh | says "✗ systemd does not run this machine"
}

every_script_helps() {
    local script
    for script in apply check exercise reset doctor lab serve test; do
        "scripts/$script.sh" --help | says "Usage: scripts/$script.sh"
        [ -x "scripts/$script.sh" ]
    done
}

called_wrongly() {
    ends 2 scripts/apply.sh 2>&1 | says "step-01  01-hello-loop"
    ends 2 scripts/apply.sh step-99 2>&1 | says "There is no step 'step-99'"
    ends 2 scripts/apply.sh 1 2 2>&1 | says "One step at a time"
    ends 2 scripts/exercise.sh 2>&1 | says "1.2 Say who started you"
    ends 2 scripts/exercise.sh 9.9 2>&1 | says "There is no exercise '9.9'"
    ends 2 scripts/test.sh nonsense 2>&1 | says "There is no test 'nonsense'"
    ends 2 scripts/test.sh --suite sarge 2>&1 | says "The suites are trixie bookworm forky, not 'sarge'"
    ends 2 scripts/doctor.sh --mend 2>&1 | says "doctor.sh takes no '--mend'"
    ends 2 cargo session replay --suite 2>&1 | says "--suite what?"
    ends 2 cargo session record --suite forky 2>&1 | says "there is no --suite here"
    ends 2 cargo session replay step-99 2>&1 | says "there is no step '99'"
    ends 2 cargo session rewind 2>&1 | says "Usage: cargo session record"
}

# serve.sh with nothing on the PATH but what is linked here.
serve_without() {
    local bin
    bin=$(mktemp -d)
    ln -s "$(command -v dirname)" "$bin/"
    ends 1 env PATH="$bin" "$BASH" scripts/serve.sh 2>&1 | says "https://rustup.rs"
    ln -s "$(command -v cargo)" "$bin/"
    ends 1 env PATH="$bin" "$BASH" scripts/serve.sh 2>&1 | says "apt install gcc"
    rm -r "$bin"
}

# Nobody's machine has to be in the repository, and no chapter may say where it was recorded.
# What a system manager makes of %h is no path of that kind.
no_paths_of_a_machine() {
    ends 1 grep -v ' spawning /root/\.local/bin/hellod: ' < <(git grep -nF -e /root/. -e "$PWD" -- . ':!tests/scripts.sh')
}

it "every script has --help" every_script_helps
it "called wrongly: what was wrong, what there is, and 2" called_wrongly
it "no systemd: the lab is the answer" no_systemd
it "serve.sh without cargo, and without a C compiler" serve_without
it "no path of the machine it was made on" no_paths_of_a_machine
