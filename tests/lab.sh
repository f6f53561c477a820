#!/usr/bin/env bash
# The lab itself: what is in it, that nothing gets out of it, and that nothing stays.
set -euo pipefail
cd "$(dirname "$0")/.."
. tests/lib.sh

ABOUT="trixie, lab"
one=test-a-$$ other=test-b-$$
lab() { scripts/lab.sh "$1" --name "${2:-$one}" "${@:3}"; }
in_lab() { scripts/lab.sh run --name "${where:-$one}" -- bash -c "$1" -- "${@:2}"; }
in_other() { where=$other in_lab "$@"; }
trap 'lab down "$one"; lab down "$other"' EXIT

# Whatever these two labs could leave on this machine.
traces() {
    grep -E "$one|$other" /proc/self/mountinfo || true
    # Without those that are dead and only wait for their parent to look.
    pgrep --runstates D,R,S,T -af "$one|$other" || true
    # Something else may go while it looks.
    find /run /sys/fs/cgroup /tmp /var/lib /etc -name "*$one*" -o -name "*$other*" 2>/dev/null || true
}
# The process that holds the lab together, as lab.sh finds it.
holder() { pgrep --oldest --full "/lab-machine.sh $one "; }
gone() { while holder >/dev/null; do sleep 0.02; done; }
leaves_nothing() { lab down && same "$before" "$(traces)"; }
before=$(traces)

called_wrongly() {
    local wrong
    for wrong in "" sideways "up --name" "up --name Ü" "up --name ../x" "up --suite 1" "up --nonsense" "run" \
        "run ls" "shell ls" "down lab"; do
        # shellcheck disable=SC2086
        ends 2 scripts/lab.sh $wrong 2>&1 | says "Usage: scripts/lab.sh up"
    done
    scripts/lab.sh up --help | says "Usage: scripts/lab.sh up"
    ends 1 scripts/lab.sh run --name never-up -- true 2>&1 | says "scripts/lab.sh up --name never-up"
    ends 1 scripts/lab.sh shell --name never-up 2>&1 | says "There is no lab 'never-up'"
    ends 1 env PATH=/usr/sbin:/usr/bin:/sbin:/bin scripts/lab.sh up 2>&1 | says "https://rustup.rs"
}

comes_up() {
    lab up | says "The lab '$one' is up: Debian trixie, systemd "
    lab up | says "is up already"
    ends 1 scripts/lab.sh up --name "$one" --suite bookworm 2>&1 | says "is up, with trixie"
    scripts/lab.sh status | says "$one: Debian trixie, systemd "
    in_lab 'systemctl is-system-running && systemctl --user is-system-running && sudo -n true'
}

# A login as the chapters need it, and the machine in order: what a host can spoil.
has_a_login() {
    # shellcheck disable=SC2016  # the lab's own
    in_lab '[ "$XDG_RUNTIME_DIR" = /run/user/1000 ] && scripts/doctor.sh && ! journalctl --boot --grep "scope.s control group"'
    same running "$(in_lab 'systemctl is-system-running')"
}

# Where systemd runs the host, the kernel delegates control groups to namespaces; once as elsewhere.
without_delegation() {
    nsdelegate off
    trap 'nsdelegate on' EXIT
    ends 1 delegates
    lab up
    has_a_login
    leaves_nothing
}

# The limits that the host can enforce are enforced in the lab, and of the others doctor.sh says so.
limits() {
    local group has
    group=$(find /sys/fs/cgroup -type d -name machine -path "*hellod-lab-$one*")/..
    has=$(in_lab 'cat /sys/fs/cgroup/cgroup.controllers')
    same "$(cat "$group/cgroup.controllers")" "$has"
    if [[ $has == *memory*pids* ]]; then
        in_lab 'scripts/doctor.sh' | says "✓ memory and processes are counted and limited"
        ends 1 in_lab 'systemd-run --user --wait -p MemoryMax=32M -p MemorySwapMax=0 tail /dev/zero' 2>&1 | says "result: oom-kill"
        in_lab 'systemctl status --no-pager user@1000' | says "Tasks: "
    else
        in_lab 'scripts/doctor.sh' | says "not counted or limited here"
    fi
}

# Root of the lab, who would like to be root of the host.
no_way_out() {
    local disk pid there
    lab up "$other"
    in_other 'echo secret >~/secret'
    sleep infinity &
    pid=$!
    # shellcheck disable=SC2064
    trap "kill $pid" EXIT
    disk=$(findmnt --noheadings --raw --output MAJ:MIN --target /var)
    # The other lab's systemd, through which the host, and only the host, reads that lab's files.
    there=$(pgrep -P "$(pgrep --full --newest "^systemd-nspawn .*hellod-lab-$other ")" -x systemd)
    same secret "$(cat "/proc/$there/root/home/learner/secret")"
    in_lab 'sudo tests/inside/way-out.sh "$@"' "$pid" "${disk%:*}" "${disk#*:}" "$there"
    # Somebody else than root of the host, and than root of the other lab.
    same 3 "$({ in_lab 'cat /proc/self/uid_map' && in_other 'cat /proc/self/uid_map' && cat /proc/self/uid_map; } |
        awk '{ print $2 }' | sort -u | wc -l)"
}

two_at_once() {
    lab up "$other"
    in_lab 'touch ~/mine; scripts/apply.sh 3 &>/dev/null'
    in_other '! [ -e ~/mine ] && grep -q ✗ <(scripts/check.sh 3)'
    in_lab 'scripts/check.sh 3'
    lab down "$other"
    in_lab 'scripts/check.sh 3'
}

host_is_untouched() {
    local host
    host=$(git status --porcelain && find . -path ./target -prune -o -newer "$stamp" -print)
    # shellcheck disable=SC2016  # the lab's own CARGO_HOME
    in_lab 'echo more >>README.md && rm -r steps/01-hello-loop && echo x >$CARGO_HOME/new && sudo touch /etc/new'
    same "$host" "$(git status --porcelain && find . -path ./target -prune -o -newer "$stamp" -print)"
    ends 1 test -e /etc/new
    # shellcheck disable=SC2016
    ends 1 in_lab 'sudo touch /opt/rust/new "$CARGO_HOME/registry/new"' 2>&1 | says "Read-only"
}

learner_can_build() {
    # shellcheck disable=SC2016
    in_lab 'sed -i s/Hello/Howdy/ steps/02-journal/src/main.rs && cargo build --release -p step-02 &&
        timeout 1 target/release/step-02 2>&1 | grep Howdy'
}

# Found again, and not built for each lab: cargo has nothing to compile.
what_was_built_is_found() {
    local step said
    lab up "$other"
    for step in $(all_steps); do
        # As apply.sh does it, and as the chapters do.
        said=$(in_other "cargo build --release --package step-${step%%-*} 2>&1")
        ends 1 grep Compiling <<<"$said"
    done
}

reboots() {
    local boot
    boot=$(in_lab 'cat /proc/sys/kernel/random/boot_id; journalctl --list-boots -q | wc -l')
    in_lab 'echo kept >~/kept'
    lab reboot
    [ "$(in_lab 'cat ~/kept')" = kept ]
    [ "$boot" != "$(in_lab 'cat /proc/sys/kernel/random/boot_id; journalctl --list-boots -q | wc -l')" ]
    # As a reader does it, from a shell that goes down with the machine.
    in_lab 'sudo systemctl reboot; sleep infinity' || true
    [ "$(in_lab 'cat ~/kept')" = kept ]
}

powered_off() {
    in_lab 'sudo systemctl poweroff; sleep infinity' || true
    gone
    ends 1 in_lab true 2>&1 | says "There is no lab"
    leaves_nothing
}

crashed() {
    lab up
    kill -KILL "$(holder)"
    gone
    lab up
    in_lab true
    kill -KILL "$(holder)"
    leaves_nothing
}

# As if somebody else had all of them, and all but three.
instances=/proc/sys/fs/inotify/max_user_instances
no_inotify_left() {
    local free most used
    most=$(cat "$instances")
    used=$({ find /proc/[0-9]*/fd -user root -lname anon_inode:inotify 2>/dev/null || true; } | wc -l)
    # shellcheck disable=SC2064
    trap "echo '$most' >'$instances'" EXIT
    for free in 3 0; do
        echo $((used + free)) >"$instances"
        ends 1 lab up 2>&1 | says "inotify instances, and of the $((used + free)) that root may have, "
        same "$before" "$(traces)"
    done
}

# Ctrl-C, and the harder kind, at ten moments of a boot. The later ones may come when it is over: a lab
# that was said to be up may stay up.
interrupted() {
    local moment said
    for moment in 0.02 0.05 0.1 0.15 0.2 0.25 0.3 0.35 0.4 0.5; do
        said=$(timeout --signal="$1" "$moment" scripts/lab.sh up --name "$one" || true)
        [ "$1" = KILL ] || [[ $said == *" is up: "* ]] || same "$before" "$(traces)"
        leaves_nothing
    done
    lab up
    leaves_nothing
}

# A user of this machine who may use sudo, and is gone afterwards.
through_sudo() {
    local user=lab-test-$$
    useradd --create-home "$user"
    # shellcheck disable=SC2064
    trap "rm '/etc/sudoers.d/$user'; userdel --remove '$user' 2>/dev/null" EXIT
    echo "$user ALL=(ALL) NOPASSWD: ALL" >"/etc/sudoers.d/$user"
    cp -r --parents scripts units steps Cargo.* "/home/$user/"
    local rust
    rust=$(rustc --print sysroot)
    as_user() {
        runuser -u "$user" -- env LAB_RUST="$rust" LAB_REGISTRY=/none \
            "/home/$user/scripts/lab.sh" "$1" --name "$one" "${@:2}" 2>&1
    }
    as_user up | says "going through sudo"
    # The ' and the blank have to survive sudo, nsenter and runuser.
    as_user run -- echo "it's  fine" | says "it's  fine"
    as_user down
}

# Times are for people; that it runs, and waits as it should, is for this.
benchmark() {
    local row
    row=$(scripts/bench.sh 1 | grep '^| Rust |')
    echo "$row"
    awk -F'|' '{ exit !($6 == 1 && $7 <= 15) }' <<<"$row"
}

stamp=$(mktemp)
it "called wrongly: usage, and 2" called_wrongly
it "comes up, once, with a system and a user manager" comes_up
it "a login has its user manager, and the machine is running" has_a_login
it "limits are enforced, or said not to be" limits
it "two labs side by side know nothing of each other" two_at_once
it "root of a lab does not get out of it" no_way_out
lab down "$other"
it "nothing that is done in it reaches the host" host_is_untouched
it "the learner can edit and build in it" learner_can_build
it "what was built outside is not built again" what_was_built_is_found
lab down "$other"
it "a reboot keeps its files" reboots
it "down leaves nothing" leaves_nothing
if [ -n "${DELEGATION_IS_OURS-}" ]; then
    it "without delegation of control groups, all the same" without_delegation
else
    echo "not tried here, where systemd runs the machine: without delegation of control groups"
fi
it "a normal user gets it through sudo" through_sudo
it "after a power-off, down leaves nothing" eval 'lab up && powered_off'
it "after a crash it comes up again, and down leaves nothing" crashed
it "without inotify instances it says what it needs, and leaves nothing" no_inotify_left
it "bench.sh measures: one thread, and no wake-up but the greetings" benchmark
it "Ctrl-C at any moment of up leaves nothing" interrupted INT
it "down leaves nothing after a SIGKILL at any moment of up" interrupted KILL
rm "$stamp"
