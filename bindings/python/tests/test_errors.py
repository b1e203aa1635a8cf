"""Exceptions: their hierarchy, and what they carry from a fleet whose nodes fail.

May import: the standard library, shoal and support.
"""
import pickle
import socket
import unittest

import shoal
from shoal import _native, errors
from support import FleetTest


class Hierarchy(unittest.TestCase):
    def test_every_status_has_a_class(self):
        statuses = [getattr(_native, name) for name in dir(_native) if name.startswith("E_")]
        self.assertGreater(len(statuses), 15)
        kinds = {type(errors.make_error(status, "text")) for status in statuses}
        self.assertEqual(len(kinds), len(statuses))
        self.assertTrue(all(issubclass(kind, shoal.Error) and getattr(shoal, kind.__name__) is kind for kind in kinds))

    def test_a_status_of_a_later_release_is_an_error(self):
        error = errors.make_error(-1000, "text")
        self.assertIs(type(error), shoal.Error)
        self.assertEqual(error.status_name, "SHOAL_E_UNKNOWN")

    def test_an_error_survives_pickling(self):
        error = errors.make_error(_native.E_TIMEOUT, "late", "a:1", 5, 2, True, True)
        again = pickle.loads(pickle.dumps(error))
        self.assertIsInstance(again, shoal.Timeout)
        self.assertEqual((str(again), again.node, again.errno, again.attempts, again.retriable, again.outcome_unknown),
                         ("late", "a:1", 5, 2, True, True))


class Failures(FleetTest):
    def test_a_node_that_is_not_there(self):
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            name = f"127.0.0.1:{closed.getsockname()[1]}"
            cache = shoal.Client("static://" + name)
            with self.assertRaises(shoal.NodeDown) as caught:
                cache.get("k")
            self.assertEqual(caught.exception.node, name)
            self.assertTrue(caught.exception.retriable)
            self.assertEqual(cache.set_many({"k": b"v"}), ["k"])
            self.assertEqual(cache.stats(), {name: None})
            with self.assertRaises(shoal.NodeDown) as caught:
                cache.get_many(["k"])
            self.assertEqual(caught.exception.partial, {})
            self.assertIsNone(shoal.Client("static://" + name, on_node_failure="miss").get("k"))

    def test_a_lost_reply_leaves_the_outcome_unknown(self):
        server = self.servers[0]
        cache = self.client(operation_timeout_ms=300)
        cache.set("k", b"1")
        server.freeze()
        self.addCleanup(server.thaw)
        with self.assertRaises(shoal.Timeout) as caught:
            cache.increment("k")
        self.assertEqual((caught.exception.node, caught.exception.attempts), (server.name, 1))
        self.assertTrue(caught.exception.outcome_unknown)

    def test_an_endpoint_that_knows_no_fleet(self):
        with self.assertRaises(shoal.DiscoveryError):
            shoal.Client("elasticache://" + self.servers[0].name, operation_timeout_ms=5000).get("k")


if __name__ == "__main__":
    unittest.main()
