#!/usr/bin/env bash
# The exercises, on each systemd: wrong answers are told, solutions are right, and nothing of a check stays.
set -euo pipefail
cd "$(dirname "$0")/.."
. tests/lib.sh

read -ra suites <<<"${SUITES:-trixie}"
at_once=8

work=$(mktemp -d)
cleanup() {
    local lab
    for lab in "$work"/*.log; do
        [ ! -e "$lab" ] || scripts/lab.sh down --name "$(basename "$lab" .log)"
    done
    rm -r "$work"
}
trap cleanup EXIT

# --- as they are written --------------------------------------------------------------------------

all_exercises() { printf '%s\n' steps/*/exercises/*/; }

complete() {
    local folder file number
    for folder in $(all_exercises); do
        for file in task.md check.sh hints solution.patch wrong-1.patch wrong-2.patch; do
            [ -s "$folder$file" ] || { echo "$folder has no $file" && return 1; }
        done
        number=${folder#steps/0}
        number=${number%%-*}.$(basename "$folder")
        [[ $(sed -n 1p "${folder}task.md") == "### Exercise $number: "* ]] ||
            { echo "$folder begins with: $(sed -n 1p "${folder}task.md")" && return 1; }
        [ "$(grep -c . "${folder}hints")" -ge 2 ] || { echo "$folder has fewer than two hints" && return 1; }
        [ "$(grep -c '' "${folder}hints")" -eq "$(grep -c . "${folder}hints")" ] ||
            { echo "$folder has an empty hint" && return 1; }
    done
}

in_their_chapters() {
    local folder file chapter
    for folder in $(all_exercises); do
        chapter=src/$(cut -d/ -f2 <<<"$folder").md
        for file in task.md solution.patch; do
            grep -qF "{{#include ../$folder$file}}" "$chapter" ||
                { echo "$chapter does not include $folder$file" && return 1; }
        done
    done
}

# In a copy, since it is the working copy that is patched.
solution_is_clean() {
    local copy folder=$1 crate=${1#steps/} target=$PWD/target/test-exercises
    crate=step-${crate%%-*}
    copy=$(mktemp -d)
    # shellcheck disable=SC2064  # now, and not when it is gone
    trap "rm -rf '$copy'" EXIT
    cp -r Cargo.toml Cargo.lock steps units "$copy/"
    cd "$copy"
    git apply --whitespace=error "$folder/solution.patch"
    cargo fmt --package "$crate" --check
    cargo clippy --quiet --locked --package "$crate" --all-targets --target-dir "$target" -- -D warnings
}

it "every exercise has its task, check, hints, solution and wrong answers" complete
it "every chapter shows its exercises and their solutions" in_their_chapters
for folder in $(all_exercises); do
    it "${folder%/}: rustfmt and clippy have no complaint about the solution" solution_is_clean "${folder%/}"
done

# --- in labs ----------------------------------------------------------------------------------------

# inside SUITE WHAT: in a lab of its own. What it prints is kept, to be shown in order.
number=0
inside() {
    while [ "$(jobs -rp | wc -l)" -ge "$at_once" ]; do wait -n || true; done
    number=$((number + 1))
    in_lab "$(printf 'exercises-%03d-%s' "$number" "$$")" "$@" &
}
in_lab() {
    local name=$1 suite=$2 what=$3 log=$work/$1.log
    : >"$log"
    {
        scripts/lab.sh up --name "$name" --suite "$suite" >/dev/null &&
            scripts/lab.sh run --name "$name" -- env ABOUT="$suite, exercises" tests/inside/exercises.sh "$what"
    } >"$log" 2>&1 || echo "FAILED  $suite, exercises: $what did not run to its end, and ended with $?" >>"$log"
    scripts/lab.sh down --name "$name"
}

# The script is the same everywhere: one release is enough.
inside "${suites[0]}" script
for suite in "${suites[@]}"; do
    # Those that restart a service that learns for three seconds come first.
    for step in $(all_steps | tac); do inside "$suite" "$step"; done
done
wait
cat "$work"/*.log
