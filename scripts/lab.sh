#!/usr/bin/env bash
# A throwaway machine with a real systemd, for trying things and for running the tests.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

usage() {
    cat <<END
Usage: scripts/lab.sh up [--suite SUITE]   boot a lab; SUITE is a Debian release, trixie if not said
       scripts/lab.sh shell                a shell in it, as the user learner, who may sudo
       scripts/lab.sh run -- COMMAND...    one command in it, as learner
       scripts/lab.sh status               the labs that are up
       scripts/lab.sh reboot               reboot it; its files stay
       scripts/lab.sh down [--all]         end it; nothing of it stays
       scripts/lab.sh purge                remove the cached Debian systems too
       scripts/lab.sh base                 for scripts/workshop.sh: makes the Debian system, unless it is
                                           cached, and says where it is
       scripts/lab.sh serve [--all]        for scripts/serve.sh --lab: boots one, and starts things in it;
                                           with --all, for scripts/workshop.sh, in those that it names

Each takes --name NAME; the lab's name is 'lab' if not said.

The lab has a copy of this repository in ~/book and your Rust toolchain. What is done in it stays
in it. It runs on Linux namespaces and needs root: for anybody else it goes through sudo.
END
}

# --- arguments ------------------------------------------------------------------------------------

name=lab suite=trixie all=
action=${1-}
case $action in
    -h | --help) usage && exit ;;
    up | shell | run | status | reboot | down | purge | base | serve) shift ;;
    '') misuse "Up, shell, run, status, reboot, down or purge?" ;;
    *) misuse "lab.sh cannot '$action'." ;;
esac
original=("$action" "$@")
while [ $# -gt 0 ]; do
    case $1 in
        -h | --help) usage && exit ;;
        --name | --suite) [ -n "${2-}" ] || misuse "$1 what?" && declare "${1#--}=$2" && shift ;;
        --all) all=yes ;;
        --) shift && break ;;
        *) misuse "'lab.sh $action' takes no '$1'." ;;
    esac
    shift
done
[[ $name =~ ^[a-z][a-z0-9-]{0,30}$ ]] ||
    misuse "A lab's name is made of a-z, 0-9 and '-', begins with a letter, and has 31 at most: not '$name'."
[[ $suite =~ ^[a-z]+$ ]] || misuse "A suite is a Debian release such as trixie: not '$suite'."
[ "$action" = run ] || [ $# -eq 0 ] || misuse "'lab.sh $action' takes no '$1'."
[ "$action" != run ] || [ $# -gt 0 ] || misuse "Run what? scripts/lab.sh run -- COMMAND..."

umask 022 # what a lab is made of has to be read by others than root
[ ! -e /etc/hellod-lab ] || die "This is the lab, and lab.sh is for the machine around it." "Leave with: exit"

# --- becoming root, with the caller's Rust --------------------------------------------------------

if [[ $action =~ ^(up|serve)$ ]] && [ -z "${LAB_RUST-}" ]; then
    find_rust
fi
if [ "$EUID" -ne 0 ]; then
    command -v sudo >/dev/null ||
        die "The lab needs root, and there is no sudo." "Run this as root."
    echo "The lab needs root: going through sudo." >&2
    exec sudo -- env LAB_RUST="${LAB_RUST-}" LAB_REGISTRY="${LAB_REGISTRY-}" \
        LAB_REGISTRY_AS="${LAB_REGISTRY_AS-}" LAB_PACKAGES="${LAB_PACKAGES-}" LAB_USER="${LAB_USER-$UID}" "$root/scripts/lab.sh" "${original[@]}"
fi

# --- the Debian system that every lab of a suite starts from --------------------------------------

cache=/var/cache/hellod-lab
packages=systemd,systemd-sysv,dbus,dbus-user-session,libpam-systemd,procps,sudo,gcc,libc6-dev,git,less,nano,locales,zsh,fish
packages+=${LAB_PACKAGES:+,$LAB_PACKAGES} # what somebody needs besides, as bench.sh does

# What every lab needs, done once. Runs on the unpacked system, whose folder is $1.
# shellcheck disable=SC2016  # mmdebstrap gives the hook its $1
prepare='
chroot "$1" useradd --create-home --shell /bin/bash learner
echo "learner ALL=(ALL) NOPASSWD: ALL" >"$1/etc/sudoers.d/learner"
chroot "$1" localedef --inputfile=de_DE --charmap=UTF-8 de_DE.UTF-8
echo lab >"$1/etc/hostname"
touch "$1/etc/hellod-lab"
echo "127.0.0.1 localhost lab" >"$1/etc/hosts"
: >"$1/etc/machine-id"
printf "%s\n" "PATH=\$PATH:/opt/rust/bin" "export CARGO_NET_OFFLINE=true LANG=C.UTF-8 SYSTEMD_LESS=FRXMK" "cd ~/book" >"$1/etc/profile.d/book.sh"
'
base=$cache/$suite-$(printf '%s' "$packages$prepare" | sha256sum | cut -c1-8)
base_packed=$packed/${base##*/}.tar

# One at a time: who comes second waits, and finds what the first has made.
require_base() {
    [ ! -d "$base" ] || return 0
    mkdir -p "$cache"
    local lock
    exec {lock}<"$cache"
    flock "$lock"
    [ -d "$base" ] || make_base
    exec {lock}<&-
}

make_base() {
    local part=$base.part log=$base.part.log make
    rm -rf --one-file-system "$cache"/*.part* # what a killed run left half-made
    echo "Making a Debian $suite system in $cache, once; this takes half a minute."
    trap 'rm -rf --one-file-system "$part" "$log"; exit 130' INT TERM
    # Where only it sees what it mounts: nothing stays mounted if it is killed.
    make=(unshare --mount mmdebstrap --quiet --variant=minbase --include="$packages" --customize-hook="$prepare"
        --aptopt='Acquire::Check-Valid-Until "false"' "$suite" "$part")
    if [ -e "$base_packed" ]; then
        mkdir "$part"
        make=(tar -C "$part" --numeric-owner --xattrs --xattrs-include='*' -xpf "$base_packed")
    fi
    if ! "${make[@]}" 2>"$log"; then
        tail -n 5 "$log" >&2
        rm -rf --one-file-system "$part" "$log"
        die "The Debian $suite system could not be made." \
            "Is there such a release, a network, and 500 MB in $cache? Then run this again."
    fi
    trap - INT TERM
    rm "$log"
    mv -T "$part" "$base"
}

# Where control groups are mounted, in version 2; a host may have version 1 too, or alone.
cgroup2() { findmnt --noheadings --first-only --types cgroup2 --output TARGET; }

# --- a lab and its processes ----------------------------------------------------------------------

state=/run/hellod-lab-$name

# The process that holds the lab together. It lives in a PID and a mount namespace of its own, so
# killing it ends every process and every mount of the lab: the kernel clears up, whatever happens.
# (No command in the pattern: one that Ctrl-C ends would leave it empty, and that is every process.)
holder() { holder_noted || pgrep --oldest --full "/lab-machine\.sh $name $cache/"; }
# As it has noted it down itself: looking through all processes takes long where there are many labs.
holder_noted() {
    local pid words
    { read -r pid <"$state/holder" && mapfile -d '' words <"/proc/$pid/cmdline"; } 2>/dev/null &&
        [[ ${words[*]} == */"lab-machine.sh $name $cache/"* ]] && echo "$pid"
}

# The lab's own process 1, once it is systemd.
leader() {
    local pid
    pid=$(holder) && pid=$(child "$pid") && pid=$(child "$pid" systemd-nspawn) && child "$pid" systemd
}
# child PID [NAME]: of that process.
child() {
    local one name_now
    for one in $(cat "/proc/$1/task/$1/children" 2>/dev/null || pgrep -P "$1"); do
        if [ -z "${2-}" ] || { read -r name_now <"/proc/$one/comm" && [ "$name_now" = "$2" ]; } 2>/dev/null; then
            echo "$one" && return
        fi
    done
    return 1
}

# Asks the lab's manager something. At the end of a shutdown systemd stops every process that it sees; if
# that is this one, it would stay so, and keep the machine from going down.
manager() { timeout --signal=KILL 5 nsenter --target "$(leader)" --all -- systemctl "$@"; }

# booted [BEFORE]: waits until the lab has booted, as another process than BEFORE, the one that a
# reboot is to end.
booted() {
    local pid state_now end=$((SECONDS + 180))
    while [ "$SECONDS" -lt "$end" ]; do
        holder >/dev/null || return 1
        if pid=$(leader) && [ "$pid" != "${1-}" ]; then
            # Not there yet, or going down: neither counts.
            state_now=$(manager is-system-running --wait 2>/dev/null || true)
            case $state_now in running | degraded) return ;; esac
        fi
        sleep 0.1
    done
    return 1
}

require_up() {
    booted || die "There is no lab '$name'." \
        "Boot one: scripts/lab.sh up$([ "$name" = lab ] || echo " --name $name")"
}

# Control groups are files too, and outlive the processes that were in them.
remove_groups() {
    local group tries
    # A host that has both versions has several places.
    for group in $(findmnt --noheadings --types cgroup,cgroup2 --output TARGET); do
        group+=/hellod-lab-$name
        # A process that was just killed may hold its group for a moment longer.
        for ((tries = 0; tries < 500; tries++)); do
            [ -d "$group" ] || break
            find "$group" -depth -type d -exec rmdir {} + 2>/dev/null || sleep 0.02
        done
    done
}

# The users of labs have numbers from here on, see --private-users= in systemd-nspawn(1).
lab_users=524288

# The kernel gives each user so many inotify instances, and root's labs count as root: a lab takes ten, with
# somebody logged in. A systemd that gets none ends without a word, and
# one that gets too few lacks mounts and units.
require_inotify() {
    local a_lab=10 most in_use
    most=$(cat /proc/sys/fs/inotify/max_user_instances)
    in_use=$({ find /proc/[0-9]*/fd \( -user root -o -uid +$((lab_users - 1)) \) -lname anon_inode:inotify 2>/dev/null || true; } | wc -l)
    [ $((in_use + a_lab)) -le "$most" ] ||
        die "The lab cannot boot as it should: it takes $a_lab inotify instances, and of the $most that root may have, $in_use are in use." \
            "End labs that you no longer need (scripts/lab.sh status), or allow more, as root: sysctl fs.inotify.max_user_instances=512"
}

take_down() {
    local pid
    # Its folder first: one that is only about to start needs it, and gives up without.
    rm -rf "$state.gone"
    [ ! -d "$state" ] || mv -T "$state" "$state.gone"
    while pid=$(holder); do
        kill -KILL "$pid" 2>/dev/null || true # it may have ended meanwhile
        sleep 0.02
    done
    # systemd gives up its scope a moment after the processes are gone; waiting for that is its job.
    if [ -d /run/systemd/system ]; then
        systemctl stop "hellod-lab-$name.scope" 2>/dev/null || true
    fi
    remove_groups
    rm -rf "$state.gone"
}

# --- the actions ----------------------------------------------------------------------------------

# require_programs PROGRAM:PACKAGE...: as Debian calls them; and what makes the Debian system, if it has to be made.
require_programs() {
    local tool missing=
    [ -d "$base" ] || [ -e "$base_packed" ] || set -- mmdebstrap:mmdebstrap "$@"
    for tool; do
        command -v "${tool%:*}" >/dev/null || missing+=" ${tool#*:}"
    done
    [ -z "$missing" ] || die "The lab needs programs that are not here." "On Debian: apt install$missing"
}

up() {
    local unreadable
    LAB_REGISTRY_AS=${LAB_REGISTRY_AS:-$LAB_REGISTRY}
    require_programs systemd-nspawn:systemd-container pgrep:procps nsenter:util-linux
    [ -n "$(cgroup2)" ] ||
        die "The lab needs control groups of version 2, and this machine has mounted none." \
            "With systemd, boot with systemd.unified_cgroup_hierarchy=1; without, as root: mount -t cgroup2 cgroup2 /sys/fs/cgroup"
    # Root in the lab is not root of this machine, and reads what everybody may read.
    unreadable=$(find -L "$LAB_RUST/bin" "$LAB_REGISTRY" \( -type d -o -name cargo \) ! -perm -o+rx -print -quit 2>/dev/null || true)
    [ -z "$unreadable" ] ||
        die "$unreadable may not be read by others, and so not in the lab, which borrows your Rust." \
            "Allow it: chmod -R o+rX $(printf '%q %q' "$LAB_RUST" "$LAB_REGISTRY")"

    # Also one that is booting, or rebooting.
    if holder >/dev/null && booted; then
        [ "$(cat "$state/suite")" = "$suite" ] ||
            die "The lab '$name' is up, with $(cat "$state/suite")." "End it first (scripts/lab.sh down --name $name), or use another --name."
        echo "The lab '$name' is up already."
        return
    fi
    require_base
    trap 'trap "" INT TERM; take_down; exit 130' INT TERM
    take_down # what a crash left
    mkdir "$state"
    echo "$suite" >"$state/suite"

    # Where systemd runs the host, the lab asks it for a control group of its own.
    local scope=()
    [ ! -d /run/systemd/system ] ||
        scope=(systemd-run --quiet --scope --property=Delegate=yes --unit="hellod-lab-$name")
    LAB_RUST=$LAB_RUST LAB_REGISTRY=$LAB_REGISTRY LAB_REGISTRY_AS=$LAB_REGISTRY_AS \
        setsid "${scope[@]}" "$root/scripts/lab-machine.sh" "$name" "$base" <&- >"$state/log" 2>&1 &
    disown # bash would say how it ended
    until holder_noted >/dev/null; do
        kill -0 $! 2>/dev/null || break
        sleep 0.02
    done
    if ! booted; then
        tail -n 20 "$state/log" >&2
        take_down
        require_inotify
        die "The lab did not boot; the last it said is above." \
            "Run scripts/lab.sh up again, and if it stays so, report those lines."
    fi
    if [ "$(manager is-system-running)" != running ]; then
        manager --failed --no-legend --full >&2 || true
        take_down
        require_inotify
        die "The lab boots, but the units above fail in it; this machine may be the reason." \
            "Run scripts/lab.sh up again, and if it stays so, report those lines."
    fi
    # What everything in the lab needs, and what a host can be in the way of.
    requires_in_lab "the Rust that it borrows does not run there" \
        nsenter --target "$(leader)" --all -- runuser -u learner -- /opt/rust/bin/cargo --version
    requires_in_lab "learner cannot log in to it and find a user manager" \
        as_learner --command "timeout 60 systemctl --user --wait is-system-running; systemctl --user show-environment"
    echo "The lab '$name' is up: Debian $suite, $(manager --version | sed -n 1p)."
    trap - INT TERM
}

# As learner, with a login of its own and so with a user manager. In the place of this script, which
# has nothing left to do, and nothing to say if the machine goes down under the shell.
as_learner() {
    local pid group controller
    pid=$(leader)
    # First into a control group of the lab: with nsdelegate, cgroups(7), the kernel lets the lab's systemd
    # make a session only of a process that is in one already.
    echo 0 >"$(cgroup2)$(sed -n 's/^0:://p' "/proc/$pid/cgroup")/cgroup.procs"
    # And to where its limits are, if that is elsewhere.
    for controller in memory pids cpu; do
        group=/sys/fs/cgroup/$controller/hellod-lab-$name
        [ ! -e "$group" ] || echo 0 >"$group/cgroup.procs"
    done
    exec nsenter --target "$pid" --all -- runuser --login learner "$@"
}

# requires_in_lab OTHERWISE COMMAND...: if it fails, the lab is of no use.
requires_in_lab() {
    if ! ("${@:2}") &>"$state/said"; then
        tail -n 20 "$state/said" >&2
        take_down
        die "The lab boots, but $1; what came instead is above." \
            "Report those lines, with the output of scripts/doctor.sh."
    fi
}

status() {
    local any=
    for state in /run/hellod-lab-*; do
        name=${state#/run/hellod-lab-}
        leader >/dev/null || continue
        any=yes
        printf '%s: Debian %s, %s, %s\n' "$name" "$(cat "$state/suite")" \
            "$(manager --version | sed -n 1p)" "$(manager is-system-running || true)"
    done
    [ -n "$any" ] || echo "No lab is up. Boot one: scripts/lab.sh up"
}

# For a program that goes through sudo once, and not for each: boots the lab, says ready, and then each line on
# standard input names a terminal, see pts(4), and what is to run in it: the actions above. What runs there ends
# with its terminal; labs that were booted there end with the input.
serve() {
    local tty words other others=()
    trap '' INT HUP TERM # they are for that program, whose end is the end of the input
    if [ -z "$all" ] && [ "$(pgrep --full --oldest "^bash .*/lab\.sh serve --name $name ")" != "$$" ]; then
        die "Another serve.sh is tied to the lab '$name'." \
            "End that one, or take another lab: scripts/serve.sh --lab --name other"
    fi
    [ -n "$all" ] || "$root/scripts/lab.sh" up --name "$name" --suite "$suite" >&2
    echo ready
    while read -r tty words; do
        # Only in terminals of whoever has started this.
        if [[ ! $tty =~ ^/dev/pts/[0-9]+$ ]] || [ "$(stat -c %u "$tty")" != "${LAB_USER:-$EUID}" ]; then continue; fi
        case ${words%% *} in
            down) [ -n "$all" ] || continue ;;
            up)
                other=$(awk -F '--name ' '{ sub(/ .*/, "", $2); print $2 }' <<<"$words")
                # What was there before stays, and seats outlive their server.
                [ -n "$all" ] || [ -d "/run/hellod-lab-$other" ] || others+=("$other")
                ;;
            shell | run) ;;
            *) continue ;;
        esac
        # Ctrl-C does nothing to what a script starts in the background, unless it is told to.
        # shellcheck disable=SC2086  # they are the arguments
        (set -f && exec env --default-signal=INT,QUIT,HUP,TERM setsid --ctty "$root/scripts/lab.sh" $words) <>"$tty" >&0 2>&1 &
    done
    for name in "${others[@]}"; do "$root/scripts/lab.sh" down --name "$name"; done
}

case $action in
    up) up ;;
    base)
        require_programs
        require_base >&2
        echo "$base"
        ;;
    serve) serve ;;
    shell)
        require_up
        if [ -t 0 ]; then as_learner --pty; else as_learner; fi
        ;;
    run)
        require_up
        as_learner --command "$(printf '%q ' "$@")"
        ;;
    status) status ;;
    reboot)
        require_up
        before=$(leader)
        manager reboot || true # it may be ended by the reboot itself
        booted "$before" || die "The lab did not come back." "End it: scripts/lab.sh down --name $name"
        ;;
    down)
        if [ -n "$all" ]; then
            for state in /run/hellod-lab-*; do
                name=${state#/run/hellod-lab-}
                [ ! -d "$state" ] || take_down
            done
        else
            take_down
        fi
        ;;
    purge)
        ! compgen -G '/run/hellod-lab-*' >/dev/null || die "There are labs that are up." "End them first: scripts/lab.sh down --all"
        rm -rf --one-file-system "$cache"
        ;;
esac; exit # on one line: bash goes on reading where it was, and the file may be another by then
