"""The client for asyncio: its methods, a loop that never waits, cancelled calls, ends, forks.

May import: the standard library, shoal and support.
"""
import asyncio
import copy
import gc
import inspect
import pickle
import threading
import time
import unittest
import unittest.mock

import shoal
import shoal.aio
from support import OPERATION_TIMEOUT_MS, FleetTest, eventually, run_all

SHORT_MS = 500  # how long a call waits for a server that stands still


def threads_of_pools():
    """The threads that any client's pool has."""
    return [each for each in threading.enumerate() if each.name.startswith("shoal")]


class AioTest(FleetTest, unittest.IsolatedAsyncioTestCase):
    """Tests in a loop, with a client that is closed behind each."""

    async def asyncSetUp(self):
        self.cache = self.make()
        self.addAsyncCleanup(self.cache.aclose)

    def make(self, **options):
        """A client for asyncio of this fleet."""
        return shoal.aio.Client(self.endpoint, **{"operation_timeout_ms": OPERATION_TIMEOUT_MS, **options})

    async def connected(self, **options):
        """A client that gives up soon, and has its connection before its server stands still."""
        cache = self.make(operation_timeout_ms=SHORT_MS, retry_attempts=0, **options)
        self.addAsyncCleanup(cache.aclose)
        await cache.get("k")
        return cache

    def freeze(self):
        """The server stands still until the test ends."""
        self.servers[0].freeze()
        self.addCleanup(self.servers[0].thaw)


class Spelling(unittest.TestCase):
    """Both clients have the same methods, and one hands on to the other whatever it is given."""

    METHODS = [name for each_class in (shoal.Client, shoal.Client.__base__) for name, each in vars(each_class).items()
               if inspect.isroutine(each) and not name.startswith("_")]

    @staticmethod
    def spelling(method):
        """Names and defaults; methods that are in C have their types in the stub alone."""
        return [(each.name, each.default, each.kind) for each in list(inspect.signature(method).parameters.values())[1:]]

    def test_the_methods_are_the_same(self):
        mine = [name for name in vars(shoal.aio.Client) if not name.startswith("_")]
        self.assertEqual(sorted(mine), sorted([*self.METHODS, "aclose", "from_client"]))
        for name in self.METHODS:
            with self.subTest(name):
                method = getattr(shoal.aio.Client, name)
                self.assertEqual(inspect.iscoroutinefunction(method), name != "close")
                other = getattr(shoal.Client, name)
                self.assertEqual(self.spelling(method), self.spelling(other))
                if inspect.isfunction(other) and name != "fetch":  # its computation may be awaited
                    self.assertEqual(inspect.signature(method), inspect.signature(other))
                self.assertTrue(method.__doc__)

    def test_they_are_made_alike(self):
        mine, other = (inspect.signature(each) for each in (shoal.aio.Client, shoal.Client))
        parameters = dict(mine.parameters)
        del parameters["max_threads"]
        self.assertEqual(list(parameters.values()), list(other.parameters.values()))

    def test_every_argument_is_handed_on(self):
        for name in self.METHODS:
            if name in ("close", "fetch"):  # fetch is several calls: see test_fetch.py
                continue
            parameters = list(inspect.signature(getattr(shoal.Client, name)).parameters)[1:]
            given = {parameter: {parameter: b"v"} for parameter in parameters}
            client = unittest.mock.create_autospec(shoal.Client, instance=True)
            cache = shoal.aio.Client.from_client(client)
            with self.subTest(name):
                result = asyncio.run(getattr(cache, name)(**given))
                method = getattr(client, name)
                wanted = {each: tuple(value) if each == "keys" else value for each, value in given.items()}
                method.assert_called_once_with(*wanted.values())
                self.assertIs(result, None if name == "flush_all" else method.return_value)
            cache.close()


class Methods(AioTest):
    NODES = 3

    STEPS = [
        ("get", "k"), ("get", "k", 7), ("gets", "k"), ("add", "k", b"1"), ("add", "k", b"2"),
        ("replace", "k", b"3", 50), ("append", "k", b"4"), ("prepend", "k", b"2"), ("get", "k"),
        ("get_and_touch", "k", 100), ("touch", "k", 50), ("get_and_touch", "none", 100, 5), ("set", "k", b"5", 100),
        ("increment", "k"), ("increment", "n", 2, 7, 9), ("decrement", "n", 2), ("cas", "none", b"v", 1),
        ("set_many", {"a": b"1", b"b": b"2", "bad key": b"3"}, 5), ("get_many", ["a", b"b", "none"]),
        ("delete_many", ["a", "none", "bad key"]), ("get_many", ["a", b"b"]), ("delete", "b"), ("delete", "b"),
        ("get", "bad key"), ("set", "k", "text"), ("get_many", "ab"), ("get_many", ["bad key", "k"]),
        ("delete_many", b"ab"), ("set_many", ["k"]), ("increment", "bad"), ("route", "k"), ("nodes",), ("topology",),
        ("stats", 5), ("fetch", "f", lambda: b"1", 100), ("fetch", "f", None), ("fetch", "bad key", None), ("flush_all",), ("get", "k"), ("get", 5), ("touch", "k", None),
    ]

    async def test_each_gives_what_the_other_client_gives(self):
        def told(error):
            return type(error), str(error), getattr(error, "partial", None)

        theirs, mine = [], []
        with self.client() as other:
            for name, *arguments in self.STEPS:
                try:
                    theirs.append((name, getattr(other, name)(*arguments)))
                except Exception as error:  # pylint: disable=broad-except  # it is compared
                    theirs.append((name, told(error)))
        for name, *arguments in self.STEPS:
            try:
                mine.append((name, await getattr(self.cache, name)(*arguments)))
            except Exception as error:  # pylint: disable=broad-except  # it is compared
                mine.append((name, told(error)))
        self.assertEqual(mine, theirs)
        methods = {name for name in Spelling.METHODS if name != "close"}
        self.assertEqual(methods, {name for name, *_ in self.STEPS})

    async def test_cas_with_a_token(self):
        await self.cache.set("k", b"1")
        value, token = await self.cache.gets("k")
        self.assertEqual(value, b"1")
        self.assertIs(await self.cache.cas("k", b"2", token, ttl=5), True)
        self.assertIs(await self.cache.cas("k", b"3", token), False)
        self.assertEqual(await self.cache.get("k"), b"2")

    async def test_stats(self):
        stats = await self.cache.stats("settings")
        self.assertEqual(list(stats), [server.name for server in self.servers])
        self.assertTrue(all(each["maxbytes"] == str(64 << 20) for each in stats.values()))

    async def test_a_hundred_at_once(self):
        cache = self.make(codec="pickle")

        async def work(number):
            for turn in range(10):
                values = {f"{number}-{i}": (number, turn, i) for i in range(5)}
                self.assertEqual(await cache.set_many(values), [])
                self.assertEqual(await cache.get_many(values), values)
                self.assertEqual(await cache.get(f"{number}-3"), (number, turn, 3))
                await cache.increment("turns", initial=1)

        async with cache:
            await asyncio.gather(*map(work, range(100)))
            self.assertEqual(await cache.increment("turns", 0), 1000)

    async def test_keys_are_read_by_the_loops_own_thread(self):
        readers = set()

        def keys():
            readers.add(threading.get_ident())
            yield "k"

        await self.cache.get_many(keys())
        await self.cache.delete_many(keys())
        self.assertEqual(readers, {threading.get_ident()})

    async def test_a_mapping_may_change_while_it_is_stored(self):
        class Slow(shoal.Codec):
            """One that waits until the mapping has changed."""

            def encode(self, value):
                changed.wait(20)
                return value, 0

        changed, pairs = threading.Event(), {"a": b"1", "b": b"2"}
        async with self.make(codec=Slow()) as cache:
            stored = asyncio.ensure_future(cache.set_many(pairs))
            await asyncio.sleep(0.05)
            pairs.clear()
            changed.set()
            self.assertEqual(await stored, [])
        self.assertEqual(await self.cache.get_many(["a", "b"]), {"a": b"1", "b": b"2"})

    async def test_a_codec_that_lets_out_a_stop_iteration(self):
        class Careless(shoal.Codec):
            """One that ends an iterator too many."""

            def encode(self, value):
                return next(iter(()))

        async with self.make(codec=Careless()) as cache:
            with self.assertRaisesRegex(RuntimeError, "set raised StopIteration"):
                await asyncio.wait_for(cache.set("k", b"v"), 20)

    async def test_pickling_and_copying_are_refused(self):
        for call in (pickle.dumps, copy.copy, copy.deepcopy):
            with self.assertRaisesRegex(TypeError, "neither pickled nor copied"):
                call(self.cache)

    async def test_options_are_those_of_the_other_client(self):
        async with self.make(codec="json", compress="zlib", compress_min_bytes=1, key_prefix="p:") as cache:
            await cache.set("k", [1])
        self.assertEqual(self.client(codec="json", key_prefix="p:").get("k"), [1])
        for wrong in ({"compress": "lzma"}, {"key_prefx": "p:"}, {"max_threads": 0}):
            with self.assertRaises(ValueError):
                self.make(**wrong)


class Waiting(AioTest):
    async def test_the_loop_goes_on_while_a_server_stands_still(self):
        cache = await self.connected()
        self.freeze()
        waiting = asyncio.ensure_future(cache.get("k"))
        steps = 0
        while not waiting.done():
            await asyncio.sleep(0.001)
            steps += 1
        with self.assertRaises(shoal.Error):
            waiting.result()
        # A loop that was kept for those 500 ms would take a step or two.
        self.assertGreater(steps, 5)

    async def test_a_cancelled_call_ends_at_once_and_leaves_the_client_right(self):
        cache = self.make(lanes_per_node=1, max_threads=1)
        self.addAsyncCleanup(cache.aclose)
        await cache.set("k", b"right")
        self.servers[0].freeze()
        try:
            running = asyncio.ensure_future(cache.set("other", b"wrong"))
            self.assertTrue(await self.comes_true(lambda: cache._pool._work_queue.empty()))
            queued = asyncio.ensure_future(cache.set("never", b"v"))
            await asyncio.sleep(0.05)
            for call in (running, queued):
                begin = time.monotonic()
                call.cancel()
                with self.assertRaises(asyncio.CancelledError):
                    await call
                self.assertLess(time.monotonic() - begin, OPERATION_TIMEOUT_MS / 2000)
        finally:
            self.servers[0].thaw()
        # Its answer, which came late, is nobody's: the next calls get their own.
        for _ in range(20):
            self.assertEqual(await cache.get("k"), b"right")
        self.assertIsNone(await cache.get("never"))

    async def comes_true(self, condition):
        """Whether a condition comes true while the loop goes on."""
        return await asyncio.get_running_loop().run_in_executor(None, eventually, condition)

    async def test_waiting_no_longer_than_one_likes(self):
        cache = await self.connected()
        self.freeze()
        with self.assertRaises(asyncio.TimeoutError):
            await asyncio.wait_for(cache.get("k"), SHORT_MS / 5000)

    async def test_closing_while_calls_wait(self):
        cache = await self.connected(max_threads=1)
        self.freeze()
        running, queued = asyncio.ensure_future(cache.get("k")), asyncio.ensure_future(cache.get("k"))
        await asyncio.sleep(0.05)
        await cache.aclose()
        self.assertEqual(threads_of_pools(), [])
        with self.assertRaises((shoal.Timeout, shoal.NodeDown)):
            await running
        with self.assertRaises(shoal.Closed):
            await queued


class Life(AioTest):
    async def test_use_after_close(self):
        for close in (lambda cache: cache.aclose(), lambda cache: asyncio.sleep(0, cache.close())):
            cache = self.make()
            await cache.set("k", b"v")
            await close(cache)
            await close(cache)
            with self.assertRaises(shoal.Closed):
                await cache.get("k")
            with self.assertRaises(shoal.Closed):
                await cache.nodes()

    async def test_threads_end_with_their_client(self):
        await self.cache.aclose()
        before = len(threads_of_pools())
        async with self.make() as cache:
            await asyncio.gather(*(cache.get("k") for _ in range(20)))
            self.assertGreater(len(threads_of_pools()), before)
            self.assertLessEqual(len(threads_of_pools()), before + 20)
        self.assertEqual(len(threads_of_pools()), before)
        forgotten = self.make(max_threads=3)
        await asyncio.gather(*(forgotten.get("k") for _ in range(20)))
        self.assertLessEqual(len(threads_of_pools()), before + 3)
        del forgotten
        gc.collect()
        self.assertTrue(eventually(lambda: len(threads_of_pools()) == before))

    async def test_beside_an_existing_client(self):
        with self.client(codec="json") as other:
            async with shoal.aio.Client.from_client(other, max_threads=2) as cache:
                await cache.set("k", [1])
                self.assertEqual(other.get("k"), [1])
            with self.assertRaises(shoal.Closed):
                await cache.get("k")
            self.assertEqual(other.get("k"), [1])


class Loops(FleetTest):
    def test_one_loop_after_another_and_two_side_by_side(self):
        cache = shoal.aio.Client(self.endpoint, operation_timeout_ms=OPERATION_TIMEOUT_MS)
        self.addCleanup(cache.close)

        async def work(number):
            for turn in range(50):
                await cache.set(f"k{number}", b"%d" % turn)
                self.assertEqual(await cache.get(f"k{number}"), b"%d" % turn)

        for number in range(3):
            asyncio.run(work(number))
        run_all(*(lambda number=number: asyncio.run(work(number)) for number in range(2)))

    def test_a_child_makes_threads_of_its_own(self):
        # A fork beside threads is what Python 3.12 and later warn of: here it is meant.
        program = f"""
import asyncio, os, sys, warnings
import shoal.aio
warnings.simplefilter("ignore", DeprecationWarning)
cache = shoal.aio.Client(sys.argv[1], operation_timeout_ms={OPERATION_TIMEOUT_MS}, max_threads=2)
async def work(who):
    for turn in range(50):
        await asyncio.gather(*(cache.set(f"{{who}}{{i}}", b"%d" % turn) for i in range(4)))
        values = await asyncio.gather(*(cache.get(f"{{who}}{{i}}") for i in range(4)))
        assert values == [b"%d" % turn] * 4, values
asyncio.run(work("before"))
child = os.fork()
if child:
    asyncio.run(work("parent"))
    cache.close()
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
else:
    asyncio.run(work("child"))
    asyncio.run(cache.aclose())
    sys.exit(3)
"""
        self.assertEqual(self.run_python(program).strip(), "3")
        at_once = program.replace('asyncio.run(work("child"))', "cache.close()")
        self.assertEqual(self.run_python(at_once).strip(), "3")

    def test_an_interpreter_ends_within_the_calls_time(self):
        program = f"""
import asyncio, sys
import shoal.aio
cache = shoal.aio.Client(sys.argv[1], operation_timeout_ms={SHORT_MS}, retry_attempts=0, max_threads=1)
async def leave():
    await cache.get("k")
    print("ready", flush=True)
    sys.stdin.readline()
    waiting = [asyncio.ensure_future(cache.get("k")) for _ in range(100)]
    await asyncio.sleep(0.05)
    assert not any(each.done() for each in waiting)
asyncio.run(leave())
"""
        with self.started_python(program) as process:
            self.assertEqual(process.stdout.readline(), "ready\n")
            self.servers[0].freeze()
            self.addCleanup(self.servers[0].thaw)
            begin = time.monotonic()
            output = process.communicate("\n", timeout=60)
            self.assertEqual((process.returncode, *output), (0, "", ""))
            # One call was under way; a hundred one after the other take 50 seconds.
            self.assertLess(time.monotonic() - begin, 20)


if __name__ == "__main__":
    unittest.main()
