"""Processes: forks without a call, and interpreters that end with clients alive.

May import: the standard library, shoal and support.
"""
import multiprocessing
import os
import unittest

from support import FleetTest


def work(cache, number, turns):
    """Whether every value that a process reads is its own."""
    for turn in range(turns):
        value = f"{number} {turn}".encode()
        cache.set(f"k{number}", value)
        if cache.get(f"k{number}") != value or cache.get_many([f"k{number}"]) != {f"k{number}": value}:
            return False
    return True


class Forks(FleetTest):
    NODES = 2

    def test_parent_and_children_go_on(self):
        cache = self.client()
        cache.set("before", b"the fork")
        context = multiprocessing.get_context("fork")

        def child(number, results):
            results.put((number, work(cache, number, 100), cache.get("before")))

        results = context.SimpleQueue()
        children = [context.Process(target=child, args=(number, results)) for number in range(4)]
        for each in children:
            each.start()
        self.assertTrue(work(cache, "parent", 100))
        answers = sorted(results.get() for _ in children)
        for each in children:
            each.join()
        self.assertEqual(answers, [(number, True, b"the fork") for number in range(4)])
        self.assertTrue(work(cache, "parent", 10))

    def test_a_fork_while_the_background_thread_runs(self):
        program = """
import os, sys, shoal
cache = shoal.Client(sys.argv[1].removeprefix("static://").split(",")[0], operation_timeout_ms=10000)
cache.set("k", b"v")
child = os.fork()
assert cache.get("k") == b"v"
if child == 0:
    sys.exit(3)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
        self.assertEqual(self.run_python(program).strip(), "3")

    def test_a_child_may_leave_at_once(self):
        cache = self.client()
        cache.set("k", b"v")
        child = os.fork()
        if child == 0:
            os._exit(5)  # pylint: disable=protected-access
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), 5)
        self.assertEqual(cache.get("k"), b"v")


class Ends(FleetTest):
    def test_del_at_exit(self):
        program = """
import sys, shoal
class Holder:
    def __init__(self):
        self.cache = shoal.Client(sys.argv[1], operation_timeout_ms=10000)
        self.cache.set("k", b"v")
    def __del__(self):
        assert self.cache.get("k") == b"v"
        self.cache.close()
        try:
            self.cache.get("k")
        except shoal.Closed:
            print("closed")
holder = Holder()
holder.itself = holder
"""
        for options in ((), ("-X", "dev"), ("-O",)):
            self.assertEqual(self.run_python(program, *options).strip(), "closed")

    def test_an_end_with_clients_alive_and_threads_waiting(self):
        program = """
import sys, threading, time, shoal
cache = shoal.Client(sys.argv[1].removeprefix("static://"), operation_timeout_ms=10000)
def call():
    while True:
        cache.get("k")
for _ in range(3):
    threading.Thread(target=call, daemon=True).start()
time.sleep(0.1)
"""
        for options in ((), ("-X", "dev")):
            self.run_python(program, *options)

    def test_the_module_is_imported_alone(self):
        self.run_python("import shoal, sys; print(shoal.__version__)")
        self.run_python("from shoal import *; Client, Error, BadKey")


if __name__ == "__main__":
    unittest.main()
