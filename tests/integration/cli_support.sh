# What the tests of the `shoal` command share: running it, judging what came of it, a fleet of `shoal local`.
# Read by cli_*test.sh with the path of the command as $1; they print TAP. Ends only what it started, by process id.
# shellcheck shell=sh disable=SC2034,SC3043 # some names are for the readers; `local` is a command of shoal
set -u
shoal=${1:?usage: $0 PATH_OF_SHOAL}
work=$(mktemp -d "${TMPDIR:-/tmp}/shoal-cli.XXXXXX") || exit 1
dir=$work/fleet
fleet=
endpoint=
frozen=  # the process of a node that was stopped
watcher= # a process that would go on for ever
count=0
failures=0

clean_up() {
    [ -z "$frozen" ] || kill -CONT "$frozen"
    [ -z "$watcher" ] || kill "$watcher"
    if [ -n "$fleet" ] && kill "$fleet" 2>/dev/null; then
        wait "$fleet"
    fi
    rm -r "$work"
}
trap clean_up EXIT
trap 'exit 1' HUP INT TERM

# Runs shoal within 30 s: `status`, $work/out and $work/err tell what came of it.
run() {
    timeout 30 "$shoal" "$@" >"$work/out" 2>"$work/err" </dev/null
    status=$?
}

run_with_input() {
    input=$1
    shift
    timeout 30 "$shoal" "$@" >"$work/out" 2>"$work/err" <"$input"
    status=$?
}

# verdict NAME PROBLEM: an empty problem is a pass.
verdict() {
    count=$((count + 1))
    if [ -z "$2" ]; then
        echo "ok $count - $1"
    else
        failures=$((failures + 1))
        echo "not ok $count - $1"
        echo "# $2"
        sed 's/^/# stdout: /' "$work/out"
        sed 's/^/# stderr: /' "$work/err"
    fi
}

# skip NAME REASON
skip() {
    count=$((count + 1))
    echo "ok $count - $1 # SKIP $2"
}

# What every run has to obey: this status; one line on stderr where it is not 0, none where it is.
manners() {
    problem=
    lines=$(($(wc -l <"$work/err")))
    [ "$status" -eq "$1" ] || problem="exit status $status, wanted $1"
    if [ "$1" -eq 0 ] && [ "$lines" -ne 0 ]; then
        problem="$problem; stderr is not empty"
    elif [ "$1" -ne 0 ] && [ "$lines" -ne 1 ]; then
        problem="$problem; $lines lines on stderr"
    elif [ "$1" -ne 0 ] && ! grep -q '^shoal: ' "$work/err"; then
        problem="$problem; stderr does not start with shoal:"
    fi
}

# expect NAME STATUS TEXT: the whole of stdout, without its last line feed.
expect() {
    manners "$2"
    [ "$(cat "$work/out")" = "$3" ] || problem="$problem; other output than: $3"
    verdict "$1" "$problem"
}

# expect_part NAME STATUS TEXT...: stdout holds each text.
expect_part() {
    name=$1
    manners "$2"
    shift 2
    for text in "$@"; do
        grep -qF -e "$text" "$work/out" || problem="$problem; no '$text' in the output"
    done
    verdict "$name" "$problem"
}

# expect_error NAME STATUS TEXT: nothing on stdout, the text in the one line on stderr.
expect_error() {
    manners "$2"
    [ ! -s "$work/out" ] || problem="$problem; stdout is not empty"
    grep -qF -e "$3" "$work/err" || problem="$problem; no '$3' on stderr"
    verdict "$1" "$problem"
}

# wait_for SECONDS COMMAND...: until the command succeeds.
wait_for() {
    left=$(($1 * 20))
    shift
    until "$@"; do
        left=$((left - 1))
        [ "$left" -gt 0 ] || return 1
        sleep 0.05
    done
}

tab=$(printf '\t')

has_started() {
    [ "$(grep -c "^node$tab" "$work/local.out")" -eq "$nodes" ]
}

# start_fleet NODES [OPTION...]: sets `fleet`, its process, and `endpoint`; $work/local.out and $work/local.err hold
# what it says.
start_fleet() {
    nodes=$1
    shift
    : >"$work/local.out"
    "$shoal" local --dir "$dir" --nodes "$nodes" "$@" >"$work/local.out" 2>"$work/local.err" &
    fleet=$!
    if ! wait_for 10 has_started; then
        echo "Bail out! shoal local did not start: $(cat "$work/local.err")"
        exit 1
    fi
    endpoint=$(sed -n "s/^endpoint$tab//p" "$work/local.out")
}

finish() {
    echo "1..$count"
    [ "$failures" -eq 0 ]
}
