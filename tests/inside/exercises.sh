#!/usr/bin/env bash
# Run in a lab, as learner, by tests/exercises.sh: the exercises of a step, or what exercise.sh has to cope with.
set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/lib.sh
. tests/inside/state.sh

exercise() { scripts/exercise.sh "$@" 2>&1; }
commit() { git -c user.name=book -c user.email=book@localhost commit --quiet --allow-empty --message "$1"; }
is_clean() { same "" "$(git status --porcelain)"; }
# Until the reader does something, everything is as in HEAD, also while these files are being worked on.
[ -d .git ] || git init --quiet
git add --all
commit "As it is"

# --- each exercise ------------------------------------------------------------------------------------

# says_no EXERCISE TITLE: with what it has seen, and with a hint.
says_no() {
    local said
    said=$(ends 1 exercise "$1")
    sed -n "/^✗ /,\$p" <<<"$said" >/tmp/verdict
    same "✗ $2" "$(sed -n 1p /tmp/verdict)"
    grep -q '^  [^ ]' <(sed -n 2p /tmp/verdict)
    if grep Hint: <(sed -n 2p /tmp/verdict); then return 1; fi
    says "  Hint: $(sed -n 1p "$folder/hints")" </tmp/verdict
    nothing_of_the_check
}
nothing_of_the_check() {
    ends 1 grep . <(find {/run,/etc}/systemd/system "$XDG_RUNTIME_DIR/systemd/user" ~/.config/systemd/user -name '*exercise*' 2>/dev/null)
    ends 1 grep . <(systemctl list-units --all --plain --no-legend '*exercise*')
}

# Soon, since a start of Type=simple is done before the new process has become hellod.
as_at_step() { same "$at_step" "$(state)"; }
asks() {
    local wrong manager
    manager=$(basename "units/$step"/*)
    # Built here, and not brought along: the bytes of a program depend on the folder.
    touch "steps/$step/src/main.rs"
    apply "$step"
    at_step=$(state)
    says_no "$1" "$2"
    # What the check has changed, it has changed back.
    soon as_at_step
    for wrong in 1 2; do
        git apply "$folder/wrong-$wrong.patch"
        says_no "$1" "$2"
        git apply --reverse "$folder/wrong-$wrong.patch"
    done
    exercise "$1" --solve
    exercise "$1" | says "✓ $2"
    nothing_of_the_check
    same active "$(systemctl "--$manager" is-active hellod)"
    same "" "$(systemd-analyze "--$manager" verify "$(systemctl "--$manager" show --property=FragmentPath --value hellod)" 2>&1)"
    exercise "$1" --back
    # Nothing was written by hand here, so no copy of anything was kept, either.
    same "" "$(git status --porcelain --ignored -- steps units)"
    ends 1 exercise "$1" | says "✗ $2"
    same "" "$(git status --porcelain --ignored -- steps units)"
    soon as_at_step
    scripts/check.sh "$step"
}

# --- the script -----------------------------------------------------------------------------------------

main=steps/01-hello-loop/src/main.rs
unit=units/01-hello-loop/user/hellod.service
drop_ins=~/.config/systemd/user/hellod.service.d
# as_it_was: back to HEAD, with nothing beside it.
as_it_was() {
    git restore --source=HEAD --staged --worktree .
    git clean --quiet -d --force steps units
    find steps units -name '*.mine*' -delete
    rm -rf target/exercises
}

called_wrongly() {
    local wrong
    for wrong in "" 9.9 1 1.9 step-01 "1.1 1.2" --nonsense "1.1 --nonsense" "1.1 --hint --solve" ../1.1 '*.*'; do
        # shellcheck disable=SC2086  # no word, or two
        (set -f && ends 2 scripts/exercise.sh $wrong 2>&1) | says "  1.2 Say who started you"
    done
    same "$(printf '%s\n' steps/*/exercises/* | wc -l)" "$(scripts/exercise.sh --help | grep -c '^  [1-9]\.[1-9] ')"
}

hints_in_order() {
    as_it_was
    local hints
    mapfile -t hints <steps/01-hello-loop/exercises/2/hints
    same 3 "${#hints[@]}"
    ends 1 exercise 1.2 | says "Hint: ${hints[0]}"
    ends 1 exercise 1.2 | says "Another hint: scripts/exercise.sh 1.2 --hint"
    ends 1 exercise 1.2 --hint | says "Hint: ${hints[1]}"
    ends 1 exercise 1.2 | says "Hint: ${hints[1]}"
    ends 1 exercise 1.2 --hint >/tmp/said
    says "Hint: ${hints[2]}" </tmp/said
    says "That was the last hint; scripts/exercise.sh 1.2 --solve writes" </tmp/said
    ends 1 exercise 1.2 --hint | says "Hint: ${hints[2]}"
    exercise 1.2 --solve
    exercise 1.2 --hint | says "✓ 1.2"
    exercise 1.2 --back
    ends 1 exercise 1.2 --hint | says "Hint: ${hints[0]}"
}

keeps_yours() {
    as_it_was
    echo "// mine" >>$main
    exercise 1.2 --solve | says "What you have written is kept as $main.mine."
    same "// mine" "$(tail -n 1 $main.mine)"
    ends 1 grep -q mine $main
    # Ignored, so that it gets into no commit.
    same " M $main" "$(git status --porcelain)"
    before=$(sha256sum $main)
    exercise 1.2 --solve | says "in place already"
    same "$before" "$(sha256sum $main)"
    exercise 1.2 --back | says "To go on with it: mv $main.mine $main"
    is_clean
    exercise 1.2 --back | says "There is nothing to take back"
    is_clean
    # Another one does not take its place.
    echo "// mine, too" >>$main
    exercise 1.2 --solve | says "kept as $main.mine.2"
    same "// mine" "$(tail -n 1 $main.mine)"
    # What is written on top of the solution is kept as well.
    echo "// on top" >>$main
    exercise 1.2 --back | says "kept as $main.mine.3"
    same "// on top" "$(tail -n 1 $main.mine.3)"
    is_clean
}

# Where the solution is a file that the book does not have.
keeps_your_drop_in() {
    as_it_was
    local file=units/03-keep-running/user/hellod.service.d/patience.conf
    install -D -m 644 /dev/stdin $file <<<"# mine"
    exercise 3.3 --solve | says "kept as $file.mine"
    says StartLimitBurst=3 <$file
    exercise 3.3 --back
    [ ! -e $file ]
    same "# mine" "$(cat $file.mine)"
    is_clean
    rm $file.mine
    exercise 3.3 --solve
    exercise 3.3 --back
    [ ! -e ${file%/*} ]
}

# A fresh copy has been committed with changes of one's own, and the solution does not fit there.
does_not_fit() {
    as_it_was
    sed -i 's/Hello from hellod/Good morning/; s/No fork/No spoon/' $main
    git add $main
    commit "Mine"
    before=$(cat $main)
    ends 1 exercise 1.2 --solve | says "nothing was changed"
    same "$before" "$(cat $main)"
    is_clean
    git reset --quiet --hard HEAD~
}

without_a_repository() {
    as_it_was
    mv .git /tmp/git
    trap 'mv /tmp/git .git' EXIT
    exercise 1.2 --solve
    says parent_id <$main
    exercise 1.2 --solve | says "in place already"
    exercise 1.2 --back
    ends 1 grep parent_id $main
    exercise 3.3 --solve
    exercise 3.3 --back
    [ ! -e units/03-keep-running/user/hellod.service.d ]
    sed -i 's/No fork/No spoon/' $main
    before=$(cat $main)
    ends 1 exercise 1.2 --solve | says "nothing was changed"
    ends 1 exercise 1.2 --back | says "nothing was changed"
    same "$before" "$(cat $main)"
    sed -i 's/No spoon/No fork/' $main
}

does_not_compile() {
    as_it_was
    apply 1
    before=$(state && writes)
    echo "this is no Rust" >>$main
    ends 1 exercise 1.2 >/tmp/said
    says "error:" </tmp/said
    says "✗ 1.2 Say who started you" </tmp/said
    says "It does not compile" </tmp/said
    same "$before" "$(state && writes)"
    as_it_was
}

# It has its drop-in in place, and Ctrl-C comes.
interrupted() {
    as_it_was
    apply 3
    before=$(state)
    local status=0 trial=$XDG_RUNTIME_DIR/systemd/user/hellod.service.d/zz-exercise.conf
    setsid --wait env --default-signal=INT scripts/exercise.sh 3.1 &>/tmp/said &
    soon test -e "$trial"
    kill -INT -- "-$(pgrep --oldest --full '^bash scripts/exercise.sh 3.1$')"
    wait $! || status=$?
    same 130 "$status"
    same "$before" "$(state)"
    scripts/check.sh 3
}

# What apply.sh has to take away or replace, since something else is new: a copy is kept, and named.
yours_by_edit_is_kept() {
    as_it_was
    apply 3
    install -D /dev/stdin $drop_ins/override.conf <<<"# mine"
    sed -i 's/^Restart=.*/Restart=always/' ~/.config/systemd/user/hellod.service
    systemctl --user daemon-reload
    exercise 3.3 --solve
    exercise 3.3 >/tmp/said
    says "kept as units/03-keep-running/user/hellod.service.d/override.conf.mine" </tmp/said
    same "# mine" "$(cat units/03-keep-running/user/hellod.service.d/override.conf.mine)"
    says "kept as units/03-keep-running/user/hellod.service.mine" </tmp/said
    says Restart=always <units/03-keep-running/user/hellod.service.mine
    [ ! -e $drop_ins/override.conf ]
    # The other manager's, too.
    install -D /dev/stdin $drop_ins/override.conf <<<"# mine, too"
    ends 1 exercise 6.2 | says "kept as units/06-system-service/system/hellod.service.d/override.conf.mine"
    same "# mine, too" "$(cat units/06-system-service/system/hellod.service.d/override.conf.mine)"
    as_it_was
}

yours_by_edit_survives() {
    as_it_was
    apply 3
    install -D /dev/stdin $drop_ins/override.conf <<<$'[Unit]\nStartLimitIntervalSec=60\nStartLimitBurst=3'
    systemctl --user daemon-reload
    exercise 3.3 | says "✓ 3.3"
    [ -e $drop_ins/override.conf ]
    # Also one that nobody has told the manager of.
    rm $drop_ins/override.conf
    ends 1 exercise 3.3 | says "✗ 3.3"
    install -D /dev/stdin $drop_ins/override.conf <<<$'[Unit]\nStartLimitIntervalSec=60\nStartLimitBurst=3'
    exercise 3.3 | says "✓ 3.3"
    scripts/apply.sh 3 2>&1 | says "revert hellod.service"
    [ ! -e $drop_ins ]
}

drop_ins_of_the_working_copy() {
    as_it_was
    apply 3
    before=$(state)
    exercise 3.3 --solve
    apply 3
    same 3 "$(systemctl --user show --property=StartLimitBurst --value hellod)"
    same "644 $drop_ins/patience.conf" "$(stat -c '%a %n' $drop_ins/*)"
    written=$(writes)
    apply 3
    same "$written" "$(writes)"
    echo "# another" >$drop_ins/another.conf
    apply 3
    same "$drop_ins/patience.conf" "$(echo $drop_ins/*)"
    exercise 3.3 --back
    ends 1 exercise 3.3 | says "✗ 3.3"
    same "$before" "$(state)"
}

from_any_state() {
    as_it_was
    scripts/reset.sh
    ends 1 exercise 1.1 | says "✗ 1.1"
    scripts/check.sh 1
    systemctl --user stop hellod
    ends 1 exercise 1.1 | says "✗ 1.1"
    scripts/check.sh 1
    apply 6
    ends 1 exercise 1.1 | says "✗ 1.1"
    scripts/check.sh 1
    [ ! -e /etc/systemd/system/hellod.service ]
    # By hand, as the chapter has it, and no more than that is there to do.
    exercise 1.1 --solve
    cp $unit ~/.config/systemd/user/
    exercise 1.1 >/tmp/said
    says "✓ 1.1" </tmp/said
    ends 1 grep install /tmp/said
    as_it_was
}

# Answers that look right and are not, each with what the check has to see.
refuses() {
    local said
    said=$(ends 1 exercise "$1")
    as_it_was
    says "$2" <<<"$said"
}
looks_right() {
    as_it_was
    exercise 3.1 --solve
    sed -i 's/^RestartPreventExitStatus=78/SuccessExitStatus=78/' units/03-keep-running/user/hellod.service
    refuses 3.1 "systemd calls that a success"
    exercise 3.1 --solve
    sed -i 's/^RestartPreventExitStatus=78//; s/^Restart=.*/Restart=on-abnormal/' units/03-keep-running/user/hellod.service
    refuses 3.1 "Restart=on-abnormal"
    sed -i 's/^    learn();/    notify(\&[NotifyState::Ready]);\n    learn();/' steps/04-notify/src/main.rs
    refuses 4.1 "before it had learned its last phrase"
    sed -i 's/^    learn();/    notify(\&[NotifyState::ExtendTimeoutUsec(60_000_000)]);\n    learn();/' steps/04-notify/src/main.rs
    refuses 4.1 "asked for too much time"
    sed -i 's/^Restart=/ExecStart=relative\nRestart=/' units/04-notify/user/hellod.service
    refuses 4.2 "systemd does not take the unit"
    sed -i 's/^ExecStart=.*/ExecStart=-%h\/.local\/bin\/hellod with arguments/' units/02-journal/user/hellod.service
    refuses 2.2 "✗ 2.2"
    [ -x ~/.local/bin/hellod ] && [ ! -e "$HOME/.local/bin/hellod with arguments" ]
}
as_root_with_a_warning() {
    as_it_was
    exercise 7.2 --solve
    sed -i 's/log(Level::Error, "Not as root/log(Level::Warning, "Not as root/' steps/07-dedicated-user/src/main.rs
    refuses 7.2 "wrote no error"
}

# A program that gives up is something for the check to say.
does_not_stay_up() {
    as_it_was
    sed -i 's/^fn main() .*/&\n    eprintln!("no disk, no bread");\n    std::process::exit(3);\n}\n#[allow(dead_code)]\nfn not_main() {/' $main
    ends 1 exercise 1.2 >/tmp/said
    says "✗ 1.2" </tmp/said
    says "hellod does not run, it is inactive" </tmp/said || says "hellod does not run, it is failed" </tmp/said
    says "no disk, no bread" </tmp/said
    as_it_was
}

# What comes before the SIGTERM must not be in the way where there is no pipe yet, or nobody who reads.
# As another process, and ready. In this order: the manager may not have noticed the end yet, and still say active.
came_back() {
    local now
    now=$(systemctl --user show --property=MainPID --value hellod)
    [ "$now" != 0 ] && [ "$now" != "$before" ] && systemctl --user is-active hellod
}
last_visitor_in_hard_times() {
    as_it_was
    exercise 5.3 --solve
    apply 4
    apply 5
    scripts/check.sh 5
    before=$(systemctl --user show --property=MainPID --value hellod)
    systemctl --user kill --signal=KILL hellod
    soon came_back
    scripts/check.sh 5
    exercise 5.3 --back
}

case $1 in
    script)
        it "exercise.sh called wrongly: usage with the exercises, and 2" called_wrongly
        it "hints come in order, and begin anew after a success" hints_in_order
        it "--solve and --back keep what the reader has written" keeps_yours
        it "--solve and --back, where the solution is a new file" keeps_your_drop_in
        it "--solve on a HEAD that it does not fit changes nothing" does_not_fit
        it "--solve and --back without a repository" without_a_repository
        it "a program that does not compile: no, and nothing is changed" does_not_compile
        it "a program that does not stay up: its last words" does_not_stay_up
        it "Ctrl-C in a check leaves nothing of it" interrupted
        it "a drop-in made with systemctl edit survives" yours_by_edit_survives
        it "a drop-in that has to go is kept and named" yours_by_edit_is_kept
        it "apply.sh installs drop-ins of the working copy, once" drop_ins_of_the_working_copy
        it "5.3: a hellod without a pipe, and a crash" last_visitor_in_hard_times
        it "answers that look right and are not" looks_right
        it "7.2 with a warning instead of an error" as_root_with_a_warning
        it "from nothing, from a stopped hellod, from another step" from_any_state
        ;;
    *)
        step=$1
        for folder in "steps/$step/exercises"/*; do
            title=$(sed -n '1s/^### Exercise \([^:]*\):/\1/p' "$folder/task.md")
            it "$title: no, two wrong answers, the solution, and back" asks "${title%% *}" "$title"
        done
        ;;
esac
