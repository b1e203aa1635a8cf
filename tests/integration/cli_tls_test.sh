#!/bin/sh
# `shoal local --tls` from the outside: a fleet with certificates of its own, and the other commands on it.
# Usage: cli_tls_test.sh PATH_OF_SHOAL. Needs a memcached with TLS and openssl; prints TAP.
# shellcheck disable=SC2154,SC3043 # what cli_support.sh sets; `local` is a command of shoal here
# shellcheck source=tests/integration/cli_support.sh
. "$(dirname "$0")/cli_support.sh"
# What memcached would split its options at, a shell its words, and an endpoint its own; closed to everybody else.
dir="$work/a fleet, of 50% & more"

# check NAME COMMAND...: passes where the command succeeds.
check() {
    name=$1
    shift
    "$@" && problem= || problem="$* failed"
    verdict "$name" "$problem"
}

start_fleet 3 --tls
port=${endpoint%%\?*}
port=${port##*:}
: >"$work/out"
: >"$work/err"
[ "$endpoint" = "elasticaches://localhost:$port?tls_ca_file=$(printf %s "$dir/tls/ca.pem" |
    sed 's/%/%25/g; s/ /%20/g; s/,/%2C/g; s/&/%26/g')" ] && problem= || problem="it is $endpoint"
verdict "the endpoint names its authority, and can be pasted" "$problem"
expected_nodes=$(sed -n "s/^node${tab}127.0.0.1:/localhost${tab}127.0.0.1$tab/p" "$work/local.out")

# --- what is in the directory ----------------------------------------------------------------------------------------

[ "$(ls "$dir/tls")" = "ca.pem
server.key
server.pem" ] && problem= || problem="other files: $(ls "$dir/tls")"
verdict "the authority's key is not kept" "$problem"
check "the servers' key is theirs alone" test "$(stat -c %a "$dir/tls/server.key")" = 600
check "anybody may read the authority's certificate" test "$(stat -c %a "$dir/tls/ca.pem")" = 644

# --- the other commands on it ----------------------------------------------------------------------------------------

run discover "$endpoint"
expect "discover" 0 "version${tab}1
$expected_nodes"
run set "$endpoint" text 'a value'
expect "set" 0 ""
run get "$endpoint" text
expect "get" 0 "a value"
run get --meta "$endpoint" text
expect_part "get --meta" 0 "text${tab}size${tab}7"
run increment "$endpoint" hits 3 --initial 5
expect "increment" 0 5
run touch "$endpoint" text hits --ttl 3600
expect "touch" 0 ""
run delete "$endpoint" hits
expect "delete" 0 ""
run route "$endpoint" a b
expect_part "route" 0 "a${tab}localhost:" "b${tab}localhost:"
run status "$endpoint"
manners 0
[ "$(grep -c "${tab}up$tab" "$work/out")" -eq 3 ] || problem="$problem; not three nodes that are up"
verdict "status" "$problem"
run stats "$endpoint" settings
manners 0
[ "$(grep -c "${tab}ssl_enabled${tab}yes" "$work/out")" -eq 3 ] || problem="$problem; not three nodes with TLS"
verdict "stats" "$problem"
node=$(sed -n "s/^node$tab//p" "$work/local.out" | sed -n 1p)
run set "$node?tls=true&${endpoint#*\?}" direct yes
expect "a node alone, by its address" 0 ""

# --- whom it is not for ----------------------------------------------------------------------------------------------

run get "elasticaches://localhost:$port" text
expect_error "who trusts another authority is told" 1 "tls_ca_file"
run get "$endpoint" text -o tls_server_name=cache.example
expect_error "who expects another name is told" 1 "cache.example"
run get "localhost:$port" text
expect_error "who speaks no TLS gets nothing" 1 "shoal: get: "

# --- nodes that come and go ------------------------------------------------------------------------------------------

run local add --dir "$dir"
expect_part "local add" 0 "version${tab}2" "added${tab}127.0.0.1:"
added=$(sed -n "s/^added$tab//p" "$work/out")
run discover "$endpoint"
expect "discover finds the new node" 0 "version${tab}2
$expected_nodes
localhost${tab}127.0.0.1$tab${added##*:}"
run local remove --dir "$dir"
expect "local remove" 0 "version${tab}3
removed$tab$added"
run discover "$endpoint"
expect "discover misses it" 0 "version${tab}3
$expected_nodes"
run local list --json --dir "$dir"
expect_part "local list --json" 0 "{\"endpoint\":\"$endpoint\",\"version\":3,\"nodes\":[{\"host\":\"localhost\","
run local --tls --dir "$work/other" --port "$port"
expect_error "a port that is taken" 1 "cannot use port $port"
check "a fleet that did not start leaves nothing" test ! -e "$work/other"

# --- its end ---------------------------------------------------------------------------------------------------------

run local stop --dir "$dir"
expect "local stop" 0 ""
wait "$fleet"
status=$?
fleet=
: >"$work/out"
: >"$work/err"
expect "the fleet ends in status 0" 0 ""
check "it leaves nothing behind" test ! -e "$dir"

# Killed without a word, it leaves its files: the next fleet takes their place.
start_fleet 1 --tls
kill -KILL "$fleet"
wait "$fleet" 2>/dev/null
check "a fleet that was killed leaves its certificates" test -e "$dir/tls/server.key"
start_fleet 1 --tls
run set "$endpoint" text 'another value'
expect "the next one makes its own" 0 ""

# The endpoint is a process of its own, and nothing goes without it.
port=${endpoint%%\?*}
port=${port##*:}
for process in /proc/[0-9]*; do
    if grep -q "^PPid:.$fleet$" "$process/status" && tr '\0' ' ' <"$process/cmdline" | grep -q -e " -p $port "; then
        victim=${process##*/}
    fi
done 2>/dev/null
kill -KILL "$victim"
wait "$fleet"
status=$?
fleet=
: >"$work/out"
grep "^shoal: " "$work/local.err" >"$work/err" # memcached may have said something too
expect_error "a fleet whose endpoint dies tells so" 1 "endpoint's memcached (process $victim) ended"
check "and leaves no certificate behind" test ! -e "$dir/tls"

# --- openssl ---------------------------------------------------------------------------------------------------------

mkdir "$work/bin"
printf '#!/bin/sh\necho one >&2\necho "no entropy today" >&2\nexit 3\n' >"$work/bin/openssl"
chmod +x "$work/bin/openssl"
path=$PATH
PATH=$work/bin:$path
run local --tls --dir "$work/other"
PATH=$path
expect_error "an openssl that fails is told with its last word" 1 "openssl ended with status 3: no entropy today"
check "and leaves nothing" test ! -e "$work/other"

# In a namespace of its own, where /dev/null stands in its place.
hidden="mount --bind /dev/null /usr/bin/openssl && PATH=/usr/bin exec $(command -v timeout) 30 \"\$0\" \"\$@\""
if unshare --user --map-root-user --mount sh -c "$hidden" true 2>/dev/null; then
    unshare --user --map-root-user --mount sh -c "$hidden" "$shoal" local --tls --dir "$work/other" \
        >"$work/out" 2>"$work/err"
    status=$?
    expect_error "no openssl is told with the package" 1 "no openssl in PATH or /usr/bin; install the package openssl"
    check "and leaves nothing either" test ! -e "$work/other"
else
    skip "no openssl is told with the package" "no namespaces"
fi

finish
