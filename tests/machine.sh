#!/usr/bin/env bash
# The whole on a machine like a reader's: systemd is process 1, sudo asks for a password, the folder has a space.
set -euo pipefail
umask 022
cd "$(dirname "$0")/.."
. tests/lib.sh

# A virtual machine, emulated. MACHINE_ACCEL=kvm where that works.
accel=${MACHINE_ACCEL:-tcg,thread=multi}
cache=/var/cache/hellod-lab
cargo_home=${CARGO_HOME:-$HOME/.cargo}
packages=systemd,systemd-sysv,dbus,dbus-user-session,libpam-systemd,procps,sudo,gcc,libc6-dev,less,git,nano,linux-image-cloud-amd64,initramfs-tools,udev,openssh-server,mmdebstrap,systemd-container

# --- the machine's system, made once ----------------------------------------------------------------

# The lab of the machine starts from the same Debian system as those outside: this makes sure of it.
scripts/lab.sh up --name "machine-$$" >/dev/null
lab_system=$(pgrep --full --list-full "/lab-machine\.sh machine-$$ " | grep -o "$cache/[^ ]*" | uniq)
scripts/lab.sh down --name "machine-$$"
key=$({ echo "$packages $lab_system $cargo_home" && rustc -vV && cat Cargo.lock && sed -n '/^make_machine/,/^}/p' "$0"; } | sha256sum | cut -c1-8)
machine=$cache/machine-$key

# The folder $1 with the kernel and a disk: Debian, Rust, what cargo has fetched, and the lab's system.
make_machine() {
    local system=$1/system
    rm -rf --one-file-system "$cache"/machine-*
    mkdir -p "$1"
    unshare --mount mmdebstrap --quiet --variant=minbase --include="$packages" \
        --aptopt='Acquire::Check-Valid-Until "false"' trixie "$system" 2>"$1/log" || { cat "$1/log" && return 1; }
    cp --dereference "$system"/vmlinuz "$system"/initrd.img "$1/"
    chroot "$system" useradd --no-create-home --shell /bin/bash reader
    chroot "$system" chpasswd <<<"reader:secret"
    echo 'reader ALL=(ALL) ALL' >"$system/etc/sudoers.d/reader"
    echo machine >"$system/etc/hostname"
    echo '127.0.0.1 localhost machine' >"$system/etc/hosts"
    : >"$system/etc/machine-id"
    printf '%s\n' '/dev/vda / ext4 rw 0 1' '/dev/vdb /home/reader ext4 rw 0 2' >"$system/etc/fstab"
    mkdir -p "$system/home/reader" "$system/opt/rust" "$system$cargo_home" "$system$cache"
    printf '[Match]\nName=en*\n[Network]\nDHCP=yes\n' >"$system/etc/systemd/network/en.network"
    systemctl --quiet --root="$system" enable systemd-networkd ssh
    printf '%s\n' "PATH=\$PATH:/usr/sbin:/opt/rust/bin" "export CARGO_HOME='$cargo_home' CARGO_NET_OFFLINE=true" >"$system/etc/profile.d/book.sh"
    tar -C "$(rustc --print sysroot)" --exclude=./share --exclude=./lib/rustlib/src -c . | tar -C "$system/opt/rust" -x
    cp -a "$cargo_home/registry" "$system$cargo_home/"
    chroot "$system" chown -R reader: "$cargo_home"
    chmod a+x "$system/root"
    cp -a "$lab_system" "$system$cache/"
    truncate --size="$(($(du -sm "$system" | cut -f1) + 2000))M" "$1/disk.part"
    mkfs.ext4 -q -d "$system" "$1/disk.part"
    rm -rf --one-file-system "$system" "$1/log"
    mv "$1/disk.part" "$1/disk"
}
if [ ! -e "$machine/disk" ]; then
    echo "Making the system of a whole machine in $cache, once; this takes a minute or two."
    make_machine "$machine"
fi

# --- booting it ---------------------------------------------------------------------------------------

work=$(mktemp -d)
qemu=
cleanup() {
    [ -z "$qemu" ] || kill "$qemu" 2>/dev/null || true
    wait
    rm -rf "$work"
}
trap cleanup EXIT

# The reader's home is a disk of its own: the repository in a folder with a space, and the key to log in.
home=$work/home
mkdir -p "$home/.ssh" "$home/my book/target"
ssh-keygen -q -t ed25519 -N '' -f "$work/key"
cp "$work/key.pub" "$home/.ssh/authorized_keys"
chmod 700 "$home/.ssh"
tar --exclude=./target --exclude=node_modules -c . | tar -C "$home/my book" -x
# As freshly cloned, also while these files are being worked on.
[ -d "$home/my book/.git" ] || git -C "$home/my book" init --quiet
git -C "$home/my book" add --all
git -C "$home/my book" -c user.name=book -c user.email=book@localhost commit --quiet --allow-empty --message "As it is"
cp -a target/release "$home/my book/target/"
chown -R 1000:1000 "$home"
truncate --size=2G "$work/disk"
mkfs.ext4 -q -E root_owner=1000:1000 -d "$home" "$work/disk"
rm -rf "$home"

port=$((20000 + $$ % 10000))
# No way out: the machine reaches nothing, and only this port reaches it.
qemu-system-x86_64 -accel "$accel" -cpu max -smp 2 -m 3072 -display none -no-reboot \
    -kernel "$machine/vmlinuz" -initrd "$machine/initrd.img" -append 'root=/dev/vda rw console=ttyS0 quiet' \
    -drive "file=$machine/disk,format=raw,if=virtio,snapshot=on" -drive "file=$work/disk,format=raw,if=virtio,snapshot=on" \
    -nic "user,model=virtio,restrict=on,hostfwd=tcp:127.0.0.1:$port-:22" -serial "file:$work/console" &
qemu=$!

ssh=(ssh -q -i "$work/key" -p "$port" -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null
    -o ConnectTimeout=10 -o LogLevel=ERROR reader@127.0.0.1)
until "${ssh[@]}" -o BatchMode=yes true; do
    if ! kill -0 "$qemu" || [ "$SECONDS" -gt 600 ]; then
        tail -n 30 "$work/console" || true
        exit 1
    fi
    sleep 1
done

# As long as a reader is at work there is a login, and with it the user manager.
"${ssh[@]}" sleep infinity &

# types COMMAND: into a terminal of the machine, in the folder of the book; gives sudo its password.
types() {
    local said='' one from to status=0
    coproc TERMINAL { exec "${ssh[@]}" -tt "bash -lc 'cd ~/\"my book\" && $1'"; }
    local terminal=$TERMINAL_PID
    exec {from}<&"${TERMINAL[0]}" {to}>&"${TERMINAL[1]}"
    while IFS= read -r -n 1 -d '' one <&"$from"; do
        said+=$one
        if [[ $said == *'password for reader: ' ]]; then echo secret >&"$to"; fi
    done
    wait "$terminal" || status=$?
    exec {from}<&- {to}>&-
    printf '%s\n' "${said//$'\r'/}"
    return "$status"
}

# --- what a reader does ---------------------------------------------------------------------------------

is_a_machine() {
    types 'cat /proc/1/comm; findmnt -no FSTYPE,OPTIONS /sys/fs/cgroup; systemctl is-system-running; sudo -n true' | tee "$work/said" || true
    says $'systemd\ncgroup2' <"$work/said"
    says nsdelegate <"$work/said"
    says running <"$work/said"
    says "a password is required" <"$work/said"
}
doctor() {
    types 'scripts/doctor.sh' >"$work/said" || { cat "$work/said" && return 1; }
    says "✓ sudo is there, and will ask for your password" <"$work/said"
    says "✓ memory and processes are counted and limited" <"$work/said"
    says "Ready for chapter 1." <"$work/said"
}
goes_to() { types "scripts/apply.sh $1 && scripts/check.sh $1"; }
# What there is besides the repository; without root, who has nothing of this machine's.
state() { types '. tests/inside/state.sh && state | cat'; }
# exercise NUMBER: no, the solution, yes, and back.
exercise() {
    ends 1 types "scripts/exercise.sh $1" | says "✗ $1"
    types "scripts/exercise.sh $1 --solve && scripts/exercise.sh $1" | says "✓ $1"
    types "scripts/exercise.sh $1 --back && git status --porcelain | cat" >"$work/said"
    ends 1 grep -E '^ ?[M?]+ ' "$work/said"
    ends 1 types "scripts/exercise.sh $1" | says "✗ $1"
}
# A page of one's own machine looks on without a password, and says what it cannot see without.
looked_at() {
    types 'scripts/watch.sh </dev/null | cat' >"$work/said"
    says "$1" <"$work/said"
    says "$2" <"$work/said"
    says "checked" <"$work/said"
    ends 1 grep -i password "$work/said"
}
reset_leaves_nothing() {
    types 'scripts/reset.sh'
    same "$nothing" "$(state)"
}

lab_up() {
    types 'scripts/lab.sh up' | says "The lab 'lab' is up: Debian trixie"
    types 'scripts/lab.sh run -- scripts/doctor.sh' | says "Ready for chapter 1."
    types 'scripts/lab.sh run -- systemctl is-system-running' | says running
}
lab_limits() {
    types 'scripts/lab.sh run -- scripts/doctor.sh' | says "✓ memory and processes are counted and limited"
    types 'scripts/lab.sh run -- systemctl status --no-pager user@1000' | says "Tasks: "
    ends 1 types 'scripts/lab.sh run -- systemd-run --user --wait -p MemoryMax=32M -p MemorySwapMax=0 tail /dev/zero' |
        says "result: oom-kill"
}
lab_works() {
    types 'scripts/lab.sh run -- scripts/apply.sh 7 && scripts/lab.sh run -- scripts/check.sh 7'
    types 'scripts/lab.sh reboot && scripts/lab.sh run -- scripts/check.sh 7'
    lab_limits
}
lab_keeps_root_in() {
    # shellcheck disable=SC2016  # the machine's
    types '{ sleep 600 & } && scripts/lab.sh run -- sudo tests/inside/way-out.sh $! $(findmnt -nro MAJ:MIN / | tr : " ")'
}
# Built here, since there it would take an hour. Its page plays a block; the password was asked for once.
page_of_the_lab() {
    cargo build --quiet --locked --manifest-path tools/Cargo.toml --target-dir target/tools --package companion
    tar -cf - target/tools/debug/companion | "${ssh[@]}" 'tar -C "my book" -xf -'
    types 'sudo -k; tests/inside/page.sh 3000 & target/tools/debug/companion --port 3000 --lab lab; wait' | tee "$work/said" || true
    same 1 "$(grep -c 'password for reader' "$work/said")"
    says '"systemd":"257"' <"$work/said"
    says '"ends":"done","same":true' <"$work/said"
}
# As on a machine that has unpacked what workshop.sh pack made: nothing is built there.
workshop() {
    local group
    scripts/serve.sh --build
    tar -cf - target/book target/tools/debug/{companion,cmdrun} | "${ssh[@]}" 'tar -C "my book" -xf -'
    # shellcheck disable=SC2016  # the machine's
    types 'mkdir -p packed && ln -sfn "$(rustc --print sysroot)" packed/rust && ln -sfn "${CARGO_HOME:-$HOME/.cargo}/registry" packed/registry && echo "${CARGO_HOME:-$HOME/.cargo}/registry" >packed/registry-path'
    types 'sudo -k; scripts/workshop.sh up 2 --raise' | tee "$work/said" || true
    same 1 "$(grep -c 'password for reader' "$work/said")"
    says "2 of 2 seats are up" <"$work/said"
    # The terminal in which it was started has gone, and sudo has not to be asked again.
    types 'scripts/workshop.sh status' | says "seat  2  up"
    types 'scripts/lab.sh run --name seat-02 -- scripts/apply.sh 1'
    types 'until scripts/workshop.sh status | grep -F "seat  2  up        01"; do sleep 0.5; done'
    # What a seat may take, as systemd's host has it.
    # shellcheck disable=SC2016  # the machine's
    group='/sys/fs/cgroup$(cut -d: -f3 /proc/$(cat /run/hellod-lab-seat-01/holder)/cgroup | sed s,/supervisor,/machine,)'
    types "cat $group/memory.max $group/pids.max" >"$work/said"
    says 1610612736 <"$work/said"
    says 2000 <"$work/said"
    types 'sudo -k; scripts/workshop.sh reset 1; scripts/workshop.sh down' >"$work/said"
    says "Seat 1 was made anew." <"$work/said"
    types 'ls -d target/workshop /run/hellod-lab-seat-*; pgrep -af companion; rm -r packed; cat /proc/sys/fs/inotify/max_user_instances; echo end' >"$work/said" || true
    ends 1 grep -E '^(target/workshop|/run/)|companion --workshop' "$work/said"
    says 128 <"$work/said"
}
lab_leaves_nothing() {
    types 'scripts/lab.sh down && sudo find /run /sys/fs/cgroup /tmp /var/lib /etc -name "*hellod-lab*"; grep hellod-lab /proc/self/mountinfo; pgrep -af "lab-[m]achine"; systemctl list-units --all --no-legend "*hellod*" | cat; echo end' >"$work/said"
    same end "$(grep -v -e 'password for reader' -e 'going through sudo' "$work/said" | grep .)"
}

ABOUT="machine, steps"
it "$(types 'systemctl --version | cat' | sed -n 1p), as process 1 of a machine with control groups v2 and a sudo that asks" is_a_machine
it "doctor.sh finds nothing in the way" doctor
nothing=$(state)
for step in $(all_steps); do it "$step: apply.sh and check.sh" goes_to "$step"; done
ABOUT="machine, page"
it "looks on without a password, and says what it cannot see" \
    looked_at $'state\tsystem\tactive\trunning' $'check\t07-dedicated-user\t?\tthe running program is the installed one'
ABOUT="machine, exercises"
it "7.1, a unit of the machine: no, the solution, and back" exercise 7.1
ABOUT="machine, steps"
# Back over the border between the managers, and within each.
for step in 06-system-service 04-notify 02-journal 07-dedicated-user 01-hello-loop; do
    it "and then $step" goes_to "$step"
done
ABOUT="machine, page"
it "looks on at a service of one's own, too" \
    looked_at $'state\tuser\tactive\trunning' $'check\t01-hello-loop\t✓\tthe running program is the installed one'
ABOUT="machine, steps"
it "reset.sh leaves nothing" reset_leaves_nothing
ABOUT="machine, lab"
it "comes up, with a login and a user manager" lab_up
it "has the machine's controllers: limits are enforced" lab_limits
it "the last step works in it, also after a reboot" lab_works
it "root of it does not get out" lab_keeps_root_in
ABOUT="machine, page"
it "tied to the lab, it plays a block, and sudo asks once" page_of_the_lab
ABOUT="machine, workshop"
it "two seats, with a sudo that asks once, also when the terminal has gone; limits; down leaves nothing" workshop
ABOUT="machine, lab"
it "down leaves nothing" lab_leaves_nothing
