"""Threads: eight on one client, and the interpreter's lock free while a call waits; signals meanwhile.

May import: the standard library, shoal and support.
"""
import os
import signal
import socket
import socketserver
import threading
import time
import unittest

import shoal
from support import OPERATION_TIMEOUT_MS, FleetTest, eventually, run_all


class SlowProxy:
    """A memcached's answers, each 20 ms late."""

    class _Connection(socketserver.BaseRequestHandler):
        def handle(self):
            with socket.create_connection(("127.0.0.1", self.server.upstream)) as upstream:
                answers = threading.Thread(target=self._pass_on, args=(upstream, self.request, 0.02))
                answers.start()
                self._pass_on(self.request, upstream, 0)
                upstream.shutdown(socket.SHUT_RDWR)
                answers.join()

        @staticmethod
        def _pass_on(source, target, delay):
            while data := source.recv(65536):
                time.sleep(delay)
                target.sendall(data)

    class _Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        request_queue_size = 64

    def __init__(self, upstream):
        self._server = self._Server(("127.0.0.1", 0), self._Connection)
        self._server.upstream = upstream
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def stop(self):
        """It ends; connections end with their clients."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class Threads(FleetTest):
    NODES = 2

    def test_eight_threads_on_one_client(self):
        cache = self.client(codec="pickle")

        def work(number):
            keys = [f"{number}-{i}" for i in range(20)]
            for turn in range(30):
                values = {key: (number, turn, key) for key in keys}
                self.assertEqual(cache.set_many(values), [])
                self.assertEqual(cache.get_many(keys), values)
                for key in keys[:5]:
                    self.assertEqual(cache.get(key), values[key])
                cache.increment("turns", initial=1)

        run_all(*(lambda number=number: work(number) for number in range(8)))
        self.assertEqual(cache.increment("turns", 0), 8 * 30)

    def test_eight_threads_scale(self):
        """Through a proxy that makes each answer take a while: who held a lock meanwhile would make the others wait."""
        proxy = SlowProxy(self.servers[0].port)
        self.addCleanup(proxy.stop)
        cache = shoal.Client(f"static://127.0.0.1:{proxy.port}", operation_timeout_ms=OPERATION_TIMEOUT_MS)

        def work():
            for _ in range(10):
                cache.get("k")

        def seconds(threads):
            begin = time.monotonic()
            run_all(*[work] * threads)
            return time.monotonic() - begin

        run_all(*[work] * 8)  # connects
        # One after the other they would take eight times as long.
        self.assertLess(seconds(8), 4 * seconds(1))

    def test_eight_threads_share_one_connection(self):
        # Those that wait for it hold no lock that its holder needs.
        cache = self.client(lanes_per_node=1)

        def work(number):
            for turn in range(50):
                cache.set(f"k{number}", b"%d" % turn)
                self.assertEqual(cache.get_many([f"k{number}"]), {f"k{number}": b"%d" % turn})

        run_all(*(lambda number=number: work(number) for number in range(8)))

    def test_a_list_may_change_while_its_keys_are_read(self):
        cache = self.client()
        keys = [f"k{i}" for i in range(100)]
        cache.set_many(dict.fromkeys(keys, b"v"))
        done = threading.Event()
        shared = list(keys)

        def change():
            while not done.is_set():
                shared[:] = [str(i) + "x" * 20 for i in range(50)]
                shared[:] = list(keys)

        def read():
            try:
                for _ in range(200):
                    self.assertTrue(set(cache.get_many(shared)) <= set(keys))
            finally:
                done.set()

        run_all(change, read)

    def test_a_value_cannot_change_its_size_while_it_is_stored(self):
        cache = shoal.Client("static://" + self.servers[0].name, operation_timeout_ms=OPERATION_TIMEOUT_MS)
        cache.set("k", b"v")
        for store in (lambda value: cache.set("k", value), lambda value: cache.set_many({"k": value})):
            value = bytearray(1000)

            def grow(value=value):
                self.assertTrue(eventually(lambda: is_held(value)))
                self.servers[0].thaw()

            self.servers[0].freeze()
            run_all(lambda: store(value), grow)  # pylint: disable=cell-var-from-loop
            value.append(1)
            self.assertIn(cache.get("k"), (bytes(1000), bytes(1001)))  # as it was when it was first held

    def test_closing_while_others_call(self):
        cache = self.client()

        def call():
            try:
                while True:
                    cache.set("k", b"v")
                    cache.get_many(["k"])
            except shoal.Closed:
                pass

        def close():
            time.sleep(0.05)
            cache.close()

        run_all(call, call, close)

    def count_while(self, call):
        """How far another thread counts while a call waits for a server that stands still."""
        server = self.servers[0]
        steps = 0
        done = threading.Event()

        def wait():
            try:
                call()
            except shoal.Error:
                pass
            finally:
                done.set()

        def count():
            nonlocal steps
            while not done.is_set():
                steps += 1
                time.sleep(0.001)

        server.freeze()
        try:
            run_all(wait, count)
        finally:
            server.thaw()
        return steps

    def test_the_lock_is_free_while_a_call_waits(self):
        connected, fresh = "static://" + self.servers[0].name, self.servers[0].name
        calls = {
            "get": lambda cache: cache.get("k"),
            "get_and_touch": lambda cache: cache.get_and_touch("k", 5),
            "set": lambda cache: cache.set("k", b"v"),
            "get_many": lambda cache: cache.get_many(["k"]),
            "set_many": lambda cache: cache.set_many({"k": b"v"}),
            "delete_many": lambda cache: cache.delete_many(["k"]),
            "increment": lambda cache: cache.increment("k"),
            "delete": lambda cache: cache.delete("k"),
            "touch": lambda cache: cache.touch("k", 5),
            "flush_all": lambda cache: cache.flush_all(),
            "stats": lambda cache: cache.stats(),
            # These wait for the first discovery alone.
            "topology": lambda cache: cache.topology(),
            "route": lambda cache: cache.route("k"),
        }
        for name, call in calls.items():
            with self.subTest(name):
                # A client of its own, as the node is out of use behind the first call, and connected before.
                endpoint = fresh if name in ("topology", "route") else connected
                with shoal.Client(endpoint, lane_idle_s=60, operation_timeout_ms=500, retry_attempts=0) as cache:
                    if endpoint is connected:
                        cache.get("k")
                    # Held for those 500 ms, the lock would let the other thread take a step or two.
                    self.assertGreater(self.count_while(lambda: call(cache)), 5)  # pylint: disable=W0640


def is_held(value):
    """Whether somebody reads a bytearray, whose size is fixed meanwhile."""
    try:
        value.append(0)
        value.pop()
    except BufferError:
        return True
    return False


class Signals(FleetTest):
    CALLS = [lambda cache: cache.get("k"), lambda cache: cache.set("k", b"v"), lambda cache: cache.get_many(["k"]),
             lambda cache: cache.set_many({"k": b"v"}), lambda cache: cache.increment("n"), lambda cache: cache.stats()]

    def interrupt(self, call, cache, *later):
        """A call while the server stands still, and Ctrl-C meanwhile, which must end what the caller does; `later` are
        seconds and functions for the time after that."""
        timers = [threading.Timer(seconds, function) for seconds, function in
                  [*later, (0.1, lambda: os.kill(os.getpid(), signal.SIGINT))]]
        self.servers[0].freeze()
        try:
            with self.assertRaises(KeyboardInterrupt):
                for each in timers:
                    each.start()
                try:
                    call(cache)
                except shoal.Error:
                    pass
                time.sleep(30)
        finally:
            for each in timers:
                each.join()
            self.servers[0].thaw()

    def test_an_interrupted_call_ends_with_its_time_and_gives_its_connection_back(self):
        for number, call in enumerate(self.CALLS):
            with self.subTest(number):
                cache = self.client(operation_timeout_ms=500, lanes_per_node=1, retry_attempts=0)
                cache.set("k", b"v")
                begin = time.monotonic()
                self.interrupt(call, cache)
                self.assertLess(time.monotonic() - begin, 15)
                self.assertTrue(eventually(lambda: works(cache)))  # pylint: disable=cell-var-from-loop

    def test_an_answer_behind_an_interruption_stays_that_calls_own(self):
        for number, call in enumerate(self.CALLS):
            with self.subTest(number):
                cache = self.client(lanes_per_node=1)
                cache.set_many({"k": b"v", "other": b"w"})
                self.interrupt(call, cache, (0.3, self.servers[0].thaw))
                self.assertEqual([cache.get("other"), cache.get("k")], [b"w", b"v"])


def works(cache):
    """Whether a client has its server again."""
    try:
        return cache.get("k") == b"v"
    except shoal.Error:
        return False


if __name__ == "__main__":
    unittest.main()
