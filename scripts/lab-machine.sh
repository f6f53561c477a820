#!/usr/bin/env bash
# What holds a lab together, started by lab.sh. Not for you to run.
#
# It has two halves. The outer one arranges the lab's control groups and becomes `unshare`; the inner one
# runs in the namespaces that `unshare` made, builds the machine and boots it.
set -euo pipefail
umask 022 # the lab is for another user than the one who makes it
name=$1 base=$2
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

# What a lab may have of the machine. Whoever wants more in it harms the lab alone: a disk that is full, a
# process that is not started, or the kernel's OOM killer, who ends what is in the lab.
most_memory=1536M most_disk=768M most_processes=2000
# limit FILE VALUE: where the machine has such a limit.
limit() { [ ! -e "$1" ] || echo "$2" >"$1"; }

# --- outside: control groups ------------------------------------------------------------------------

# The lab's own group, with two below it: `supervisor` for what holds the lab together, `machine` for the
# lab. Apart, because a group that has processes in it cannot pass controllers on, see cgroups(7).
if [ "${3-}" != inside ]; then
    # Not there any more if the lab has been taken down meanwhile: then this ends here.
    [ -d "/run/hellod-lab-$name" ]
    tree=$(findmnt --noheadings --first-only --types cgroup2 --output TARGET)
    if [ -d /run/systemd/system ]; then
        group=$tree$(sed -n 's/^0:://p' /proc/self/cgroup) # lab.sh has asked the host's systemd for it
    else
        group=$tree/hellod-lab-$name
        mkdir "$group"
    fi
    mkdir "$group"/{supervisor,machine}
    echo 0 >"$group/supervisor/cgroup.procs" # 0 is whoever writes it
    # What the host passes on. Where it binds a controller to cgroup v1, that one is not among them.
    for controller in cpuset cpu io memory pids; do
        if grep -qw "$controller" "$group/cgroup.controllers"; then echo "+$controller" >"$group/cgroup.subtree_control"; fi
    done
    export LAB_GROUP=$group
    echo $$ >"/run/hellod-lab-$name/holder" # for lab.sh, and the same after the exec below
    # And where a controller is bound to v1, it limits the lab from there.
    for controller in memory pids cpu; do
        tree=/sys/fs/cgroup/$controller
        if [ -e "$tree/cgroup.procs" ]; then
            mkdir "$tree/hellod-lab-$name"
            echo 0 >"$tree/hellod-lab-$name/cgroup.procs"
        fi
    done
    limit "/sys/fs/cgroup/memory/hellod-lab-$name/memory.limit_in_bytes" "$most_memory"
    limit "/sys/fs/cgroup/pids/hellod-lab-$name/pids.max" "$most_processes"
    exec unshare --mount --pid --fork --kill-child --mount-proc "$here/lab-machine.sh" "$name" "$base" inside
fi

# --- inside: the Debian system, with a layer in memory on top for what is written ---------------------

[ -d "/run/hellod-lab-$name" ] # as above

# Before /run is covered: the repository may be on a stick, which is mounted below it.
cd "${here%/*}"
# A /run of its own, so that what is mounted here and what systemd-nspawn notes down goes with it. (Among
# that is which user numbers are taken; it picks them by the lab's name, and two of the same are rare.)
mount -t tmpfs -o "mode=755,size=$most_disk" hellod-lab /run
mkdir /run/{upper,work,root}
machine=/run/root
# Root in the lab is another user outside, so every file gets another owner; metacopy writes down the
# owner alone, and not the file once more.
mount -t overlay -o "lowerdir=$base,upperdir=/run/upper,workdir=/run/work,metacopy=on,redirect_dir=on" hellod-lab "$machine"

# A copy of the repository, with what was built from it, so that it need not be built again. What is large in it
# and only ever replaced as a whole, every lab reads from the same place, through links.
home=$machine/home/learner
mkdir "$home/book"
binds=(--bind-ro="${LAB_RUST//:/\\:}:/opt/rust")
without=(--exclude=./target --exclude=./packed --exclude=node_modules)
parts=(.)
# That of a second worktree is a file that names a folder outside, where the lab cannot look.
[ -d .git ] || without+=(--exclude=./.git)
if [ -d target/release ]; then parts+=(target/release); fi
: >/run/large
for folder in .git/objects target/release/deps; do
    [ -d "$folder" ] || continue
    place=$PWD/$folder
    binds+=(--bind-ro="${place//:/\\:}:/opt/book/$folder")
    find "$folder" -type f -size +32k ! -name "*.d" -printf '%p\0' >>/run/large
done
tr '\0' '\n' </run/large >/run/large-names
# With times that are as precise as theirs, or cargo takes what was built in the same second for the older one.
for part in "${parts[@]}"; do
    tar --format=posix "${without[@]}" --exclude-from=/run/large-names --exclude-from=<(sed 's|^|./|' /run/large-names) -cf - "$part" |
        tar -C "$home/book" -xf -
    without=()
done
while IFS= read -r -d '' file; do ln -s "/opt/book/$file" "$home/book/$file"; done </run/large
chown -R --reference="$home" "$home/book"
# The journal takes its files in pieces of eight megabytes otherwise, and a lab's files are memory.
mkdir "$machine/etc/systemd/journald.conf.d"
printf '[Journal]\nSystemMaxFileSize=2M\n' >"$machine/etc/systemd/journald.conf.d/lab.conf"

# What cargo has fetched, under the very path that it had where the steps were built: to cargo, the same source in
# another place is another source, and has to be built again.
cargo_home=$machine${LAB_REGISTRY_AS%/registry}
mkdir -p "$machine$LAB_REGISTRY_AS"
chmod a+x "$machine/root"
chown --reference="$home" "$cargo_home"
printf 'export CARGO_HOME=%q\n' "${LAB_REGISTRY_AS%/registry}" >>"$machine/etc/profile.d/book.sh"

[ ! -d "$LAB_REGISTRY" ] || binds+=(--bind-ro="${LAB_REGISTRY//:/\\:}:${LAB_REGISTRY_AS//:/\\:}")

# --- inside: booting it -------------------------------------------------------------------------------

# In the group `machine`, as its only process, so that it can pass on what that group has.
boot() (
    # Anew after a reboot: with controllers passed on, no process may enter the group any more.
    find "$LAB_GROUP/machine" -depth -type d -exec rmdir {} +
    mkdir "$LAB_GROUP/machine"
    limit "$LAB_GROUP/machine/memory.max" "$most_memory"
    limit "$LAB_GROUP/machine/pids.max" "$most_processes"
    echo 0 >"$LAB_GROUP/machine/cgroup.procs"
    # Root in the lab is nobody outside: --private-users.
    exec env SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 systemd-nspawn --quiet --directory="$machine" --boot \
        --machine="hellod-lab-$name" --register=no --keep-unit --link-journal=no \
        --private-users=pick --private-users-ownership=chown \
        --private-network --console=pipe "${binds[@]}"
)
# 133 is how nspawn says that the machine inside wants to reboot.
while
    status=0
    boot || status=$?
    [ "$status" -eq 133 ]
do :; done
echo "The machine has ended, and systemd-nspawn with $status."
