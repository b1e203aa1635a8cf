"""Processes: forks without a call, and interpreters that end with clients alive.

May import: the standard library, shoal and support.
"""
import multiprocessing
import os
import unittest
import warnings

import shoal
from support import OPERATION_TIMEOUT_MS, UNDER_ASAN, FleetTest


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
        # Python ignores what its warning of a fork beside a thread raises where warnings are errors.
        self.assertEqual(self.run_python(program, "-W", "always").strip(), "3")

    def test_a_child_may_leave_at_once(self):
        cache = self.client()
        cache.set("k", b"v")
        child = os.fork()
        if child == 0:
            os._exit(5)  # pylint: disable=protected-access
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), 5)
        self.assertEqual(cache.get("k"), b"v")


# The client of a pool's worker: inherited where workers are forks, made by `begin_worker` elsewhere.
SHARED = {}


def begin_worker(endpoint):
    """The first thing that a worker does which inherits nothing."""
    SHARED["cache"] = shoal.Client(endpoint, operation_timeout_ms=OPERATION_TIMEOUT_MS)


def work_of_pool(number):
    """A pool's task: whether every value was right, and which process it was."""
    return work(SHARED["cache"], number, 20), os.getpid()


class Multiprocessing(FleetTest):
    NODES = 2
    TASKS = 60

    def setUp(self):
        super().setUp()
        begin_worker(self.endpoint)
        work(SHARED["cache"], "before", 1)
        self.addCleanup(SHARED.clear)

    def check(self, pool, workers):
        with pool:
            asked = pool.map_async(work_of_pool, range(self.TASKS), chunksize=1)
            self.assertTrue(work(SHARED["cache"], "parent", 100))
            outcomes = asked.get(60)
            pool.close()
            pool.join()
        self.assertEqual([right for right, _ in outcomes], [True] * self.TASKS)
        self.assertGreaterEqual(len({pid for _, pid in outcomes}), workers)

    def test_forks_inherit_the_client(self):
        self.check(multiprocessing.get_context("fork").Pool(4), 1)

    @unittest.skipIf(UNDER_ASAN, "forks beside a thread that allocates")
    def test_forks_that_are_replaced(self):
        with warnings.catch_warnings():
            # The pool makes new ones in a thread of its own, of which Python 3.12 and later warn.
            warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
            self.check(multiprocessing.get_context("fork").Pool(4, maxtasksperchild=3), self.TASKS // 3)

    def test_others_make_their_own(self):
        for method in ("spawn", "forkserver"):
            with self.subTest(method):
                self.check(multiprocessing.get_context(method).Pool(3, begin_worker, [self.endpoint]), 1)

    def test_a_client_cannot_be_sent_to_another_process(self):
        context = multiprocessing.get_context("spawn")
        with self.assertRaisesRegex(TypeError, "neither pickled nor copied"):
            context.Process(target=work, args=(SHARED["cache"], 0, 1)).start()


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

    def test_an_atexit_handler_and_a_thread_that_outlives_the_main_one(self):
        program = """
import atexit, sys, threading, shoal
cache = shoal.Client(sys.argv[1], operation_timeout_ms=10000, codec="json")
main = threading.main_thread()
def outlive():
    main.join()
    for turn in range(100):
        cache.set("k", turn)
        assert cache.get("k") == turn
    print("outlived")
def at_exit():
    cache.set("k", [1])
    assert cache.get_many(["k"]) == {"k": [1]}
    shoal.Client(sys.argv[1], operation_timeout_ms=10000).delete("k")
    print("at exit")
atexit.register(at_exit)
threading.Thread(target=outlive).start()
"""
        for options in ((), ("-X", "dev"), ("-O",)):
            self.assertEqual(self.run_python(program, *options).split("\n"), ["outlived", "at exit", ""])

    def test_the_module_is_imported_alone(self):
        # SWIG ignores what a warning raises where warnings are errors.
        for options in ((), ("-W", "always")):
            self.run_python("import shoal, sys; print(shoal.__version__)", *options)
        self.run_python("from shoal import *; Client, Error, BadKey")


if __name__ == "__main__":
    unittest.main()
