#!/usr/bin/env bash
# Builds the book and serves it on this machine. The first time, it builds mdBook too.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# The one place where the version of mdBook is pinned.
mdbook_version=0.5.4

usage() {
    cat <<END
Usage: scripts/serve.sh [--lab | --still] [-p PORT] [-n HOSTNAME] [--open]
       scripts/serve.sh --build

Builds what the book needs into target/tools, serves the book and prints its address. The pages see this
machine: which step it is at, and which checks pass. The book is built again whenever a chapter, a step, a
unit or a script changes. Ctrl-C ends it.

  --lab         boots a lab, unless it is up, and ties the pages to that instead: they see it, run the
                commands of the chapters in it, and have a terminal there. The lab stays up at the end
  --name NAME   the lab's name, 'lab' if not said
  --suite SUITE its Debian release, trixie if not said
  -p PORT       the port, 3000 if not said
  -n HOSTNAME   the address to listen on, localhost if not said: on any other, whoever has the printed
                address sees what you see, and with --lab types into the lab
  --open        open it in your browser
  --still       the book alone, with no machine behind it, as mdbook serve has it
  --build       build it into target/book, and serve nothing
END
}

lab='' name=lab suite=trixie build='' still='' options=() mdbook_options=()
while [ $# -gt 0 ]; do
    case $1 in
        -h | --help) usage && exit ;;
        --lab) lab=yes ;;
        --build) build=yes ;;
        --still) still=yes ;;
        --open) options+=(--open) && mdbook_options+=(--open) ;;
        --name | --suite | -p | --port | -n | --hostname)
            [ -n "${2-}" ] || misuse "$1 what?"
            case $1 in
                --name) name=$2 ;;
                --suite) suite=$2 ;;
                -p | --port) [[ $2 =~ ^[0-9]+$ ]] && [ "$2" -lt 65536 ] || misuse "A port is a number below 65536, not '$2'." && options+=(--port "$2") && mdbook_options+=(-p "$2") ;;
                *) options+=(--host "$2") && mdbook_options+=(-n "$2") ;;
            esac
            shift
            ;;
        *) misuse "serve.sh takes no '$1'." ;;
    esac
    shift
done
[ -z "$lab" ] || [ -z "$still" ] || misuse "--lab, or --still?"
[ ! -e /etc/hellod-lab ] || [ -z "$lab" ] || die "This is the lab, and it has none of its own." "Leave with: exit"
if [ -n "$lab" ]; then options+=(--lab "$name" --suite "$suite"); fi

is_packed || command -v cargo >/dev/null ||
    die "cargo is not on the PATH, and the book is built with it." \
        "Install Rust from https://rustup.rs and open a new terminal."
is_packed || command -v cc >/dev/null ||
    die "There is no C compiler, and Rust needs one to link programs." \
        "On Debian: apt install gcc libc6-dev"

# Yours, if it is one of the same line.
if [[ $(mdbook --version 2>/dev/null) == "mdbook v${mdbook_version%.*}."* ]]; then
    mdbook=$(command -v mdbook)
else
    mdbook=$root/target/tools/mdbook-$mdbook_version/bin/mdbook
fi
# In a terminal, cargo shows how many crates are done, and of how many.
if [ ! -x "$mdbook" ]; then
    echo "1 of 3: building mdBook $mdbook_version into target/tools, once; this takes a minute or two."
    # A debug build without its symbols: it is built in less than half the time, and builds this book
    # as fast. In the folder in which the adapter is built too, so that what both need is built once.
    CARGO_PROFILE_DEV_DEBUG=false cargo install --debug --locked --root "${mdbook%/bin/mdbook}" --target-dir target/tools --no-track \
        "mdbook@$mdbook_version" ||
        die "mdBook could not be built; cargo's message is above." \
            "Is there a network? It is needed this once. Then run this again."
fi
[ -x target/tools/debug/cmdrun ] || echo "2 of 3: building the book's preprocessor, once; this takes a quarter of a minute."
tools/cmdrun.sh supports html ||
    die "The book's preprocessor could not be built; cargo's message is above." \
        "Is there a network? It is needed this once. Then run this again."

if [ -n "$build" ]; then exec "$mdbook" build; fi
if [ -n "$still" ]; then exec "$mdbook" serve "${mdbook_options[@]}"; fi
companion=(cargo build --locked --manifest-path tools/Cargo.toml --target-dir target/tools --package companion)
if [ ! -x target/tools/debug/companion ]; then
    echo "3 of 3: building what ties the pages to a machine, once; this takes a quarter of a minute."
else
    companion+=(--quiet)
fi
is_packed || "${companion[@]}" ||
    die "What ties the pages to a machine could not be built; cargo's message is above." \
        "Is there a network? It is needed this once. Then run this again. Or read without: scripts/serve.sh --still"
"$mdbook" build
exec target/tools/debug/companion --watch "$mdbook" "${options[@]}"
