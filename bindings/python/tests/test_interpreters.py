"""Several interpreters in one process, as mod_wsgi makes them: the package works in each, or refuses to be imported.

May import: the standard library and support.
"""
import importlib
import unittest

from support import FleetTest

# What each interpreter runs, the main one too. An exception must be of its own classes, not of another's.
WORK = """
import os
try:
    import shoal
except ImportError:
    print("refused", flush=True)
else:
    for turn in range(20):
        with shoal.Client(os.environ["ENDPOINT"], operation_timeout_ms=10000, codec="pickle") as cache:
            cache.set("k", [turn])
            assert cache.get_many(["k"]) == {"k": [turn]}
            try:
                cache.get("bad key")
            except shoal.BadKey:
                pass
        try:
            cache.get("k")
        except shoal.Closed:
            pass
    print("worked", flush=True)
"""

MAIN = """
import gc, os, sys
os.environ["ENDPOINT"] = sys.argv[1]

def work_inside():
    made = create()
    # Python 3.13 and later return what was raised, earlier ones raise it.
    raised = (getattr(interpreters, "exec", None) or interpreters.run_string)(made, WORK)
    assert raised is None, raised
    interpreters.destroy(made)
    gc.collect()
"""


def makers():
    """Programs that bring in the module that makes interpreters, and `create` for one that shares its maker's lock and
    for one that does not. It goes by another name in every few releases of Python."""
    for name, shared, alone in (("_interpreters", "'legacy'", "'isolated'"),
                                ("_xxsubinterpreters", "isolated=False", "isolated=True")):
        try:
            importlib.import_module(name)
        except ImportError:
            continue
        return [f"import {name} as interpreters\ndef create(): return interpreters.create({kind})\n"
                for kind in (shared, alone)]
    raise unittest.SkipTest("this Python has no module that makes interpreters")


class Interpreters(FleetTest):
    def outcomes(self, maker, *steps):
        """What each step said, "worked" or "refused", in a process of its own."""
        program = f"WORK = {WORK!r}\n{MAIN}{maker}" + "\n".join(steps)
        return self.run_python(program).split()

    def test_one_that_shares_the_lock_works(self):
        maker, _ = makers()
        steps = ["exec(WORK)", "work_inside()"] * 3
        self.assertEqual(self.outcomes(maker, *steps), ["worked"] * 6)
        self.assertEqual(self.outcomes(maker, *steps[1:]), ["worked"] * 5)

    def test_one_with_a_lock_of_its_own_works_or_refuses(self):
        _, maker = makers()
        steps = ["exec(WORK)", "work_inside()"] * 2 + ["exec(WORK)"]
        main_first = self.outcomes(maker, *steps)
        self.assertEqual(main_first[::2], ["worked"] * 3)
        self.assertEqual(self.outcomes(maker, *steps[1:]), main_first[1:])


if __name__ == "__main__":
    unittest.main()
