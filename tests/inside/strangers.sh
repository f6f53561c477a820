#!/usr/bin/env bash
# Run in a lab, as learner, by tests/steps.sh: a hellod of somebody else is never touched.
set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/lib.sh
. tests/inside/state.sh

# refused_by_name NAME STEP...: these steps change nothing, and say why; reset.sh says that it stays.
refused_by_name() {
    local name=$1 before step
    before=$(state)
    for step in "${@:2}"; do
        ends 1 scripts/apply.sh "$step" 2>&1 | says "$name"
        same "$before" "$(state)"
    done
    scripts/reset.sh 2>&1 | says "$name"
    same "$before" "$(state)"
}
# And once it has been moved out of the way, it works.
works_without() { "$@" && apply 5 && is_at_step 5 && scripts/reset.sh; }
is_at_step() { scripts/check.sh "$1"; }

theirs='[Unit]
Description=A hellod of another kind
[Service]
ExecStart=/bin/sleep infinity
[Install]
WantedBy=default.target multi-user.target'

user_unit() {
    install -D /dev/stdin ~/.config/systemd/user/hellod.service <<<"$theirs"
    systemctl --user daemon-reload
    systemctl --user enable --now hellod
    refused_by_name "$HOME/.config/systemd/user/hellod.service" 1 5
    systemctl --user is-active hellod
    systemctl --user disable --now hellod
    works_without rm ~/.config/systemd/user/hellod.service
}

# system_unit FOLDER
system_unit() {
    sudo install -D /dev/stdin "$1/hellod.service" <<<"$theirs"
    sudo systemctl daemon-reload
    sudo systemctl start hellod
    # On bookworm /lib and /usr/lib are two names of one folder.
    refused_by_name "${1#/usr}/hellod.service" 6 7
    systemctl is-active hellod
    # A user service is no concern of theirs.
    apply 5
    scripts/check.sh 5
    systemctl is-active hellod
    scripts/reset.sh
    sudo systemctl stop hellod
    sudo rm "$1/hellod.service"
    sudo systemctl daemon-reload
    apply 6
    scripts/reset.sh
}

masked() {
    systemctl --user mask hellod
    refused_by_name "$HOME/.config/systemd/user/hellod.service" 1 5
    works_without systemctl --user unmask hellod
}

user_program() {
    install -D /bin/true ~/.local/bin/hellod
    refused_by_name "$HOME/.local/bin/hellod" 1 5
    works_without rm ~/.local/bin/hellod
}

system_program() {
    sudo install -D -m 700 /bin/true /usr/local/lib/hellod/hellod
    refused_by_name /usr/local/lib/hellod/hellod 6 7
    sudo chmod 700 /usr/local/lib/hellod
    refused_by_name /usr/local/lib/hellod/hellod 6 7
    sudo rm -r /usr/local/lib/hellod
    apply 7
    scripts/reset.sh
}

# The first question for the password is answered wrongly, and the next one rightly.
sudo_refuses_once() {
    sudo install -D -m 700 /bin/true /usr/local/lib/hellod/hellod
    sudo chmod 700 /usr/local/lib/hellod
    printf '#!/bin/sh\nif mkdir /tmp/refused 2>/dev/null; then exit 1; fi\nexec /usr/bin/sudo "$@"\n' |
        install -D /dev/stdin /tmp/once/sudo
    local before
    before=$(state)
    ends 1 env PATH="/tmp/once:$PATH" scripts/apply.sh 6 2>&1 | says "nothing was changed"
    same "$before" "$(state)"
    rm -r /tmp/refused /tmp/once
    sudo rm -r /usr/local/lib/hellod
}

# What a hellod of step 06 leaves that was started in a terminal, and killed.
pipe_of_step_06() {
    target/release/step-06 2>/tmp/said &
    until grep -q Greeting /tmp/said; do sleep 0.1; done
    kill -KILL $!
    wait $! || true
    [ -p "$XDG_RUNTIME_DIR/hellod.pipe" ]
    apply 5
    scripts/check.sh 5
    scripts/reset.sh
    same "$nothing" "$(state)"
}

# Made by hand, as check.sh says.
account_by_hand() {
    local hint
    hint=$({ scripts/check.sh 7 || true; } | sed -n 's/.*Make one: //p')
    [ -n "$hint" ]
    eval "$hint"
    getent passwd hellod
    apply 7
    scripts/check.sh 7
    scripts/reset.sh
    same "$nothing" "$(state)"
}

account() {
    sudo useradd --system hellod
    refused_by_name "account hellod" 7
    apply 6
    scripts/reset.sh | says "account hellod"
    getent passwd hellod
    sudo userdel hellod
}

# pipe MAKE: a pipe, or a file, that hellod did not make.
pipe() {
    "$@" "$XDG_RUNTIME_DIR/hellod.pipe"
    refused_by_name "$XDG_RUNTIME_DIR/hellod.pipe" 1 5
    works_without rm "$XDG_RUNTIME_DIR/hellod.pipe"
}

runtime_folder() {
    sudo mkdir /run/hellod
    sudo touch /run/hellod/theirs
    refused_by_name /run/hellod 6 7
    sudo rm -r /run/hellod
}

# What the reader did by hand, or changed, is no stranger's.
own_changes() {
    apply 5
    systemctl --user stop hellod
    sed -i 's/^Description=.*/Description=Mine/' ~/.config/systemd/user/hellod.service
    apply 4
    sed -i 's/^ExecStart=.*/ExecStart=bin\/hellod/' ~/.config/systemd/user/hellod.service
    apply 5
    scripts/check.sh 5
    # A pipe that a SIGKILL left, of which nobody takes care any more.
    install -D /dev/stdin "$XDG_RUNTIME_DIR/systemd/user/hellod.service.d/x.conf" <<<$'[Service]\nRestart=no'
    systemctl --user daemon-reload
    systemctl --user kill --signal=SIGKILL hellod
    until [ "$(systemctl --user is-active hellod)" = failed ]; do sleep 0.05; done
    [ -p "$XDG_RUNTIME_DIR/hellod.pipe" ]
    scripts/reset.sh
    same "$nothing" "$(state)"
    # A link that was taken away before the stop: the manager no longer knows what belongs to it.
    sudo systemctl link "$PWD/units/06-system-service/system/hellod.service"
    apply 6
    sudo rm /etc/systemd/system/hellod.service /etc/systemd/system/multi-user.target.wants/hellod.service
    sudo systemctl daemon-reload
    sudo systemctl stop hellod
    [ -d /run/hellod ]
    apply 6
    scripts/reset.sh
    sudo mkdir /run/hellod
    scripts/reset.sh
    same "$nothing" "$(state)"
    # A link into a repository that is not there any more.
    cp -r . /tmp/other
    sudo systemctl link /tmp/other/units/06-system-service/system/hellod.service
    rm -r /tmp/other
    scripts/reset.sh
    same "$nothing" "$(state)"
}

nothing=$(state)
it "a user unit hellod of somebody else" user_unit
it "a system unit hellod of somebody else, where the administrator puts it" system_unit /etc/systemd/system
it "a system unit hellod of a package" system_unit /usr/lib/systemd/system
it "a masked hellod" masked
it "another program where the user steps put theirs" user_program
it "another program where the system steps put theirs" system_program
it "an account hellod of somebody else" account
it "an account made as check.sh says is no stranger's" account_by_hand
it "another program, in a folder that only root may enter, and a sudo that refuses once" sudo_refuses_once
it "a pipe of step 06 in a terminal is no stranger's" pipe_of_step_06
it "a pipe hellod.pipe of somebody else" pipe mkfifo
it "a file hellod.pipe of somebody else" pipe touch
it "a folder /run/hellod of somebody else" runtime_folder
it "what a reader changed or left is no stranger's" own_changes
it "nothing of all that is left" same "$nothing" "$(state)"
