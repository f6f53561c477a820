#!/usr/bin/env bash
# Run in a lab, as learner, by tests/steps.sh: readers whose machine is not like everybody's.
set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/lib.sh
. tests/inside/state.sh

# works COMMAND...: with this before apply.sh, check.sh and reset.sh, a user step and a system step work,
# and nothing stays.
works() {
    local step
    for step in 5 7; do
        "$@" scripts/apply.sh "$step"
        "$@" scripts/check.sh "$step"
    done
    "$@" scripts/reset.sh
    same "$nothing" "$(state)"
}

# login COMMAND...: after a new login, which is none if it comes from within another.
login_shell() { sudo systemd-run --quiet --wait --pipe runuser --login learner --command "$1"; }
login() { login_shell "cd ~/book && PATH=$PATH $(printf '%q ' "$@")"; }
# A manager of one's own that starts anew, as at the first login.
restart_manager() { sudo systemctl stop user@1000.service && login true; }

spaces() {
    mkdir /tmp/"a b ü"
    cp -a . /tmp/"a b ü/my book"
    # From a folder elsewhere, too.
    (cd / && /tmp/"a b ü/my book/scripts/apply.sh" 5 && /tmp/"a b ü/my book/scripts/check.sh" 5)
    cd /tmp/"a b ü/my book"
    works env
    rm -r /tmp/"a b ü"
}

# In /etc/passwd a link, as where homes are on another disk.
home_is_a_link() {
    sudo ln -s learner /home/link
    sudo sed -i 's|:/home/learner:|:/home/link:|' /etc/passwd
    restart_manager
    [ "$(login printenv HOME)" = /home/link ]
    login scripts/apply.sh 5
    login scripts/check.sh 5
    login scripts/apply.sh 7
    login scripts/check.sh 7
    login scripts/reset.sh
    sudo sed -i 's|:/home/link:|:/home/learner:|' /etc/passwd
    sudo rm /home/link
    restart_manager
    same "$nothing" "$(state)"
}

# The manager knows of it, and the shell does not, or the other way round, or both.
config_home() {
    works env XDG_CONFIG_HOME="$HOME/elsewhere"
    sudo install -D /dev/stdin /etc/systemd/system/user@.service.d/elsewhere.conf \
        <<<$'[Service]\nEnvironment=XDG_CONFIG_HOME=/home/learner/elsewhere'
    sudo systemctl daemon-reload
    restart_manager
    login scripts/apply.sh 5
    [ -e ~/elsewhere/systemd/user/hellod.service ]
    login scripts/check.sh 5
    login env XDG_CONFIG_HOME="$HOME/elsewhere" scripts/apply.sh 6
    login env XDG_CONFIG_HOME="$HOME/elsewhere" scripts/apply.sh 5
    login scripts/reset.sh
    sudo rm -r /etc/systemd/system/user@.service.d
    sudo systemctl daemon-reload
    restart_manager
    same "$nothing" "$(state)"
}

# shell PROGRAM: as the login shell.
shell() {
    sudo sed -i "s|^\(learner:.*\):[^:]*|\1:$1|" /etc/passwd
    # Typed as on the page.
    echo 'cd ~/book; scripts/apply.sh step-05; and scripts/check.sh step-05' >/tmp/typed
    [ "$(basename "$1")" = fish ] || sed -i 's/; and / \&\& /' /tmp/typed
    login_shell "export PATH=$PATH CARGO_HOME=$CARGO_HOME CARGO_NET_OFFLINE=true; $(cat /tmp/typed)"
    login_shell "cd ~/book; scripts/reset.sh"
    sudo sed -i "s|^\(learner:.*\):[^:]*|\1:/bin/bash|" /etc/passwd
    # fish makes folders of its own.
    if [ "$(basename "$1")" = fish ]; then
        rm -rf ~/.cache/fish ~/.config/fish ~/.local/share/fish
        rmdir -p ~/.cache ~/.config ~/.local/share 2>/dev/null || true
    fi
    same "$nothing" "$(state)"
}

target_dir() {
    # What is built need not be built once more.
    cp -a target /tmp/cargo-target
    works env CARGO_TARGET_DIR=/tmp/cargo-target
    rm -r /tmp/cargo-target
}

no_network() { ends 2 getent hosts static.crates.io && works env; }

edited_code() {
    cp steps/05-graceful-stop/src/main.rs /tmp/main.rs
    sed -i 's/"Goodbye"/"See you"/' steps/05-graceful-stop/src/main.rs
    apply 5
    scripts/check.sh 5
    systemctl --user stop hellod
    soon eval 'journalctl --user -u hellod -n 5 -o cat | says "See you"'
    apply 6
    cp /tmp/main.rs steps/05-graceful-stop/src/main.rs
    scripts/reset.sh
    same "$nothing" "$(state)"
}

roots_clone() {
    sudo cp -a . /srv/book
    sudo chown -R root: /srv/book
    cd /srv/book
    ends 1 scripts/apply.sh 5 2>&1 | says "sudo chown -R learner: /srv/book"
    same "$nothing" "$(state)"
    sudo mkdir /tmp/of-root
    ends 1 env CARGO_TARGET_DIR=/tmp/of-root scripts/apply.sh 5 2>&1 | says "sudo chown -R learner: /tmp/of-root"
    sudo rmdir /tmp/of-root
    # The other way that it names.
    cp -a target /tmp/hellod-target
    CARGO_TARGET_DIR=/tmp/hellod-target scripts/apply.sh 5
    scripts/check.sh 5
    scripts/reset.sh
    rm -r /tmp/hellod-target
    # And the first.
    sudo chown -R learner: /srv/book
    works env
    cd ~/book
    sudo rm -r /srv/book
}

# Typed when the prompt is there, as by a person.
sudo_asks() {
    echo learner:secret | sudo chpasswd
    sudo bash -c 'cp /etc/sudoers.d/learner /root/; echo "learner ALL=(ALL) ALL" >/etc/sudoers.d/learner'
    # Without a terminal it cannot ask.
    ends 1 scripts/apply.sh 6 </dev/null 2>&1 | says "nothing was changed"
    same "$nothing" "$(state)"
    local said='' one terminal
    coproc TERMINAL { script --quiet --return --command "scripts/apply.sh 6" /dev/null; }
    terminal=$TERMINAL_PID
    while [[ $said != *"password for learner"* ]] && IFS= read -r -n 1 -d '' one; do said+=$one; done <&"${TERMINAL[0]}"
    # Nothing was done before it asked.
    ends 1 grep 'sudo install' <<<"$said"
    echo secret >&"${TERMINAL[1]}"
    cat <&"${TERMINAL[0]}" >/tmp/said
    wait "$terminal" || true
    grep -q 'Active: .*active (running)' /tmp/said
    # The lab's own way back: root gives the rule back.
    sudo --stdin cp /root/learner /etc/sudoers.d/learner <<<secret
    scripts/check.sh 6
    scripts/reset.sh
    same "$nothing" "$(state)"
}

no_sudo() {
    ends 1 tests/inside/without-sudo.sh scripts/apply.sh 6 2>&1 | says "there is no sudo; nothing was changed"
    # A step that needs none of it works.
    tests/inside/without-sudo.sh scripts/apply.sh 2
    tests/inside/without-sudo.sh scripts/check.sh 2
    tests/inside/without-sudo.sh scripts/reset.sh
    same "$nothing" "$(state)"
}

nothing=$(state)
case $1 in
    surroundings)
        it "a path with spaces and umlauts" spaces
        it "CARGO_TARGET_DIR set" target_dir
        it "no network" no_network
        it "the German locale" works env LANG=de_DE.UTF-8 LC_ALL=de_DE.UTF-8
        it "the C locale" works env LANG=C LC_ALL=C
        it "steps/05 edited and applied" edited_code
        it "a clone of root's" roots_clone
        ;;
    logins)
        it "XDG_CONFIG_HOME elsewhere" config_home
        it "a home that is a link" home_is_a_link
        it "login shell sh" shell /bin/sh
        it "login shell zsh" shell /usr/bin/zsh
        it "login shell fish" shell /usr/bin/fish
        it "no sudo" no_sudo
        it "a sudo that asks for a password" sudo_asks
        ;;
esac
