#!/usr/bin/env bash
# Every command of every chapter, typed again into a fresh lab.
set -euo pipefail
cd "$(dirname "$0")/.."
. tests/lib.sh

it "every recorded answer still comes" cargo session replay

# The replay itself: an answer that is not true has to be found.
a_wrong_answer_is_found() {
    local step=01-hello-loop session said
    session=steps/$step/session.console
    cp "$session" "$session.kept"
    # shellcheck disable=SC2064
    trap "mv '$session.kept' '$session'" EXIT
    # shellcheck disable=SC2016
    printf '$ echo one\ntwo\n' >"$session"
    said=$(ends 1 cargo session replay "$step")
    says '  $ echo one' <<<"$said"
    says '- two' <<<"$said"
    says '+ one' <<<"$said"
}
it "a wrong answer is shown as a diff with its command" a_wrong_answer_is_found
