#!/usr/bin/env bash
# Run in a lab, as learner, by tests/steps.sh: the tests of the programs themselves, as built outside.
set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/lib.sh

# The path of the program is compiled into its tests, and is another one here.
touch steps/*/tests/*.rs steps/*/tests/*/main.rs

# They wait for hellod, which takes three seconds to learn, so many run side by side.
passes() { RUST_TEST_THREADS=24 cargo test --release --quiet --locked --package "step-${1%%-*}"; }
for step in $(all_steps); do
    it "$step: the program's own tests" passes "$step"
done
