#!/bin/sh
# The `shoal` command from the outside: every command against a real fleet of `shoal local`.
# Usage: cli_test.sh PATH_OF_SHOAL. Needs memcached; prints TAP. `status` and `stats` have cli_status_test.sh.
# shellcheck disable=SC2154,SC3043 # what cli_support.sh sets; `local` is a command of shoal here
# shellcheck source=tests/integration/cli_support.sh
. "$(dirname "$0")/cli_support.sh"

# --- help and wrong usage --------------------------------------------------------------------------------------------

run help
expect_part "help lists the commands" 0 discover route status stats get set delete touch increment config local
run --version
expect_part "--version" 0 "shoal "
for command in discover route status stats get set delete touch increment config local; do
    run "$command" --help
    expect_part "$command --help has a usage line and an example" 0 "Usage: shoal $command" "Example:" "--json"
    cp "$work/out" "$work/help"
    run help "$command"
    expect "help $command says the same" 0 "$(cat "$work/help")"
done

run config operation_timeout_ms
expect_part "config describes an option" 0 "operation_timeout_ms${tab}500${tab}1..86400000 ms${tab}The total time"
run config
expect_part "config describes them all" 0 endpoint discovery_interval_ms distribution protocol
run config --json hash
expect_part "config --json" 0 '"name":"hash"' '"default":"default"'
run config --preset dalli
expect_part "config --preset" 0 "distribution=dalli" "hash=" "ring_identity="
run config --preset nobody
expect_error "config --preset of nobody" 1 "unknown preset \"nobody\"; there are "
run config --preset laravel --json
expect_part "config --preset --json" 0 '"distribution":"modula"'
run config hush
expect_error "config of an unknown option" 64 "there is no option 'hush'"
run nonsense
expect_error "an unknown command" 64 "there is no command 'nonsense'; see 'shoal help'"
run discover
expect_error "a missing endpoint" 64 "see 'shoal discover --help'"
run get localhost:1
expect_error "a missing key" 64 "see 'shoal get --help'"
run set localhost:1 key secret-one secret-two
expect_error "an argument too many" 64 "see 'shoal set --help'"
grep -q secret "$work/err" && problem="the value is told" || problem=
verdict "a wrong usage tells no value" "$problem"
run get localhost:1 key --ttl 3
expect_error "an option of another command" 64 "--ttl"
run set localhost:1 key value --meta
expect_error "--meta of a command that changes" 64 "--meta"
run get localhost:1 key -z
expect_error "an unknown letter" 64 "-z"
run get localhost:1 key -o
expect_error "-o without a value" 64 "needs a value"
run get localhost:1 key -o novalue
expect_error "-o without =" 64 "NAME=VALUE"
run set localhost:1 key value --ttl soon
expect_error "--ttl that is no number" 64 "--ttl"
run set localhost:1 key value --flags 4294967296
expect_error "--flags over 32 bits" 64 "--flags"
run set localhost:1 key value --mode replase
expect_error "an unknown --mode" 64 "--mode"
run touch localhost:1 key
expect_error "touch without --ttl" 64 "--ttl"
run increment localhost:1 key one
expect_error "a delta that is no number" 64 "DELTA"
run increment localhost:1 key 9223372036854775808
expect_error "a delta over 63 bits" 64 "DELTA"
run increment localhost:1 key --initial -1
expect_error "--initial below 0" 64 "--initial"
run local nonsense
expect_error "an unknown word behind local" 64 "see 'shoal local --help'"
run local --nodes 65
expect_error "too many nodes" 64 "--nodes"
run local add --nodes 2
expect_error "an option that local add does not take" 64 "see 'shoal local --help'"
run local remove not-a-node --dir "$dir"
expect_error "local remove of no node" 64 "not-a-node"

# --- endpoints that cannot be used -----------------------------------------------------------------------------------

run discover 127.0.0.1:1
expect_error "discover where nothing listens" 1 "shoal: discover: "
run discover --json 127.0.0.1:1
expect_error "discover --json where nothing listens" 1 "shoal: discover: "
run get 127.0.0.1:1 key
expect_error "get where nothing listens" 1 "shoal: get: "
run get --meta --json 127.0.0.1:1 one two
expect_error "get --meta where nothing listens" 1 "shoal: get: discovery at "
run set 127.0.0.1:1 key do-not-tell
expect_error "set where nothing listens" 1 "shoal: set: "
grep -q do-not-tell "$work/err" && problem="the value is told" || problem=
verdict "an error tells no value" "$problem"
run discover 'host::bad::port'
expect_error "a malformed endpoint" 1 "shoal: discover: "
run discover "$(printf 'bad\nendpoint:x')"
expect_error "an endpoint with a line feed makes one line all the same" 1 "shoal: discover: "
run discover 127.0.0.1:1 -o discovery_intervall_ms=1000
expect_error "an unknown option of the library" 1 "discovery_interval_ms"
run discover 127.0.0.1:1 -o operation_timeout_ms=-5
expect_error "an option out of its range" 1 "operation_timeout_ms"

# --- a fleet ---------------------------------------------------------------------------------------------------------

run local list --dir "$dir"
expect_error "local list where nothing runs" 1 "no 'shoal local' runs in"
run local stop --dir "$dir"
expect_error "local stop where nothing runs" 1 "no 'shoal local' runs in"

start_fleet 3
first_node=$(sed -n "s/^node$tab//p" "$work/local.out" | sed -n 1p)
expected_nodes=$(sed -n "s/^node${tab}127.0.0.1:/localhost${tab}127.0.0.1$tab/p" "$work/local.out")
: >"$work/out"
: >"$work/err"
[ "$(sed -n 1p "$work/local.out")" = "endpoint$tab$endpoint" ] && problem= || problem="the first line is another"
verdict "local prints its endpoint first" "$problem"
[ -s "$work/local.err" ] && problem="$(cat "$work/local.err")" || problem=
verdict "local gives no advice to a program" "$problem"

run local --dir "$dir"
expect_error "a second fleet in the same directory" 1 "another 'shoal local' runs in"
run local --dir "$work/other" --port "${endpoint##*:}"
expect_error "a port that is taken" 1 "cannot use port"
[ ! -e "$work/other" ] && problem= || problem="$work/other was left"
verdict "a fleet that did not start leaves nothing" "$problem"

if command -v nc >/dev/null 2>&1; then
    payload=$(printf '1\n'; sed -n "s/^node${tab}127.0.0.1:/localhost|127.0.0.1|/p" "$work/local.out" |
        tr '\n' ' ' | sed 's/ $//')
    size=$((${#payload} + 1))
    printf 'CONFIG cluster 0 %d\r\n%s\n\r\nEND\r\nVALUE AmazonElastiCache:cluster 0 %d\r\n%s\n\r\nEND\r\nERROR\r\nERROR\r\n' \
        "$size" "$payload" "$size" "$payload" >"$work/wanted"
    {
        printf 'config get cluster\r\nget AmazonElastiCache:cluster\r\nget other\r\n'
        printf '%04000d\r\nquit\r\n' 0
    } | timeout 10 nc 127.0.0.1 "${endpoint##*:}" >"$work/out"
    cmp -s "$work/wanted" "$work/out" && problem= || problem="the answers are other bytes"
    verdict "the endpoint speaks the discovery protocol to the byte" "$problem"
else
    skip "the endpoint speaks the discovery protocol to the byte" "no nc"
fi

run discover "$endpoint"
expect "discover" 0 "version${tab}1
$expected_nodes"
run discover --json "$endpoint"
expect_part "discover --json" 0 '{"version":1,"nodes":[{"host":"localhost","address":"127.0.0.1","port":'

run route "$endpoint" a b
expect_part "route" 0 "a${tab}localhost:" "b${tab}localhost:"
run route --json "$endpoint" a
expect_part "route --json" 0 '[{"key":"a","node":"localhost:'
run route "$endpoint" 'bad key'
expect_error "route of a bad key" 1 "shoal: route: "

# --- items -----------------------------------------------------------------------------------------------------------

run get "$endpoint" nothing
expect_error "get of a missing key" 2 "shoal: get: "
run set "$endpoint" text 'a value'
expect "set says nothing" 0 ""
run get "$endpoint" text
expect "get" 0 "a value"
[ "$(($(wc -c <"$work/out")))" -eq 7 ] && problem= || problem="more than the value"
verdict "get prints the value alone" "$problem"
run set --json "$endpoint" text 'a value'
expect "set --json" 0 '{"key":"text","stored":true}'

byte=0
while [ "$byte" -lt 256 ]; do
    # shellcheck disable=SC2059 # the format is the point
    printf "\\$(printf %03o "$byte")"
    byte=$((byte + 1))
done >"$work/bytes"
run_with_input "$work/bytes" set "$endpoint" bytes --flags 4294967295
expect "set of all bytes from stdin" 0 ""
run get "$endpoint" bytes
cmp -s "$work/bytes" "$work/out" && problem= || problem="other bytes came back"
verdict "get of all bytes" "$problem"
run get --json "$endpoint" bytes
expect_part "get --json of bytes that are no UTF-8" 0 '"value_base64":"AAECAwQFBgcICQ' '"flags":4294967295' '"size":256'
run_with_input /dev/null set "$endpoint" empty -
expect "set of nothing" 0 ""
run get "$endpoint" empty
expect "get of nothing" 0 ""

printf 'tab\there \\ and\nline\001' >"$work/odd"
run_with_input "$work/odd" set "$endpoint" odd
run get "$endpoint" odd text
expect "get of two keys" 0 "odd${tab}0${tab}20${tab}tab\\there \\\\ and\\nline\\0001
text${tab}0${tab}7${tab}a value"
escaped=$(sed -n "s/^odd${tab}0${tab}20$tab//p" "$work/out")
printf %b "$escaped" >"$work/unescaped"
cmp -s "$work/odd" "$work/unescaped" && problem= || problem="printf gives other bytes"
verdict "printf %b reads what get escapes" "$problem"
run get "$endpoint" text nothing
manners 2
[ "$(cat "$work/out")" = "text${tab}0${tab}7${tab}a value" ] || problem="$problem; other output"
verdict "get of a hit and a miss" "$problem"
run get --json "$endpoint" text nothing
expect_part "get --json of a hit and a miss" 2 '"key":"text","found":true,"value":"a value","flags":0,"cas":' \
    '{"key":"nothing","found":false}'
run get --json "$endpoint" text 'bad key'
expect_part "get --json of a good key and a bad one" 1 '"value":"a value"' '"status":"SHOAL_E_BAD_KEY"'

# --- what the server knows of an item --------------------------------------------------------------------------------

# lasts KEY NAME LEAST MOST: whether a line of the output tells so many seconds.
lasts() {
    seconds=$(sed -n "s/^$1$tab$2$tab//p" "$work/out" | grep -x '[0-9][0-9]*')
    [ -n "$seconds" ] && [ "$seconds" -ge "$3" ] && [ "$seconds" -le "$4" ]
}

run set "$endpoint" known 'secret' --flags 7
run set "$endpoint" brief 'secret too' --ttl 7200
run get --meta "$endpoint" known brief
expect_part "get --meta" 0 "known${tab}size${tab}6" "known${tab}flags${tab}7" "known${tab}cas${tab}" \
    "known${tab}ttl${tab}forever" "known${tab}read${tab}no" "brief${tab}size${tab}10" "brief${tab}flags${tab}0"
lasts brief ttl 3600 7200 && problem= || problem="the lifetime left is another"
verdict "get --meta tells the lifetime left" "$problem"
lasts known idle 0 600 && problem= || problem="the time since the last access is another"
verdict "get --meta tells the time since the last access" "$problem"
grep -q secret "$work/out" && problem="the value is told" || problem=
[ "$(($(wc -l <"$work/out")))" -eq 12 ] || problem="$problem; not six lines an item"
verdict "get --meta prints no value" "$problem"
run get --meta "$endpoint" known
expect_part "what get --meta reads counts as read" 0 "known${tab}read${tab}yes"
run get --meta --json "$endpoint" known nothing
expect_part "get --meta --json of a hit and a miss" 2 '[{"key":"known","found":true,"size":6,"flags":7,"cas":' \
    ',"ttl":"forever","idle":' ',"read":true},{"key":"nothing","found":false}]'
run get --meta --json "$endpoint" brief 'bad key'
expect_part "get --meta --json of a good key and a bad one" 1 '"size":10' '"ttl":7' '"status":"SHOAL_E_BAD_KEY"'
run get --meta "$endpoint" nothing
expect_error "get --meta of a missing key" 2 "there is no item under this key"
run get --meta "$endpoint" 'bad key'
expect_error "get --meta of a bad key" 1 "shoal: get: the key of 7 bytes"
run get --meta "$endpoint" known nothing
manners 2
grep -q '1 of 2 keys' "$work/err" || problem="$problem; how many is not told"
grep -q "^known${tab}size${tab}6$" "$work/out" || problem="$problem; the hit is not told"
verdict "get --meta of a hit and a miss" "$problem"
run get --meta "$endpoint" known -o protocol=libmemcached
expect_part "get --meta by the classic protocol" 0 "known${tab}size${tab}6" "known${tab}flags${tab}7" \
    "known${tab}ttl${tab}unknown" "known${tab}idle${tab}unknown" "known${tab}read${tab}unknown"
run get --meta --json "$endpoint" known -o protocol=libmemcached
expect_part "get --meta --json by the classic protocol" 0 '"flags":7,' '"ttl":null,"idle":null,"read":null}]'

# --- storing in other ways -------------------------------------------------------------------------------------------

run set "$endpoint" text other --mode add
expect_error "add where an item is" 2 "not stored"
run set "$endpoint" new first --mode add
expect "add" 0 ""
run set "$endpoint" new second --mode replace
expect "replace" 0 ""
run set "$endpoint" new -third --mode=append
expect_error "a value that looks like an option" 64 "see 'shoal set --help'"
run set --mode=append -- "$endpoint" new -third
expect "append, behind --" 0 ""
run set --mode=prepend "$endpoint" new -1
expect "prepend, of a negative number" 0 ""
run get "$endpoint" new
expect "what they made" 0 "-1second-third"
run set "$endpoint" absent x --mode append
expect_error "append where no item is" 2 "not stored"
run set --json "$endpoint" absent x --mode replace
expect "replace --json where no item is" 2 '{"key":"absent","stored":false}'
run set "$endpoint" gone x --ttl -1
expect "set with a negative --ttl" 0 ""
run get "$endpoint" gone
expect_error "is gone at once" 2 "shoal: get: "
run set "$endpoint" prefixed x -o key_prefix=p:
run get "$endpoint?key_prefix=p:" prefixed
expect "an option, set with -o and in the endpoint" 0 "x"
run get "$endpoint" prefixed
expect_error "without it the key is another" 2 "shoal: get: "
run set "$endpoint" 'bad key' x
expect_error "set of a bad key" 1 "shoal: set: "

run increment "$endpoint" hits
expect_error "increment of a missing key" 2 "shoal: increment: "
run increment "$endpoint" hits 3 --initial 5
expect "increment --initial" 0 5
run increment "$endpoint" hits
expect "increment" 0 6
run increment "$endpoint" hits 10
expect "increment by 10" 0 16
run increment "$endpoint" hits -5
expect "increment by -5" 0 11
run increment "$endpoint" hits -- -7
expect "increment by -7, behind --" 0 4
run increment --json "$endpoint" hits -9
expect "increment --json, not below 0" 0 '{"key":"hits","found":true,"value":0}'
run increment "$endpoint" big --initial 18446744073709551615
expect "increment --initial of 64 bits" 0 18446744073709551615
run increment --json "$endpoint" absent
expect "increment --json of a missing key" 2 '{"key":"absent","found":false}'
run increment "$endpoint" text
expect_error "increment of what is no number" 1 "shoal: increment: "

run touch "$endpoint" text hits --ttl 3600
expect "touch" 0 ""
run touch "$endpoint" text absent --ttl 3600
expect_error "touch of a missing key" 2 "1 of 2 keys"
run touch --json "$endpoint" text absent --ttl 3600
expect "touch --json" 2 '[{"key":"text","touched":true},{"key":"absent","touched":false}]'
run touch "$endpoint" 'bad key' --ttl 3600
expect_error "touch of a bad key" 1 "shoal: touch: "
run touch "$endpoint" big --ttl -1
expect "touch with a negative --ttl" 0 ""
run get "$endpoint" big
expect_error "ends the item" 2 "shoal: get: "

run delete "$endpoint" text hits
expect "delete" 0 ""
run delete "$endpoint" text
expect_error "delete of a missing key" 2 "shoal: delete: "
run delete --json "$endpoint" new text
expect "delete --json" 2 '[{"key":"new","deleted":true},{"key":"text","deleted":false}]'

if [ -w /dev/full ]; then
    timeout 30 "$shoal" get "$endpoint" bytes >/dev/full 2>"$work/err"
    status=$?
    : >"$work/out"
    expect_error "get into a full disk" 1 "could be written"
fi
{
    timeout 30 "$shoal" get "$endpoint" bytes 2>"$work/err"
    echo $? >"$work/status"
} | :
wait_for 10 test -s "$work/status"
[ "$(cat "$work/status")" -eq 1 ] || [ "$(cat "$work/status")" -eq 0 ] && problem= || problem="status $(cat "$work/status")"
[ ! -s "$work/err" ] || problem="$problem; stderr is not empty"
verdict "a reader that went away is no cause for words" "$problem"

# --- nodes that come and go ------------------------------------------------------------------------------------------

run local list --dir "$dir"
expect_part "local list" 0 "endpoint$tab$endpoint" "version${tab}1" "node$tab$first_node${tab}up"
run local add --dir "$dir"
expect_part "local add" 0 "version${tab}2" "added${tab}127.0.0.1:"
added=$(sed -n "s/^added$tab//p" "$work/out")
run discover "$endpoint"
expect_part "discover finds the new node" 0 "version${tab}2" "localhost${tab}127.0.0.1$tab${added##*:}"
run set "$added" direct yes
expect "the new node works by itself" 0 ""
run local remove --dir "$dir"
expect "local remove takes the newest" 0 "version${tab}3
removed$tab$added"
run local remove --dir "$dir" "$first_node" --grace 1
expect "local remove takes the one that is named" 0 "version${tab}4
removed$tab$first_node"
run set "$first_node" direct yes
expect "it runs until its grace is over" 0 ""
is_gone() {
    run get "$first_node" direct
    [ "$status" -eq 1 ]
}
wait_for 10 is_gone && problem= || problem="it still answers"
verdict "and then no longer" "$problem"
run local remove --dir "$dir" 1
expect_error "local remove of a node that is not there" 1 "no node 127.0.0.1:1"

run local list --json --dir "$dir"
expect_part "local list --json" 0 "\"endpoint\":\"$endpoint\",\"version\":4" '"state":"up"'
victim=$(sed -n 's/.*"pid":\([0-9]*\)}.*/\1/p' "$work/out") # the last one
kill -KILL "$victim"
is_told() {
    grep -q "process $victim" "$work/local.err"
}
wait_for 10 is_told && problem= || problem="nothing on the fleet's stderr"
verdict "a memcached that dies is told" "$problem"
run local list --dir "$dir"
expect_part "it stays in the list" 0 "version${tab}4" "${tab}down"
run local remove --dir "$dir"
expect_part "until it is removed" 0 "version${tab}5" "removed$tab"
run local remove --dir "$dir"
expect_error "the last node cannot be removed" 1 "the last node"

# --- its end ---------------------------------------------------------------------------------------------------------

run local stop --dir "$dir"
expect "local stop" 0 ""
wait "$fleet"
status=$?
fleet=
: >"$work/out"
: >"$work/err"
expect "the fleet ends in status 0" 0 ""
[ ! -e "$dir" ] && problem= || problem="$dir was left"
verdict "it leaves nothing behind" "$problem"
run discover "$endpoint"
expect_error "its endpoint is gone" 1 "shoal: discover: "

# Killed without a word, it leaves a socket: the next fleet takes its place, and no memcached outlives it.
"$shoal" local --dir "$dir" --nodes 1 >"$work/local.out" 2>"$work/local.err" &
fleet=$!
has_one_node() {
    grep -q "^node$tab" "$work/local.out"
}
wait_for 10 has_one_node
orphan=$(sed -n "s/^node$tab//p" "$work/local.out")
kill -KILL "$fleet"
wait "$fleet" 2>/dev/null
: >"$work/local.out"
run local list --dir "$dir"
expect_error "local list where the fleet was killed" 1 "no 'shoal local' runs in"
is_orphan_gone() {
    run get "$orphan" key
    [ "$status" -eq 1 ]
}
wait_for 10 is_orphan_gone && problem= || problem="it still answers"
verdict "no memcached outlives a fleet that was killed" "$problem"
"$shoal" local --dir "$dir" --nodes 1 --json >"$work/local.out" 2>"$work/local.err" &
fleet=$!
has_json() {
    grep -q '^{"endpoint":"127.0.0.1:' "$work/local.out"
}
wait_for 10 has_json && problem= || problem="it did not start"
verdict "a fleet takes the place of one that was killed" "$problem"
kill -TERM "$fleet"
wait "$fleet"
status=$?
fleet=
: >"$work/out"
: >"$work/err"
expect "SIGTERM ends a fleet in order" 0 ""

finish
