"""No kind of call leaves memory or references behind, whether it hits, misses or fails.

May import: the standard library, shoal and support.
"""
import contextlib
import gc
import logging
import os
import sys
import tracemalloc
import unittest

import shoal
from support import FleetTest

RUNS = 500
# Half of Python's smallest object a run. What the interpreter keeps to use again has grown to its size before.
LEFT_BYTES = RUNS * 16

KEY, TEXT_KEY, MISSING, BAD, UNREADABLE = b"key-of-bytes", "ключ", "missing-key", "bad key", "unreadable"
VALUE = bytes(range(256)) * 8
PAIRS = {KEY: VALUE, TEXT_KEY: bytearray(VALUE)}


class Refusing(shoal.Codec):
    """Its decode raises, and its encode gives what it is given, nonsense too."""

    def encode(self, value):
        return value

    def decode(self, data, flags):
        raise LookupError("mine")


def calls_of(cache, json, refusing, dead, closed):
    """Every kind of call, by clients that are of use and of none."""
    yield lambda: cache.set(KEY, VALUE)
    yield lambda: cache.set(TEXT_KEY, memoryview(VALUE)[1:])
    yield lambda: (cache.get(KEY), cache.get(TEXT_KEY), cache.get(MISSING), cache.gets(KEY), cache.gets(MISSING))
    yield lambda: (cache.get_and_touch(KEY, 50), cache.get_and_touch(MISSING, 50), cache.touch(KEY, 1.5))
    yield lambda: cache.cas(KEY, VALUE, cache.gets(KEY)[1])
    yield lambda: (cache.add(KEY, VALUE), cache.replace(MISSING, VALUE), cache.append(MISSING, VALUE))
    yield lambda: (cache.delete(MISSING), cache.increment(MISSING), cache.increment("n", 2**40, initial=2**63))
    yield lambda: cache.set_many(PAIRS)
    yield lambda: cache.set_many({**PAIRS, BAD: VALUE})
    yield lambda: cache.get_many([KEY, TEXT_KEY, MISSING])
    yield lambda: (cache.delete_many([KEY, MISSING, BAD]), cache.set(KEY, VALUE))
    yield lambda: json.get_many([KEY, TEXT_KEY]) if json.set_many({KEY: [1], TEXT_KEY: "text" * 900}) == [] else None
    yield lambda: (cache.fetch("odd", lambda: VALUE, 50), cache.fetch("odd", None), cache.delete("odd"))
    yield lambda: cache.fetch(KEY, lambda: 1 / 0)
    yield lambda: (cache.delete("odd"), cache.fetch("odd", lambda: "text"))
    yield lambda: (cache.delete("odd"), cache.fetch("odd", lambda: cache.fetch(BAD, None)))
    yield lambda: json.fetch(UNREADABLE, lambda: cache)
    yield lambda: (cache.route(KEY), cache.topology(), cache.nodes())
    yield lambda: cache.get(BAD)
    yield lambda: cache.get(5)
    yield lambda: cache.get_many([KEY, BAD, TEXT_KEY])
    yield lambda: cache.get_many([KEY, 5])
    yield lambda: cache.get_many(5)
    yield lambda: cache.set(KEY, "text")
    yield lambda: cache.set(KEY, VALUE, None)
    yield lambda: cache.set_many({KEY: VALUE, 5: VALUE})
    yield lambda: cache.set_many({KEY: VALUE, "\udc80": VALUE})
    yield lambda: cache.increment(KEY, -2**70)
    yield lambda: cache.increment(KEY, initial=-1)
    yield lambda: cache.increment(KEY)
    yield lambda: json.get(UNREADABLE)
    yield lambda: json.get_many([KEY, UNREADABLE, TEXT_KEY, UNREADABLE])
    yield lambda: refusing.get(KEY)
    yield lambda: refusing.get_many([KEY, TEXT_KEY])
    yield lambda: refusing.set(KEY, ("text", 0))
    yield lambda: refusing.set_many({KEY: (VALUE, 2**40)})
    yield lambda: dead.get(KEY)
    yield lambda: dead.fetch(KEY, lambda: VALUE)
    yield lambda: shoal.Client("static://127.0.0.1:1", on_node_failure="miss").fetch(KEY, lambda: VALUE)
    yield lambda: cache.fetch(KEY, lambda: VALUE, stale_ttl=None)
    yield lambda: dead.get_many([KEY, TEXT_KEY])
    yield lambda: dead.set_many(PAIRS)
    yield lambda: closed.get(KEY)
    yield lambda: closed.get_many([KEY])
    yield lambda: shoal.Client("static://a:1", key_prefx=5)
    yield lambda: shoal.Client("static://a:1", codec="json", compress="zlib").close()


def run(call, times):
    """Calls again and again; what is raised is part of it."""
    for _ in range(times):
        with contextlib.suppress(Exception):
            call()


def references():
    """How many there are to what the callers hold."""
    return [sys.getrefcount(each) for each in (KEY, TEXT_KEY, MISSING, BAD, UNREADABLE, VALUE, PAIRS[TEXT_KEY])]


def resident_bytes():
    """What this process takes of memory, C's included."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class Memory(FleetTest):
    def test_no_call_leaves_anything(self):
        closed = self.client()
        closed.close()
        calls = calls_of(self.client(), self.client(codec=shoal.JsonCodec("zlib", 100)), self.client(codec=Refusing()),
                         shoal.Client("static://127.0.0.1:1"), closed)
        self.client(codec=Refusing()).set(UNREADABLE, (b"{", 1))
        logger = logging.getLogger("shoal")  # told of what could not be stored
        logger.addHandler(silence := logging.NullHandler())
        self.addCleanup(logger.removeHandler, silence)
        tracemalloc.start()
        self.addCleanup(tracemalloc.stop)
        for number, call in enumerate(calls):
            with self.subTest(number):
                run(call, 2 * RUNS)
                gc.collect()
                held, before = references(), tracemalloc.get_traced_memory()[0]
                run(call, RUNS)
                gc.collect()
                self.assertLess(tracemalloc.get_traced_memory()[0] - before, LEFT_BYTES)
                self.assertEqual(references(), held)

    def test_large_values_go(self):
        cache, large = self.client(codec="pickle", compress="zlib"), os.urandom(450_000).hex().encode()
        cache.set("k", large)

        def call():
            cache.set("other", large)
            self.assertEqual(cache.get("k"), large)
            self.assertEqual(cache.get_many(["k"]), {"k": large})

        run(call, 10)
        before = resident_bytes()
        run(call, 40)
        # One value a call, compressed, would be 20 MB.
        self.assertLess(resident_bytes() - before, 12_000_000)


if __name__ == "__main__":
    unittest.main()
