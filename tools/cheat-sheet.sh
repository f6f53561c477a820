#!/bin/sh
# The cheat sheet: every command or directive that the chapters use, what it does, and where it is first used.
# The book runs it when it is built. What the chapters use is read from them; what it does stands in
# cheat-sheet.txt, and the build fails if that says too little or too much.
set -eu
cd "$(dirname "$0")/.."

case ${1-} in
    commands | directives) ;;
    *) echo "Usage: tools/cheat-sheet.sh commands|directives" >&2 && exit 2 ;;
esac

awk -v wanted="$1" '
# --- where a line of a chapter stands -------------------------------------------------------------

# As mdBook makes it of a heading.
function slug(heading) {
    heading = tolower(heading)
    gsub(/[^a-z0-9_ -]/, "", heading)
    gsub(/ /, "-", heading)
    return heading
}

# What a line includes, line by line. A part of a session stands between its ANCHORs.
function include(path, part,    line, inside) {
    inside = part == ""
    while ((getline line < path) > 0) {
        if (line == "# ANCHOR: " part) inside = 1
        else if (line == "# ANCHOR_END: " part) inside = 0
        else if (inside) look(line, path)
    }
    close(path)
}

# --- what is used there -----------------------------------------------------------------------------

function used(key) {
    if (key in seen) return
    seen[key] = page "#" section
    order[++count] = key
}

function look(line, path) {
    if (wanted == "commands" && path ~ /session.console$/ && line ~ /^\$ /) commands(substr(line, 3))
    if (wanted == "directives") directives(line, path)
    if (wanted == "commands" && path ~ /\.md$/) quoted(line)
}

# Each command of a line, also one that stands in quotes for a shell.
function commands(line,    pieces, n, i) {
    gsub(/\047|\$\(|\|\||[|;]/, "\n", line)
    n = split(line, pieces, "\n")
    for (i = 1; i <= n; i++) command(pieces[i])
}

# `systemctl edit` in a sentence.
function quoted(line) {
    while (match(line, /`[^`]+`/)) {
        command(substr(line, RSTART + 1, RLENGTH - 2))
        line = substr(line, RSTART + RLENGTH)
    }
}

function command(text,    words, n, i, program, verb) {
    gsub(/[()"]/, " ", text)
    n = split(text, words, " ")
    i = 1
    while (i <= n && (words[i] ~ /^[A-Za-z_]+=/ || words[i] ~ /^(time|sudo|env|-u|nobody|XDG_.*|DBUS_.*|until|\[)$/)) i++
    program = words[i++]
    if (program !~ /^(systemctl|journalctl|systemd-[a-z]*|loginctl|scripts\/[a-z]*\.sh|install|useradd|userdel|getent|kill)$/) return
    if (program !~ /^(systemctl|journalctl|systemd-run|systemd-analyze|loginctl)$/) { used(program); return }
    for (; i <= n; i++) {
        if (words[i] ~ /^-/) {
            sub(/=.*/, "", words[i])
            used(program " " words[i])
            # These have a value, which is the next word.
            if (words[i] ~ /^-[pPnutog]$/) i++
        } else if (program == "systemd-run") return # the rest is what it runs
        else if (verb == "" && program != "journalctl") used(program " " (verb = words[i]))
    }
}

# Restart=on-failure in a unit, and `Restart=` in a sentence; HELLOD_EVERY= and READY=1 are something else.
function directives(line, path,    name) {
    if (path !~ /(\.service|\.patch)$/ && path !~ /\.console$/ && path !~ /\.md$/) return
    if (path ~ /\.console$/ && line !~ /^\$ /) return
    if (path ~ /\.patch$/ && line !~ /^\+[A-Z]/) return
    gsub(/`Directive=value`/, "", line)
    while (match(line, /(^|[`+ ]|\\n)[A-Z][A-Za-z]*[a-z][A-Za-z]*=/)) {
        name = substr(line, RSTART, RLENGTH)
        sub(/^[`+ ]|^\\n/, "", name)
        line = substr(line, RSTART + RLENGTH)
        used(name)
    }
}

# --- the chapters, and the table --------------------------------------------------------------------

FILENAME == "tools/cheat-sheet.txt" {
    if ($0 ~ /^#/ || $0 == "") next
    split($0, field, " \\| ")
    is_directive = field[1] ~ /=$/
    if (is_directive != (wanted == "directives")) next
    about[field[1]] = field[2]
    if (is_directive) section_of[field[1]] = field[3]
    next
}
FNR == 1 { page = substr(FILENAME, 5); section = "" }
/^## / { section = slug(substr($0, 4)) }
/^### / { section = slug(substr($0, 5)) }
match($0, /\{\{#include \.\.\/[^}]*\}\}/) {
    split(substr($0, RSTART + 14, RLENGTH - 16), field, ":")
    include(field[1], field[2])
    next
}
/cmdrun.*units\// { include($(NF - 1) ($(NF - 1) ~ /service$/ ? "" : "/hellod.service"), ""); next }
{ look($0, FILENAME) }

END {
    if (wanted == "commands") print "| command | what it does | chapter |\n| --- | --- | --- |"
    else print "| directive | where | what it does | chapter |\n| --- | --- | --- | --- |"
    for (i = 1; i <= count; i++) {
        key = order[i]
        if (!(key in about)) { print "cheat-sheet.txt says nothing of: " key > "/dev/stderr"; wrong = 1; continue }
        chapter = substr(seen[key], 1, 2) + 0
        printf "| `%s` | %s%s | [%d](%s) |\n", key, (wanted == "directives" ? "`[" section_of[key] "]` | " : ""), about[key], chapter, seen[key]
    }
    for (key in about) if (!(key in seen)) { print "no chapter uses: " key > "/dev/stderr"; wrong = 1 }
    exit wrong
}
' tools/cheat-sheet.txt src/[0-9]*.md
