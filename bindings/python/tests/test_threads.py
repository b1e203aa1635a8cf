"""Threads: eight on one client, and the interpreter's lock free while a call waits.

May import: the standard library, shoal and support.
"""
import threading
import time
import unittest

import shoal
from support import FleetTest


def run_all(*targets):
    """Runs functions side by side; raises what one of them raised."""
    failures = []

    def guarded(target):
        try:
            target()
        except BaseException as error:  # pylint: disable=broad-except  # it is raised below
            failures.append(error)

    threads = [threading.Thread(target=guarded, args=(target,)) for target in targets]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


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
        """How far another thread counts while a call waits for a server that stands still, and how long that took."""
        server = self.servers[0]
        steps = 0
        done = threading.Event()

        def wait():
            try:
                with self.assertRaises(shoal.Error):
                    call()
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
        options = {"operation_timeout_ms": 500, "retry_attempts": 0}
        calls = {
            "get": lambda cache: cache.get("k"),
            "set": lambda cache: cache.set("k", b"v"),
            "get_many": lambda cache: cache.get_many(["k"]),
            "increment": lambda cache: cache.increment("k"),
            "delete": lambda cache: cache.delete("k"),
            "touch": lambda cache: cache.touch("k", 5),
            "flush_all": lambda cache: cache.flush_all(),
        }
        for name, call in calls.items():
            with self.subTest(name):
                # A client of its own, as the node is out of use behind the first call; connected before it stands still.
                cache = shoal.Client("static://" + self.servers[0].name, lane_idle_s=60, **options)
                cache.get("k")
                # Held for those 500 ms, the lock would let the other thread take a step or two.
                self.assertGreater(self.count_while(lambda: call(cache)), 20)  # pylint: disable=cell-var-from-loop
                cache.close()


if __name__ == "__main__":
    unittest.main()
