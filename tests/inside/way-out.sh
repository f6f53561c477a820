#!/usr/bin/env bash
# Run in a lab, as root, by tests/lab.sh: every way out of it that somebody may try. Each has to be refused.
#
# way-out.sh PID MAJOR MINOR [OTHER]: a process of the host, its disk, and a process of another lab.
# shellcheck disable=SC2317  # `refused` calls what is below
set -euo pipefail
pid=$1 major=$2 minor=$3 other=${4-}

open=0
# The last three: a search that finds nothing, and a kernel without modules, or without version 1 of control groups.
reasons='not permitted|denied|Read-only|No such|^$|Function not implemented|Unknown subsys'
# refused WHAT COMMAND...: and for one of the reasons for which it should be.
refused() {
    local said
    if said=$("${@:2}" 2>&1) || ! [[ $said =~ $reasons ]]; then
        printf 'a way out: %s\n%s\n' "$1" "$said"
        open=1
    else
        printf 'refused: %s (%s)\n' "$1" "${said##*$'\n'}"
    fi
}
write() { echo "$1" >"$2"; }
opens_disk() { mknod /tmp/disk b "$major" "$minor" && head -c 1 /tmp/disk; }
finds_disk() { find /dev -type b | grep .; }
# mounted TYPE OPTIONS: its control groups, somewhere.
mounted() { mkdir -p /mnt/tree && mount -t "$1" -o "$2" none /mnt/tree; }
takes_group() { mounted "$1" "$2" && mkdir /mnt/tree/mine; }
sees_groups_of_host() { mounted cgroup2 rw && find /mnt/tree -name '*hellod-lab-*' | grep .; }
# shellcheck disable=SC2016  # perl's variables; 175 is init_module(2)
loads_module() { perl -e 'my ($module, $with) = ("no module", ""); exit 0 if syscall(175, $module, 9, $with) == 0; print "$!"; exit 1'; }

refused "sees a process of the host" ls -d "/proc/$pid"
refused "signals a process of the host" kill -0 "$pid"
refused "opens the disk of the host" opens_disk
refused "finds a disk of the host" finds_disk
refused "makes a control group in version 1 of the host's" takes_group cgroup memory
umount /mnt/tree 2>/dev/null || true
refused "sees the control groups of the host" sees_groups_of_host
umount /mnt/tree 2>/dev/null || true
refused "loads a module" loads_module
refused "has the kernel do something, sysrq" write h /proc/sysrq-trigger
refused "has the kernel run something, core_pattern" write '|/bin/true' /proc/sys/kernel/core_pattern
refused "has the kernel run something, uevent_helper" write /bin/true /sys/kernel/uevent_helper
[ -z "$other" ] || refused "reads a file of another lab" cat "/proc/$other/root/home/learner/secret"
refused "writes into the Rust of the host" touch /opt/rust/mine
exit "$open"
