"""Django's cache over TLS, by settings, on a fleet of `shoal local --tls`.

May import: the standard library, config and support.
"""
import unittest

from config import BACKEND, LocalFleet, caches, override_settings

import shoal
from shoal import _native
from support import OPERATION_TIMEOUT_MS


class Tls(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.addClassCleanup(_native.quiesce)
        cls.fleet = LocalFleet(2, "--tls")
        cls.addClassCleanup(cls.fleet.stop)

    def cache(self, location, **options):
        """The default cache of such settings."""
        override = override_settings(CACHES={"default": {
            "BACKEND": BACKEND, "LOCATION": location,
            "OPTIONS": {"operation_timeout_ms": OPERATION_TIMEOUT_MS, **options}}})
        override.enable()
        self.addCleanup(override.disable)
        return caches["default"]

    def test_values_go_round(self):
        for location, options in ((self.fleet.endpoint, {}),
                                  (self.fleet.address, {"tls": True, "tls_ca_file": self.fleet.ca_file})):
            cache = self.cache(location, **options)
            values = {f"k{i}": (location, i) for i in range(20)}
            self.assertEqual(cache.set_many(values), [])
            self.assertEqual(cache.get_many(values), values)
            self.assertEqual(len(cache.client.nodes()), 2)

    def test_who_trusts_another_authority_misses_and_logs_why(self):
        cache = self.cache("elasticaches://" + self.fleet.address)
        with self.assertLogs("shoal.django", "WARNING") as logged:
            self.assertEqual(cache.get("k", "default"), "default")
            self.assertIs(cache.add("k", 1), False)
        self.assertRegex(logged.output[0], f"{self.fleet.address}: certificate verify failed: .*: set tls_ca_file to ")
        with self.assertRaises(shoal.DiscoveryError):
            self.cache("elasticaches://" + self.fleet.address, on_node_failure="error").get("k")


if __name__ == "__main__":
    unittest.main()
