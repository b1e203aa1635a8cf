#!/bin/sh
# `shoal status`, `shoal stats` and what the command prints on a terminal, against a fleet of which one node hangs.
# Usage: cli_status_test.sh PATH_OF_SHOAL. Needs memcached; what needs a terminal is skipped without script(1).
# shellcheck disable=SC2154,SC3043 # what cli_support.sh sets; `local` is a command of shoal here
# shellcheck source=tests/integration/cli_support.sh
. "$(dirname "$0")/cli_support.sh"

escape=$(printf '\033')
watcher_id=$work/watcher

# expect_lines NAME COUNT PATTERN: so many lines of stdout match, and no other is there.
expect_lines() {
    [ "$(grep -c "$3" "$work/out")" -eq "$2" ] && [ "$(($(wc -l <"$work/out")))" -eq "$2" ] ||
        problem="$problem; not $2 lines of the form $3"
    verdict "$1" "$problem"
}

# expect_none NAME TEXT...: none of them in stdout.
expect_none() {
    name=$1
    problem=
    shift
    for text in "$@"; do
        grep -qF -e "$text" "$work/out" && problem="$problem; '$text' in the output"
    done
    verdict "$name" "$problem"
}

# on_terminal COMMAND: runs a shell's command on a pseudo-terminal of its own; $work/out gets what it would show.
on_terminal() {
    timeout 30 script -qec "$1" /dev/null >"$work/out" 2>"$work/err" </dev/null
    status=$?
}

has_blocks() {
    [ "$(grep -c "$1" "$work/out")" -ge "$2" ]
}

has_ended() {
    ! kill -0 "$watcher" 2>/dev/null
}

# end_watcher NAME SECONDS SIGNAL: sends the signal, and waits for the end in status 0.
end_watcher() {
    kill -"$3" "$(cat "$watcher_id")"
    wait_for "$2" has_ended || kill -KILL "$(cat "$watcher_id")"
    wait "$watcher"
    status=$?
    watcher=
    problem=
    [ "$status" -eq 0 ] || problem="exit status $status"
    verdict "$1" "$problem"
}

# --- wrong usage -----------------------------------------------------------------------------------------------------

run status
expect_error "status without an endpoint" 64 "see 'shoal status --help'"
run status localhost:1 --watch=0
expect_error "--watch of no time" 64 "--watch"
run status localhost:1 --watch=soon
expect_error "--watch that is no number" 64 "--watch"
run stats localhost:1 settings items
expect_error "two groups" 64 "see 'shoal stats --help'"
run status 127.0.0.1:1
expect_error "status where nothing listens" 1 "shoal: status: "
run status 127.0.0.1:1 --watch
expect_error "status --watch where nothing listens" 1 "shoal: status: "
run stats 127.0.0.1:1
expect_error "stats where nothing listens" 1 "shoal: stats: "

# --- a healthy fleet -------------------------------------------------------------------------------------------------

start_fleet 3
run set "$endpoint" key value
run get "$endpoint" key
up_line="^localhost:[0-9]*${tab}up${tab}[0-9][^$tab]*${tab}[0-9.]*${tab}[0-9.-]*${tab}[0-9]*${tab}[0-9]*${tab}[0-9]*${tab}[0-9]*${tab}0$"
run status "$endpoint"
manners 0
expect_lines "status in a pipe: a line a node, tabs, no heading" 3 "$up_line"
expect_none "and no escape sequences" "$escape"
cut -f 1 "$work/out" >"$work/names"
run discover "$endpoint"
sed "1d; s/^\([^$tab]*\)${tab}[^$tab]*$tab/\1:/" "$work/out" | cmp -s - "$work/names" && problem= || problem="another order"
verdict "in the order of discover" "$problem"
run status --json "$endpoint"
expect_part "status --json" 0 '{"version":1,"nodes":[{"node":"localhost:' '"state":"up","version":"' '"latency_us":' \
    '"hit_rate":' '"memory_used":' '"memory_limit":67108864' '"items":1,' '"connections":' '"evictions":0}'
run status "$(sed -n 1p "$work/names")"
manners 0
expect_lines "status of one plain memcached" 1 "$up_line"
run status "$endpoint?connect_timeout_ms=1000" -o operation_timeout_ms=10000
manners 0
expect_lines "status with options in either place" 3 "$up_line"

run stats "$endpoint"
expect_part "stats" 0 "$(sed -n 1p "$work/names")${tab}curr_items$tab" "$(sed -n 3p "$work/names")${tab}version$tab"
expect_none "stats in a pipe has no escape sequences" "$escape"
run stats "$endpoint" settings
expect_part "stats of a group" 0 "$(sed -n 2p "$work/names")${tab}maxbytes${tab}67108864"
run stats --json "$endpoint"
expect_part "stats --json" 0 "{\"$(sed -n 1p "$work/names")\":{" '"curr_items":1,' '"version":"' '"rusage_user":"'
run stats "$(sed -n 1p "$work/names")" no-such-group
expect_error "stats of an unknown group" 1 "no such group"
run stats "$endpoint" "$(printf 'a\r\nflush_all')"
expect_error "stats of a group with a line end" 1 "shoal: stats: "

# --- watching in a pipe ----------------------------------------------------------------------------------------------

# start_watching ARGUMENT...
start_watching() {
    sh -c 'echo $$ >"$0"; exec "$@"' "$watcher_id" "$shoal" status "$@" >"$work/out" 2>"$work/err" </dev/null &
    watcher=$!
}

start_watching --watch=1 "$endpoint"
wait_for 20 has_blocks "^$" 2 && problem= || problem="no two blocks"
verdict "status --watch in a pipe prints block after block" "$problem"
expect_none "and no escape sequences" "$escape"
end_watcher "SIGINT ends it in status 0" 10 INT
[ ! -s "$work/err" ] && problem= || problem="stderr is not empty"
verdict "without a word" "$problem"
start_watching --json --watch=1 "$endpoint"
wait_for 20 has_blocks '^{"version":1,"nodes":\[.*\]}$' 2 && problem= || problem="no two lines"
verdict "status --watch --json prints line after line" "$problem"
end_watcher "SIGTERM ends it in status 0" 10 TERM
timeout 30 "$shoal" status --watch=1 "$endpoint" 2>"$work/err" | sed -n 1q
: >"$work/out"
[ ! -s "$work/err" ] && problem= || problem="stderr is not empty"
verdict "a reader that goes away ends it without a word" "$problem"

# --- a list that is out of date, and nodes that refuse ---------------------------------------------------------------

run status "static://$(sed -n 1p "$work/names"),127.0.0.1:1,no-such-host.invalid"
manners 1
grep -q "^shoal: status: 2 of 3 nodes are down, the first: 127.0.0.1:1: " "$work/err" || problem="$problem; other words"
[ "$(cut -f 2 "$work/out" | grep -c '^down: ..*')" -eq 2 ] || problem="$problem; not two are down"
[ "$(awk -F '\t' 'NF == 10' "$work/out" | wc -l)" -eq 3 ] || problem="$problem; not 10 columns"
verdict "status of nodes that refuse, and of one that has no address" "$problem"
run status --json "static://127.0.0.1:1"
expect_part "status --json of a node that refuses" 1 \
    '{"version":0,"nodes":[{"node":"127.0.0.1:1","state":"down","status":"SHOAL_E_NODE_DOWN","error":"'
run stats --json "static://$(sed -n 1p "$work/names"),127.0.0.1:1"
expect_part "stats --json of a node that refuses" 1 '"curr_items":' '"127.0.0.1:1":null}'
grep -q '^shoal: stats: 127.0.0.1:1: cannot be reached' "$work/err" && problem= || problem="other words"
verdict "and says why" "$problem"

# --- a node that hangs -----------------------------------------------------------------------------------------------

# The name of the first node and its process: localhost:PORT PID.
run local list --json --dir "$dir"
sed 's/.*"nodes":\[{"host":"\([^"]*\)","address":"[^"]*","port":\([0-9]*\),"state":"up","pid":\([0-9]*\)}.*/\1:\2 \3/' \
    "$work/out" >"$work/first"
read -r hanging frozen <"$work/first"
[ "$(ps -o ppid= -p "$frozen" | tr -d ' ')" = "$fleet" ] || {
    echo "Bail out! the process of the first node is not known: $(cat "$work/first")"
    frozen=
    exit 1
}
kill -STOP "$frozen"

run status "$endpoint" -o operation_timeout_ms=2000
manners 1
grep -q "^shoal: status: 1 of 3 nodes is down: $hanging: no answer in " "$work/err" || problem="$problem; other words"
grep -q "^$hanging${tab}down: no answer in " "$work/out" || problem="$problem; it is not down"
[ "$(grep -c "$up_line" "$work/out")" -eq 2 ] || problem="$problem; not both others are up"
verdict "a node that hangs is down, the others are shown all the same" "$problem"
run status --json "$endpoint" -o operation_timeout_ms=2000
expect_part "and as JSON" 1 "{\"node\":\"$hanging\",\"state\":\"down\",\"status\":\"SHOAL_E_TIMEOUT\",\"error\":\"no answer"
run stats "$endpoint" -o operation_timeout_ms=3000
manners 1
[ "$(grep -c "${tab}curr_items$tab" "$work/out")" -eq 2 ] || problem="$problem; not both others are told"
grep -q "^shoal: stats: $hanging: no answer in time" "$work/err" || problem="$problem; other words"
verdict "stats tells the others too" "$problem"

# It ends beside threads that wait for the node, which ThreadSanitizer would else take for forgotten.
TSAN_OPTIONS=${TSAN_OPTIONS-}:report_thread_leaks=0
export TSAN_OPTIONS
start_watching --watch=1 "$endpoint" -o operation_timeout_ms=25000
sleep 1
end_watcher "SIGINT does not wait for a node that hangs" 10 INT
start_watching --watch=1 "$endpoint" -o operation_timeout_ms=1000
wait_for 20 has_blocks "^$hanging${tab}down: " 1 && problem= || problem="it is not down"
kill -CONT "$frozen"
frozen=
wait_for 20 has_blocks "^$hanging${tab}up$tab" 1 || problem="$problem; it is not up again"
verdict "status --watch sees a node go on" "$problem"
run local add --dir "$dir"
added=$(sed -n "s/^added${tab}127.0.0.1/localhost/p" "$work/out")
: >"$work/out"
wait_for 20 has_blocks "^$added${tab}up$tab" 1 && problem= || problem="it is not there"
verdict "and one that is new" "$problem"
end_watcher "and ends in status 0" 10 INT

# --- on a terminal ---------------------------------------------------------------------------------------------------

if ! command -v script >/dev/null 2>&1 || ! script -qec true /dev/null </dev/null >/dev/null 2>&1; then
    skip "what is printed on a terminal" "no script(1)"
    finish
    exit
fi
unset NO_COLOR
export TERM=xterm
on_terminal "'$shoal' status $endpoint"
expect_part "on a terminal: a heading and colours" 0 NODE LATENCY EVICTED "${escape}[32mup" "/64M "
expect_none "and no tabs" "$tab"
on_terminal "'$shoal' status 127.0.0.1:1,$(sed -n 1p "$work/names") 2>/dev/null"
status_was=$status
expect_none "a node that is down" "${escape}[31mup"
[ "$status_was" -eq 1 ] && grep -qF "${escape}[31mdown: " "$work/out" && problem= || problem="status $status_was, or not red"
verdict "is red" "$problem"
on_terminal "NO_COLOR=1 '$shoal' status $endpoint"
expect_none "NO_COLOR: no escape sequences" "$escape"
grep -q NODE "$work/out" && problem= || problem="no heading"
verdict "but the heading" "$problem"
on_terminal "NO_COLOR= '$shoal' status $endpoint"
expect_part "an empty NO_COLOR is none" 0 "${escape}[32mup"
on_terminal "TERM=dumb '$shoal' status $endpoint"
expect_none "TERM=dumb: no escape sequences" "$escape"
on_terminal "'$shoal' status $endpoint | cat"
expect_none "in a pipe on a terminal: none either" "$escape" NODE
on_terminal "stty cols 50; '$shoal' status $endpoint; '$shoal' config connect_timeout_ms operation_timeout_ms"
tr -d '\r' <"$work/out" | sed "s/$escape\[[0-9]*m//g" | awk 'length > 50 { exit 1 }' && problem= || problem="a longer line"
verdict "a narrow terminal's width is kept to, by config too" "$problem"
expect_part "config on a terminal" 0 "${escape}[1moperation_timeout_ms${escape}[0m  1..86400000 ms; default 500"

start_watching_on_terminal() {
    : >"$watcher_id"
    script -qec "echo \$\$ >'$watcher_id'; exec '$shoal' status --watch=1 $endpoint" /dev/null >"$work/out" 2>"$work/err" \
        </dev/null &
    watcher=$!
}
start_watching_on_terminal
wait_for 20 has_blocks "Ctrl-C ends" 2 && problem= || problem="it is not drawn twice"
verdict "status --watch on a terminal draws" "$problem"
end_watcher "and ends in status 0" 10 INT
expect_part "in place, with the cursor hidden and given back" 0 "${escape}[?25l" "${escape}[6A" "${escape}[?25h"
tail -c 6 "$work/out" | grep -qF "${escape}[?25h" && problem= || problem="something comes behind it"
verdict "at the very end" "$problem"
finish
