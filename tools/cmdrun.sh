#!/bin/sh
# What book.toml names as the preprocessor: builds the adapter if need be, and becomes it. (It came built if there is
# packed/, see scripts/lib.sh.)
set -eu
cd "$(dirname "$0")/.."
quiet=--quiet
# Who waits for the first build shall see it move.
[ -x target/tools/debug/cmdrun ] || quiet=
# shellcheck disable=SC2086  # nothing, or one word
[ -d packed ] || cargo build $quiet --locked --manifest-path tools/Cargo.toml --target-dir target/tools --package cmdrun >&2
exec target/tools/debug/cmdrun "$@"
