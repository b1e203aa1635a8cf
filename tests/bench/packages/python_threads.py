"""Eight threads that get one key, through a client that they share, or a pool of the peer's own.

May import: the standard library, contestant, rows, shoal and its peers. Used by the Python clients.
"""
from __future__ import annotations

import threading
from functools import partial
from typing import Any, Callable

import pylibmc
import shoal
from pymemcache.client.hash import HashClient

from contestant import Contestant, Place
from rows import Row


class Crew:
    """Threads that stay, as a server's do: each makes its share of the calls whenever they are started."""

    def __init__(self, call: Callable[[], Any], count: int) -> None:
        self._call = call
        self._count = count
        self._times = 0
        self._start = threading.Barrier(count + 1)
        self._end = threading.Barrier(count + 1)
        for number in range(count):
            threading.Thread(target=self._work, args=(number,), daemon=True).start()

    def _work(self, number: int) -> None:
        while True:
            self._start.wait()
            if self._times < 0:
                return
            for _ in range((self._times + number) // self._count):
                self._call()
            self._end.wait()

    def run(self, times: int) -> None:
        """Returns when the threads have made so many calls."""
        self._times = times
        self._start.wait()
        self._end.wait()

    def stop(self) -> None:
        """They end."""
        self._times = -1
        self._start.wait()


def _pooled_get(pool: Any, key: str) -> Callable[[], Any]:
    def get() -> Any:
        with pool.reserve() as client:
            return client.get(key)
    return get


def _get(name: str, key: str, row: Row, nodes: list[str]) -> Callable[[], Any]:
    if name == "pylibmc pool":
        client = pylibmc.Client(nodes, behaviors={"tcp_nodelay": True, "ketama_weighted": True})
        return _pooled_get(pylibmc.ThreadMappedPool(client), key)
    if name == "pymemcache pool":
        return partial(HashClient(nodes, use_pooling=True, max_pool_size=row.threads, no_delay=True).get, key)
    return partial(shoal.Client("static://" + ",".join(nodes), operation_timeout_ms=60000).get, key)


def make(name: str, row: Row, place: Place) -> Contestant:
    """A contestant whose loop is the threads'; what it reads is stored by another client."""
    key, value = next(iter(row.load.items()))
    call = _get(name, key, row, place.nodes)
    crew = Crew(call, row.threads)
    store = partial(shoal.Client("static://" + ",".join(place.nodes)).set, key, value.encode())
    made = Contestant(name, row, {"get": call, "set_many": store}, crew.stop)
    made.loop = crew.run
    return made
