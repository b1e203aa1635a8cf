"""What Django asks of a cache backend: values, results, times, versions and keys.

May import: the standard library, Django, shoal, config and support.
"""
import pickle
import socket
import time
import unittest

from config import CacheTest
from django.core.cache import InvalidCacheKey
from django.core.cache.backends.base import memcache_key_warnings
from django.utils.safestring import SafeString, mark_safe

import shoal
from support import eventually


def reversed_key(key, key_prefix, version):
    """A KEY_FUNCTION of the project's own."""
    return f"{version}/{key_prefix}/{key}"[::-1]


class Point:
    """Something to be pickled."""

    def __init__(self, x):
        self.x = x

    def __eq__(self, other):
        return type(other) is Point and other.x == self.x


class Values(CacheTest):
    NODES = 3

    def test_every_kind_of_value_comes_back_as_it_was(self):
        cache = self.cache()
        values = [None, True, False, 0, 1, -5, 2**70, 1.5, "", "schön", b"", b"\0\xff", [], {"a": [1]}, (1, 2), {1, 2},
                  Point(3), "la " * 100000]
        for number, value in enumerate(values):
            with self.subTest(repr(value)[:20]):
                cache.set(f"k{number}", value)
                back = cache.get(f"k{number}", "missing")
                self.assertEqual((back, type(back)), (value, type(value)))
        many = {f"k{number}": value for number, value in enumerate(values)}
        self.assertEqual(cache.set_many(many), [])
        self.assertEqual(cache.get_many(many), many)

    def test_a_subclass_of_text_stays_one(self):
        cache = self.cache()
        cache.set("k", mark_safe("<b>"))
        self.assertIs(type(cache.get("k")), SafeString)

    def test_none_is_a_value(self):
        cache = self.cache()
        cache.set("none", None)
        self.assertIsNone(cache.get("none", "default"))
        self.assertEqual(cache.get("missing", "default"), "default")
        self.assertIs(cache.has_key("none"), True)
        self.assertIs("none" in cache, True)
        self.assertIs(cache.add("none", "other"), False)
        self.assertIsNone(cache.get_or_set("none", "other"))
        self.assertEqual(cache.get_many(["none", "missing"]), {"none": None})

    def test_pickles_are_of_the_highest_protocol(self):
        cache = self.cache("static://" + self.names[0])
        cache.set("k", [1])
        with shoal.Client("static://" + self.names[0]) as raw:
            self.assertEqual(raw.get(":1:k"), pickle.dumps([1], pickle.HIGHEST_PROTOCOL))

    def test_what_cannot_be_pickled_is_the_programs_error(self):
        cache = self.cache()
        for call in (lambda: cache.set("k", lambda: 1), lambda: cache.add("k", lambda: 1),
                     lambda: cache.set_many({"j": 1, "k": lambda: 1})):
            with self.assertRaises((pickle.PickleError, AttributeError)):
                call()
        self.assertEqual(cache.get_many(["j", "k"]), {})

    def test_what_cannot_be_read_is_missing_and_told(self):
        cache = self.cache("static://" + self.names[0])
        with shoal.Client("static://" + self.names[0], codec="json") as other:
            other.set(":1:k", [1])
        cache.set("good", 1)
        with self.assertLogs("shoal.django", "ERROR") as logged:
            self.assertEqual(cache.get("k", "missing"), "missing")
            self.assertFalse(cache.has_key("k"))
            self.assertEqual(cache.get_many(["k", "good"]), {"good": 1})
        self.assertEqual(len(logged.output), 1)  # once a second at most
        strict = self.cache("static://" + self.names[0], options={"on_node_failure": "error"})
        with self.assertLogs("shoal.django", "ERROR"):
            self.assertIsNone(strict.get("k"))

    def test_large_values(self):
        cache = self.cache()
        value = b"x" * 1000000
        cache.set("k", value)
        self.assertEqual(cache.get("k"), value)

    def test_a_value_that_is_too_large_deletes_the_old_one(self):
        self.check_too_large(self.cache(), "x" * (2 * 1024 * 1024))
        # Here the server is never asked, which would delete by itself.
        self.check_too_large(self.cache(options={"max_value_bytes": 1000}), "x" * 2000)

    def check_too_large(self, cache, large):
        """Neither set nor set_many leaves what was there."""
        cache.set_many({"a": 1, "b": 2, "c": 3})
        with self.assertLogs("shoal.django", "WARNING"):
            cache.set("a", large)
        with self.assertLogs("shoal.django", "WARNING"):
            self.assertEqual(cache.set_many({"b": large, "c": 4}), ["b"])
        self.assertEqual(cache.get_many("abc"), {"c": 4})
        self.assertIs(cache.add("a", large), False)

    def test_codecs(self):
        for codec, value in (("json", {"a": [1, None]}), ("raw", b"bytes"), ("pymemcache", Point(1)),
                             ("shoal.JsonCodec", [1]), (shoal.PickleCodec(), Point(2))):
            with self.subTest(codec):
                cache = self.cache(options={"codec": codec})
                cache.set("k", value)
                self.assertEqual(cache.get("k"), value)

    def test_compression(self):
        cache = self.cache("static://" + self.names[0], {"compress": "zlib", "compress_min_bytes": 100})
        cache.set("k", "x" * 10000)
        self.assertEqual(cache.get("k"), "x" * 10000)
        with shoal.Client("static://" + self.names[0]) as raw:
            self.assertLess(len(raw.get(":1:k")), 1000)


class Results(CacheTest):
    NODES = 2

    def test_bools(self):
        cache = self.cache()
        self.assertIs(cache.add("k", 1), True)
        self.assertIs(cache.add("k", 1), False)
        self.assertIs(cache.touch("k", 10), True)
        self.assertIs(cache.touch("missing"), False)
        self.assertIs(cache.has_key("k"), True)
        self.assertIs(cache.delete("k"), True)
        self.assertIs(cache.delete("k"), False)
        self.assertIs(cache.has_key("k"), False)
        self.assertIsNone(cache.set("k", 1))

    def test_iterators(self):
        cache = self.cache()
        self.assertEqual(cache.set_many((key, key.upper()) for key in "abc"), [])
        self.assertEqual(cache.get_many(key for key in "abcd"), {"a": "A", "b": "B", "c": "C"})
        self.assertIsNone(cache.delete_many(key for key in "ab"))
        self.assertEqual(cache.get_many("abc"), {"c": "C"})
        self.assertEqual((cache.get_many([]), cache.set_many({}), cache.delete_many([])), ({}, [], None))

    def test_the_callers_own_keys(self):
        cache = self.cache(KEY_PREFIX="p", VERSION=3)
        self.assertEqual(cache.set_many({1: "a", "x": "b"}), [])
        self.assertEqual(cache.get_many([1, "x"]), {1: "a", "x": "b"})
        self.assertEqual(set(cache.client.get_many(["p:3:1", "p:3:x"])), {"p:3:1", "p:3:x"})

    def test_counters(self):
        cache = self.cache()
        cache.set("k", 41)
        for call, number in (((cache.incr, "k"), 42), ((cache.incr, "k", 10), 52), ((cache.decr, "k"), 51),
                             ((cache.incr, "k", -10), 41), ((cache.decr, "k", -9), 50), ((cache.decr, "k", 41), 9),
                             ((cache.decr, "k", 20), 0), ((cache.incr, "k", 0), 0)):
            self.assertEqual(call[0](*call[1:]), number)
            self.assertEqual(cache.get("k"), number)
            self.assertIs(type(cache.get("k")), int)

    def test_counters_that_are_missing_or_none(self):
        cache = self.cache()
        for call in (lambda: cache.incr("k"), lambda: cache.decr("k"), lambda: cache.incr("k", -1),
                     lambda: cache.incr_version("k"), lambda: cache.decr_version("k")):
            with self.assertRaisesRegex(ValueError, "Key 'k' not found"):
                call()
        self.assertIs(cache.has_key("k"), False)
        cache.set("text", "abc")
        for kind in (TypeError, shoal.NotANumber):
            with self.assertRaises(kind):
                cache.incr("text")
        cache.set("number", 1)
        for delta in (1.5, "1", None):
            with self.assertRaises(TypeError):
                cache.incr("number", delta)
        self.assertEqual(cache.get("number"), 1)

    def test_versions(self):
        cache = self.cache(VERSION=2)
        other = self.cache(VERSION=1)
        cache.set("k", "two")
        self.assertEqual((cache.get("k"), cache.get("k", version=1), other.get("k", version=2)), ("two", None, "two"))
        self.assertEqual(cache.incr_version("k"), 3)
        self.assertEqual((cache.get("k"), cache.get("k", version=3)), (None, "two"))
        self.assertEqual(cache.decr_version("k", version=3), 2)
        self.assertEqual(cache.get_many(["k"], version=2), {"k": "two"})
        cache.set_many({"k": "seven"}, version=7)
        self.assertIs(cache.add("k", 1, version=7), False)
        self.assertEqual(cache.incr(*self.stored(cache, "n", 5, version=7), version=7), 6)
        self.assertIs(cache.touch("k", version=7), True)
        cache.delete_many(["n"], version=7)
        self.assertIs(cache.delete("k", version=7), True)
        self.assertIs(cache.has_key("n", version=7), False)

    def stored(self, cache, key, value, **options):
        """The arguments of a call about a key that was just stored."""
        cache.set(key, value, **options)
        return (key,)

    def test_clear_and_close(self):
        cache = self.cache()
        cache.set_many({f"k{i}": i for i in range(20)})
        self.assertIsNone(cache.clear())
        self.assertEqual(cache.get_many(f"k{i}" for i in range(20)), {})
        for _ in range(3):
            self.assertIsNone(cache.close(sender=self))
        cache.set("k", 1)
        self.assertEqual(cache.get("k"), 1)


class Times(CacheTest):
    DAY = 24 * 3600

    def left(self, cache, key):
        """The seconds that an item has left by the server's own account; None for ever."""
        with socket.create_connection(("127.0.0.1", self.servers[0].port)) as server:
            server.sendall(f"mg {cache.make_key(key)} t\r\n".encode())
            answer = server.recv(200).split()
        self.assertEqual(answer[0], b"HD", key)
        seconds = int(answer[1][1:])
        return None if seconds == -1 else seconds

    def test_what_the_server_is_told(self):
        cache = self.cache(TIMEOUT=500)
        for timeout, least, most in ((100, 90, 100), (50.2, 41, 51), (40 * self.DAY, 40 * self.DAY - 20, 40 * self.DAY),
                                     (30 * self.DAY, 30 * self.DAY - 20, 30 * self.DAY)):
            cache.set("k", 1, timeout)
            self.assertTrue(least <= self.left(cache, "k") <= most + 2, timeout)
        cache.set("k", 1)
        self.assertTrue(490 <= self.left(cache, "k") <= 500)
        for store in (lambda: cache.set("k", 1, None), lambda: cache.touch("k", None),
                      lambda: cache.set_many({"k": 1}, None), lambda: cache.set("k", 1, timeout=None)):
            store()
            self.assertIsNone(self.left(cache, "k"))
        cache.touch("k", 60)
        self.assertTrue(50 <= self.left(cache, "k") <= 60)
        cache.touch("k")
        self.assertTrue(490 <= self.left(cache, "k") <= 500)

    def test_for_ever_by_default(self):
        cache = self.cache(TIMEOUT=None)
        cache.set("k", 1)
        self.assertIsNone(self.left(cache, "k"))

    def test_beyond_2038(self):
        cache = self.cache()
        for years in (20, 100, 10**6):
            cache.set("k", years, years * 365 * self.DAY)
            self.assertEqual(cache.get("k"), years)
            self.assertIs(cache.touch("k", years * 365 * self.DAY), True)
            self.assertEqual(cache.get("k"), years)

    def test_zero_and_below_expire_at_once(self):
        cache = self.cache()
        for timeout in (0, -1, -0.5, -10**12, 0.0):
            with self.subTest(timeout):
                cache.set("k", 1, timeout)
                self.assertIs(cache.has_key("k"), False)
                self.assertIs(cache.add("k", 1, timeout), True)
                self.assertIs(cache.has_key("k"), False)
                self.assertEqual(cache.set_many({"k": 1}, timeout), [])
                self.assertIs(cache.has_key("k"), False)
                cache.set("k", 1)
                self.assertIs(cache.touch("k", timeout), True)
                self.assertIs(cache.has_key("k"), False)

    def test_real_expiry(self):
        cache = self.cache()
        cache.set_many({"short": 1, "float": 2}, 1)
        cache.set("touched", 3, 1)
        cache.touch("touched", 100)
        cache.set("long", 4, 100)
        self.assertTrue(eventually(lambda: cache.get_many(["short", "float"]) == {}))
        self.assertEqual(cache.get_many(["touched", "long"]), {"touched": 3, "long": 4})
        cache.set("fraction", 1, 0.5)
        time.sleep(0.01)
        self.assertTrue(eventually(lambda: not cache.has_key("fraction")))


class Keys(CacheTest):
    NODES = 2

    def test_what_memcached_does_not_take(self):
        cache = self.cache(KEY_PREFIX="p")
        for key in ("with space", "new\nline", "tab\t", "nul\0", "delete\x7f", "x" * 251, "x" * 247):
            made = cache.make_key(key)
            with self.subTest(key[:20]):
                self.check_refused(cache, key, next(memcache_key_warnings(made)))

    def check_refused(self, cache, key, text):
        """Every operation says the very same."""
        calls = (lambda: cache.get(key), lambda: cache.set(key, 1), lambda: cache.add(key, 1), lambda: cache.touch(key),
                 lambda: cache.delete(key), lambda: cache.incr(key), lambda: cache.decr(key),
                 lambda: cache.get_many(["good", key]), lambda: cache.set_many({"good": 1, key: 2}),
                 lambda: cache.delete_many(["good", key]), lambda: cache.has_key(key),
                 lambda: cache.get_or_set(key, 1), lambda: cache.incr_version(key))
        for call in calls:
            with self.assertRaises(InvalidCacheKey) as caught:
                call()
            self.assertEqual(str(caught.exception), text)
        self.assertIs(cache.has_key("good"), False)

    def test_the_longest_and_oddest(self):
        cache = self.cache(KEY_PREFIX="p")
        for key in ("x" * (250 - len("p:1:")), "schön/日本?&=;,:%25\\'\"{}", "é" * 120):
            cache.set(key, key)
            self.assertEqual((cache.get(key), cache.get_many([key])), (key, {key: key}))

    def test_memcached_counts_bytes(self):
        cache = self.cache()
        key = "é" * 130
        self.check_refused(cache, key, next(memcache_key_warnings("x" * 251)).replace(
            repr("x" * 251), repr(cache.make_key(key))))

    def test_keys_that_the_core_is_told_to_take(self):
        cache = self.cache(options={"long_keys": "hash", "binary_keys": True})
        for key in ("x" * 300, "with space"):
            cache.set(key, 1)
            self.assertEqual(cache.get(key), 1)

    def test_key_functions(self):
        for function in (reversed_key, f"{__name__}.reversed_key"):
            cache = self.cache(KEY_FUNCTION=function, KEY_PREFIX="p", VERSION=2)
            cache.set("key", "value")
            self.assertEqual(cache.get("key"), "value")
            self.assertEqual(cache.client.get("yek/p/2"), "value")

    def test_prefixes_keep_caches_apart(self):
        first, second = self.cache(KEY_PREFIX="a"), self.cache(KEY_PREFIX="b")
        third = self.cache(options={"key_prefix": "c/"})
        for cache, value in ((first, 1), (second, 2), (third, 3)):
            cache.set("k", value)
        self.assertEqual([cache.get("k") for cache in (first, second, third)], [1, 2, 3])


if __name__ == "__main__":
    unittest.main()
