#!/usr/bin/env bash
# Run in a lab, as learner, by tests/steps.sh: each fault that doctor.sh knows, made.
set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/lib.sh

# sees WHAT COMMAND...: run like that, doctor.sh says so in a line with ✗, and says it of nothing else.
sees() {
    local said
    said=$(ends 1 "${@:2}")
    grep '^✗' <<<"$said" | says "$1"
    [ "$(grep -c '^✗' <<<"$said")" = "${count:-1}" ] || { echo "$said" && return 1; }
}

# behind MOUNTS COMMAND...: as learner, where root has mounted something that nobody else sees.
behind() {
    sudo unshare --mount -- sh -c "$1; shift; exec \"\$@\"" sh sh \
        runuser -u learner -- env PATH="$PATH" HOME="$HOME" XDG_RUNTIME_DIR="$XDG_RUNTIME_DIR" "${@:2}"
}

all_well() { scripts/doctor.sh | says "Ready for chapter 1."; }

with() { # with CHANGE: an expression for sed, in a copy of the repository
    rm -rf /tmp/copy
    cp -r . /tmp/copy
    sed -i "$1" /tmp/copy/scripts/doctor.sh /tmp/copy/Cargo.toml
}
older_systemd() { with 's/^oldest_systemd=.*/oldest_systemd=999/' && sees "is older than 999" /tmp/copy/scripts/doctor.sh; }
older_rust() { with 's/^rust-version = .*/rust-version = "9.9"/' && sees "is older than 9.9" /tmp/copy/scripts/doctor.sh; }

no_systemd() {
    count=2 sees "process 1 is 'systemd', for this is a container (systemd-nspawn)" \
        behind 'mount -t tmpfs none /run/systemd; mount --bind /dev/null /run/user/1000/bus; umount /run/user/1000/systemd 2>/dev/null' \
        env XDG_RUNTIME_DIR=/nowhere scripts/doctor.sh
}
# No WSL and no SELinux are here to be had: these stand for what their kernels show.
wsl() {
    echo 5.15-microsoft-standard-WSL2 >/tmp/osrelease
    count=2 sees "wsl --shutdown" \
        behind 'mount -t tmpfs none /run/systemd; mount --bind /tmp/osrelease /proc/sys/kernel/osrelease' \
        env XDG_RUNTIME_DIR=/nowhere scripts/doctor.sh
    behind 'mount --bind /tmp/osrelease /proc/sys/kernel/osrelease' scripts/doctor.sh | says "runs this machine (wsl)"
}
selinux() {
    sees "SELinux is enforcing" \
        behind 'mount -t tmpfs none /sys/fs; mkdir /sys/fs/selinux; echo 1 >/sys/fs/selinux/enforce' scripts/doctor.sh
}

as_root() { count=2 sees "You are root" sudo env PATH="$PATH" scripts/doctor.sh; }
no_runtime_dir() { sees "export XDG_RUNTIME_DIR=/run/user/1000" env -u XDG_RUNTIME_DIR scripts/doctor.sh; }
lingering() {
    sudo loginctl enable-linger learner
    sees "disable-linger learner" scripts/doctor.sh
    sudo loginctl disable-linger learner
    # But not if it was the book.
    scripts/apply.sh 3 &>/dev/null
    all_well
    scripts/reset.sh
}
no_sudo() { sees "There is no sudo" tests/inside/without-sudo.sh scripts/doctor.sh; }
sudo_asks() {
    behind 'mount --bind /dev/null /etc/sudoers.d/learner' scripts/doctor.sh | says "will ask for your password"
}
no_cargo() { sees "https://rustup.rs" env PATH=/usr/bin:/bin scripts/doctor.sh; }
no_compiler() {
    sees "no C compiler" behind "mount --bind /dev/null $(readlink -f /usr/bin/cc)" scripts/doctor.sh
}
target_dir() { sees "unset CARGO_TARGET_DIR" env CARGO_TARGET_DIR=/tmp scripts/doctor.sh; }

# home SAYS OPTIONS: on a file system of its own, with the repository elsewhere.
home() {
    with ''
    sees "$1" behind "mount -t tmpfs -o uid=1000,$2 none $HOME" /tmp/copy/scripts/doctor.sh
}

user_unit() {
    install -D /dev/stdin ~/.config/systemd/user/hellod.service <<<$'[Service]\nExecStart=/bin/true'
    sees "$HOME/.config/systemd/user/hellod.service" scripts/doctor.sh
    rm -r ~/.config
}
system_unit() {
    sudo install -D /dev/stdin /etc/systemd/system/hellod.service <<<$'[Service]\nExecStart=/bin/true'
    sees /etc/systemd/system/hellod.service scripts/doctor.sh
    sudo rm /etc/systemd/system/hellod.service
}
account() {
    sudo useradd --system hellod
    sees "the account hellod" scripts/doctor.sh
    sudo userdel hellod
}
no_user_manager() {
    sudo systemctl stop user@1000.service
    sees "systemctl start user@1000" scripts/doctor.sh
    sudo systemctl start user@1000.service
}

it "all is well in a lab" all_well
it "no systemd, in a container" no_systemd
it "WSL, with systemd and without" wsl
it "a systemd that is too old" older_systemd
it "root" as_root
it "no XDG_RUNTIME_DIR" no_runtime_dir
it "lingering that is on already" lingering
it "no sudo" no_sudo
it "a sudo that asks for a password" sudo_asks
it "no cargo" no_cargo
it "a Rust that is too old" older_rust
it "no C compiler" no_compiler
it "CARGO_TARGET_DIR" target_dir
it "a home that is noexec" home "mounted noexec" noexec
it "a home that is full" home "is full" size=1m
it "a home that is read-only" home "cannot be written" ro
it "SELinux" selinux
it "a user unit of somebody else" user_unit
it "a system unit of somebody else" system_unit
it "an account of somebody else" account
it "no user manager" no_user_manager
it "and all is well again" all_well
