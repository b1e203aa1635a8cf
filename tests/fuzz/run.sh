#!/bin/sh
# Runs one fuzz target on its corpus: for a few seconds from a fixed seed, or for $SHOAL_FUZZ_SECONDS from another seed
# each time, keeping what it learns in BUILD/corpus/NAME. An input that fails is kept in BUILD/failures and printed.
# Arguments: the program, its name, the build folder.
set -u

program=$1
name=$2
build=$3
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
failures=$build/failures
log=$build/$name.log

# The first folder is the one that libFuzzer writes to.
if [ -n "${SHOAL_FUZZ_SECONDS-}" ]; then
    learnt=$build/corpus/$name
    set -- -max_total_time="$SHOAL_FUZZ_SECONDS"
else
    learnt=$build/short/$name
    rm -rf "$learnt"
    set -- -seed=1 -max_total_time=6
fi
mkdir -p "$learnt" "$failures"
[ ! -f "$here/$name.dict" ] || set -- "$@" -dict="$here/$name.dict"

# No input here needs seconds or megabytes; 1024 bytes go past every bound but that of a whole reply. Nor does
# AddressSanitizer need its usual 256 MB to watch what is freed.
export ASAN_OPTIONS="quarantine_size_mb=16${ASAN_OPTIONS:+:$ASAN_OPTIONS}"
rm -f "$failures/$name-"*
"$program" "$@" -max_len=1024 -timeout=10 -malloc_limit_mb=16 -print_final_stats=1 \
    -artifact_prefix="$failures/$name-" "$learnt" "$here/corpus/$name" >"$log" 2>&1
status=$?
if [ "$status" -eq 0 ]; then
    grep -E '^(Done |stat::(number|average|new_units))' "$log"
    exit 0
fi
tail -n 100 "$log"
for input in "$failures/$name-"*; do
    [ -f "$input" ] || continue
    echo "-- the input that failed; again with: $program $input"
    od -A d -t x1z "$input"
done
exit 1
