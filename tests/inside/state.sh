# What a step leaves in a lab, to be compared. Sourced by the tests in here, never run.
# shellcheck shell=bash

expected=/tmp/expected

# Where steps put things. The journal is a record of what happened and stays, and so does what cargo
# caches.
things() {
    find ~ /etc/systemd/system /run/systemd/system /run/hellod /usr/local/lib /var/lib/systemd/linger \
        "$XDG_RUNTIME_DIR/hellod.pipe" "$XDG_RUNTIME_DIR/systemd/user" \
        \( -path ~/book -o -path "$PWD" -o -path ~/.cargo \) -prune -o "$@" 2>/dev/null | sort || true
}

# What a step leaves: files with their content, mode and owner, links, units, lingering, the account.
state() {
    things -printf '%y %m %u %p %l\n'
    things -type f -exec sha256sum {} +
    systemctl --user list-units --all --plain --no-legend '*hellod*'
    systemctl --user list-unit-files --no-legend '*hellod*' || true
    systemctl list-units --all --plain --no-legend '*hellod*'
    systemctl list-unit-files --no-legend '*hellod*' || true
    getent passwd hellod || true
    getent group hellod || true
    ps -C hellod -o user=,args= || true
}

# Which files were written, even if with the same content; a pipe is made anew with each start.
writes() { things ! -name '*.pipe' ! -path '/run/hellod' -type f -printf '%p %i %T@\n'; }

apply() { scripts/apply.sh "$1" 2>&1; }
go_to() { if [ "$1" = nothing ]; then scripts/reset.sh 2>&1; else apply "$1"; fi; }
is_at() { same "$(cat "$expected/$1")" "$(state)"; }
