"""What each method of the client takes and gives, on a fleet of three memcached servers.

May import: the standard library, shoal and support.
"""
import array
import copy
import datetime
import decimal
import pickle
import types
import unittest

import shoal
from support import FleetTest


class SingleKeys(FleetTest):
    NODES = 3

    def setUp(self):
        super().setUp()
        self.cache = self.client()

    def test_get_gives_the_value_or_the_default(self):
        self.assertIsNone(self.cache.get("k"))
        self.assertEqual(self.cache.get("k", 7), 7)
        self.assertIs(self.cache.set("k", b"v\0w"), True)
        self.assertEqual(self.cache.get("k", 7), b"v\0w")

    def test_a_key_may_be_text_or_its_bytes(self):
        self.cache.set("ключ", b"v")
        self.assertEqual(self.cache.get("ключ".encode()), b"v")
        for key in (5, None, bytearray(b"k"), ["k"]):
            with self.assertRaisesRegex(TypeError, "a key is str or bytes"):
                self.cache.get(key)

    def test_bad_keys_are_value_errors(self):
        for key in ("", "a b", "k" * 251, "a\nb"):
            with self.assertRaises(shoal.BadKey) as caught:
                self.cache.get(key)
            self.assertIsInstance(caught.exception, ValueError)
        with self.assertRaises(ValueError):
            self.cache.get("\udc80")

    def test_values_are_whatever_lends_its_bytes(self):
        for value in (b"abc", bytearray(b"abc"), memoryview(b"xabcx")[1:4], array.array("B", b"abc")):
            self.cache.set("k", value)
            self.assertEqual(self.cache.get("k"), b"abc")
        self.cache.set("k", b"")
        self.assertEqual(self.cache.get("k"), b"")
        with self.assertRaises(BufferError):
            self.cache.set("k", memoryview(b"abcd")[::2])

    def test_raw_refuses_what_is_not_bytes(self):
        for value in ("text", 5, None, {"a": 1}):
            with self.assertRaisesRegex(TypeError, f"not {type(value).__name__}"):
                self.cache.set("k", value)
        self.assertIsNone(self.cache.get("k"))

    def test_conditional_stores(self):
        self.assertIs(self.cache.replace("k", b"1"), False)
        self.assertIs(self.cache.append("k", b"1"), False)
        self.assertIs(self.cache.prepend("k", b"1"), False)
        self.assertIs(self.cache.add("k", b"2"), True)
        self.assertIs(self.cache.add("k", b"3"), False)
        self.assertIs(self.cache.replace("k", b"4"), True)
        self.assertIs(self.cache.append("k", b"5"), True)
        self.assertIs(self.cache.prepend("k", b"3"), True)
        self.assertEqual(self.cache.get("k"), b"345")

    def test_cas(self):
        self.assertIsNone(self.cache.gets("k"))
        self.assertIs(self.cache.cas("k", b"v", 1), False)
        self.cache.set("k", b"1")
        value, token = self.cache.gets("k")
        self.assertEqual(value, b"1")
        self.assertIs(self.cache.cas("k", b"2", token), True)
        self.assertIs(self.cache.cas("k", b"3", token), False)
        self.assertEqual(self.cache.get("k"), b"2")
        with self.assertRaises(shoal.InvalidArgument):
            self.cache.cas("k", b"4", 0)
        for wrong in (None, "1", 1.0):
            with self.assertRaisesRegex(TypeError, "cas is a whole number, not"):
                self.cache.cas("k", b"4", wrong)
        for wrong in (-1, 2**64):
            with self.assertRaises(OverflowError):
                self.cache.cas("k", b"4", wrong)

    def test_delete_and_touch(self):
        self.assertIs(self.cache.delete("k"), False)
        self.assertIs(self.cache.touch("k", 10), False)
        self.assertEqual(self.cache.get_and_touch("k", 10, "none"), "none")
        self.cache.set("k", b"v")
        self.assertIs(self.cache.touch("k", 100), True)
        self.assertEqual(self.cache.get_and_touch("k", -1), b"v")
        self.assertIsNone(self.cache.get("k"))
        self.cache.set("k", b"v")
        self.assertIs(self.cache.delete("k"), True)
        self.assertIsNone(self.cache.get("k"))

    def test_times_to_live(self):
        stores = (lambda ttl: self.cache.set("k", b"v", ttl), lambda ttl: self.cache.set_many({"k": b"v"}, ttl),
                  lambda ttl: self.cache.set("k", b"v") and self.cache.touch("k", ttl))
        for number, store in enumerate(stores):
            for lasting in (0, 0.0, 0.1, 100, True, 2**63 - 1, 2**63, 2**80, float(2**63), 1e30):
                with self.subTest(number, lasting=lasting):
                    store(lasting)
                    self.assertEqual(self.cache.get("k"), b"v")
            for gone in (-1, -0.5, -2**63, -2**80, -1e30):
                with self.subTest(number, gone=gone):
                    store(gone)
                    self.assertIsNone(self.cache.get("k"))
            for wrong in (float("nan"), float("inf")):
                with self.subTest(number, wrong=wrong), self.assertRaises(ValueError):
                    store(wrong)
            for wrong in (None, "5", datetime.timedelta(seconds=5), decimal.Decimal(5)):
                with self.assertRaisesRegex(TypeError, f"number of seconds, not .*{type(wrong).__name__}"):
                    store(wrong)

    def test_counters(self):
        self.assertIsNone(self.cache.increment("k"))
        self.assertEqual(self.cache.increment("k", initial=10), 10)
        self.assertEqual(self.cache.increment("k"), 11)
        self.assertEqual(self.cache.decrement("k", 2), 9)
        self.assertEqual(self.cache.get("k").strip(), b"9")
        self.assertEqual(self.cache.decrement("k", 100), 0)
        self.assertEqual(self.cache.decrement("missing", initial=2**64 - 1), 2**64 - 1)
        self.cache.set("k", b"text")
        with self.assertRaises(shoal.NotANumber):
            self.cache.increment("k")
        self.cache.set("k", b"10")
        self.assertEqual(self.cache.increment("k", -3), 7)
        self.assertEqual(self.cache.decrement("k", -3), 10)
        for name, value in (("initial", -1), ("initial", 2**64), ("delta", 2**63), ("delta", -2**63 - 1)):
            with self.assertRaisesRegex(OverflowError, f"{name} is a whole number from -?[0-9]+ to [0-9]+"):
                self.cache.increment("k", **{name: value})
        for name, value in (("initial", 1.0), ("initial", "1"), ("delta", 1.0), ("delta", None)):
            with self.assertRaisesRegex(TypeError, f"{name} is a whole number, not {type(value).__name__}"):
                self.cache.increment("k", **{name: value})
        self.assertEqual(self.cache.get("k"), b"10")

    def test_whole_numbers_of_other_kinds(self):
        class Whole:
            """As numpy's numbers are."""

            def __index__(self):
                return 5

        self.assertEqual(self.cache.increment("k", Whole(), initial=Whole()), 5)

    def test_a_value_too_large_is_an_error(self):
        self.cache.set("k", b"old")
        with self.assertRaises(shoal.TooLarge):
            self.cache.set("k", bytes(2 * 1024 * 1024))
        self.assertIsNone(self.cache.get("k"))


class ManyKeys(FleetTest):
    NODES = 3

    def setUp(self):
        super().setUp()
        self.cache = self.client()

    def test_hits_come_under_the_callers_own_keys(self):
        pairs = {f"key {i}".replace(" ", "-"): b"%d" % i for i in range(200)}
        self.assertEqual(self.cache.set_many(pairs), [])
        keys = [*pairs, "missing"]
        hits = self.cache.get_many(keys)
        self.assertEqual(hits, pairs)
        self.assertTrue(all(mine is theirs for mine, theirs in zip(keys, hits)))
        self.assertEqual(self.cache.get_many(key.encode() for key in pairs if key == "key-5"), {b"key-5": b"5"})

    def test_nothing_and_the_same_twice(self):
        self.assertEqual(self.cache.get_many([]), {})
        self.assertEqual(self.cache.set_many({}), [])
        self.assertEqual(self.cache.set_many(types.MappingProxyType({"a": b"mapped"})), [])
        self.assertEqual(self.cache.get("a"), b"mapped")
        with self.assertRaises(AttributeError):
            self.cache.set_many([("a", b"1")])
        self.assertEqual(self.cache.delete_many(iter([])), [])
        self.cache.set("k", b"v")
        self.assertEqual(self.cache.get_many(["k", "k", b"k"]), {"k": b"v", b"k": b"v"})

    def test_one_key_instead_of_several_is_refused(self):
        for call in (self.cache.get_many, self.cache.delete_many):
            for key in ("key", b"key"):
                with self.assertRaisesRegex(TypeError, "not one"):
                    call(key)
            with self.assertRaisesRegex(TypeError, "a key is str or bytes"):
                call(["a", 5])

    def test_what_was_not_stored_is_told(self):
        large = bytes(2 * 1024 * 1024)
        pairs = {"a": b"1", "large": large, "bad key": b"2", b"b": bytearray(b"3")}
        self.assertCountEqual(self.cache.set_many(pairs), ["large", "bad key"])
        self.assertEqual(self.cache.get_many(["a", "large", "b"]), {"a": b"1", "b": b"3"})
        with self.assertRaises(TypeError):
            self.cache.set_many({"c": b"4", "d": 5})
        self.assertIsNone(self.cache.get("c"))

    def test_what_was_not_deleted_is_told(self):
        self.cache.set("a", b"1")
        self.assertEqual(self.cache.delete_many(["a", "missing", "bad key"]), ["bad key"])
        self.assertIsNone(self.cache.get("a"))

    def test_a_failed_read_carries_the_hits(self):
        self.cache.set("a", b"1")
        with self.assertRaises(shoal.BadKey) as caught:
            self.cache.get_many(["bad key", "a", "missing"])
        self.assertEqual(caught.exception.partial, {"a": b"1"})

    def test_an_iterable_that_fails_or_calls_the_client(self):
        def keys(last):
            yield "a"
            yield last()

        def fail():
            raise LookupError("mine")

        self.cache.set_many({"a": b"1", "b": b"2"})
        self.assertEqual(self.cache.get_many(keys(lambda: self.cache.get_many(["b"]) and "b")), {"a": b"1", "b": b"2"})
        for call in (self.cache.get_many, self.cache.delete_many):
            with self.assertRaisesRegex(LookupError, "mine"):
                call(keys(fail))
        self.assertEqual(self.cache.get("a"), b"1")

    def test_mappings_of_other_kinds(self):
        class Own(dict):
            """One whose items are others than it holds."""

            def items(self):
                return [("a", b"1"), ("a", b"2")]

        self.assertEqual(self.cache.set_many(types.MappingProxyType({"a": b"0", "b": b"3"})), [])
        self.assertEqual(self.cache.set_many(Own(c=b"4")), [])
        self.assertEqual(self.cache.get_many("abc"[i] for i in range(3)), {"a": b"2", "b": b"3"})

    def test_keys_of_other_kinds(self):
        class Text(str):
            """As Django's safe strings are."""

        key = Text("k")
        self.assertEqual(self.cache.set_many({key: b"v", b"\xff\x80": b"w"}), [])
        found = self.cache.get_many([key, b"\xff\x80"])
        self.assertEqual(found, {"k": b"v", b"\xff\x80": b"w"})
        self.assertIs(next(iter(found)), key)
        # What is no text cannot be sent, and nothing beside it is.
        for call in (lambda: self.cache.set_many({"a": b"1", "\udc80": b"2"}),
                     lambda: self.cache.get_many(["k", "\udc80"]), lambda: self.cache.delete_many(["k", "\udc80"])):
            with self.assertRaises(UnicodeEncodeError):
                call()
        self.assertEqual(self.cache.get_many(["a", "k"]), {"k": b"v"})

    def test_times_to_live(self):
        self.cache.set_many({"a": b"1", "b": b"2"}, ttl=-1)
        self.assertEqual(self.cache.get_many(["a", "b"]), {})


class Fleet(FleetTest):
    NODES = 3

    def test_nodes_topology_route_and_stats(self):
        cache = self.client()
        names = [server.name for server in self.servers]
        self.assertEqual(cache.nodes(), names)
        version, nodes = cache.topology()
        self.assertEqual(version, 0)
        self.assertEqual([(node.name, node.host, node.port, node.weight) for node in nodes],
                         [(server.name, "127.0.0.1", server.port, 1) for server in self.servers])
        self.assertIn(cache.route("k"), names)
        stats = cache.stats()
        self.assertCountEqual(stats, names)
        for server in self.servers:
            self.assertEqual(stats[server.name]["pid"], str(server.process.pid))
        self.assertIn("maxbytes", cache.stats("settings")[names[0]])

    def test_flush_all_empties_every_node(self):
        cache = self.client()
        keys = [f"k{i}" for i in range(50)]
        cache.set_many(dict.fromkeys(keys, b"v"))
        cache.flush_all()
        self.assertEqual(cache.get_many(keys), {})


class Options(FleetTest):
    def test_options_reach_the_core(self):
        cache = self.client(key_prefix="p:", binary_keys=False, retry_budget=0.2, protocol="libmemcached")
        cache.set("k", b"v")
        self.assertEqual(self.client().get("p:k"), b"v")
        with shoal.Client([self.servers[0].name, "127.0.0.1:1"], preset="pylibmc") as several:
            self.assertEqual(several.nodes(), [self.servers[0].name, "127.0.0.1:1"])

    def test_wrong_options_are_told(self):
        with self.assertRaisesRegex(shoal.BadOption, "key_prefix"):
            self.client(key_prefx="p:")
        with self.assertRaisesRegex(shoal.BadOption, "pylibmc"):
            self.client(preset="pylibm")
        with self.assertRaises(shoal.BadOption):
            self.client(operation_timeout_ms="soon")
        with self.assertRaises(shoal.BadEndpoint):
            shoal.Client("nonsense://x")
        with self.assertRaisesRegex(ValueError, "NUL"):
            self.client(key_prefix="a\0b")
        for missing in (None, b"127.0.0.1:1", ["127.0.0.1:1", None]):
            with self.assertRaisesRegex(TypeError, "endpoint is .*, not (NoneType|bytes)"):
                shoal.Client(missing)
        for missing in (None, b"p:", {}, object()):
            with self.assertRaisesRegex(TypeError, f"key_prefix is .*, not {type(missing).__name__}"):
                self.client(key_prefix=missing)
        with self.assertRaises(TypeError):
            shoal.Client()  # pylint: disable=no-value-for-parameter


class Life(FleetTest):
    def test_use_after_close(self):
        with self.client() as cache:
            cache.set("k", b"v")
        cache.close()
        calls = [lambda: cache.get("k"), lambda: cache.set("k", b"v"), lambda: cache.get_many(["k"]),
                 lambda: cache.set_many({"k": b"v"}), lambda: cache.delete_many(["k"]), lambda: cache.increment("k"),
                 cache.stats, cache.nodes, cache.flush_all, lambda: cache.route("k")]
        for number, call in enumerate(calls):
            with self.subTest(number), self.assertRaises(shoal.Closed):
                call()

    def test_a_client_that_was_never_made(self):
        cache = shoal.Client.__new__(shoal.Client)
        for call in (lambda: cache.get("k"), cache.close):
            with self.assertRaises(AttributeError):
                call()

    def test_pickling_and_copying_are_refused(self):
        cache = self.client()
        for call in (pickle.dumps, copy.copy, copy.deepcopy):
            with self.assertRaisesRegex(TypeError, "neither pickled nor copied"):
                call(cache)


if __name__ == "__main__":
    unittest.main()
