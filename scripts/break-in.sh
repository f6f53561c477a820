#!/usr/bin/env bash
# What could somebody do who broke into hellod? Runs commands in a shell that may do what hellod may.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

usage() {
    cat <<END
Usage: scripts/break-in.sh [-p DIRECTIVE=VALUE]... COMMAND

Runs COMMAND in a service of its own, with the account and the sandbox that the system's hellod.service has at this
moment. It changes nothing but what COMMAND changes, and ends with COMMAND's status.

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

# What says how the program starts, stops and is started again is not for a shell that runs once.
sandbox=()
while IFS= read -r directive; do sandbox+=(-p "$directive"); done < <(systemctl cat hellod.service |
    sed -n '/^\[Service\]/,/^\[[^S]/{/^[A-Z][A-Za-z]*=/p}' |
    grep -vE '^(Type|Exec[A-Za-z]*|Restart[A-Za-z]*|Timeout[A-Za-z]*|Kill[A-Za-z]*|WatchdogSec|NotifyAccess)=')
# hellod goes on meanwhile, and needs its runtime directory afterwards.
sudo systemd-run --quiet --collect --wait --pipe "${sandbox[@]}" "${more[@]}" -p RuntimeDirectoryPreserve=yes bash -c "$command"
