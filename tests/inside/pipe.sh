#!/usr/bin/env bash
# Run in a lab, as learner, by tests/steps.sh: hellod where its pipe cannot be made, or not be removed.
set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/lib.sh

# A folder of its own on a file system of its own, that can be full or read-only.
folder=/tmp/pipe
mkdir "$folder"
pipe=$folder/hellod.pipe
mounted() { sudo mount -t tmpfs -o "uid=1000,mode=700,$1" pipe "$folder"; }
remounted() { sudo mount -o "remount,bind,$1" "$folder"; }
# started STEP: in the background, with its standard error in a file.
started() {
    XDG_RUNTIME_DIR=$folder "target/release/step-$1" 2>/tmp/said &
    hellod=$!
}
ready() { until grep -q Greeting /tmp/said; do sleep 0.1; done; }
# ends_with STATUS: by itself, or after SIGTERM.
ends_with() { ends "$1" wait "$hellod"; }
# with OPTIONS: the folder, until the end of the test.
with() {
    hellod=
    mounted "$1"
    trap 'kill -KILL $hellod 2>/dev/null || true; sudo umount "$folder"' EXIT
}

full() {
    with nr_inodes=1
    started "$1"
    ends_with 1
    says "$pipe: No space left on device" </tmp/said
}
full_meanwhile() {
    with nr_inodes=2
    started "$1"
    ready
    mv "$pipe" "$folder/taken"
    ends_with 1
    says "$pipe is gone; making it anew" </tmp/said
    says "$pipe: No space left on device" </tmp/said
}
read_only() {
    with size=1M
    remounted ro
    started "$1"
    ends_with 1
    says "$pipe: Read-only file system" </tmp/said
}
# It goes on greeting, and at the end says what it had to leave.
read_only_meanwhile() {
    with size=1M
    started "$1"
    ready
    remounted ro
    echo Anna >"$pipe"
    kill "$hellod"
    ends_with 0
    says "Hello, Anna" </tmp/said
    says "$pipe: Read-only file system" </tmp/said
    # The next one takes it over.
    remounted rw
    started "$1"
    ready
    echo Bert >"$pipe"
    kill "$hellod"
    ends_with 0
    says "Hello, Bert" </tmp/said
    [ ! -e "$pipe" ]
}
# Put there by another user, who may write into the folder: it is not taken over, and not removed.
of_another() {
    with size=1M
    sudo mkfifo -m 600 "$pipe"
    started "$1"
    ends_with 1
    says "$pipe: Permission denied" </tmp/said
    [ -p "$pipe" ]
}

for step in $(all_steps); do
    step=${step%%-*}
    grep -qs pipe_path steps/"$step"-*/src/config.rs || continue
    it "$step: no room for the pipe" full "$step"
    it "$step: no room any more when it was moved away" full_meanwhile "$step"
    it "$step: a folder that is read-only" read_only "$step"
    it "$step: a folder that becomes read-only" read_only_meanwhile "$step"
    it "$step: a pipe of somebody else" of_another "$step"
done
