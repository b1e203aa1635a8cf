"""What test_gunicorn.py serves: each request writes keys of its caller's own, and reads what the one before wrote.

May import: the standard library and shoal. SHOAL_ENDPOINT names the fleet.
"""
import os

import shoal

CACHE = shoal.Client(os.environ["SHOAL_ENDPOINT"], operation_timeout_ms=10000, codec="pickle")
# Where gunicorn preloads this, connections and the background thread are there before it forks.
CACHE.set("before", "the fork")


def wrong_values(caller, turn):
    """What is not as it was written: by the caller's last request, whichever worker had it, or by this one."""
    keys = [f"{caller}-{i}" for i in range(5)]
    before = CACHE.get_many(keys)
    values = {key: (caller, turn, key) for key in keys}
    left = CACHE.set_many(values)
    after = CACHE.get_many(keys)
    single = {key: CACHE.get(key) for key in keys}
    expected = {key: (caller, turn - 1, key) for key in keys} if turn else {}
    found = {"before": (before, expected), "not stored": (left, []), "after": (after, values),
             "single": (single, values), "of the fork": (CACHE.get("before"), "the fork"),
             "turns": (CACHE.increment(caller, initial=0), turn)}
    return {name: pair for name, pair in found.items() if pair[0] != pair[1]}


def application(environ, start_response):
    """Answers /CALLER/TURN with its process's number, or 500 with what was wrong."""
    caller, turn = environ["PATH_INFO"].strip("/").split("/")
    wrong = wrong_values(caller, int(turn))
    body = (str(wrong) if wrong else str(os.getpid())).encode()
    start_response("500 Wrong" if wrong else "200 OK", [("Content-Length", str(len(body)))])
    return [body]
