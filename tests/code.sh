#!/usr/bin/env bash
# The code as such: format, lints, unit tests.
set -euo pipefail
cd "$(dirname "$0")/.."
. tests/lib.sh

tools=(--locked --manifest-path tools/Cargo.toml --target-dir target/tools)

it "the steps are formatted" cargo fmt --all --check
it "the tools are formatted" cargo fmt --all --check --manifest-path tools/Cargo.toml
it "clippy has no complaint about the steps" \
    cargo clippy --quiet --locked --workspace --all-targets -- -D warnings
it "clippy has no complaint about the tools" \
    cargo clippy --quiet --workspace --all-targets "${tools[@]}" -- -D warnings
# They wait for hellod, which takes three seconds to learn, so many run side by side.
it "the steps' own tests pass" env RUST_TEST_THREADS=24 cargo test --release --quiet --locked --workspace
it "the tools' own tests pass" cargo test --quiet --workspace "${tools[@]}"
mapfile -t scripts < <(git ls-files '*.sh' .ci/run)
# Its source may still be writing when the reader has what it wants and leaves; with pipefail the pipe has
# then failed, now and then and without a word.
no_reader_leaves_early() { ends 1 grep -nE '\| *(head|grep [^|]*(-[a-zA-Z]*[qm]|--quiet|--max-count))\b' "${scripts[@]}"; }
it "no reader of a pipe leaves early" no_reader_leaves_early
it "shellcheck has no complaint about the scripts" shellcheck --external-sources "${scripts[@]}"

main_is_short() {
    local step lines
    for step in $(all_steps); do
        lines=$(wc -l <"steps/$step/src/main.rs")
        [ "$lines" -le 125 ] || { echo "$step: $lines lines" && return 1; }
    done
}
it "each step's main.rs fits on two screens" main_is_short
