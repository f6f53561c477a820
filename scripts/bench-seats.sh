# How many seats a machine carries. Sourced by bench.sh, never run.
# shellcheck shell=bash

used() { awk '/^MemTotal:/ { all = $2 } /^MemAvailable:/ { print int((all - $2) / 1024) }' /proc/meminfo; }
now() { date +%s%3N; }

measure_seats() {
    local count=$1 port=$((20000 + $$ % 10000)) begin booted before rest busy applied gone seat said
    local -A took
    npm --prefix tests/browser ci --loglevel=error --no-audit --no-fund >/dev/null
    scripts/serve.sh --build
    scripts/lab.sh up --name bench-first # what is made once
    scripts/lab.sh down --name bench-first
    sleep 5 # the memory of that comes back
    before=$(used)
    begin=$(now)
    trap 'scripts/workshop.sh down >/dev/null' EXIT
    scripts/workshop.sh up "$count" -p "$port" --raise
    booted=$(($(now) - begin))
    sleep 20 # until nothing starts any more
    rest=$((($(used) - before) * 10 / count))

    # A page and the board look on, while everybody else works.
    # The browser's machine is another one, really: it waits for nobody here.
    coproc page { nice -n -10 node tests/browser/seats.mjs "http://localhost:$port" target/workshop "$count"; }
    read -r said <&"${page[0]}"
    [ "$said" = ready ]
    begin=$(now)
    for ((seat = 1; seat < count; seat++)); do
        scripts/lab.sh run --name "$(printf 'seat-%02d' "$seat")" -- scripts/apply.sh 7 &>/dev/null &
    done
    while read -r said busy <&"${page[0]}"; do took[$said]=$busy; done
    applied=${took[applied]}
    busy=$((($(used) - before) * 10 / count))
    begin=$(now)
    scripts/workshop.sh down >/dev/null
    gone=$(($(now) - begin))
    trap - EXIT
    echo
    echo "| $count seats, $(nproc) cores | measured | at most |"
    echo "| --- | --- | --- |"
    echo "| until all are up, from a cached system | $((booted / 1000)) s | 90 s |"
    echo "| memory of each at rest, with its page's server | $((rest / 10)).$((rest % 10)) MB | 80 MB |"
    echo "| until all have applied step 07 at once | $((applied / 1000)) s | 90 s |"
    echo "| meanwhile, from a stop in a seat to the mark in its page: median, longest | ${took[median]}, ${took[longest]} ms | 2000 ms |"
    echo "| meanwhile, from that stop to the board: median, longest | ${took[board]}, ${took[boardlongest]} ms | 2000 ms |"
    echo "| memory of each afterwards | $((busy / 10)).$((busy % 10)) MB | |"
    echo "| until all are down | $((gone / 1000)) s | |"
}
