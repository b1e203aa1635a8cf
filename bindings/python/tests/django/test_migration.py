"""Zero misses: what each predecessor wrote on three nodes is read here by the settings that it had, and the other way.

Each is skipped where it is not installed. May import: the standard library, Django, the predecessors' clients, config.
"""
import importlib
import unittest
import warnings

from config import CacheTest, LocalFleet, ShoalCache
from django.core.cache.backends import memcached as backends

from shoal.django.clients import share
from shoal.django.settings import read_settings

VALUES = {"bytes": b"\0\xff", "text": "schön", "empty": "", "integer": -5, "large": 2**70, "list": [1, "a", None],
          "none": None, "float": 1.5, "long": "la " * 5000, "true": True, "false": False, "schlüssel": "ü"}
MANY = {**VALUES, **{f"key-{i}": i if i % 2 else f"value {i}" for i in range(300)}}

# On Python 3.13 pylibmc ends the process where it reads an empty text.
EMPTY = ("empty",)

BEHAVIORS = [{"tcp_nodelay": True}, {"ketama": True}, {"ketama": False}, {"ketama_weighted": True},
             {"ketama_weighted": False}, {"ketama": 1, "ketama_weighted": 1}, {"hash": "crc"}, {"hash": "fnv1_32"},
             {"hash": "default", "ketama": 1}, {"hash": "md5", "ketama": 1}, {"hash": "md5", "ketama_weighted": 1},
             {"ketama_hash": "md5", "ketama": 1}, {"ketama": 1, "distribution": "modula"},
             {"ketama_weighted": 1, "distribution": "modula"}, {"distribution": "consistent"},
             {"distribution": "consistent ketama", "hash": "jenkins"}, {"distribution": "consistent weighted"},
             {"hash": "murmur", "verify_keys": False}]


def needs(name):
    """Skips a test where a client is not installed."""
    try:
        return importlib.import_module(name)
    except ImportError:
        raise unittest.SkipTest(f"{name} is not installed") from None


class Migration(CacheTest):
    NODES = 3

    def check(self, theirs, ours, both_ways=True, default="missing", unread=()):
        """Nothing is missing and nothing is wrong, whoever wrote it. `unread` is what theirs cannot read itself."""
        self.check_writes(theirs, ours, "missing", MANY)
        ours.clear()
        if both_ways:
            self.check_writes(ours, theirs, default, {key: MANY[key] for key in MANY if key not in unread})

    def check_writes(self, writer, reader, default, values):
        """What one cache writes, one by one and together, the other reads and counts with."""
        for key, value in values.items():
            writer.set(key, value)
        self.assertEqual(reader.get_many(values), values)
        for key in [key for key in VALUES if key in values]:
            value, back = values[key], reader.get(key, default)
            self.assertEqual(back, value)
            if not isinstance(value, bool):  # pylibmc writes a bool as an integer
                self.assertIs(type(back), type(value))
        writer.set("counter", 5)
        self.assertEqual((reader.incr("counter"), writer.incr("counter"), reader.get("counter")), (6, 7, 7))
        self.assertEqual(writer.set_many({"a": 1, "b": 2}), [])
        self.assertEqual(reader.get_many(["a", "b"]), {"a": 1, "b": 2})
        reader.delete_many(["a", "b"])
        self.assertIsNone(writer.get("a"))


class Django(Migration):
    """Django's own backends."""

    def test_pymemcache(self):
        needs("pymemcache")
        for options in ({}, {"no_delay": True, "ignore_exc": True}, {"use_pooling": True, "max_pool_size": 3},
                        {"key_prefix": b"p:"}, {"timeout": 20.0, "connect_timeout": 20.0}):
            with self.subTest(options):
                params = {"KEY_PREFIX": "site", "OPTIONS": options}
                theirs = backends.PyMemcacheCache(self.names, params)
                self.addCleanup(theirs.close)
                self.check(theirs, self.cache(options=options, KEY_PREFIX="site"))

    def test_pymemcache_with_a_serde_of_its_own(self):
        serde = needs("pymemcache.serde")
        options = {"serde": serde.PickleSerde(pickle_version=2)}
        theirs = backends.PyMemcacheCache(self.names, {"OPTIONS": options})
        self.addCleanup(theirs.close)
        self.check(theirs, self.cache(options=options))

    def test_pylibmc(self):
        needs("pylibmc")
        theirs = backends.PyLibMCCache(self.names, {})
        self.check(theirs, self.cache(options={"preset": "pylibmc"}), unread=EMPTY)

    def test_pylibmc_with_behaviors(self):
        """Every behavior that places keys, as pylibmc itself understands it."""
        needs("pylibmc")
        for behaviors in BEHAVIORS:
            with self.subTest(behaviors):
                options = {"behaviors": behaviors}
                theirs = backends.PyLibMCCache(self.names, {"OPTIONS": options})
                self.check(theirs, self.cache(options=options), both_ways=False)

    def test_pylibmc_with_weights(self):
        needs("pylibmc")
        nodes = [f"{name}:{weight}" for weight, name in enumerate(self.names, 1)]
        theirs = backends.PyLibMCCache(nodes, {"OPTIONS": {"behaviors": {"ketama_weighted": True}}})
        self.check(theirs, self.cache(nodes, {"behaviors": {"ketama_weighted": True}}), unread=EMPTY)

    def test_python_memcached(self):
        """Its hash is never 0, which moves one key in 32768: none of those here."""
        needs("memcache")
        if not hasattr(backends, "MemcachedCache"):
            self.skipTest("this Django has no MemcachedCache")
        for options in ({"server_max_value_length": 2 * 1024 * 1024}, {}):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                theirs = backends.MemcachedCache(self.names, {"OPTIONS": options})
            self.addCleanup(theirs.close)
            # To it None is what is missing.
            self.check(theirs, self.cache(options=options or {"preset": "pylibmc", "hash": "libmemcached_crc"}),
                       default=None)


class ElastiCache(Migration):
    """The backends that discover, written as they are: the nodes of the endpoint, by address, in its order."""

    NODES = 1

    def setUp(self):
        super().setUp()
        self.fleet = LocalFleet(3)
        self.addCleanup(self.fleet.stop)
        # A cache that places keys by nothing of theirs, to learn the nodes.
        self.nodes = [f"{node.address}:{node.port}"
                      for node in self.cache("elasticache://" + self.fleet.endpoint).client.topology().nodes]

    def cache_of(self, **setting):
        """A cache with the very setting that the predecessor had; the test's patience is put in behind."""
        cache = ShoalCache(self.fleet.endpoint, setting)
        read = read_settings(self.fleet.endpoint, setting)
        cache.client = share(read._replace(options=(*read.options, *self.patience.items()))).client
        return cache

    def django_elasticache(self, **setting):
        """django-elasticache's cache: a PyLibMCCache whose client has the nodes and, after that, the behaviors."""
        pylibmc = needs("pylibmc")
        options = setting.get("OPTIONS", {"tcp_nodelay": True, "ketama": True})
        client = pylibmc.Client(self.nodes)
        behaviors = options.get("behaviors", {} if "IGNORE_CLUSTER_ERRORS" in options else options)
        if behaviors:
            client.behaviors = behaviors
        theirs = backends.PyLibMCCache(self.nodes, {})
        theirs.__dict__["_cache"] = client
        return theirs

    def test_django_elasticache_changing_only_backend(self):
        for setting in ({}, {"OPTIONS": {}}, {"OPTIONS": {"IGNORE_CLUSTER_ERRORS": True}},
                        {"OPTIONS": {"tcp_nodelay": True, "ketama": True}}, {"OPTIONS": {"tcp_nodelay": True}},
                        {"OPTIONS": {"behaviors": {"ketama": True}, "IGNORE_CLUSTER_ERRORS": False}},
                        {"OPTIONS": {"behaviors": {"hash": "md5", "connect_timeout": 20000}}},
                        {"CALL_RETRY_COUNT": 2, "BINARY": True}):
            with self.subTest(setting):
                self.check(self.django_elasticache(**setting), self.cache_of(**setting), unread=EMPTY)

    def test_django_elastipymemcache(self):
        needs("pymemcache")
        for options in ({"ignore_exc": True}, {"use_pooling": True, "discovery_interval": 60.0, "timeout": 20.0},
                        {"preset": "django-elastipymemcache"}):
            theirs = backends.PyMemcacheCache(self.nodes, {"OPTIONS": {"ignore_exc": True}})
            self.addCleanup(theirs.close)
            self.check(theirs, self.cache_of(OPTIONS=options))


if __name__ == "__main__":
    unittest.main()
