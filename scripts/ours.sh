# What was made for the book, and what somebody else put there under the same name: that is never
# overwritten, stopped or removed. Sourced by lib.sh, never run.
# shellcheck shell=bash disable=SC2154  # the variables are use_manager's, in lib.sh

# exists FILE: also a link to nowhere, and a file in a folder that only root may enter.
exists() {
    [ -e "$1" ] || [ -L "$1" ] ||
        { [ -d "${1%/*}" ] && [ ! -x "${1%/*}" ] && "${sudo[@]}" test -e "$1"; }
}

# Every unit of the book says hello, or starts the program of the book; also when a reader edits it.
is_our_unit() {
    if [ -L "$1" ] && [ ! -e "$1" ]; then
        # systemctl(1) link into a copy of this repository that has moved since.
        [[ $(readlink "$1") == */units/*/hellod.service ]]
    else
        grep -qsE '^(Description=Says hello|ExecStart=.*/\.local/bin/hellod|ExecStart=/usr/local/lib/hellod/)' "$1"
    fi
}

# The crate's name, as rustc writes it into the symbols; also when a reader edits the code.
is_our_program() {
    local as=()
    [ -r "$1" ] || as=("${sudo[@]}")
    "${as[@]}" grep --text --quiet --extended-regexp --no-messages 'step_[0-9]{2}' "$1"
}

# hellod makes it like this, the one of step 06 for everybody, and mkfifo(1) with the usual umask does not.
is_our_pipe() { [ -p "$1" ] && [[ $(stat -c '%u %a' "$1") =~ ^$UID\ 6(00|22)$ ]]; }

# An account with this comment was made for the book.
account_comment="hellod, from the book"
is_our_account() { [ "$(getent passwd "$1" | cut -d: -f5)" = "$account_comment" ]; }

# in_use PIPE: hellod holds a lock on it as long as it runs.
in_use() { ! (flock --nonblock 3) 3<>"$1"; }

# strange_unit: the file of a hellod.service that this manager would run and that is not the book's.
strange_unit() {
    local file
    for file in "$installed" "$(property FragmentPath)"; do
        if [ -n "$file" ] && exists "$file" && ! is_our_unit "$file"; then echo "$file" && return; fi
    done
}

# strangers: what there is in this manager's places that is not the book's, one on a line.
strangers() {
    local file
    strange_unit
    programs | while read -r file; do
        if exists "$file" && ! is_our_program "$file"; then echo "$file"; fi
    done
    case $manager in
        user) if [ -e "$pipe" ] && ! is_our_pipe "$pipe"; then echo "$pipe"; fi ;;
        # The manager would take it over at the start, and remove it with all that is in it at the stop.
        system) if [ -e "$pipe" ] && ! is_loaded && [ -n "$(of_others "$pipe")" ]; then echo "$pipe"; fi ;;
    esac
}
