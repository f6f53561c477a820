#!/usr/bin/env bash
# Measures hellod beside a C and a Python program that do the same, the live page, or a workshop; prints a table.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

usage() {
    cat <<END
Usage: scripts/bench.sh [ROUNDS]
       scripts/bench.sh live [ROUNDS]
       scripts/bench.sh seats [COUNT]

Boots a lab, builds in it the hellod of the last step, and hellod.c and hellod.py of tests/peers, starts
each ROUNDS times (15 if not said), in turns, and prints what each took, as a table. Takes about a minute,
and the first time another, to make a Debian system with Python; scripts/lab.sh purge removes that.

READY is without the three seconds that each of them pretends to learn. Medians; times depend on the
machine, so compare within a table.

live: serves the book tied to a lab, opens it in a headless Chromium, and measures how long it takes from a stop
on the machine to the mark in the page, from a key to its echo, what Run adds to each command of chapter 4 over
a replay of it in the same minutes, and what an open page costs while nothing happens. Takes five minutes.

seats: a workshop with COUNT seats (50 if not said): how long they take to boot, what each takes of the memory, how
long until all have applied step 07 at once, and how late a page and the board are meanwhile.
END
}

rounds=15 what=
case ${1-} in live | seats) what=$1 && shift ;; esac
[ "$what" != seats ] || rounds=50
case ${1-} in
    -h | --help) usage && exit ;;
    '') ;;
    *) [[ $1 =~ ^[1-9][0-9]?$ ]] || misuse "A number from 1 to 99 it is, not '$1'." && rounds=$1 ;;
esac
[ $# -le 1 ] || misuse "One number, please."

lab=bench-$$

case $what in
    live)
        # shellcheck source=scripts/bench-live.sh
        . scripts/bench-live.sh
        measure_live
        exit
        ;;
    seats)
        # shellcheck source=scripts/bench-seats.sh
        . scripts/bench-seats.sh
        measure_seats "$rounds"
        exit
        ;;
esac
trap 'scripts/lab.sh down --name "$lab"' EXIT
# Labs have no Python otherwise.
LAB_PACKAGES=python3 scripts/lab.sh up --name "$lab"

step=$(printf '%s\n' steps/*/ | tail -n 1)
step=step-$(basename "$step" | cut -d- -f1)
# shellcheck disable=SC2016  # the lab's own
prepare='
set -e
cargo build --quiet --release --package "$1"
cc -O2 -Wall -Werror -o /tmp/hellod-c tests/peers/hellod.c
rustc --edition 2024 -O -o /tmp/measure tests/peers/measure.rs
'
scripts/lab.sh run --name "$lab" -- bash -c "$prepare" bash "$step"
echo "Measuring, $rounds rounds; this takes $((25 + rounds / 2)) seconds."
measured=$(scripts/lab.sh run --name "$lab" -- /tmp/measure "$rounds" \
    C=/tmp/hellod-c "Rust=target/release/$step" Python=tests/peers/hellod.py)

echo
echo "| | start to READY | SIGTERM to exit | PSS | threads | wake-ups in a minute |"
echo "| --- | --- | --- | --- | --- | --- |"
awk '{ printf "| %s | %.2f ms | %.2f ms | %d kB | %d | %d |\n", $1, $2 / 1000, $3 / 1000, $4, $5, $6 }' <<<"$measured"
awk '{ ready[$1] = $2; stop[$1] = $3; pss[$1] = $4 }
    END { printf "\nRust, compared: READY %.2f times C, stop %.2f times C, PSS 1/%.0f of Python\n",
        ready["Rust"] / ready["C"], stop["Rust"] / stop["C"], pss["Python"] / pss["Rust"] }' <<<"$measured"
