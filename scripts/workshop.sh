#!/usr/bin/env bash
# Teaching with the book: a lab with a page for everybody in the room, and a board for whoever teaches.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

usage() {
    cat <<END
Usage: scripts/workshop.sh up COUNT [OPTION...]   boots so many seats, and prints the board's address
       scripts/workshop.sh cards                  writes a page to print and cut, a card for each seat
       scripts/workshop.sh status                 the seats, what they are at, and who is stuck
       scripts/workshop.sh reset SEAT             makes a seat anew; what was done there is gone
       scripts/workshop.sh down                   ends all of it; nothing of it stays
       scripts/workshop.sh pack [FILE]            all that it needs in one archive, for a machine without network

A seat is a lab of its own, with the book, a terminal and its checks, for a browser and nothing else. Run up again
to bring back what has ended; words and cards stay the same until down.

  --listen ADDRESS  the address to listen on, localhost if not said. On any other, everybody in that network can
                    reach the seats, and what they type crosses it unencrypted: for a room that you know
  -p PORT           the port, 3000 if not said
  --public ADDRESS  https://class.example, say, if a proxy stands before it, which then encrypts
  --suite SUITE     the seats' Debian release, trixie if not said
  --raise           allow what the machine allows too little of; put back by down

A pack has this repository, the book, Rust, the crates and the seats' Debian. FILE ends in .tar.zst or .tar.xz, and is
target/hellod-workshop.tar.zst if not said, or .tar.xz where there is no zstd. A machine like this one, with or
without Rust, then needs two commands, and the Debian packages systemd-container, util-linux, procps, and zstd or
xz-utils; sudo too, if you are not root there:

    tar -xf hellod-workshop.tar.zst && cd hellod-workshop
    scripts/workshop.sh up 20
END
}

# --- arguments ------------------------------------------------------------------------------------

action=${1-}
case $action in
    -h | --help) usage && exit ;;
    up | cards | status | reset | down | pack) shift ;;
    '') misuse "Up, cards, status, reset, down or pack?" ;;
    *) misuse "workshop.sh cannot '$action'." ;;
esac
count='' file='' host=localhost port=3000 public='' suite=trixie raise=
while [ $# -gt 0 ]; do
    case $1 in
        -h | --help) usage && exit ;;
        --raise) raise=yes ;;
        --listen | -p | --port | --public | --suite)
            [ -n "${2-}" ] || misuse "$1 what?"
            case $1 in
                --listen) host=$2 ;;
                --public) public=$2 ;;
                --suite) suite=$2 ;;
                *) port=$2 ;;
            esac
            shift
            ;;
        -*) misuse "'workshop.sh $action' takes no '$1'." ;;
        *) [ -z "$count" ] || misuse "One number, not '$count' and '$1'." && count=$1 ;;
    esac
    shift
done
if [ "$action" = pack ]; then file=$count count=''; fi
if [ -n "$count" ]; then
    [[ $count =~ ^[0-9]{1,2}$ && ! $count =~ ^0+$ ]] || misuse "'$count' is no number from 1 to 99."
    count=$((10#$count))
fi
if ! [[ $port =~ ^[0-9]{1,5}$ ]] || ((10#$port > 65535)); then misuse "A port is a number below 65536, not '$port'."; fi
[[ ! $host =~ ^(0\.0\.0\.0|::)$ ]] || misuse "Name the address that browsers will use, not $host."
[[ -z $public || $public =~ ^https?://[a-z0-9.-]+(:[0-9]+)?/?$ ]] ||
    misuse "Where browsers find it is https://NAME, say, not '$public'."
case $action in
    up) [ -n "$count" ] || misuse "How many seats?" ;;
    reset) [ -n "$count" ] || misuse "Which seat?" ;;
    *) [ -z "$count" ] || misuse "'workshop.sh $action' takes no number." ;;
esac
[ ! -e /etc/hellod-lab ] || die "This is a lab, and a workshop is of labs." "Leave with: exit"

# Its words, its state, and what it has changed on this machine.
folder=$root/target/workshop
as_root=()
[ "$EUID" -eq 0 ] || as_root=(sudo)

# The server, if it runs.
server() {
    local pid
    pid=$(cat "$folder/pid" 2>/dev/null) && grep -qs companion "/proc/$pid/cmdline" && echo "$pid"
}
seat() { printf 'seat-%02d' "$1"; }
# seats: those whose labs are there, also of a workshop that was killed.
seats() { for state in /run/hellod-lab-seat-[0-9][0-9]; do [ ! -d "$state" ] || echo "${state#/run/hellod-lab-}"; done; }
address() { sed -n 's/^Serving on //p' "$folder/log"; }

# --- what the machine needs -------------------------------------------------------------------------

# What a seat takes, at rest and with somebody at work in it.
inotify_of_seat=12 megabytes_of_seat=80 inotify=/proc/sys/fs/inotify/max_user_instances

look_at_machine() {
    local new available disk most in_use wanted
    new=$((count - $(seats | wc -l)))
    [ "$new" -gt 0 ] || return 0
    available=$(awk '/^MemAvailable:/ { print int($2 / 1024) }' /proc/meminfo)
    disk=$(df --output=avail -m /var | tail -n 1)
    most=$(cat "$inotify")
    in_use=$({ find /proc/[0-9]*/fd -lname anon_inode:inotify 2>/dev/null || true; } | wc -l)
    wanted=$((in_use + new * inotify_of_seat))
    echo "$new seats to boot: $((new * megabytes_of_seat)) MB of memory ($available are free), 1000 MB of disk ($((disk)) are free), $((new * inotify_of_seat)) inotify instances ($((most - in_use)) are free)."
    [ "$available" -gt $((new * megabytes_of_seat)) ] ||
        die "That is more memory than this machine has free." "Take fewer seats, or end what else runs here."
    [ "$disk" -gt 1000 ] || [ -d /var/cache/hellod-lab ] ||
        die "The Debian system that the seats start from has no room in /var." "Make room there."
    [ "$wanted" -gt "$most" ] || return 0
    [ -n "$raise" ] ||
        die "root may have $most inotify instances, and the seats' systemd need $((new * inotify_of_seat)) more than the $in_use in use." \
            "Run this again with --raise, which allows $((wanted + 200)) until scripts/workshop.sh down."
    [ -e "$folder/inotify-before" ] || echo "$most" >"$folder/inotify-before"
    run "${as_root[@]}" sysctl --quiet "fs.inotify.max_user_instances=$((wanted + 200))"
}

# --- the actions ----------------------------------------------------------------------------------

up() {
    [ -e "$folder/words" ] || [ -z "$(seats)" ] ||
        die "There are seats of another workshop on this machine." "End it where it was begun: scripts/workshop.sh down"
    local options="$count --listen $host -p $port --suite $suite${public:+ --public $public}"
    # The words are for nobody else; what cargo and mdBook write below is for the seats, too.
    mkdir -p target
    [ -d "$folder" ] || mkdir -m 700 "$folder"
    if server >/dev/null; then
        [ "$(cat "$folder/options")" = "$options" ] ||
            die "A workshop runs already, as: up $(cat "$folder/options")" "End it first: scripts/workshop.sh down"
        echo "The workshop runs; a seat that has ended is started again by itself."
        if ! has_hand; then
            find_rust
            start_hand || no_root
        fi
        # Until each was tried again.
        wait_for_seats 10
        return
    fi
    if ! is_packed; then
        scripts/serve.sh --build
        build_tool companion
        # Whoever has built the steps spares every seat that.
        build_steps
    fi
    look_at_machine
    find_rust
    echo "$options" >"$folder/options"
    rm -f "$folder"/{status,hand}
    : >"$folder/log"
    setsid target/tools/debug/companion --workshop "$folder" --seats "$count" --suite "$suite" \
        --host "$host" --port "$port" ${public:+--public "$public"} <&- >>"$folder/log" 2>&1 &
    echo $! >"$folder/pid"
    disown
    # It makes a pipe when it has what else it needs.
    until [ -p "$folder/hand" ]; do
        require_server
        sleep 0.1
    done
    start_hand || { kill "$(server)" && no_root; }
    wait_for_seats
}
no_root() { die "The labs need root, and sudo did not grant that." "Run this again."; }

# The labs are root's: this one starts what the server writes into the pipe, and ends with it. From here, since
# sudo asks for a password in a terminal, and the server has none.
start_hand() {
    # Pages and board wait for no seat's compiler.
    "${as_root[@]}" renice -n -10 -p "$(server)" >/dev/null
    # shellcheck disable=SC2016  # it is for the other shell
    "${as_root[@]}" env LAB_RUST="$LAB_RUST" LAB_REGISTRY="$LAB_REGISTRY" LAB_REGISTRY_AS="$LAB_REGISTRY_AS" LAB_USER="$UID" \
        bash -c 'setsid --fork scripts/lab.sh serve --all --name workshop <"$1/hand" >>"$1/log" 2>&1' bash "$folder"
}

# Somebody reads the pipe: a shell that opens it to write would wait otherwise, see fifo(7).
# shellcheck disable=SC2016  # it is for the other shell
has_hand() { timeout 2 bash -c ': >"$1"' bash "$folder/hand"; }

require_server() {
    server >/dev/null || { sleep 0.3 && server >/dev/null; } || {
        tail -n 5 "$folder/log" >&2
        die "The workshop has ended; the last it said is above." "Mend that and run this again."
    }
}

# Shows how it goes on, until all are up, or, after so many seconds, what keeps the rest from it.
wait_for_seats() {
    local said='' up fails patience=$((SECONDS + ${1-0}))
    echo "Booting seats; the log is $folder/log."
    while :; do
        require_server
        up=$(grep -c ' up ' "$folder/status" 2>/dev/null || true)
        if [ "${up:-0}" != "$said" ]; then
            said=${up:-0}
            echo "  $said of $count seats are up"
        fi
        [ "$said" != "$count" ] || [ -z "$(address)" ] || break
        fails=$(grep -c ' down .* lab.sh: ' "$folder/status" 2>/dev/null || true)
        if [ "$SECONDS" -ge "$patience" ] && [ "${fails:-0}" -gt 0 ] && [ $((fails + said)) -eq "$count" ]; then
            sed -n '/ down .* lab.sh: /{s/.* lab.sh: /lab.sh: /p;q}' "$folder/status" >&2
            die "$fails of $count seats cannot be booted; why is above. Each is tried again and again." \
                "Mend that and run this again, or end it: scripts/workshop.sh down"
        fi
        sleep 0.5
    done
    echo "The board: $(address)"
    echo "The seats: scripts/workshop.sh cards"
}

cards() {
    [ -e "$folder/words" ] || die "There is no workshop." "Begin one: scripts/workshop.sh up 20"
    local name word where
    where=$(address)
    where=${where%%/board/*}
    {
        cat <<END
<!doctype html><html lang="en"><meta charset="utf-8"><title>Seats</title>
<style>body{font:14pt/1.5 sans-serif;margin:0;display:grid;grid-template-columns:repeat(2,1fr)}
div{border:1px dashed #888;padding:8mm;break-inside:avoid}b{font-size:20pt}code{font:bold 16pt monospace}</style>
END
        while read -r name word; do
            [ "$name" != board ] || continue
            printf '<div><b>Seat %d</b><br>Open <code>%s</code><br>Your seat: <code>%d</code><br>Your word: <code>%s</code></div>\n' \
                "$((10#${name#seat-}))" "$where" "$((10#${name#seat-}))" "${word:0:5} ${word:5}"
        done <"$folder/words"
        echo "</html>"
    } >"$folder/cards.html"
    echo "Written: $folder/cards.html. Open it in a browser, print it, and cut it."
}

status() {
    server >/dev/null || die "No workshop runs." "Begin one: scripts/workshop.sh up 20"
    cat "$folder/status"
    echo "The board: $(address)"
}

reset() {
    server >/dev/null || die "No workshop runs." "Begin one: scripts/workshop.sh up 20"
    [ "$count" -le "$(wc -l <"$folder/status")" ] || die "There is no seat $count." "There are $(wc -l <"$folder/status")."
    : >"$folder/reset-$(seat "$count")"
    run scripts/lab.sh down --name "$(seat "$count")"
    while [ -e "$folder/reset-$(seat "$count")" ] || [ -z "$(sed -n "s/^seat *$count *up .*/up/p" "$folder/status")" ]; do
        server >/dev/null || die "The workshop has ended meanwhile." "Run scripts/workshop.sh up again."
        sleep 0.2
    done
    echo "Seat $count was made anew."
}

down() {
    local pid name before
    [ -d "$folder" ] || { echo "No workshop was begun here." && return; }
    # It first, or it would boot them again.
    while pid=$(server); do
        run kill "$pid" || true
        tail --pid="$pid" -f /dev/null
    done
    "${as_root[@]}" true # asks here, and not each of those in the background
    for name in $(seats); do run scripts/lab.sh down --name "$name" & done
    wait
    if [ -e "$folder/inotify-before" ]; then
        before=$(cat "$folder/inotify-before")
        run "${as_root[@]}" sysctl --quiet "fs.inotify.max_user_instances=$before"
    fi
    run rm -r "$folder"
}

if [ "$action" = pack ]; then
    # shellcheck source=scripts/pack.sh
    . scripts/pack.sh
fi
"$action"
