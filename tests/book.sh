#!/usr/bin/env bash
# The book as it is written and as it is built. What a browser makes of it is in page.sh.
set -euo pipefail
cd "$(dirname "$0")/.."
. tests/lib.sh
. tests/tools.sh

# Every {{#include}} of a chapter, as "path anchor".
includes() { sed -n 's/.*{{#include \([^}:]*\):\{0,1\}\([^}]*\)}}.*/\1 \2/p' "$1"; }

includes_resolve() {
    local chapter path anchor
    for chapter in src/*.md; do
        while read -r path anchor; do
            [ -f "src/$path" ] || { echo "$chapter includes $path, which is not there" && return 1; }
            [ -n "$anchor" ] || continue
            same "1 begin, 1 end of $anchor in $path" "$(grep -cE "ANCHOR: $anchor\$" "src/$path") begin, $(
                grep -cE "ANCHOR_END: $anchor\$" "src/$path"
            ) end of $anchor in $path"
        done < <(includes "$chapter")
    done
}

# A reader types a chapter from top to bottom, so it has to be the order of the recording.
sessions_in_order() {
    local step shown
    for step in $(all_steps); do
        shown=$(includes "src/$step.md" | sed -n "s|^../steps/$step/session.console ||p")
        same "$(sed -n 's/^# ANCHOR: //p' "steps/$step/session.console" | grep -xF "$shown")" "$shown"
    done
}

# A module that a step has from the one before is the same, or the difference is on the chapter's page: as a diff of
# that file or of the folder, or whole. Which step it is, in the first line of main.rs, is no difference.
changes_are_shown() {
    local step file before='' without_title='1{/^\/\/! hellod, step/d}'
    for step in $(all_steps); do
        for file in steps/"$step"/src/*.rs; do
            if [ -f "steps/$before/src/${file##*/}" ] &&
                cmp -s <(sed "$without_title" "steps/$before/src/${file##*/}") <(sed "$without_title" "$file"); then continue; fi
            grep -qF -e "{{#include ../$file}}" -e "diff.sh steps/$before/src steps/$step/src -->" \
                -e "diff.sh steps/$before/src/${file##*/} $file -->" "src/$step.md" ||
                { echo "src/$step.md does not show what is new in $file" && return 1; }
        done
        before=$step
    done
}

same_names_everywhere() {
    local units
    units=$(all_steps)
    same "$units" "$(basename -a steps/*)"
    same "$units" "$(basename -a -s .md src/[0-9]*.md)"
    same "$units" "$(sed -n 's/.*(\([0-9][0-9]-[a-z-]*\)\.md).*/\1/p' src/SUMMARY.md)"
    local step
    for step in $units; do
        grep -qx "name = \"step-${step%%-*}\"" "steps/$step/Cargo.toml"
        for part in session.console check.sh src/main.rs; do [ -f "steps/$step/$part" ]; done
    done
}

# Every chapter has a drawing and its minutes, shows its unit whole at the end, and leaves the transcript of
# apply.sh to the first.
chapters_are_alike() {
    local step chapter
    for step in $(all_steps); do
        chapter=src/$step.md
        grep -q '{{#include images/.*\.svg}}' "$chapter"
        tr '\n' ' ' <"$chapter" | says " minutes."
        same "{{#include ../$(echo "units/$step"/*/hellod.service)}}" "$(sed -n '/^## The unit so far$/,/^## /p' "$chapter" | grep include)"
        [ "$step" = 01-hello-loop ] || ends 1 grep -n ':apply}}' "$chapter"
        ends 1 grep -nE '^## (The problem|The change|Do it)$' "$chapter"
    done
}

# What a reader copies has to mean the reader, and not the account that it was recorded with.
no_command_names_learner() { ends 1 grep -nE '^\$ (.*[ =])?learner( |$)' steps/*/session.console; }

no_command_without_exit_code() { ends 1 grep -nE '<!-- *cmdrun +[^-]' src/*.md; }

# builds MDBOOK FOLDER: mdBook writes the book there and has nothing to warn about.
builds() {
    local said
    said=$("$1" build --dest-dir "$2" 2>&1) || { echo "$said" && return 1; }
    if grep -E 'WARN|ERROR|cmdrun' <<<"$said"; then return 1; fi
    for step in $(all_steps); do [ -f "$2/$step.html" ]; done
    if grep -nF -e '{{#' -e 'cmdrun error' -e 'ANCHOR' -e '#: ' "$2"/*.html; then return 1; fi
}

# A failing command names the chapter and itself, and there is no book.
failing_command_fails_the_build() {
    local copy
    copy=$(mktemp -d)
    # shellcheck disable=SC2064  # now, and not when it is gone
    trap "rm -rf '$copy'" EXIT
    mkdir "$copy/tools"
    cp -r book.toml src steps units theme "$copy/"
    cp tools/*.sh tools/*.txt "$copy/tools/"
    printf '#!/bin/sh\nexec "%s/target/tools/debug/cmdrun" "$@"\n' "$PWD" >"$copy/tools/cmdrun.sh"
    chmod +x "$copy/tools/cmdrun.sh"
    printf '\n<!-- cmdrun -0 cat no-such-file -->\n' >>"$copy/src/finished.md"
    local said
    for mdbook in "${mdbooks[@]}"; do
        said=$(cd "$copy" && ends 101 "$mdbook" build 2>&1)
        says 'The finished service' <<<"$said"
        says 'cat no-such-file' <<<"$said"
    done
}

# An mdBook that is there already spares a reader the building of one, if it is of the same line.
serve_takes_yours() {
    local yours
    yours=$(mktemp -d)
    # shellcheck disable=SC2064
    trap "rm -rf '$yours'" EXIT
    # shellcheck disable=SC2016
    printf '#!/bin/sh\nif [ "$1" = build ]; then echo "yours builds"; else echo "mdbook v%s"; fi\n' "$1" |
        install -D /dev/stdin "$yours/mdbook"
    PATH=$yours:$PATH scripts/serve.sh --build 2>&1 | if [ "$2" = taken ]; then says "yours builds"; else says "HTML book written"; fi
}

# The cheat sheet is made from the chapters: what it does not explain, and what no chapter uses, ends the build.
cheat_sheet_is_whole() {
    local copy
    copy=$(mktemp -d)
    # shellcheck disable=SC2064
    trap "rm -rf '$copy'" EXIT
    cp -r src steps units tools/cheat-sheet.{sh,txt} "$copy"
    mkdir "$copy/tools"
    mv "$copy"/cheat-sheet.* "$copy/tools"
    # shellcheck disable=SC2016
    "$copy/tools/cheat-sheet.sh" commands | says '| `systemctl daemon-reload` | makes the manager read its unit files again | [1](01-hello-loop.md#install-it-and-start-it) |'
    # shellcheck disable=SC2016
    "$copy/tools/cheat-sheet.sh" directives | says '| `KillMode=` | `[Service]` |'
    echo 'Slice= | where it belongs | Service' >>"$copy/tools/cheat-sheet.txt"
    ends 1 "$copy/tools/cheat-sheet.sh" directives 2>&1 | says "no chapter uses: Slice="
    sed -i '/^\(Slice=\|KillMode=\|journalctl -f \)/d' "$copy/tools/cheat-sheet.txt"
    ends 1 "$copy/tools/cheat-sheet.sh" directives 2>&1 | says "says nothing of: KillMode="
    ends 1 "$copy/tools/cheat-sheet.sh" commands 2>&1 | says "says nothing of: journalctl -f"
}

# The clone command, with an origin that others can reach, and nothing at all with another.
clone_command() {
    local copy origin
    copy=$(mktemp -d)
    # shellcheck disable=SC2064
    trap "rm -rf '$copy'" EXIT
    install -D tools/clone.sh "$copy/tools/clone.sh"
    same "" "$("$copy/tools/clone.sh")"
    git -C "$copy" init --quiet
    same "" "$("$copy/tools/clone.sh")"
    git -C "$copy" remote add origin https://example.org/somebody/book.git
    "$copy/tools/clone.sh" | says '$ git clone https://example.org/somebody/book.git book'
    for origin in /srv/book /srv/https://x.y/book git@example.org:somebody/book.git https://me:secret@example.org/book \
        https://localhost/book https://10.0.0.7/book https://git.internal/book http://example.org/book file:///srv/book; do
        git -C "$copy" remote set-url origin "$origin"
        same "$origin: " "$origin: $("$copy/tools/clone.sh")"
    done
}

# What the introduction says is the sum of what the chapters say.
time_is_summed() {
    local sum=0 minutes
    while read -r minutes; do sum=$((sum + minutes)); done < <(cat src/[0-9]*.md | tr '\n' ' ' | grep -oE '[Ii]t takes [0-9]+ minutes' | tr -dc '0-9\n')
    [ "$sum" -gt 0 ]
    tools/time.sh | says "The $(all_steps | wc -l) chapters take about"
    same "$(((sum + 14) / 15))" "$(tools/time.sh | sed 's/.*about //; s/ hours.*//; s/¼/ 1/; s/½/ 2/; s/¾/ 3/' | { read -r hours quarters && echo $((hours * 4 + ${quarters:-0})); })"
}

readme_says_what_was_replayed() {
    local version
    version=$(sed -n 's/^systemd \([0-9]*\) .*/\1/p' steps/01-hello-loop/session.console)
    grep -q "systemd $version" README.md
}

it "every include and its anchor resolve" includes_resolve
it "chapters show their sessions in the order in which they were typed" sessions_in_order
it "SUMMARY.md, src, steps and units have the same names" same_names_everywhere
it "what a step changes in its program is in its chapter" changes_are_shown
it "each chapter has a drawing, its minutes, and its unit whole at the end" chapters_are_alike
it "no command of a session names the learner" no_command_names_learner
it "every cmdrun says which exit code it expects" no_command_without_exit_code
for mdbook in "${mdbooks[@]}"; do
    version=$("$mdbook" --version)
    it "$version builds the book" builds "$mdbook" "$PWD/target/test-book/${version##*v}"
done
it "a failing cmdrun fails the build by name" failing_command_fails_the_build
it "serve.sh takes an mdBook 0.5 that is on the PATH" serve_takes_yours 0.5.99 taken
it "serve.sh does not take an mdBook 0.4" serve_takes_yours 0.4.52 left
it "the cheat sheet has what the chapters use, and nothing else" cheat_sheet_is_whole
it "the command to clone is that of an origin which others can reach" clone_command
it "the time it takes is that of the chapters" time_is_summed
it "the README names the systemd that the answers come from" readme_says_what_was_replayed
