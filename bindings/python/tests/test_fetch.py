"""fetch: one caller computes at a time, among threads, processes and coroutines, whatever becomes of it.

May import: the standard library, shoal and support.
"""
import asyncio
import os
import signal
import threading
import time
import unittest

import shoal
import shoal.aio
from support import OPERATION_TIMEOUT_MS, FleetTest, Memcached, eventually, run_all

# How long callers wait for one another where it is not the test's subject: it never comes to that.
PATIENCE_MS = 60000


def fail():
    """A computation that nobody should ask for."""
    raise AssertionError("computed")


class FetchTest(FleetTest):
    def patient(self, **options):
        """A client that waits for others' computations."""
        return self.client(**{"codec": "pickle", "fetch_wait_ms": PATIENCE_MS, **options})

    def check_unclaimed(self, cache, key="k"):
        """That the next caller computes, at once."""
        begin = time.monotonic()
        self.assertEqual(cache.fetch(key, lambda: "next", 100), "next")
        self.assertLess(time.monotonic() - begin, PATIENCE_MS / 2000)


class Values(FetchTest):
    NODES = 3

    def test_what_was_computed_is_kept(self):
        cache = self.patient()
        for number, value in enumerate((None, 0, "", b"", {"a": [1]}, (1, 2), True)):
            key = f"k{number}"
            self.assertEqual(cache.fetch(key, lambda value=value: value, 100), value)
            found = cache.fetch(key, fail, 100)
            self.assertEqual((found, type(found)), (value, type(value)))
            self.assertEqual(cache.get(key, "missing"), value)

    def test_the_first_gets_the_very_object(self):
        value = ["mine"]
        self.assertIs(self.patient().fetch(b"k", lambda: value, ttl=100, stale_ttl=0.5), value)

    def test_it_is_computed_again_when_it_has_run_out(self):
        cache = self.patient()
        values = iter(range(100))
        self.assertEqual(cache.fetch("k", lambda: next(values), 1, stale_ttl=100), 0)
        self.assertTrue(eventually(lambda: cache.fetch("k", lambda: next(values), 100, stale_ttl=100) == 1))
        self.assertEqual(cache.fetch("k", fail, 100), 1)

    def test_what_a_codec_cannot_tell_gives_the_claim_back(self):
        for options, wrong, right in (({"codec": "raw"}, "text", b"next"), ({"codec": "json"}, {1}, "next"),
                                      ({"codec": "pickle"}, fail.__code__, "next")):
            cache = self.patient(**options)
            with self.subTest(options), self.assertRaises(TypeError):
                cache.fetch("k", lambda: wrong)  # pylint: disable=cell-var-from-loop
            self.assertEqual(cache.fetch("k", lambda: right), right)  # pylint: disable=cell-var-from-loop
            cache.delete("k")

    def test_what_cannot_be_read_is_an_error_as_for_get(self):
        self.patient().fetch("k", lambda: [1], 100)
        with self.assertRaises(shoal.BadValue):
            self.patient(codec="json").fetch("k", fail, 100)

    def test_arguments(self):
        cache = self.patient()
        for arguments, options, fault in ((("bad key", fail), {}, shoal.BadKey), ((5, fail), {}, TypeError),
                                          (("k", fail, None), {}, TypeError), (("k", fail), {"stale_ttl": -1}, ValueError),
                                          (("k", fail, 1, 2), {}, TypeError)):
            with self.subTest(arguments), self.assertRaises(fault):
                cache.fetch(*arguments, **options)
        with self.assertRaisesRegex(TypeError, "^stale_ttl is a number of seconds, not str$"):
            cache.fetch("k", fail, stale_ttl="1")
        with self.assertRaisesRegex(TypeError, "not callable"):
            cache.fetch("k", "value")
        self.check_unclaimed(cache)


class Crowds(FetchTest):
    NODES = 2

    def test_one_thread_computes_and_the_others_wait(self):
        cache = self.patient()
        computed, results = [], []

        def compute():
            computed.append(1)
            time.sleep(0.2)
            return "new"

        run_all(*[lambda: results.append(cache.fetch("k", compute, 100))] * 8)
        self.assertEqual((len(computed), results), (1, ["new"] * 8))

    def test_one_thread_computes_and_the_others_get_the_old_value(self):
        cache, computing, over = self.patient(), threading.Event(), threading.Event()
        cache.set("k", "old")

        def compute():
            computing.set()
            self.assertTrue(over.wait(20))
            return "new"

        def read():
            self.assertTrue(computing.wait(20))
            try:
                for _ in range(20):
                    self.assertEqual(cache.fetch("k", fail, 100, stale_ttl=100), "old")
            finally:
                over.set()

        run_all(lambda: self.assertEqual(cache.fetch("k", compute, 100, stale_ttl=100), "new"), read)
        self.assertEqual(cache.fetch("k", fail, 100, stale_ttl=100), "new")

    def test_who_has_waited_for_long_enough_computes_too(self):
        cache, hasty = self.patient(), self.patient(fetch_wait_ms=100)
        self.assertEqual(cache.fetch("k", lambda: hasty.fetch("k", lambda: "inner", 100) + ", outer", 100), "inner, outer")
        self.assertEqual(cache.get("k"), "inner, outer")

    def test_one_process_computes_and_the_others_wait(self):
        cache = self.patient()
        cache.get("k")  # connects, as every child does anew

        def compute():
            cache.increment("computed", initial=1)
            time.sleep(0.2)
            return "new"

        def child():
            os._exit(5 if cache.fetch("k", compute, 100) == "new" else 6)  # pylint: disable=protected-access

        children = [os.fork() or child() for _ in range(6)]
        self.assertEqual([os.waitstatus_to_exitcode(os.waitpid(each, 0)[1]) for each in children], [5] * 6)
        self.assertEqual(cache.increment("computed", 0), 1)


class Failures(FetchTest):
    def test_what_compute_raises_is_raised_and_the_next_computes_at_once(self):
        cache = self.patient()
        for error in (LookupError, StopIteration, KeyboardInterrupt, SystemExit, GeneratorExit):
            for key in (f"new-{error.__name__}", f"old-{error.__name__}"):
                if key.startswith("old"):
                    cache.set(key, "old")

                def compute(error=error):
                    raise error("mine")

                with self.subTest(key), self.assertRaisesRegex(error, "mine"):
                    cache.fetch(key, compute, 100)
                self.check_unclaimed(cache, key)

    def test_an_interrupted_computation(self):
        cache = self.patient()
        interruption = threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT))
        with self.assertRaises(KeyboardInterrupt):
            interruption.start()
            cache.fetch("k", lambda: time.sleep(30), 100)
        self.check_unclaimed(cache)

    def test_a_child_of_a_computation_leaves_its_parents_claim(self):
        cache = self.patient()
        cache.set("k", "old")

        def compute():
            child = os.fork()
            if child == 0:
                raise SystemExit
            self.assertEqual(os.waitpid(child, 0)[1], 0)
            self.assertEqual(cache.fetch("k", fail, 100), "old")
            return "new"

        parent = os.getpid()
        try:
            self.assertEqual(cache.fetch("k", compute, 100), "new")
        finally:
            if os.getpid() != parent:
                os._exit(0)  # pylint: disable=protected-access
        self.assertEqual(cache.fetch("k", fail, 100), "new")

    def test_what_cannot_be_stored_is_returned(self):
        cache, large = self.patient(max_value_bytes=1000), "x" * 2000
        for _ in range(2):
            with self.assertLogs("shoal", "WARNING") as logged:
                self.assertEqual(cache.fetch("k", lambda: large, 100), large)
            self.assertRegex(logged.output[0], "fetch: what was computed was not stored: .*1000")
        self.check_unclaimed(cache)

    def test_a_client_that_is_closed_meanwhile(self):
        cache = self.patient()
        with self.assertLogs("shoal", "WARNING"):
            self.assertEqual(cache.fetch("k", lambda: cache.close() or "mine", 100), "mine")
        with self.assertRaises(shoal.Closed):
            cache.fetch("k", fail, 100)

    def test_a_node_that_is_down(self):
        dead = Memcached()
        dead.stop()
        options = {"operation_timeout_ms": OPERATION_TIMEOUT_MS, "retry_attempts": 0}
        with self.assertRaises(shoal.NodeDown):
            shoal.Client(f"static://{dead.name}", **options).fetch("k", fail)
        calm = shoal.Client(f"static://{dead.name}", on_node_failure="miss", **options)
        with self.assertLogs("shoal", "WARNING"):
            self.assertEqual(calm.fetch("k", lambda: b"mine"), b"mine")

    def test_the_lock_is_free_while_a_caller_waits(self):
        cache, hasty = self.patient(), self.patient(fetch_wait_ms=500)
        steps, done = 0, threading.Event()

        def count():
            nonlocal steps
            while not done.is_set():
                steps += 1
                time.sleep(0.001)

        def wait():
            hasty.fetch("k", lambda: "inner", 100)
            done.set()
            return "outer"

        run_all(count, lambda: cache.fetch("k", wait, 100))
        # Held for those 500 ms, it would let the other thread take a step or two.
        self.assertGreater(steps, 5)


class Coroutines(FetchTest, unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        asyncio.get_running_loop().slow_callback_duration = 10  # seconds, of which the loop would tell
        self.cache = self.make()
        self.addAsyncCleanup(self.cache.aclose)

    def make(self, **options):
        """A client for asyncio that waits for others' computations."""
        return shoal.aio.Client(self.endpoint, **{"operation_timeout_ms": OPERATION_TIMEOUT_MS, "codec": "pickle",
                                                  "fetch_wait_ms": PATIENCE_MS, **options})

    async def check_unclaimed_by_all(self):
        """That the next caller computes, at once."""
        await asyncio.get_running_loop().run_in_executor(None, self.check_unclaimed, self.patient())

    async def test_functions_and_coroutine_functions(self):
        loop = asyncio.get_running_loop()

        async def compute():
            await asyncio.sleep(0)
            self.assertIs(asyncio.get_running_loop(), loop)
            return [1]

        self.assertEqual(await self.cache.fetch("a", compute, 100), [1])
        self.assertEqual(await self.cache.fetch("b", lambda: threading.get_ident(), 100), threading.get_ident())
        self.assertEqual(await self.cache.fetch(key="a", compute=fail, ttl=100, stale_ttl=5), [1])
        with self.assertRaises(shoal.BadKey):
            await self.cache.fetch("bad key", fail)

    async def test_one_coroutine_of_many_computes(self):
        computed = []

        async def compute():
            computed.append(1)
            await asyncio.sleep(0.1)
            # The threads are all waiting, and this is served all the same.
            self.assertIsNone(await self.cache.get("other"))
            return "new"

        async with self.make(max_threads=2) as self.cache:
            results = await asyncio.gather(*(self.cache.fetch("k", compute, 100) for _ in range(20)))
        self.assertEqual((len(computed), results), (1, ["new"] * 20))

    async def test_what_compute_raises_is_raised_and_the_next_computes_at_once(self):
        async def compute():
            raise LookupError("mine")

        async def stop():
            raise StopIteration

        for each, error in ((compute, LookupError), (fail, AssertionError), (stop, RuntimeError), (set, None)):
            if error:
                with self.assertRaises(error):
                    await self.cache.fetch("k", each, 100)
            else:
                self.assertEqual(await self.cache.fetch("k", each, 100), set())
        with self.assertRaises(TypeError):
            await self.cache.fetch("other", lambda: fail.__code__, 100)
        self.assertEqual(await self.cache.fetch("other", lambda: "next", 100), "next")

    async def test_a_cancelled_computation_is_given_back(self):
        computing = asyncio.Event()

        async def compute():
            computing.set()
            await asyncio.sleep(60)

        task = asyncio.ensure_future(self.cache.fetch("k", compute, 100))
        await computing.wait()
        task.cancel()
        with self.assertRaises(asyncio.CancelledError):
            await task
        await self.check_unclaimed_by_all()

    async def test_a_lease_that_comes_when_its_caller_is_gone_is_given_back(self):
        # Whether the caller goes while its call waits for the server, or just behind its answer.
        for pause in (0, 0.0005, 0.1):
            await self.cache.delete("k")
            self.servers[0].freeze()
            try:
                task = asyncio.ensure_future(self.cache.fetch("k", fail, 100))
                await asyncio.sleep(0.05)
                if not pause:
                    task.cancel()
            finally:
                self.servers[0].thaw()
            time.sleep(pause)  # the loop does not see the answer
            task.cancel()
            with self.subTest(pause), self.assertRaises(asyncio.CancelledError):
                await task
            await self.check_unclaimed_by_all()

    async def test_what_was_computed_is_stored_although_its_caller_is_cancelled(self):
        def compute():
            self.servers[0].freeze()
            asyncio.get_running_loop().call_soon(task.cancel)
            return "mine"

        task = asyncio.ensure_future(self.cache.fetch("k", compute, 100))
        try:
            with self.assertRaises(asyncio.CancelledError):
                await task
        finally:
            self.servers[0].thaw()
        reader = self.patient()
        self.assertTrue(await asyncio.get_running_loop().run_in_executor(
            None, eventually, lambda: reader.get("k") == "mine"))

    async def test_a_coroutine_that_is_dropped_gives_its_claim_back(self):
        async def compute():
            await asyncio.sleep(60)

        fetching = self.cache.fetch("k", compute, 100)
        waited_for = fetching.send(None)
        while not waited_for.done():
            await asyncio.sleep(0.001)
        fetching.send(None)  # computes now
        fetching.close()
        await self.check_unclaimed_by_all()

    async def test_a_client_that_is_closed_while_it_computes(self):
        with self.patient() as other:
            cache = shoal.aio.Client.from_client(other)

            async def compute():
                await cache.aclose()
                return "mine"

            self.assertEqual(await cache.fetch("k", compute, 100), "mine")
            self.assertEqual(other.fetch("k", fail, 100), "mine")
            with self.assertRaises(shoal.Closed):
                await cache.fetch("k", fail, 100)


if __name__ == "__main__":
    unittest.main()
