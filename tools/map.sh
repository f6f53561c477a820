#!/bin/sh
# The map of the book, as a Markdown table, from the chapters, the steps and the units themselves.
# The book runs it when it is built, so it needs nothing but diff, sed and grep.
set -eu
cd "$(dirname "$0")/.."

# changed OLD NEW: how many lines came and went from one folder to the next.
changed() {
    lines=$(diff --recursive --new-file "$1" "$2" || true)
    printf '+%s −%s' "$(printf '%s\n' "$lines" | grep -c '^>' || true)" \
        "$(printf '%s\n' "$lines" | grep -c '^<' || true)"
}

echo '| chapter | manager | it takes | lines of code | lines of unit |'
echo '| --- | --- | --- | --- | --- |'
# The first step is compared with an empty folder.
empty=$(mktemp -d)
trap 'rmdir "$empty"' EXIT
code=$empty unit=$empty
for new in units/[0-9]*; do
    step=${new#units/}
    chapter=src/$step.md
    manager=$(basename "$new"/*)
    title=$(sed -n '1s/^# //p' "$chapter")
    minutes=$(tr '\n' ' ' <"$chapter" | sed 's/.*[Ii]t takes \([0-9]*\) minutes.*/\1 minutes/')
    printf '| [%s](%s) | %s | %s | %s | %s |\n' "$title" "$step.md" "$manager" "$minutes" \
        "$(changed "$code" "steps/$step/src")" "$(changed "$unit" "$new/$manager")"
    code=steps/$step/src unit=$new/$manager
done
