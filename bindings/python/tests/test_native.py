"""The native module's functions take as much as its stub says (test_types.py checks the rest of it), and no nonsense.

May import: the standard library and shoal.
"""
import ast
import gc
import inspect
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
        self.names = {name for name in dir(_native) if not name.startswith("__")} - {"ClientBase"}

    def test_functions(self):
        written = {each.name: len(each.args.posonlyargs) for each in self.stub if isinstance(each, ast.FunctionDef)}
        made = {name: parameters_of(getattr(_native, name)) for name in self.names if callable(getattr(_native, name))}
        self.assertGreater(len(made), 50)
        self.assertEqual(written, made)

    def test_the_clients_base(self):
        base, = (each for each in self.stub if isinstance(each, ast.ClassDef))
        methods = [each for each in base.body if isinstance(each, ast.FunctionDef) and each.name != "__init__"]
        for each in methods:
            made = inspect.signature(getattr(_native.ClientBase, each.name))
            defaults = [ast.unparse(default) for default in each.args.defaults]
            self.assertEqual([argument.arg for argument in each.args.args], list(made.parameters), each.name)
            self.assertEqual(defaults, [repr(parameter.default) for parameter in made.parameters.values()
                                        if parameter.default is not parameter.empty], each.name)
        made = {name for name, each in vars(_native.ClientBase).items() if inspect.ismethoddescriptor(each)}
        self.assertEqual({each.name for each in methods}, {name for name in made if not name.startswith("_")})

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

    def test_arguments(self):
        cache = shoal.Client("static://127.0.0.1:1")
        for call, fault in ((lambda: cache.get(), "get() missing required argument 'key' (pos 1)"),
                            (lambda: cache.get(default=5), "get() missing required argument 'key' (pos 1)"),
                            (lambda: cache.get("k", 5, 6), "get() takes at most 2 arguments (3 given)"),
                            (lambda: cache.get("k", key="k"), "argument for get() given by name ('key') and position (1)"),
                            (lambda: cache.set("k", b"v", time=5), "set() got an unexpected keyword argument 'time'"),
                            (lambda: cache.set_many(ttl=5), "set_many() missing required argument 'mapping' (pos 1)")):
            with self.subTest(fault), self.assertRaisesRegex(TypeError, f"^{re.escape(fault)}$"):
                call()

    def test_a_client_is_made_once(self):
        cache = shoal.Client("static://127.0.0.1:1")
        with self.assertRaisesRegex(TypeError, "made once"):
            cache.__init__("static://127.0.0.1:2")
        self.assertEqual(cache.nodes(), ["127.0.0.1:1"])

    def test_the_clients_base_takes_handles_and_packings(self):
        handle = shoal.Client("static://127.0.0.1:1")._handle  # pylint: disable=protected-access
        for arguments in ((), (None, None, None, None), (handle, None, None, 5), (handle, None, None, (1, 2)),
                          (handle, None, None, (handle, 1, 1)), (handle, None, None)):
            with self.subTest(arguments), self.assertRaises(TypeError):
                _native.ClientBase(*arguments)

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
