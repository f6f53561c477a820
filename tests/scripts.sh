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
    for call in "apply.sh step-01" "check.sh step-01" "exercise.sh 1.1" reset.sh "break-in.sh id"; do
        # shellcheck disable=SC2086
        ends 1 without_systemd scripts/$call 2>&1 | says "scripts/lab.sh up, then scripts/lab.sh shell"
    done
    ends 1 without_systemd scripts/doctor.sh | says "✗ systemd does not run this machine"
}

every_script_helps() {
    local script
    for script in apply check exercise reset doctor lab serve test break-in workshop; do
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
    ends 2 scripts/break-in.sh 2>&1 | says "One command, please, in quotes."
    ends 2 scripts/break-in.sh ls /home 2>&1 | says "One command, please, in quotes."
    ends 2 scripts/break-in.sh -p nonsense id 2>&1 | says "After -p comes a directive"
    ends 2 scripts/test.sh nonsense 2>&1 | says "There is no test 'nonsense'"
    ends 2 scripts/test.sh --suite sarge 2>&1 | says "The suites are trixie bookworm forky, not 'sarge'"
    ends 2 scripts/doctor.sh --mend 2>&1 | says "doctor.sh takes no '--mend'"
    ends 2 cargo session replay --suite 2>&1 | says "--suite what?"
    ends 2 cargo session record --suite forky 2>&1 | says "there is no --suite here"
    ends 2 cargo session replay step-99 2>&1 | says "there is no step '99'"
    ends 2 cargo session rewind 2>&1 | says "Usage: cargo session record"
}

# What is changed in a step goes through the later ones, twice with the same result, and stops where it does not fit.
carries_a_change() {
    local copy
    copy=$(mktemp -d)
    # shellcheck disable=SC2064  # now, and not when it is gone
    trap "rm -rf '$copy'" EXIT
    git clone --quiet . "$copy/book"
    cp tools/carry.sh "$copy/book/tools/"
    cd "$copy/book"
    ends 2 tools/carry.sh 2>&1 | says "From which step?"
    ends 1 tools/carry.sh 5 2>&1 | says "Nothing in steps/05-graceful-stop/src"
    sed -i '1s/$/ More./' steps/05-graceful-stop/src/signals.rs
    tools/carry.sh 5 | says "steps/08-sandbox/src/signals.rs has it now."
    tools/carry.sh 5 | says "steps/08-sandbox/src/signals.rs has it."
    git add --all
    tools/carry.sh 5 | says "steps/08-sandbox/src/signals.rs has it."
    touch steps/05-graceful-stop/src/more.rs
    ends 1 tools/carry.sh 5 2>&1 | says "git doesn't know steps/05-graceful-stop/src/more.rs."
    rm steps/05-graceful-stop/src/more.rs
    same 1 "$(sha256sum steps/0[5-8]*/src/signals.rs | cut -d' ' -f1 | uniq | wc -l)"
    sed -i '1s/$/ More./' steps/05-graceful-stop/src/main.rs
    ends 1 tools/carry.sh 5 2>&1 | says "steps/06-system-service/src/main.rs is too different."
    ends 1 grep -F ' More.' steps/0[678]*/src/main.rs
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
it "a change in a step is carried through the later ones" carries_a_change
