"""What the package shows: everything public has a docstring and types, and a spelling that does not change unseen.

May import: the standard library and shoal.
"""
import inspect
import unittest

import shoal

METHODS = """
__init__(endpoint, *, codec='raw', compress=None, compress_min_bytes=None, preset=None, **options)
get(key, default=None)
gets(key)
get_many(keys)
get_and_touch(key, ttl, default=None)
fetch(key, compute, ttl=0, *, stale_ttl=0)
set(key, value, ttl=0)
add(key, value, ttl=0)
replace(key, value, ttl=0)
append(key, value, ttl=0)
prepend(key, value, ttl=0)
cas(key, value, token, ttl=0)
set_many(mapping, ttl=0)
touch(key, ttl)
delete(key)
delete_many(keys)
increment(key, delta=1, initial=None, ttl=0)
decrement(key, delta=1, initial=None, ttl=0)
flush_all()
stats(group=None)
nodes()
topology()
route(key)
close()
"""


def functions_of(kind):
    """The public functions of a class in Python, and how it is made."""
    return {name: each for name, each in vars(kind).items()
            if inspect.isfunction(each) and (name == "__init__" or not name.startswith("_"))}


def native_functions_of(kind):
    """Those that it has from the native module, whose types stand in the stub."""
    return {name: getattr(kind, name) for name in dir(kind)
            if inspect.ismethoddescriptor(getattr(kind, name)) and not name.startswith("_")}


class Public(unittest.TestCase):
    def test_names_are_documented_and_typed(self):
        for name in shoal.__all__:
            kind = getattr(shoal, name)
            self.assertTrue(kind.__doc__, name)
            if not inspect.isclass(kind):
                self.assertNotEqual(kind.__annotations__, {})
                continue
            for method, function in functions_of(kind).items():
                with self.subTest(f"{name}.{method}"):
                    signature = inspect.signature(function)
                    types = [each.annotation for each in list(signature.parameters.values())[1:]]
                    self.assertNotIn(inspect.Signature.empty, [*types, signature.return_annotation])
                    if method != "__init__":
                        self.assertTrue(function.__doc__)

    def test_the_clients_methods(self):
        spelled = []
        for name, function in {**functions_of(shoal.Client), **native_functions_of(shoal.Client)}.items():
            self.assertTrue(function.__doc__, name)
            signature = inspect.signature(function)
            bare = [each.replace(annotation=inspect.Parameter.empty)
                    for each in list(signature.parameters.values())[1:]]
            spelled.append(name + str(inspect.Signature(bare)))
        self.assertEqual(sorted(spelled), sorted(METHODS.split("\n")[1:-1]))

    def test_all_that_is_public_is_exported(self):
        names = {name for name, each in vars(shoal).items()
                 if not name.startswith("_") and (inspect.isclass(each) or inspect.isfunction(each))}
        self.assertEqual(names, set(shoal.__all__))

    def test_options_and_presets_are_the_cores(self):
        options = {option.name: option for option in shoal.options()}
        timeout = options["operation_timeout_ms"]
        self.assertEqual((timeout.type, timeout.unit, timeout.range, timeout.default, timeout.since),
                         ("integer", "ms", "1..86400000", "500", "0.1"))
        self.assertTrue(all(option.description for option in options.values()))
        self.assertIn("pylibmc", [preset.name for preset in shoal.presets()])
        self.assertTrue(all(preset.description for preset in shoal.presets()))


if __name__ == "__main__":
    unittest.main()
