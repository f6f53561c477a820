#!/usr/bin/env bash
# A workshop that comes as one archive, on a machine that has neither Rust nor network.
set -euo pipefail
cd "$(dirname "$0")/.."
. tests/lib.sh

# --- on that machine: run by what is below, in the folder that was unpacked, with namespaces of its own ------------

no_rust_no_network() {
    ends 1 command -v cargo rustc mmdebstrap
    ends 2 getent hosts deb.debian.org
    same "" "$(ls -A /var/cache/hellod-lab)"
}
without_nspawn() {
    mv /usr/bin/systemd-nspawn /usr/bin/hidden
    ends 1 scripts/lab.sh up --name nothing 2>&1 | says "On Debian: apt install systemd-container"
    mv /usr/bin/hidden /usr/bin/systemd-nspawn
}
comes_up() {
    scripts/workshop.sh up 2 -p 3900 | says "2 of 2 seats are up"
    same 2 "$(scripts/workshop.sh status | grep -cE '^seat +[12] +up ')"
    # Of these namespaces, and not of the machine around them.
    same 2 "$(pgrep --full --count '^bash .*/lab-machine\.sh seat-0[12] .* inside')"
    # From the pack, and nothing else.
    same "packed/$(ls /var/cache/hellod-lab).tar" "$(ls packed/*.tar)"
}
in_seat() { scripts/lab.sh run --name seat-01 -- "$@"; }
has_its_step() {
    local said
    said=$(in_seat scripts/apply.sh 7 2>&1)
    ends 1 grep Compiling <<<"$said"
    in_seat scripts/check.sh 7
}
nothing_is_built_anew() {
    local step said
    for step in $(all_steps); do
        # shellcheck disable=SC2016
        said=$(in_seat bash -c 'cargo build --release -p "$1" 2>&1 && cargo build --release -p "$1" --examples 2>&1' -- "step-${step%%-*}")
        same 2 "$(grep -c Finished <<<"$said")"
        ends 1 grep Compiling <<<"$said"
    done
}
# With the linker, the crates and the standard library: what a reader changes is built, and nothing but that.
learner_can_build() {
    local said
    # shellcheck disable=SC2016
    said=$(in_seat bash -c 'sed -i s/Hello/Howdy/ steps/07-dedicated-user/src/main.rs && cargo build --release -p step-07 2>&1')
    same 1 "$(grep -c Compiling <<<"$said")"
    says "Compiling step-07" <<<"$said"
}
git_is_there() { in_seat bash -c 'git log -1 && git diff --quiet -- units'; }
leaves_nothing() {
    scripts/workshop.sh down
    same "" "$(ls -d /run/hellod-lab-* target/workshop 2>/dev/null)"
    same "" "$(pgrep --full 'lab-machine|companion')"
    same "" "$(find /sys/fs/cgroup -name '*hellod-lab*')"
    same "" "$(git status --porcelain)"
}

if [ "${1-}" = there ]; then
    ip link set lo up
    # Other labs of this machine, if there are any, are not seen, and so not touched.
    umount --recursive --lazy /sys/fs/cgroup
    mount -t cgroup2 cgroup2 /sys/fs/cgroup
    mount -t tmpfs -o mode=755 tmpfs /run
    mount --bind "$2" /var/cache/hellod-lab
    # Programs can be taken away in a layer on top.
    mkdir /run/{upper,work}
    mount -t overlay -o lowerdir=/usr/bin,upperdir=/run/upper,workdir=/run/work overlay /usr/bin
    rm -f /usr/bin/mmdebstrap
    it "there is no Rust, no network, and no Debian system" no_rust_no_network
    it "without systemd-nspawn: a clear sentence" without_nspawn
    it "it makes no other pack" eval 'ends 1 scripts/workshop.sh pack 2>&1 | says "This came out of a pack"'
    it "the book can be built again" eval 'scripts/serve.sh --build && [ target/book/index.html -nt packed/registry-path ]'
    it "two seats come up" comes_up
    it "a seat is brought to a step, and nothing is built" has_its_step
    it "cargo finds all steps built" nothing_is_built_anew
    it "a changed step is built, and none of its crates" learner_can_build
    it "the repository's history is there" git_is_there
    it "down leaves nothing" leaves_nothing
    exit
fi

# --- on this machine ------------------------------------------------------------------------------------------------

work=$(mktemp -d) claimed=() group=
end_here() {
    if [ ${#claimed[@]} -gt 0 ]; then rmdir "${claimed[@]}"; fi
    if [ -d "$group" ]; then find "$group" -depth -type d -exec rmdir {} +; fi
    rm -rf --one-file-system "$work"
}
trap end_here EXIT
there="$work/an empty folder"
mkdir "$there" "$work"/{home,cache}

called_wrongly() {
    ends 2 scripts/workshop.sh pack target/pack.zip 2>&1 | says "A pack ends in .tar.zst or .tar.xz, and 'pack.zip' does not."
    ends 2 scripts/workshop.sh pack --nonsense 2>&1 | says "Usage: scripts/workshop.sh up"
    ends 2 scripts/workshop.sh pack a.tar.xz b.tar.xz 2>&1 | says "One"
}
interrupted() {
    local pid
    scripts/workshop.sh pack "$work/pack.tar.zst" >"$work/said" 2>&1 &
    pid=$!
    soon grep -q 'steps, built\|the repository' "$work/said"
    kill "$pid"
    ends 130 wait "$pid"
    ends 1 test -e target/pack
    same "" "$(compgen -G "$work/pack.tar*")"
}
packs() {
    scripts/workshop.sh pack "$work/pack.tar.zst" | tee /dev/stderr | says "scripts/workshop.sh up 20"
    ends 1 test -e target/pack
    same "$work/pack.tar.zst" "$(compgen -G "$work/pack.tar*")"
}
has_no_tests() {
    local listed
    listed=$(tar -tf "$work/pack.tar.zst")
    says hellod-workshop/target/release/step-07 <<<"$listed"
    # Each step's program, and its test programs if there were any, are step_NN-HASH.
    same "$(all_steps | wc -l)" "$(grep -cE '/release/deps/step_[0-9]*-[0-9a-f]*$' <<<"$listed")"
    ends 1 grep -E 'share/doc|/node_modules/' <<<"$listed"
}
unpacks() { tar -C "$there" -xf "$work/pack.tar.zst"; }

# The two seats' inotify instances; inside, only those of these namespaces are counted.
enough_inotify() {
    local in_use
    in_use=$({ find /proc/[0-9]*/fd -lname anon_inode:inotify 2>/dev/null || true; } | wc -l)
    [ $((in_use + 30)) -le "$(cat /proc/sys/fs/inotify/max_user_instances)" ]
}
# Seats have the same names wherever they come from, so theirs are taken, for all to see, when nobody has any.
claim_seats() {
    local name end=$((SECONDS + 300))
    while [ "$SECONDS" -lt "$end" ]; do
        if ! compgen -G '/run/hellod-lab-seat-*' >/dev/null && ! pgrep --full '/lab-machine\.sh seat-' >/dev/null && enough_inotify; then
            for name in /run/hellod-lab-seat-0{1,2}; do
                mkdir "$name" 2>/dev/null || break
                claimed+=("$name")
            done
            [ ${#claimed[@]} -lt 2 ] || return 0
            if [ ${#claimed[@]} -gt 0 ]; then rmdir "${claimed[@]}"; fi
            claimed=()
        fi
        sleep 2
    done
    return 1
}

who_has_them() {
    ls -d /run/hellod-lab-seat-* || true
    pgrep --full --list-full '/lab-machine\.sh seat-' || true
    find /proc/[0-9]*/fd -lname anon_inode:inotify 2>/dev/null | cut -d/ -f3 | uniq -c |
        while read -r number pid; do echo "$number inotify instances: $(tr '\0' ' ' <"/proc/$pid/cmdline")"; done
    return 1
}

it "called wrongly: what was wrong, and 2" called_wrongly
it "interrupted, a pack leaves nothing" interrupted
it "a pack is made" packs
it "there is no test program in it, and no documentation" has_no_tests
it "it is unpacked, where the path has a space" unpacks
if [ "${1-}" != lab ] && ! claim_seats; then
    it "nobody else has seats, and there are inotify instances for two" who_has_them
    exit
fi
group=$(findmnt --noheadings --first-only --types cgroup2 --output TARGET)/hellod-pack-$$
mkdir "$group"
(
    echo 0 >"$group/cgroup.procs"
    exec env -i HOME="$work/home" PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
        unshare --cgroup --net --mount --pid --fork --kill-child --mount-proc \
        "$there/hellod-workshop/tests/pack.sh" there "$work/cache" "$@"
)
