#!/usr/bin/env bash
# The inside of a lab, started by lab.sh in a mount and a PID namespace of its own. Not for you to run.
set -euo pipefail
name=$1 base=$2
repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# Not there any more if the lab has been taken down meanwhile: then this ends here.
machine=/run/hellod-lab-$name/machine
mkdir "$machine"

# A control group of its own, so that labs side by side do not meet. On a host that systemd runs,
# lab.sh has asked for one already.
if [ ! -d /run/systemd/system ]; then
    for tree in /sys/fs/cgroup /sys/fs/cgroup/unified /sys/fs/cgroup/systemd; do
        [ -w "$tree/cgroup.procs" ] || continue
        mkdir -p "$tree/hellod-lab-$name"
        echo $$ >"$tree/hellod-lab-$name/cgroup.procs"
    done
fi

# The Debian system, with a layer in memory on top for what is written.
mount -t tmpfs -o mode=755 hellod-lab "$machine"
mkdir "$machine"/{upper,work,root}
mount -t overlay -o "lowerdir=$base,upperdir=$machine/upper,workdir=$machine/work" hellod-lab "$machine/root"

# A copy of the repository, with what was built from it, so that it need not be built again.
home=$machine/root/home/learner
mkdir "$home/book"
tar -C "$repository" --exclude=./.git --exclude=./target --exclude=node_modules -cf - . |
    tar -C "$home/book" -xf -
if [ -d "$repository/target/release" ]; then
    mkdir "$home/book/target"
    cp -a "$repository/target/release" "$home/book/target/"
fi
chown -R --reference="$home" "$home/book"

# What cargo has fetched, under the very path that it has outside: to cargo, the same source in
# another place is another source, and has to be built again.
cargo_home=$machine/root${LAB_REGISTRY%/registry}
# From within, so that it is not made where a lab was that has been taken down meanwhile.
(cd "$machine/root" && mkdir -p ".$LAB_REGISTRY")
chmod a+x "$machine/root/root"
chown --reference="$home" "$cargo_home"
printf 'export CARGO_HOME=%q\n' "${LAB_REGISTRY%/registry}" >>"$machine/root/etc/profile.d/book.sh"

binds=(--bind-ro="$LAB_RUST:/opt/rust")
[ ! -d "$LAB_REGISTRY" ] || binds+=(--bind-ro="$LAB_REGISTRY")

# 133 is how nspawn says that the machine inside wants to reboot.
while
    status=0
    SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 systemd-nspawn --quiet --directory="$machine/root" --boot \
        --machine="hellod-lab-$name" --register=no --keep-unit --link-journal=no \
        --private-network --console=pipe "${binds[@]}" || status=$?
    [ "$status" -eq 133 ]
do :; done
echo "The machine has ended, and systemd-nspawn with $status."
