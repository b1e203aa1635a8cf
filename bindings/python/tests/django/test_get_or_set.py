"""get_or_set: what Django says of it, by one caller at a time; and with OPTIONS["stale_ttl"] the old value for the others.

May import: the standard library, Django, shoal, config and support.
"""
import asyncio
import threading
import time
import unittest

from config import CacheTest
from django.core.cache.backends.base import BaseCache
from django.core.exceptions import ImproperlyConfigured

import shoal
from shoal.django import ShoalCache
from support import Memcached, eventually, run_all

PATIENCE_MS = 60000  # for others' computations: it never comes to that
IS_ASYNC = hasattr(BaseCache, "aget_or_set")


def fail():
    """A default that nobody should ask for."""
    raise AssertionError("called")


class GetOrSetTest(CacheTest):
    NODES = 2

    def setUp(self):
        super().setUp()
        self.patience["fetch_wait_ms"] = PATIENCE_MS

    def counted(self, value="made", seconds=0.0):
        """A default, and the list of its calls."""
        calls = []

        def default():
            calls.append(1)
            time.sleep(seconds)
            return value

        return default, calls


class AsDjangoSays(GetOrSetTest):
    def test_what_is_there_is_returned_whoever_stored_it(self):
        cache = self.cache()
        for number, value in enumerate((1, None, "", [])):
            cache.set(f"k{number}", value)
            self.assertEqual(cache.get_or_set(f"k{number}", fail), value)
        cache.add("added", 1)
        self.assertEqual((cache.get_or_set("added", 2), cache.get_or_set("added", fail, timeout="nonsense")), (1, 1))

    def test_values_callables_and_none(self):
        cache = self.cache()
        for number, (default, value) in enumerate(((5, 5), (None, None), (lambda: 5, 5), (lambda: None, None), (dict, {}))):
            key = f"k{number}"
            self.assertEqual(cache.get_or_set(key, default), value)
            self.assertEqual((cache.get(key, "missing"), cache.get_or_set(key, fail)), (value, value))

    def test_timeouts_and_versions(self):
        cache = self.cache(KEY_PREFIX="p")
        for timeout in (0, -1, -0.5):
            for _ in range(2):
                self.assertEqual(cache.get_or_set("never", lambda: "made", timeout), "made")
            self.assertIs(cache.has_key("never"), False)
        self.assertEqual(cache.get_or_set("k", lambda: 1, None, version=5), 1)
        self.assertEqual((cache.get("k"), cache.get("k", version=5)), (None, 1))
        cache.get_or_set("short", lambda: 1, 1)
        self.assertTrue(eventually(lambda: not cache.has_key("short")))
        with self.assertRaises(TypeError):
            cache.get_or_set("other", lambda: 1, "nonsense")

    def test_what_another_stored_meanwhile_is_returned(self):
        cache = self.cache()

        def default():
            cache.set("k", "theirs")
            return "mine"

        self.assertEqual((cache.get_or_set("k", default), cache.get("k")), ("theirs", "theirs"))

    def test_overridden_methods_are_used(self):
        class Upper(ShoalCache):
            """A project's own."""

            def add(self, key, value, *arguments, **options):
                return super().add(key, value.upper(), *arguments, **options)

        cache = Upper(self.names, {"OPTIONS": self.patience})
        self.assertEqual(cache.get_or_set("k", lambda: "made"), "MADE")


class Turns(GetOrSetTest):
    def test_one_of_a_crowd_calls_its_default(self):
        for options in ({}, {"stale_ttl": 100}):
            cache, results = self.cache(options=options), []
            default, calls = self.counted(seconds=0.2)
            run_all(*[lambda: results.append(cache.get_or_set(f"k{len(options)}", default))] * 8)  # pylint: disable=W0640
            self.assertEqual((len(calls), results), (1, ["made"] * 8))

    def test_what_a_default_raises_is_raised_and_the_next_is_called_at_once(self):
        for options in ({}, {"stale_ttl": 100}):
            cache, key = self.cache(options=options), f"k{len(options)}"
            for error in (LookupError, shoal.Timeout, KeyboardInterrupt):
                def default(error=error):
                    raise error("mine")

                with self.assertRaisesRegex(error, "mine"):
                    cache.get_or_set(key, default)
            begin = time.monotonic()
            self.assertEqual(cache.get_or_set(key, lambda: "made"), "made")
            self.assertLess(time.monotonic() - begin, PATIENCE_MS / 2000)

    def test_what_cannot_be_read_is_no_value(self):
        self.cache(options={"codec": "json"}).set("k", {"no": "pickle"})
        with self.assertLogs("shoal.django", "ERROR"):
            self.assertEqual(self.cache().get_or_set("k", lambda: "made"), "made")
        fetching = self.cache(options={"stale_ttl": 100})
        self.assertEqual([fetching.get_or_set("k", lambda: "made"), fetching.get("k")], ["made"] * 2)
        # Where it counts as fresh, too.
        self.cache(options={"codec": "json"}).set("k", {"no": "pickle"})
        with self.assertLogs("shoal.django", "ERROR"):
            self.assertEqual(fetching.get_or_set("k", lambda: "made"), "made")

    def test_a_node_that_is_down(self):
        dead = Memcached()
        dead.stop()
        for options in ({}, {"stale_ttl": 100}):
            cache = self.cache([dead.name], options)
            with self.assertLogs("shoal.django", "WARNING"):
                self.assertEqual(cache.get_or_set("k", lambda: "made"), "made")
            with self.assertRaises(shoal.Error):
                self.cache([dead.name], {**options, "on_node_failure": "error"}).get_or_set("k", fail)


class OldValues(GetOrSetTest):
    def test_they_are_served_while_one_computes(self):
        cache, computing, over = self.cache(options={"stale_ttl": 100}), threading.Event(), threading.Event()
        cache.set("k", "old")  # as one that has run out

        def default():
            computing.set()
            self.assertTrue(over.wait(20))
            return "new"

        def read():
            self.assertTrue(computing.wait(20))
            try:
                self.assertEqual([cache.get_or_set("k", fail), cache.get_or_set("k", 5), cache.get("k")], ["old"] * 3)
            finally:
                over.set()

        run_all(lambda: self.assertEqual(cache.get_or_set("k", default), "new"), read)
        self.assertEqual(cache.get_or_set("k", fail), "new")

    def test_they_outlive_their_timeout(self):
        cache = self.cache(options={"stale_ttl": 100}, TIMEOUT=1)
        self.assertEqual([cache.get_or_set("k", "first"), cache.get_or_set("k", fail)], ["first"] * 2)
        self.assertTrue(eventually(lambda: cache.get_or_set("k", lambda: "second", 100) == "second"))
        self.assertEqual(cache.get_or_set("k", lambda: "made", 0), "second")
        self.assertEqual(cache.get_or_set("never", lambda: "made", 0), "made")
        self.assertIs(cache.has_key("never"), False)

    def test_what_cannot_be_stored_is_returned_and_the_old_value_deleted(self):
        cache = self.cache(options={"stale_ttl": 100, "max_value_bytes": 1000})
        cache.set("k", "old")
        with self.assertLogs("shoal.django", "WARNING"):
            self.assertEqual(cache.get_or_set("k", lambda: "x" * 2000), "x" * 2000)
        self.assertIs(cache.has_key("k"), False)

    def test_the_option_is_checked(self):
        for wrong in (-1, "5", True, float("inf"), float("nan")):
            with self.subTest(wrong), self.assertRaisesRegex(ImproperlyConfigured, "stale_ttl"):
                self.cache(options={"stale_ttl": wrong})
        self.cache(options={"stale_ttl": None}).set("k", 1)
        self.assertEqual(self.cache(options={"stale_ttl": None}).get_or_set("k", fail), 1)
        self.assertEqual(self.cache(options={"stale_ttl": 0}).get_or_set("k", lambda: 2), 2)


@unittest.skipUnless(IS_ASYNC, "Django 4.0 brought them")
class Coroutines(GetOrSetTest):
    def test_they_do_the_same(self):
        for options in ({}, {"stale_ttl": 100}):
            cache, key = self.cache(options=options), f"k{len(options)}"
            default, calls = self.counted()

            async def crowd():
                return await asyncio.gather(*(cache.aget_or_set(key, default) for _ in range(8)))  # pylint: disable=W0640

            self.assertEqual((asyncio.run(crowd()), len(calls)), (["made"] * 8, 1))
            self.assertEqual(asyncio.run(cache.aget_or_set(key, fail)), "made")
            self.assertEqual(asyncio.run(cache.aget_or_set(f"other{key}", 5)), 5)
            with self.assertRaises(AssertionError):
                asyncio.run(cache.aget_or_set("new", fail))
            self.assertEqual(asyncio.run(cache.aget_or_set("new", lambda: 6, version=2)), 6)


if __name__ == "__main__":
    unittest.main()
