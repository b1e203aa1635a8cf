"""Codecs: what comes back, which flags and bytes lie on the server, and what damage does.

May import: the standard library, shoal and support.
"""
import decimal
import pickle
import unittest

import shoal
from support import FleetTest


class Seen(shoal.Codec):
    """Values are (bytes, flags), as they lie on the server."""

    def encode(self, value):
        return value

    def decode(self, data, flags):
        return data, flags


class Codecs(FleetTest):
    def setUp(self):
        super().setUp()
        self.server = self.client(codec=Seen())

    def stored(self, codec, value, **options):
        """What a client stores for a value, which must read back as it was, with its type."""
        cache = self.client(codec=codec, **options)
        cache.set("k", value)
        back = cache.get("k")
        self.assertEqual((back, type(back)), (value, type(value)))
        self.assertEqual(cache.get_many(["k"]), {"k": value})
        return self.server.get("k")

    def test_pickle_has_pylibmcs_flags(self):
        for name, integer in (("pickle", 4), ("pylibmc", 4), ("pymemcache", 2)):
            with self.subTest(name):
                self.assertEqual(self.stored(name, b"\0\xff"), (b"\0\xff", 0))
                self.assertEqual(self.stored(name, "schön"), ("schön".encode(), 16))
                self.assertEqual(self.stored(name, -2**70), (str(-2**70).encode(), integer))
                self.assertEqual(self.stored(name, decimal.Decimal("1.5"))[1], 1)
                for value in (True, None, 1.5, [1, "a"], {"a": (1,)}):
                    data, flags = self.stored(name, value)
                    self.assertEqual((pickle.loads(data), flags), (value, 1))

    def test_json(self):
        self.assertEqual(self.stored("json", b"\0\xff"), (b"\0\xff", 0))
        self.assertEqual(self.stored("json", "schön"), ("schön".encode(), 4))
        self.assertEqual(self.stored("json", {"a": ["ö", 1, None, True]}), ('{"a":["ö",1,null,true]}'.encode(), 1))
        with self.assertRaises(TypeError):
            self.client(codec="json").set("k", object())
        for wrong in (float("nan"), [float("inf")], "\udc80"):  # no other language could read these
            with self.assertRaises(ValueError):
                self.client(codec="json").set("k", wrong)

    def test_compression(self):
        text = "la " * 5000
        for name, compress, flags in (("pickle", "zlib", 16 | 8), ("json", "zlib", 4 | 2), ("json", "zstd", 4 | 8)):
            with self.subTest(name, compress=compress):
                data, seen = self.stored(name, text, compress=compress)
                self.assertEqual(seen, flags)
                self.assertLess(len(data), 1000)
        self.assertEqual(self.stored("pickle", "la", compress="zlib"), (b"la", 16))
        self.assertEqual(self.stored("pickle", "la " * 5, compress="zlib", compress_min_bytes=1)[1], 16 | 8)

    def test_wrong_choices_are_told_at_once(self):
        for options in ({"codec": "picle"}, {"codec": 5}, {"compress": "zlib"}, {"codec": Seen(), "compress": "zlib"}, {"codec": []},
                        {"codec": "json", "compress": "lzma"}, {"codec": "json", "compress_min_bytes": -1}):
            with self.subTest(options), self.assertRaises(ValueError):
                self.client(**options)
        half = Seen()
        half.decode = None
        with self.assertRaisesRegex(ValueError, "an object with encode and decode"):
            self.client(codec=half)
        with self.assertRaisesRegex(ValueError, "no layout"):
            shoal.PickleCodec("pylib")
        with self.assertRaises(shoal.Unsupported):
            self.client(codec="pickle", compress="zstd").set("k", "v" * 5000)

    def test_counters_are_integers(self):
        cache = self.client(codec="pickle")
        cache.set("k", 10)
        self.assertEqual(cache.decrement("k"), 9)
        self.assertEqual(cache.get("k"), 9)

    def test_appending(self):
        cache = self.client(codec="pickle")
        cache.set("k", "b")
        self.assertTrue(cache.append("k", "c"))
        self.assertTrue(cache.prepend("k", b"a"))
        self.assertEqual(cache.get("k"), "abc")
        with self.assertRaises(TypeError):
            cache.append("k", {"a": 1})

    def test_damage_is_a_bad_value(self):
        for name, data, flags in (("pickle", b"\x80", 1), ("pickle", b"x", 4), ("pickle", b"x", 8), ("json", b"{", 1),
                                  ("pickle", b"\xff", 16), ("pickle", b"x", 1 << 20), ("pickle", b"cno_such\nname\n.", 1)):
            with self.subTest(codec=name, data=data, flags=flags):
                self.server.set("k", (data, flags))
                with self.assertRaises(shoal.BadValue) as caught:
                    self.client(codec=name).get("k")
                self.assertEqual(caught.exception.status_name, "SHOAL_E_BAD_VALUE")
                with self.assertRaises(shoal.BadValue):
                    self.client(codec=name).get_many(["k"])

    def test_a_codec_of_ones_own_is_asked_for_every_value(self):
        class Shouting(shoal.PickleCodec):
            """Text in capitals; all else as it was."""

            def encode(self, value):
                return super().encode(value.upper() if isinstance(value, str) else value)

            def decode(self, data, flags):
                return (super().decode(data, flags), flags)

        class Silent(shoal.RawCodec):
            """Nothing is worth a byte."""

            def encode(self, value):
                return b"", 0

        cache = self.client(codec=Shouting())
        cache.set("a", "text")
        cache.set_many({"b": "text", "c": b"bytes"})
        self.assertEqual(cache.get("a"), ("TEXT", 16))
        self.assertEqual(cache.get_many(["a", "b", "c"]),
                         {"a": ("TEXT", 16), "b": ("TEXT", 16), "c": (b"bytes", 0)})
        silent = self.client(codec=Silent())
        silent.set("a", b"bytes")
        self.assertEqual(silent.get("a"), b"")

    def test_what_a_codec_may_give(self):
        for given, fault in (((b"v",), ValueError), ((b"v", 0, 0), ValueError), (5, TypeError), (("text", 0), TypeError),
                             ((b"v", "0"), TypeError), ((b"v", -1), OverflowError), ((b"v", 2**32), OverflowError),
                             ((b"v", 2**64), OverflowError)):
            for store in (lambda: self.server.set("k", given), lambda: self.server.set_many({"k": given})):
                with self.subTest(given), self.assertRaises(fault):
                    store()
        for given in ([b"v", 2**32 - 1], (bytearray(b"v"), 7), (memoryview(b"v"), 7)):
            self.server.set("k", given)
            self.assertEqual(self.server.get("k"), (b"v", given[1]))
            self.server.set_many({"k": (b"w", 1), "l": given})
            self.assertEqual(self.server.get("l"), (b"v", given[1]))

    def test_a_mapping_may_change_while_it_is_encoded(self):
        pairs = {f"k{number}": (b"v", 0) for number in range(100)}

        class Clearing(Seen):
            """Empties the mapping that it is called for."""

            def encode(self, value):
                pairs.clear()
                return value

        self.assertEqual(self.client(codec=Clearing()).set_many(pairs), [])
        self.assertEqual(self.server.get("k99"), (b"v", 0))

    def test_a_value_that_cannot_be_read_leaves_the_others(self):
        self.server.set_many({"a": (b"1", 1), "bad": (b"{", 1), "b": (b"2", 1), "worse": (b"}", 1)})
        with self.assertRaises(shoal.BadValue) as caught:
            self.client(codec="json").get_many(["a", "bad", "b", "worse", "none"])
        self.assertEqual(caught.exception.partial, {"a": 1, "b": 2})

    def test_what_a_codec_of_ones_own_raises_comes_through(self):
        class Failing(Seen):
            """One whose decode fails."""

            def decode(self, data, flags):
                raise LookupError("mine")

        self.server.set("k", (b"v", 0))
        for call in (lambda cache: cache.get("k"), lambda cache: cache.get_many(["k"])):
            with self.assertRaisesRegex(LookupError, "mine"):
                call(self.client(codec=Failing()))

    def test_flags_that_do_not_fit_are_refused(self):
        for wrong, kind in ((2**32, OverflowError), (-1, OverflowError), (2**70, OverflowError), (1.0, TypeError)):
            for call in (lambda pair: self.server.set("k", pair), lambda pair: self.server.set_many({"k": pair})):
                with self.subTest(wrong), self.assertRaisesRegex(kind, "flags is a whole number"):
                    call((b"v", wrong))
        self.assertIsNone(self.server.get("k"))
        self.server.set_many({"k": (b"v", 2**32 - 1)})
        self.assertEqual(self.server.get("k"), (b"v", 2**32 - 1))

    def test_what_is_no_pair_of_bytes_and_flags_is_refused(self):
        for wrong in (None, b"v", (b"v",), ("text", 0), (None, 0), (b"v", 0, 0)):
            for call in (lambda value: self.server.set("k", value), lambda value: self.server.set_many({"k": value})):
                with self.subTest(wrong), self.assertRaises((TypeError, ValueError)):
                    call(wrong)
        self.assertIsNone(self.server.get("k"))

    def test_raw_reads_bytes_whatever_their_flags(self):
        self.server.set("k", (b"v", 16))
        self.assertEqual(self.client().get("k"), b"v")


if __name__ == "__main__":
    unittest.main()
