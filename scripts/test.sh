#!/usr/bin/env bash
# Sets up what the tests need, and runs them all.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=tests/lib.sh
. tests/lib.sh

usage() {
    cat <<END
Usage: scripts/test.sh [--suite SUITE] [TEST...]

Runs the tests, each a file in tests/ without its .sh; all of them if none is named. Ends with the
number that passed and the number that failed. Needs root for the labs, and goes through sudo.

  --suite SUITE   in labs of this Debian release only, and not in all of: ${suites[*]}

$(for file in "${all[@]}" "${more[@]}"; do printf '  %-10s%s\n' "$(basename "$file" .sh)" "$(sed -n '2s/^# //p' "$file")"; done)
END
}

# The releases that the book is tried on; the first is the one whose answers it shows.
suites=(trixie bookworm forky)
all=(tests/code.sh tests/scripts.sh tests/book.sh tests/page.sh tests/live.sh tests/workshop.sh tests/lab.sh tests/steps.sh tests/exercises.sh
    tests/sessions.sh tests/machine.sh tests/pack.sh)
# For whoever has the time.
more=(tests/soak.sh)
chosen=()
original=("$@")
while [ $# -gt 0 ]; do
    case $1 in
        -h | --help) usage && exit ;;
        --suite)
            [[ " ${suites[*]} " == *" ${2-} "* ]] || misuse "The suites are ${suites[*]}, not '${2-}'."
            suites=("$2") && shift
            ;;
        -*) misuse "There is no option '$1'." ;;
        *)
            [[ " ${all[*]} ${more[*]} " == *" tests/$1.sh "* ]] || misuse "There is no test '$1'."
            chosen+=("tests/$1.sh")
            ;;
    esac
    shift
done
export SUITES="${suites[*]}"
[ ${#chosen[@]} -gt 0 ] || chosen=("${all[@]}")

# --- what has to be here --------------------------------------------------------------------------

command -v cargo >/dev/null ||
    die "cargo is not on the PATH." "Install Rust from https://rustup.rs and open a new terminal."

# program:package, as Debian calls them.
needed=(cc:gcc ld:binutils git:git shellcheck:shellcheck chromium:chromium node:nodejs npm:npm sudo:sudo
    mmdebstrap:mmdebstrap systemd-nspawn:systemd-container nsenter:util-linux unshare:util-linux pgrep:procps
    diff:diffutils findmnt:util-linux qemu-system-x86_64:qemu-system-x86 ip:iproute2 zstd:zstd mkfs.ext4:e2fsprogs ssh:openssh-client curl:curl)
missing=()
for one in "${needed[@]}"; do
    command -v "${one%:*}" >/dev/null || missing+=("${one#*:}")
done
[ -e /usr/include/stdio.h ] || missing+=(libc6-dev)
if [ ${#missing[@]} -gt 0 ]; then
    install=(apt-get install --yes --no-install-recommends "${missing[@]}")
    if [ "$EUID" -ne 0 ] || ! command -v apt-get >/dev/null; then
        die "The tests need programs that are not here." "On Debian: sudo ${install[*]}"
    fi
    run apt-get update --quiet --quiet
    run env DEBIAN_FRONTEND=noninteractive "${install[@]}" --quiet --quiet
fi
# The labs are root's, and so are the tests that look into them.
if [ "$EUID" -ne 0 ]; then
    echo "The tests boot labs, which needs root: going through sudo."
    exec sudo -- env PATH="$PATH" HOME="$HOME" CARGO_HOME="${CARGO_HOME:-$HOME/.cargo}" \
        RUSTUP_HOME="${RUSTUP_HOME:-$HOME/.rustup}" "$root/scripts/test.sh" "${original[@]}"
fi

results=$(mktemp)
end_here() {
    rm -f "$results"
    [ -z "${DELEGATION_IS_OURS-}" ] || nsdelegate off
    [ -z "$instances_before" ] || echo "$instances_before" >"$instances"
}
instances=/proc/sys/fs/inotify/max_user_instances instances_before=
trap end_here EXIT
# What labs need of the machine; given back at the end.
if [[ ${chosen[*]} =~ /(live|workshop|lab|steps|exercises|sessions|machine|pack|soak)\.sh ]]; then
    # Many side by side take more of these than root has on most machines.
    if [ "$(cat "$instances")" -lt 512 ]; then
        instances_before=$(cat "$instances")
        echo 512 >"$instances"
    fi
    # They run as on a host that systemd runs.
    if ! delegates; then
        nsdelegate on
        export DELEGATION_IS_OURS=yes
    fi
fi

# Once, and one by one as apply.sh does it, so that the labs find everything built.
build_steps
for step in $(all_steps); do cargo test --quiet --release --locked --package "step-${step%%-*}" --no-run; done

# --- running them ---------------------------------------------------------------------------------

for test in "${chosen[@]}"; do
    printf '\n%s\n' "$test"
    begin=$SECONDS
    if ! "$test" 2>&1 | tee -a "$results"; then
        # It ended before its last test, so what it did not run did not pass.
        echo "FAILED  $test did not run to its end" | tee -a "$results"
    fi
    echo "        $((SECONDS - begin)) s"
done

passed=$(grep -c '^ok  ' "$results" || true)
failed=$(grep -c '^FAILED' "$results" || true)
if [ "$failed" -eq 0 ] && [ "${chosen[*]}" = "${all[*]}" ] && [ ${#suites[@]} -gt 1 ]; then tools/tested.sh "$results"; fi
printf '\n%s passed, %s failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
