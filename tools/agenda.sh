#!/bin/sh
# Agendas for a class, from the chapters' own minutes and what stands in agenda.txt. The book runs it when it is
# built, and is not built if one does not add up.
set -eu
cd "$(dirname "$0")/.."

# What chapters and exercises are called, and how long they take: "05 35 Stop cleanly", "5.1 10 Count your visitors".
parts() {
    for chapter in src/[0-9]*.md; do
        name=$(basename "$chapter" .md)
        printf '%s %s [Chapter %s](%s.md): %s\n' "${name%%-*}" \
            "$(tr '\n' ' ' <"$chapter" | sed 's/.*[Ii]t takes \([0-9]*\) minutes.*/\1/')" \
            "$(printf '%s' "${name%%-*}" | sed 's/^0//')" "$name" "$(sed -n '1s/^# //p' "$chapter")"
    done
    sed -n 's/^### Exercise \([0-9.]*\): \(.*\)/\1 10 Exercise \1: \2/p' steps/*/exercises/*/task.md
}

parts | awk '
FNR == NR { minutes[$1] = $2; name = $0; sub(/^[^ ]+ [^ ]+ /, "", name); names[$1] = name; next }
/^#/ { next }
function row(long, what) {
    printf "| %d:%02d | %s | %d |\n", at / 60, at % 60, what, long
    at += long
}
function end() {
    if (last == "") return
    if (whole - at < whole / 12) {
        printf "agenda.txt: %s: %d minutes are left of %d, and a class needs a twelfth\n", title, whole - at, whole >"/dev/stderr"
        failed = 1
    }
    row(whole - at, last)
    printf "| %d:%02d | the end | |\n\n", at / 60, at % 60
    last = ""
}
/^= / {
    end()
    whole = $2; at = 0; title = $0; sub(/^= [0-9]+ /, "", title)
    printf "### %s\n\n| from | what | minutes |\n| --- | --- | --- |\n", title
    next
}
$1 in minutes { row(minutes[$1], names[$1]); next }
/^[0-9]+ / { what = $0; sub(/^[0-9]+ /, "", what); row($1, what); next }
/^[0-9]/ { printf "agenda.txt: there is no %s\n", $1 >"/dev/stderr"; failed = 1; next }
{ last = $0 }
END { end(); exit failed }
' - tools/agenda.txt
