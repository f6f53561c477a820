# One archive with all that a workshop needs, for a machine that has no network. Sourced by workshop.sh, never run.
# shellcheck shell=bash disable=SC2154  # the variables are those of workshop.sh and lib.sh

# The archive's one folder is a clone of this repository, with two besides that git does not know: target, with
# what was built, and packed, with what a lab borrows from its machine; see is_packed in lib.sh.
pack() {
    local compress stage=target/pack/hellod-workshop tool mdbook base size
    ! is_packed || die "This came out of a pack, and makes no other." "Copy the archive that it came in."
    case $file in
        '') file=target/hellod-workshop.tar.$(if command -v zstd >/dev/null; then echo zst; else echo xz; fi) ;;
        /*) ;;
        *) file=$OLDPWD/$file ;; # seen from where this was called
    esac
    case $file in
        *.tar.zst) compress=(zstd -T0 -12 --quiet) ;;
        *.tar.xz) compress=(xz -T0) ;;
        *) misuse "A pack ends in .tar.zst or .tar.xz, and '${file##*/}' does not." ;;
    esac
    command -v "${compress[0]}" >/dev/null ||
        die "There is no ${compress[0]} here." "On Debian: apt install zstd xz-utils"
    [ -z "$(git status --porcelain)" ] ||
        die "There is what git does not have, and a pack is a clone." "See it with git status; then commit it, or git stash --include-untracked."

    umask 022 # root in a lab is another user, and reads what everybody may read
    find_rust
    [ "$LAB_RUST" != /usr ] ||
        die "Your Rust is your distribution's, and spread over /usr." "Install another from https://rustup.rs"
    mkdir -p target
    exec 9<target
    flock --nonblock 9 || die "Another pack is being made." "Wait for its end."
    trap 'rm -rf target/pack "$file.new"' EXIT
    trap 'exit 130' INT TERM
    rm -rf target/pack # what a killed run left
    : >"$file.new"
    "${as_root[@]}" true # asks here, and not in the midst of it

    echo "Packing, in $(dirname "$stage"):"
    git clone --quiet . "$stage"
    git -C "$stage" remote remove origin # a place on this machine
    part "the repository" "$stage"
    # Nothing that cargo starts, and that stays, shall hold the lock: without 9.
    scripts/serve.sh --build 9<&-
    for tool in companion cmdrun session; do build_tool "$tool" 9<&-; done
    # In the clone, where nothing is left of earlier builds and of tests, and what is built is newer than its source.
    (cd "$stage" && build_steps) 9<&-
    part "the steps, built" "$stage/target/release"
    mkdir -p "$stage"/{target/tools/debug,packed/rust,packed/registry}
    cp -a target/book "$stage/target/"
    cp target/tools/debug/{companion,cmdrun,session} "$stage/target/tools/debug/"
    # The one of serve.sh, or else the one that it takes instead.
    mdbook=target/tools/mdbook-$(sed -n 's/^mdbook_version=//p' scripts/serve.sh)/bin/mdbook
    install -D "$(command -v "./$mdbook" mdbook | sed -n 1p)" "$stage/$mdbook"
    part "the book, and its tools" "$stage"/target/{book,tools}
    tar -C "$LAB_RUST" --exclude=./share --exclude=./lib/rustlib/src -cf - . | tar -C "$stage/packed/rust" -xf -
    part "Rust, without its documentation" "$stage/packed/rust"
    pack_crates "$stage/packed/registry"
    echo "$LAB_REGISTRY_AS" >"$stage/packed/registry-path"
    part "the steps' crates" "$stage/packed/registry"
    base=$(scripts/lab.sh base --suite "$suite" 9<&-)
    # An archive in the archive: its owners and devices would be lost on whoever unpacks that without being root.
    "${as_root[@]}" tar -C "$base" --numeric-owner --xattrs --xattrs-include='*' -cf - . >"$stage/packed/${base##*/}.tar"
    part "Debian $suite" "$stage/packed/${base##*/}.tar"

    size=$(megabytes "$stage")
    echo "Compressing $size MB with ${compress[0]}; this takes a minute or some."
    # Records of a megabyte, for the sake of the counting; and times as precise as cargo compares them.
    # shellcheck disable=SC2016  # tar sets it
    tar -C target/pack --use-compress-program="${compress[*]}" --format=posix --pax-option=delete=atime,delete=ctime \
        --owner=0 --group=0 --numeric-owner --mode=a+rX --blocking-factor=2048 \
        --checkpoint=200 --checkpoint-action=exec='printf "  %4d MB\n" "$TAR_CHECKPOINT"' \
        --force-local -cf "$file.new" "${stage##*/}"
    mv -T "$file.new" "$file"
    cat <<END
Packed: $file, $(megabytes "$file") MB. On the other machine:
    tar -xf ${file##*/} && cd ${stage##*/}
    scripts/workshop.sh up 20$([ "$suite" = trixie ] || echo " --suite $suite")
It needs ${compress[0]} to unpack this, and the Debian packages that scripts/workshop.sh --help names.
END
}

megabytes() { du -csm "$@" | sed -n '$s/[^0-9].*//p'; }
part() { printf '  %-32s %4d MB\n' "$1" "$(megabytes "${@:2}")"; }

# pack_crates FOLDER: of all that cargo has fetched, what the steps need.
pack_crates() {
    local name version files=() to=$PWD/$1
    (
        shopt -s nullglob
        cd "$LAB_REGISTRY" || exit
        while read -r name version; do
            files+=(cache/*/"$name-$version.crate" src/*/"$name-$version" index/*/.cache/{[12],*/*}/"$name")
        done
        cp -a --parents index/*/config.json "${files[@]}" "$to"
    ) < <(awk -F '"' '/^name/ { name = $2 } /^version/ { version = $2 } /^source = "registry/ { print name, version }' Cargo.lock)
}
