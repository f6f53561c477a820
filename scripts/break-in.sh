#!/usr/bin/env bash
# What could somebody do who broke into hellod? Runs commands in a shell that may do what hellod may.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

usage() {
    cat <<END
Usage: scripts/break-in.sh [-p DIRECTIVE=VALUE]... COMMAND

Runs COMMAND in a service of its own, with the account and the sandbox of the system's hellod.service. It changes
nothing but what COMMAND changes, and ends with COMMAND's status.

  -p DIRECTIVE=VALUE   with this directive as well, to try it before it is in the unit
END
}

more=()
while [ $# -gt 0 ]; do
    case $1 in
        -h | --help) usage && exit ;;
        -p)
            [[ ${2-} == [A-Z]*=* ]] || misuse "After -p comes a directive, such as ProtectHome=yes, and not '${2-}'."
            more+=(-p "$2") && shift
            ;;
        -*) misuse "There is no option '$1'." ;;
        *) break ;;
    esac
    shift
done
[ $# -eq 1 ] || misuse "One command, please, in quotes."
command=$1
require_managers
use_manager system
[ -e "$installed" ] ||
    die "The system has no hellod.service to break into." "Make it: scripts/apply.sh step-07"
require_sudo

[ "$(systemctl show -P NeedDaemonReload hellod.service)" = no ] ||
    die "hellod.service has changed, and the manager hasn't read it yet." "Run: sudo systemctl daemon-reload, then restart hellod"

# directives: those of [Service], one on a line, as they stand in the unit and its drop-ins.
directives() {
    systemctl cat hellod.service | awk '
        /^[ \t]*[#;]/ { next }
        /\\$/ { held = held substr($0, 1, length($0) - 1) " "; next }
        { line = held $0; held = ""; gsub(/^[ \t]+|[ \t]+$/, "", line) }
        line ~ /^\[/ { here = line == "[Service]"; next }
        here && line ~ /^[A-Za-z]+[ \t]*=/ { sub(/[ \t]*=[ \t]*/, "=", line); print line }'
}
# What says how the program starts, stops and is started again is not for a shell that runs once.
not_for_a_shell='^(Type|Exec(Start|Stop|Reload|Condition)[A-Za-z]*|Restart[A-Za-z]*|Timeout[A-Za-z]*|Kill[A-Za-z]*|Watchdog[A-Za-z]*|'
not_for_a_shell+='Notify[A-Za-z]*|RemainAfterExit|PIDFile|Sockets|SuccessExitStatus|Standard[A-Za-z]*)='
all=$(directives) || die "The unit of hellod cannot be read." "See: systemctl cat hellod"
# Whatever becomes of the rest, never as root instead.
sandbox=(-p "User=$(systemctl show -P User hellod.service)")
while IFS= read -r directive; do sandbox+=(-p "$directive"); done < <(grep -vE "$not_for_a_shell" <<<"$all")
# hellod goes on meanwhile, and needs its runtime directory afterwards. To the manager, $ is a variable of its own.
sudo systemd-run --quiet --collect --wait --pipe "${sandbox[@]}" "${more[@]}" -p RuntimeDirectoryPreserve=yes bash -c "${command//\$/\$\$}"
