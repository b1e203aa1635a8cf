"""pylibmc and pymemcache read what Shoal writes, and Shoal what they write; each is skipped where it is not installed.

May import: the standard library, shoal, support, and the two clients.
"""
import importlib
import unittest

from support import FleetTest

VALUES = {"bytes": b"\0\xff", "text": "schön", "integer": -5, "large": 2**70, "list": [1, "a", None], "float": 1.5,
          "true": True, "long": "la " * 5000}


def module(name):
    """A client's module, or a test that is skipped."""
    try:
        return importlib.import_module(name)
    except ImportError:
        raise unittest.SkipTest(f"{name} is not installed") from None


class Interop(FleetTest):
    def check(self, mine, theirs_set, theirs_get, not_kept=()):
        """Every value goes both ways; those of not_kept come back equal, but as another type."""
        for key, value in VALUES.items():
            with self.subTest(key):
                mine.set(key, value)
                back = theirs_get(key)
                self.assertEqual((back, type(back)), (value, type(value)))
                theirs_set(key, value)
                back = mine.get(key)
                self.assertEqual(back, value)
                if key not in not_kept:
                    self.assertIs(type(back), type(value))
        self.assertEqual(mine.get_many(VALUES), VALUES)

    def test_pylibmc(self):
        pylibmc = module("pylibmc")
        for compress in ("none", "zlib"):
            theirs = pylibmc.Client([self.servers[0].name])
            self.check(self.client(codec="pickle", compress=compress),
                       lambda key, value: theirs.set(key, value, min_compress_len=1000),  # pylint: disable=W0640
                       theirs.get, not_kept=("true",))  # pylibmc writes a bool as an integer

    def test_pymemcache(self):
        base, serde = module("pymemcache.client.base"), module("pymemcache.serde")
        theirs = base.Client(("127.0.0.1", self.servers[0].port), serde=serde.pickle_serde)
        self.addCleanup(theirs.close)
        self.check(self.client(codec="pymemcache"), theirs.set, theirs.get)


if __name__ == "__main__":
    unittest.main()
