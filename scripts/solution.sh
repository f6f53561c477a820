# Puts the book's solution of an exercise into the working copy, and takes it out again. Sourced by
# exercise.sh, never run.
# shellcheck shell=bash disable=SC2154  # the variables are those of exercise.sh

# This repository's, and not that of somebody who keeps the book in a folder of theirs.
export GIT_CEILING_DIRECTORIES=${root%/*}

require_git() {
    command -v git >/dev/null || die "Solutions are put in with git, which is not here." "On Debian: sudo apt install git"
    files=()
    mapfile -t files < <(git apply --numstat "$folder/solution.patch" | cut -f3)
}

# What HEAD has is the file as the book has it.
has_head() { git rev-parse --quiet --verify HEAD >/dev/null 2>&1; }
in_head() { git cat-file -e "HEAD:$1" 2>/dev/null; }
is_as_in_head() {
    if in_head "$1"; then cmp -s "$1" <(git show "HEAD:$1"); else [ ! -e "$1" ]; fi
}

# solved: an index with the solution on top of HEAD, in a folder of its own. Fails if it does not fit there.
solved() (
    export GIT_INDEX_FILE=$1/index
    git read-tree HEAD && git apply --cached "$folder/solution.patch" 2>/dev/null
)

# is_as_solved FOLDER FILE
is_as_solved() { cmp -s "$2" <(GIT_INDEX_FILE=$1/index git show ":$2"); }

# keep FILE [NAME]: beside itself or beside NAME, under a name that is free.
keep() {
    local beside=${2:-$1} number
    local name=$beside.mine
    for ((number = 2; ; number++)); do
        [ -e "$name" ] || break
        name=$beside.mine.$number
    done
    run cp "$1" "$name"
    echo "What you have written is kept as $name."
}

# to_head FILE
to_head() {
    if in_head "$1"; then
        run git restore --source=HEAD -- "$1"
    elif [ -e "$1" ]; then
        run rm "$1"
        run rmdir --ignore-fail-on-non-empty "${1%/*}"
    fi
}

is_in_place() { git apply --reverse --check "$folder/solution.patch" 2>/dev/null; }

solve() {
    local file index
    require_git
    if is_in_place; then
        echo "The solution of $word is in place already. Take it back with: scripts/exercise.sh $word --back"
        return
    fi
    if has_head; then
        index=$(mktemp -d)
        solved "$index" || { rm -r "$index" && does_not_fit; }
        rm -r "$index"
        for file in "${files[@]}"; do
            is_as_in_head "$file" && continue
            [ ! -e "$file" ] || keep "$file"
            to_head "$file"
        done
    else
        git apply --check "$folder/solution.patch" 2>/dev/null || does_not_fit
    fi
    run git apply "$folder/solution.patch"
    echo "Try it with: scripts/exercise.sh $word"
    echo "Take it back with: scripts/exercise.sh $word --back"
}

does_not_fit() {
    die "The solution does not fit on what is here, so nothing was changed:" "$(printf '%s\n' "${files[@]}")
Put it in by hand, it is in $folder/solution.patch, or take a fresh copy of this repository."
}

take_back() {
    local file index any=
    require_git
    if ! has_head; then
        is_in_place || die "The solution of $word is not in place as the book has it, and without a git repository nothing says what was there before; nothing was changed." \
            "Take these from a fresh copy of the book: ${files[*]}"
        run git apply --reverse "$folder/solution.patch"
        for file in "${files[@]}"; do
            [ ! -d "${file%/*}" ] || rmdir --ignore-fail-on-non-empty "${file%/*}"
        done
        return
    fi
    index=$(mktemp -d)
    solved "$index" || true # then what is there is yours, and is kept
    for file in "${files[@]}"; do
        is_as_in_head "$file" && continue
        any=yes
        [ ! -e "$file" ] || is_as_solved "$index" "$file" || keep "$file"
        to_head "$file"
    done
    rm -r "$index"
    [ -n "$any" ] || echo "There is nothing to take back, all is as in the last commit: ${files[*]}"
    for file in "${files[@]}"; do yours "$file"; done
    [ -z "$any" ] || echo "What is installed stays until you run scripts/apply.sh $crate."
}

# yours FILE: how to go on with what --solve has kept.
yours() {
    local kept
    [ -d "${1%/*}" ] || return 0
    kept=$(find "${1%/*}" -maxdepth 1 -name "${1##*/}.mine*" -printf '%T@ %p\n' | sort -n | sed -n '$s/^[^ ]* //p')
    [ -z "$kept" ] || echo "What you had written is in $kept. To go on with it: mv $kept $1"
}
