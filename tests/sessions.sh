#!/usr/bin/env bash
# Every command of every chapter, typed again into a fresh lab of each systemd.
set -euo pipefail
cd "$(dirname "$0")/.."
. tests/lib.sh

read -ra suites <<<"${SUITES:-trixie}"
said=$(mktemp)
untouched=$(git status --porcelain)
trap 'rm -f "$said"' EXIT
options=()
for suite in "${suites[@]}"; do options+=(--suite "$suite"); done
# On trixie every answer has to be as written, elsewhere every command has to end in the same way.
cargo session replay --show "${options[@]}" >"$said" 2>&1 || true

# went SUITE STEP: what was said of it, without the lines of the others.
went() {
    local told
    told=$(sed -n "/^$1 $2: /,/^[a-z]* [0-9][0-9]-/{/^$1 $2: /p;/^[a-z]* [0-9][0-9]-/!p}" "$said")
    echo "$told"
    grep -qE "^$1 $2: [0-9]+ answers, all " <<<"$told"
}
# answers SUITE STEP: how many, and whether it took a second try.
answers() {
    went "$1" "$2" | sed -nE 's/^[a-z]+ [^:]+: ([0-9]+ answers), .*/\1/p; s/^(on the second try)\..*/ \1/p' | tr -d '\n'
}
for suite in "${suites[@]}"; do
    for step in $(all_steps); do
        ABOUT="$suite, sessions" it "$step, $(answers "$suite" "$step" || true)" went "$suite" "$step"
    done
done

# What a chapter says of another systemd, in a paragraph that begins so, was answered by that one.
# quoted BEGINNING FILE: what stands in backticks in the paragraphs that begin so.
quoted() {
    # shellcheck disable=SC2016  # the backticks of the chapter
    awk -v RS= -v start="$1" 'index($0, start) == 1' "$2" | grep -o '`[^`]*`' | tr -d '`'
}
# tabled VERSION: the same in the table of the appendix, as "chapter text".
tabled() {
    sed -n "s/^| $1 | .*(\([0-9][^)]*\)\.md) | [^\`]*\(.*\) |$/\1 \2/p" src/about.md | while read -r chapter note; do
        # shellcheck disable=SC2016
        grep -o '`[^`]*`' <<<"$note" | tail -n 1 | tr -d '`' | sed "s/^/$chapter /"
    done
}
notes_are_true() {
    local suite version file step note notes
    for suite in "${suites[@]:1}"; do
        version=$(sed -n "/^$suite /,/^[a-z]* [0-9][0-9]-/s/^+ systemd \([0-9]*\) .*/\1/p" "$said")
        {
            # Most chapters have none.
            for file in src/[0-9]*.md; do { quoted "**On systemd $version**" "$file" || true; } | sed "s/^/$(basename "$file" .md) /"; done
            tabled "$version"
        } | while read -r step note; do
            went "$suite" "$step" | says "$note"
            echo "$suite: $note"
        done
    done | tee /dev/stderr | wc -l | { read -r notes && [ "$notes" -ge 8 ]; }
}
if [ ${#suites[@]} -eq 3 ]; then
    it "what the chapters say of another systemd is what that one answers" notes_are_true
fi

# The replay itself: an answer that is not true has to be found. In a file of its own, so that a run that
# is ended here leaves the repository as it was.
wrong=$(mktemp)
trap 'rm -f "$said" "$wrong"' EXIT
a_wrong_answer_is_found() {
    local said
    # shellcheck disable=SC2016
    printf '$ echo one\ntwo\n' >"$wrong"
    said=$(ends 1 cargo session replay 01 --file "$wrong")
    says '  $ echo one' <<<"$said"
    says '- two' <<<"$said"
    says '+ one' <<<"$said"
}
it "a wrong answer is shown as a diff with its command" a_wrong_answer_is_found

# A command that ends otherwise on another release, too.
a_wrong_end_is_found() {
    local said
    # shellcheck disable=SC2016
    printf '$ grep -q trixie /etc/os-release\n' >"$wrong"
    said=$(ends 1 cargo session replay 01 --file "$wrong" --suite bookworm)
    says 'ends with 1, and on the reference with 0' <<<"$said"
}
it "a command that ends otherwise on another release is shown" a_wrong_end_is_found
it "no test has written into the repository" same "$untouched" "$(git status --porcelain)"
