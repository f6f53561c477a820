#!/bin/sh
# What changed from one file or folder of the repository to another, as a unified diff without the
# times and places that differ from machine to machine. Exit code as diff(1): 0 same, 1 differs.
# The book runs it when it is built, so it needs nothing but diff and sed.
set -u
cd "$(dirname "$0")/.." || exit 2
text=$(diff --recursive --new-file --unified=3 "$1" "$2")
status=$?
printf '%s\n' "$text" | sed -e '/^diff /d' -e 's/^\([-+][-+][-+] [^	]*\)	.*/\1/'
exit "$status"
