"""Does what fetch.py asks for, by Python's client. Argument: a file for computations, a line each: when it began and when
it ended, in nanoseconds of the machine's clock.

It answers a line `ready`, and then each line `ENDPOINT KEY SECONDS TTL STALE_TTL COST_MS` by fetching that key, at least once
and until these seconds are over, with a pause after each call; a computation takes COST_MS. Then it tells how many calls
there were, how many of them took half a computation's time or longer, the longest in nanoseconds, and how many gave a wrong
value. A call in which it computes itself counts up to there.

May import: the standard library and shoal.
"""
import os
import sys
import time

import shoal

PAUSE_S = 0.05


def run(journal, endpoint, key, seconds, ttl_s, stale_ttl_s, cost_ms):
    """Fetches; what to tell of it."""
    client = shoal.Client(endpoint)
    value = f"value of {key}".encode()
    half_ns = int(cost_ms) * 1_000_000 // 2
    until = time.monotonic() + int(seconds)
    calls = slow = longest = wrong = 0
    ended = None

    def compute():
        nonlocal ended
        ended = begun = time.monotonic_ns()
        time.sleep(int(cost_ms) / 1000)
        os.write(journal, b"%d %d\n" % (begun, time.monotonic_ns()))
        return value

    while calls == 0 or time.monotonic() < until:
        begun, ended = time.monotonic_ns(), None
        wrong += client.fetch(key, compute, int(ttl_s), stale_ttl=int(stale_ttl_s)) != value
        waited = (ended or time.monotonic_ns()) - begun
        longest = max(longest, waited)
        slow += waited >= half_ns
        calls += 1
        time.sleep(PAUSE_S)
    return calls, slow, longest, wrong


def main():
    journal = os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    print("ready", flush=True)
    for line in sys.stdin:
        print(*run(journal, *line.split()), flush=True)


main()
