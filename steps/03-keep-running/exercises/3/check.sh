# Sourced by scripts/exercise.sh: after how many starts does systemd give up?
# shellcheck shell=bash disable=SC2154  # the variables are those of exercise.sh

must_run
limit="$(property StartLimitBurst) starts within $(property StartLimitIntervalUSec)"
[ "$limit" = "3 starts within 1min" ] || not_yet "systemd gives up after $limit.
$(complaints)"
# shellcheck disable=SC2046  # one path, or several
grep -q StartLimit $(property DropInPaths) /dev/null ||
    not_yet "systemd gives up after $limit, but no drop-in says so: is it in the unit file?"
place=$(journal_now)
with_drop_in '[Service]' Environment=HELLOD_EVERY=soon
has_given_up() { property_is ActiveState failed; }
wait_until 15 has_given_up || not_yet "With HELLOD_EVERY=soon, it did not give up: hellod is $(state)."
starts=$(grep -c "is not a number of seconds" <(journal_since "$place") || true)
[ "$starts" -eq 3 ] || not_yet "With HELLOD_EVERY=soon, there were $starts starts before systemd gave up."
