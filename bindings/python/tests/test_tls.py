"""TLS, on a fleet of `shoal local --tls`.

May import: the standard library, shoal and support.
"""
import unittest

import shoal
from shoal import _native
from support import OPERATION_TIMEOUT_MS, LocalFleet


class Tls(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.addClassCleanup(_native.quiesce)
        cls.fleet = LocalFleet(2, "--tls")
        cls.addClassCleanup(cls.fleet.stop)

    def test_values_go_round(self):
        for endpoint, options in ((self.fleet.endpoint, {}),
                                  ("elasticaches://" + self.fleet.address, {"tls_ca_file": self.fleet.ca_file}),
                                  (self.fleet.address, {"tls": True, "tls_ca_file": self.fleet.ca_file})):
            cache = shoal.Client(endpoint, codec="json", operation_timeout_ms=OPERATION_TIMEOUT_MS, **options)
            self.assertEqual(len(cache.nodes()), 2)
            values = {f"k{i}": {"of": endpoint, "long": "x" * 1000 * i} for i in range(40)}
            self.assertEqual(cache.set_many(values), [])
            self.assertEqual(cache.get_many(values), values)
            self.assertEqual(cache.get("k30"), values["k30"])

    def test_who_trusts_another_authority_is_told_why(self):
        node = next(iter(shoal.Client(self.fleet.endpoint, operation_timeout_ms=OPERATION_TIMEOUT_MS).nodes()))
        for endpoint, kind in ((self.fleet.address, shoal.DiscoveryError), ("static://" + node, shoal.NodeDown)):
            cache = shoal.Client(endpoint, tls=True, operation_timeout_ms=OPERATION_TIMEOUT_MS)
            with self.assertRaisesRegex(kind, "certificate verify failed: .*: set tls_ca_file to ") as caught:
                cache.get("k")
            self.assertIn(endpoint.rpartition("/")[2], str(caught.exception))

    def test_a_file_that_is_not_there(self):
        with self.assertRaisesRegex(shoal.BadOption, "tls_ca_file.*/nowhere.pem"):
            shoal.Client("elasticaches://localhost", tls_ca_file="/nowhere.pem")


if __name__ == "__main__":
    unittest.main()
