# How quick the live page is, and what it costs. Sourced by bench.sh, never run.
# shellcheck shell=bash disable=SC2154  # lab and rounds are those of bench.sh

# spent PID...: the clock ticks that they and the children they have waited for have used, see proc_pid_stat(5).
spent() {
    local pid all=0
    for pid; do all=$((all + $(cut -d' ' -f14-17 "/proc/$pid/stat" 2>/dev/null | tr ' ' '+' || echo 0))); done
    echo "$all"
}
# below PID: it, and all processes below it, in the lab too.
below() {
    local pid
    echo "$1"
    for pid in $(pgrep -P "$1"); do below "$pid"; done
}

measure_live() {
    local port=$((20000 + $$ % 10000)) log server page said looks commands quiet=20 before idle none pss replayed
    log=$(mktemp)
    npm --prefix tests/browser ci --loglevel=error --no-audit --no-fund >/dev/null
    setsid scripts/serve.sh --lab --name "$lab" -p "$port" >"$log" 2>&1 &
    server=$!
    # shellcheck disable=SC2064
    trap "kill -INT -- -$server; scripts/lab.sh down --name '$lab'; rm -f '$log'" EXIT
    until grep -q "Serving on" "$log"; do
        kill -0 "$server" || die "It could not be served: $(tail -n 3 "$log")" "Run scripts/serve.sh --lab by itself."
        sleep 0.1
    done
    none=$(spent "$server")
    sleep "$quiet"
    none=$(($(spent "$server") - none))
    local -A took
    coproc page { node tests/browser/bench.mjs "$(sed -n 's/^Serving on //p' "$log")" "$lab" "$rounds"; }
    while read -r said looks <&"${page[0]}"; do
        took[$said]=$looks
        [ "$said" = idle ] || continue
        # The companion, and what looks on in the lab.
        looks=$(pgrep --full "^bash scripts/watch.sh" | while read -r one; do below "$one"; done)
        # shellcheck disable=SC2086
        before=$(spent "$server" $looks)
        sleep "$quiet"
        # shellcheck disable=SC2086
        idle=$(($(spent "$server" $looks) - before))
        pss=$(awk '/^Pss:/ { print $2 }' "/proc/$server/smaps_rollup")
        echo >&"${page[1]}"
    done
    commands=$(grep -c '^\(\$ \|\^C\)' steps/04-*/session.console)
    replayed=$(date +%s%3N)
    cargo session replay 04 >/dev/null
    replayed=$(($(date +%s%3N) - replayed))
    echo
    echo "| | measured | at most |"
    echo "| --- | --- | --- |"
    echo "| from a stop to its mark, median of $rounds | ${took[mark]} ms | 300 ms |"
    printf '| from a key to its echo, median of %d | %.1f ms | 30 ms |\n' "$((rounds * 5))" "${took[echo]}"
    echo "| Run, chapter 4, for each of $commands commands; a replay takes $((replayed / commands)) ms with its lab | $((took[run] / commands)) ms | $((replayed / commands + 100)) ms |"
    awk -v idle="$idle" -v none="$none" -v quiet="$quiet" -v hz="$(getconf CLK_TCK)" 'BEGIN {
        printf "| idle, a page open, of a core | %.2f %% | 0.5 %% |\n| idle, no page | %.2f %% | 0 %% |\n", 100 * idle / hz / quiet, 100 * none / hz / quiet }'
    echo "| PSS of the companion | $((pss / 1000)).$((pss % 1000 / 100)) MB | 20 MB |"
    echo "| JavaScript and CSS of the pages | $(cat theme/*.js theme/*.css tools/companion/page/{make.js,live.js,terminal.js,live.css} | wc -c | awk '{ printf "%.1f", $1 / 1000 }') kB | 40 kB |"
}
