# The versions of mdBook that the book has to build with. Sourced by tests.
# shellcheck shell=bash disable=SC2034

# install_mdbook VERSION: into target/tools, unless it is there. Prints its path.
install_mdbook() {
    local place=$PWD/target/tools/mdbook-$1
    [ -x "$place/bin/mdbook" ] ||
        CARGO_PROFILE_DEV_DEBUG=false cargo install --quiet --debug --locked --no-track --root "$place" --target-dir target/tools "mdbook@$1" >&2
    echo "$place/bin/mdbook"
}

# The one that serve.sh builds, and the last of the line before it.
pinned=$(sed -n 's/^mdbook_version=//p' scripts/serve.sh)
mdbooks=("$(install_mdbook "$pinned")" "$(install_mdbook 0.4.52)")
tools/cmdrun.sh supports html
