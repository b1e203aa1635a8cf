"""What stands in CACHES: every spelling of LOCATION, every option of Shoal's and of its predecessors'.

May import: the standard library, Django, shoal and config. No servers but where a setting is put to use.
"""
import unittest

from config import BACKEND, CacheTest, LocalFleet, ShoalCache, override_settings
from django.core.cache import caches
from django.core.exceptions import ImproperlyConfigured

import shoal
from shoal.django.location import read_location
from shoal.django.settings import read_settings
from support import eventually


def settings_of(location="a:1", options=None, **params):
    """A setting that was read; without OPTIONS where None is given."""
    return read_settings(location, params if options is None else {**params, "OPTIONS": options})


def options_of(location="a:1", options=None, **params):
    """The core's options that a setting comes to."""
    return dict(settings_of(location, options, **params).options)


class Location(unittest.TestCase):
    def test_spellings(self):
        for location, endpoint in (
                ("a", "a"), ("a:1", "a:1"), (" a:1 ", "a:1"), ("[::1]:1", "[::1]:1"), ("[::1]", "[::1]"),
                ("unix:/run/m.sock", "/run/m.sock"), ("/run/m.sock", "/run/m.sock"), ("unix:///run/m", "unix:///run/m"),
                ("a:1;b:2", "a:1,b:2"), ("a:1,b:2", "a:1,b:2"), ("a:1; b:2 ,c", "a:1,b:2,c"),
                (["a:1", "b:2"], "a:1,b:2"),
                (("a:1",), "a:1"), ([("a", 1), ["::1", 2]], "a:1,[::1]:2"), (["unix:/x", "/y"], "/x,/y"),
                ("a:1:3,b:2:1", "a:1:3,b:2:1"), ("elasticache://a:1,b:2", "elasticache://a:1,b:2"),
                ("static://a:1,b:2?hash=md5&allow_nodes=a,b", "static://a:1,b:2?hash=md5&allow_nodes=a,b"),
                (["memorystore://a:1"], "memorystore://a:1"), ("a:1?allow_nodes=a,b", "a:1?allow_nodes=a,b")):
            with self.subTest(location):
                self.assertEqual(read_location(location).endpoint, endpoint)
                if not endpoint.startswith("/x"):
                    ShoalCache(location, {"OPTIONS": {"preset": None}})

    def test_nonsense(self):
        for location in ("", [], " , ", None, 5, [5], ["static://a", "b"], "nosuch://a", "a:b:c:d", "a:70000"):
            with self.subTest(location), self.assertRaises(ImproperlyConfigured):
                ShoalCache(location, {})


class Options(unittest.TestCase):
    def test_every_option_of_the_core(self):
        for option in shoal.options():
            if option.name == "endpoint":
                continue
            choices = option.range.split("|") if option.type in ("choice", "boolean") else [option.default]
            if option.name in ("discovery_fallback", "allow_nodes", "key_prefix"):
                choices = {"discovery_fallback": ["strict"], "allow_nodes": [["a", "10.0.0.0/8"]], "key_prefix": ["p"]}[
                    option.name]
            for choice in choices:
                with self.subTest(option.name):
                    try:
                        ShoalCache("a:1", {"OPTIONS": {option.name: choice}})
                    except ImproperlyConfigured as error:
                        self.assertIn("this libshoal was built without", str(error))

    def test_an_unknown_one_names_the_nearest(self):
        for options, pattern in (
                ({"operation_timeout": 5}, "'operation_timeout'; the nearest is 'operation_timeout_ms'"),
                ({"IGNORE_CLUSTER_ERROR": True}, "nearest is 'IGNORE_CLUSTER_ERRORS'"),
                ({"ignor_exc": True}, "nearest is 'ignore_exc'"), ({"tcp_no_delay": 1}, "nearest is 'tcp_nodelay'"),
                ({"behaviors": {"ketma": 1}}, "no behavior 'ketma'; the nearest is 'ketama'"),
                ({"presett": "pylibmc"}, "nearest is 'preset'"), ({"endpoint": "a:1"}, "the endpoint is LOCATION"),
                ({"preset": "pymemcache", "ketama": True}, "it is of pylibmc")):
            with self.subTest(options), self.assertRaisesRegex(ImproperlyConfigured, pattern):
                ShoalCache("a:1", {"OPTIONS": options})

    def test_values_that_are_wrong(self):
        for options in ({"operation_timeout_ms": 0}, {"protocol": "x"}, {"preset": "x"}, {"codec": "x"},
                        {"codec": "no.such"}, {"codec": 5}, {"compress": "x"}, {"codec": "raw", "compress": "zlib"}, {"timeout": "x"},
                        {"codec": "json", "compress_min_bytes": -1}, {"on_node_failure": "x"}, {"password": "secret"},
                        {"tls_context": object()}, {"hasher": dict}, {"ketama": 1, "ignore_exc": True},
                        {"ketama": 1, "distribution": "random"}, {"ketama": 1, "hash": "hsieh"}, {"_sort_hosts": 1},
                        {"codec": shoal.RawCodec(), "compress": "zlib"}):
            with self.subTest(options), self.assertRaises(ImproperlyConfigured) as caught:
                ShoalCache("a:1", {"OPTIONS": options})
            self.assertNotIn("secret", str(caught.exception))

    def test_what_django_reads_itself(self):
        self.assertEqual(options_of(options={"MAX_ENTRIES": 5, "CULL_FREQUENCY": 2}), {})

    def test_through_djangos_own_handler(self):
        with override_settings(CACHES={"default": {"BACKEND": BACKEND, "LOCATION": "a:1", "OPTIONS": {"bad": 1}}}):
            with self.assertRaises(ImproperlyConfigured):
                caches["default"].get("k")


class Predecessors(unittest.TestCase):
    def test_django_elasticache(self):
        for options, preset, wanted in (
                (None, "django-elasticache", {}),
                ({}, "django-elasticache-options", {}),
                ({"IGNORE_CLUSTER_ERRORS": True}, "django-elasticache-options", {"discovery_fallback": "single"}),
                ({"IGNORE_CLUSTER_ERRORS": False}, "django-elasticache-options", {"discovery_fallback": "strict"}),
                ({"tcp_nodelay": True, "ketama": True}, "django-elasticache-options",
                 {"distribution": "ketama", "hash": "one_at_a_time"}),
                ({"tcp_nodelay": True, "connect_timeout": 300}, "django-elasticache-options",
                 {"connect_timeout_ms": 300}),
                ({"behaviors": {"ketama": True, "connect_timeout": 300}, "CALL_RETRY_COUNT": 3},
                 "django-elasticache-options",
                 {"distribution": "ketama", "hash": "one_at_a_time", "connect_timeout_ms": 300, "retry_attempts": 3})):
            with self.subTest(options):
                found = settings_of(options=options)
                self.assertEqual((found.preset, dict(found.options), found.codec.name), (preset, wanted, "pylibmc"))
        self.assertEqual(settings_of(CALL_RETRY_COUNT=2, BINARY=True).preset, "django-elasticache")
        self.assertEqual(options_of(CALL_RETRY_COUNT=99), {"retry_attempts": 10})

    def test_django_elastipymemcache(self):
        found = settings_of(options={
            "discovery_interval": 30.5, "discovery_retry_delay": 2.0, "use_vpc_ip_address": True, "retry_attempts": 12,
            "connect_timeout": 0.3, "timeout": 0.25, "retry_timeout": 1, "dead_timeout": 60, "ignore_exc": True,
            "key_prefix": b"p:", "use_pooling": True, "max_pool_size": 50, "pool_idle_timeout": 30,
            "cluster_timeout": 3, "ignore_cluster_errors": True})
        self.assertEqual((found.preset, found.codec.name), ("django-elastipymemcache", "pymemcache"))
        self.assertIs(found.raises, False)
        self.assertEqual(dict(found.options), {
            "discovery_interval_ms": 30500, "retry_attempts": 10, "connect_timeout_ms": 300,
            "operation_timeout_ms": 250, "key_prefix": "p:", "lanes_per_node": 50, "discovery_timeout_ms": 3000, "discovery_fallback": "single"})
        self.assertEqual(settings_of(options={"ignore_exc": True, "use_vpc_ip_address": False}).preset, "pymemcache")
        self.assertEqual(options_of(options={"discovery_interval": 0.0}), {})

    def test_djangos_own(self):
        servers = ["a:1", "b:2"]
        for options, preset, codec in (
                (None, "pymemcache", "pymemcache"),
                ({"no_delay": True, "max_pool_size": 4, "use_pooling": True}, "pymemcache", "pymemcache"),
                ({"connect_timeout": 1}, "pymemcache", "pymemcache"),
                ({"binary": True, "behaviors": {"ketama": True}}, "pylibmc", "pylibmc"),
                ({"preset": "pylibmc"}, "pylibmc", "pylibmc"),
                ({"server_max_value_length": 1024 * 1024 * 2}, "pylibmc", "pymemcache")):
            with self.subTest(options):
                found = settings_of(servers, options)
                self.assertEqual((found.preset, found.codec.name), (preset, codec))

    def test_only_what_places_keys_changes_the_preset(self):
        self.assertEqual(settings_of(options={"operation_timeout_ms": 100}).preset, "django-elasticache")
        self.assertIsNone(settings_of(options={"distribution": "ketama_weighted"}).preset)
        self.assertIsNone(settings_of(options={"preset": None}).preset)
        self.assertIsNone(settings_of("elasticache://a:1").preset)
        self.assertIsNone(settings_of("a:1?hash=md5").preset)
        self.assertIsNone(settings_of("a:1:2,b:1:1").preset)

    def test_shoals_own_beat_translated_ones(self):
        self.assertEqual(options_of(options={"timeout": 3, "operation_timeout_ms": 100})["operation_timeout_ms"], 100)
        found = options_of(options={"preset": "pylibmc", "distribution": "ketama_weighted", "hash": "md5"})
        self.assertEqual(found, {"distribution": "ketama_weighted", "hash": "md5"})
        found = options_of(options={"preset": "django-elasticache", "hash": "md5"})
        self.assertEqual(found, {"distribution": "ketama", "hash": "md5"})

    def test_on_node_failure(self):
        for options, raises in ((None, False), ({"on_node_failure": "error"}, True),
                                ({"on_node_failure": "miss"}, False), ({"ignore_exc": False}, True), ({"ignore_exc": True}, False)):
            self.assertIs(settings_of(options=options).raises, raises, options)
            # The core would make misses that nobody can log.
            self.assertEqual(options_of(options=options), {})


class InUse(CacheTest):
    NODES = 1

    def test_one_server_of_any_spelling(self):
        name = self.names[0]
        for location in (name, [name], f"{name},", f"static://{name}", f"{name}?lane_idle_s=5"):
            cache = self.cache(location)
            cache.set("k", location)
            self.assertEqual(cache.get("k"), location)

    def test_ignore_cluster_errors(self):
        """A plain memcached knows no discovery: the setting says whether it serves as the only node."""
        name = self.names[0]
        self.cache(name, {"IGNORE_CLUSTER_ERRORS": True}).set("k", 1)
        self.assertEqual(self.cache(name, {"IGNORE_CLUSTER_ERRORS": True}).get("k"), 1)
        strict = self.cache(name, {"IGNORE_CLUSTER_ERRORS": False, "operation_timeout_ms": 500})
        with self.assertLogs("shoal.django", "WARNING"):
            self.assertIsNone(strict.get("k"))
        self.assertIs(strict.add("other", 1), False)

    def test_the_choice_is_told_once(self):
        options = {"OPTIONS": {"lane_idle_s": 77}}
        with self.assertLogs("shoal.django", "INFO") as logged:
            for _ in range(3):
                ShoalCache(self.names[0], options)
        self.assertEqual(len(logged.output), 1)
        self.assertIn("preset='django-elasticache'", logged.output[0])

    def test_a_fleet_that_changes_under_the_cache(self):
        fleet = LocalFleet(2)
        self.addCleanup(fleet.stop)
        cache = self.cache(fleet.endpoint, {"discovery_interval_ms": 50})
        self.assertEqual(len(cache.client.nodes()), 2)
        fleet.change("add")
        self.assertTrue(eventually(lambda: len(cache.client.nodes()) == 3))
        cache.set_many({f"k{i}": i for i in range(50)})
        fleet.change("remove")
        self.assertTrue(eventually(lambda: len(cache.client.nodes()) == 2))
        self.assertGreater(len(cache.get_many(f"k{i}" for i in range(50))), 20)


if __name__ == "__main__":
    unittest.main()
