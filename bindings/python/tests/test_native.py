"""The native module is what its stub says, and takes no nonsense.

May import: the standard library and shoal.
"""
import ast
import gc
import pathlib
import re
import unittest
import weakref

import shoal
from shoal import _native

STUB = pathlib.Path(shoal.__file__).with_name("_native.pyi")


def parameters_of(function):
    """How many arguments a function takes, from what it says of far too many."""
    try:
        function(*range(50))
    except TypeError as error:
        text = str(error)
        if "takes no arguments" in text:
            return 0
        if "exactly one argument" in text:
            return 1
        found = re.search(r"expected (?:at most )?(\d+) arguments", text)
        return int(found[1]) if found else text
    return "any"


class Stub(unittest.TestCase):
    def setUp(self):
        self.stub = ast.parse(STUB.read_text(encoding="utf-8")).body
        self.names = {name for name in dir(_native) if not name.startswith("__")}

    def test_functions(self):
        written = {each.name: len(each.args.args) for each in self.stub if isinstance(each, ast.FunctionDef)}
        made = {name: parameters_of(getattr(_native, name)) for name in self.names if callable(getattr(_native, name))}
        self.assertGreater(len(made), 50)
        self.assertEqual(written, made)

    def test_constants(self):
        written = {each.target.id for each in self.stub if isinstance(each, ast.AnnAssign)}
        made = {name for name in self.names if isinstance(getattr(_native, name), int)}
        self.assertEqual(written, made)


class Nonsense(unittest.TestCase):
    def test_handles_are_told_apart(self):
        config = _native.config_new()
        for wrong in (None, 5, "client", config, object()):
            with self.assertRaisesRegex(TypeError, "shoal_client is expected"):
                _native.get(wrong, "k")
        with self.assertRaisesRegex(TypeError, "shoal_config is expected"):
            _native.client_new(None)

    def test_texts(self):
        config = _native.config_new()
        with self.assertRaises(TypeError):
            _native.config_set(config, b"endpoint", "a:1")
        with self.assertRaises(shoal.Error):
            _native.config_set(config, None, None)
        self.assertIsNone(_native.option_find("no such"))
        self.assertIsNone(_native.option_at(_native.option_count()))

    def test_numbers(self):
        with self.assertRaises(OverflowError):
            _native.option_at(-1)

    def test_items_of_a_batch(self):
        client = shoal.Client("static://127.0.0.1:1")._handle  # pylint: disable=protected-access
        for items in (5, [5], [("k",)], [("k", b"v", -1.5)], [("k", "text", 0)], [(5, b"v", 0)]):
            with self.subTest(items), self.assertRaises(TypeError):
                _native.set_many(client, items, 0)

    def test_a_node_keeps_its_topology(self):
        client = shoal.Client("static://127.0.0.1:1,127.0.0.1:2")._handle  # pylint: disable=protected-access
        topology = _native.client_topology(client)
        node = _native.topology_node_at(topology, 1)
        self.assertIsNone(_native.topology_node_at(topology, 2))
        del topology, client
        gc.collect()
        self.assertEqual(_native.node_name(node), "127.0.0.1:2")


class Collection(unittest.TestCase):
    def test_a_client_in_a_cycle_is_freed(self):
        class Holder:
            """Something that a client may be part of."""

        holder = Holder()
        holder.client = shoal.Client("static://127.0.0.1:1")
        holder.itself = holder
        gone = weakref.ref(holder.client)
        del holder
        gc.collect()
        self.assertIsNone(gone())

    def test_an_error_holds_no_reference_back(self):
        cache = shoal.Client("static://127.0.0.1:1")
        for _ in range(100):
            with self.assertRaises(shoal.BadKey):
                cache.get("bad key")
        gone = weakref.ref(cache)
        del cache
        self.assertIsNone(gone())


if __name__ == "__main__":
    unittest.main()
