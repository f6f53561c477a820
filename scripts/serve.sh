#!/usr/bin/env bash
# Builds the book and serves it on this machine. The first time, it builds mdBook too.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# The one place where the version of mdBook is pinned.
mdbook_version=0.5.4

usage() {
    cat <<END
Usage: scripts/serve.sh [ARGUMENTS OF MDBOOK SERVE]
       scripts/serve.sh --build

Builds what the book needs into target/tools, serves the book and prints its address. It is built
again whenever a chapter, a step, a unit or a script changes. Ctrl-C ends it.

  -p PORT       the port, 3000 if not said
  -n HOSTNAME   the address to listen on, localhost if not said
  --open        open it in your browser
  --build       build it into target/book, and serve nothing
END
}

case ${1-} in -h | --help) usage && exit ;; esac

command -v cargo >/dev/null ||
    die "cargo is not on the PATH, and the book is built with it." \
        "Install Rust from https://rustup.rs and open a new terminal."
command -v cc >/dev/null ||
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
    echo "1 of 2: building mdBook $mdbook_version into target/tools, once; this takes a minute or two."
    # A debug build without its symbols: it is built in less than half the time, and builds this book
    # as fast. In the folder in which the adapter is built too, so that what both need is built once.
    CARGO_PROFILE_DEV_DEBUG=false cargo install --debug --locked --root "${mdbook%/bin/mdbook}" --target-dir target/tools --no-track \
        "mdbook@$mdbook_version" ||
        die "mdBook could not be built; cargo's message is above." \
            "Is there a network? It is needed this once. Then run this again."
fi
[ -x target/tools/debug/cmdrun ] || echo "2 of 2: building the book's preprocessor, once; this takes a quarter of a minute."
tools/cmdrun.sh supports html ||
    die "The book's preprocessor could not be built; cargo's message is above." \
        "Is there a network? It is needed this once. Then run this again."

if [ "${1-}" = --build ]; then exec "$mdbook" build; fi
exec "$mdbook" serve "$@"
