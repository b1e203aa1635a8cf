"""Throughput: eight threads that get one key, through a client that they share, or a pool of the peer's own.

May import: the standard library, rows, shoal and its peers. Used by the main program.
"""
from __future__ import annotations

import threading
import time
from functools import partial
from typing import Any, Callable

import pylibmc
import shoal
from pymemcache.client.hash import HashClient

from rows import THREADS

COUNT = 8


class Crew:
    """Threads that stay, as a server's do: each makes so many calls whenever they are started."""

    def __init__(self, call: Callable[[], Any]) -> None:
        self._call = call
        self._times = 0
        self._start = threading.Barrier(COUNT + 1)
        self._end = threading.Barrier(COUNT + 1)
        for _ in range(COUNT):
            threading.Thread(target=self._work, daemon=True).start()

    def _work(self) -> None:
        while True:
            self._start.wait()
            if self._times == 0:
                return
            for _ in range(self._times):
                self._call()
            self._end.wait()

    def run(self, times: int) -> None:
        """Returns when every thread has made its calls."""
        self._times = times
        self._start.wait()
        self._end.wait()

    def stop(self) -> None:
        """They end."""
        self._times = 0
        self._start.wait()


def _pooled_get(pool: Any, key: str) -> Callable[[], Any]:
    def get() -> Any:
        with pool.reserve() as client:
            return client.get(key)
    return get


def make_calls(names: list[str]) -> dict[str, Callable[[], Any]]:
    """A call by contestant."""
    key, value = next(iter(THREADS.load.items()))
    cache = shoal.Client("static://" + ",".join(names), operation_timeout_ms=60000)
    cache.set(key, value)
    pool = pylibmc.ThreadMappedPool(pylibmc.Client(names, behaviors={"tcp_nodelay": True, "ketama_weighted": True}))
    pooled = HashClient(names, use_pooling=True, max_pool_size=COUNT, no_delay=True)
    calls: dict[str, Callable[[], Any]] = {
        "shoal": partial(cache.get, key),
        "pylibmc pool": _pooled_get(pool, key),
        "pymemcache pool": partial(pooled.get, key),
    }
    for name, call in calls.items():
        if call() != value:
            raise SystemExit(f"bench: {name} does not find what was stored")
    return calls


def measure_threads(names: list[str], rounds: int, slice_s: float) -> dict[str, list[float]]:
    """Calls a second, by contestant, a figure a round."""
    crews = {name: Crew(call) for name, call in make_calls(names).items()}
    found: dict[str, list[float]] = {name: [] for name in crews}
    for turn in range(rounds + 1):
        for name, crew in crews.items():
            expected = found[name][-1] if turn > 0 else 10000.0
            times = max(1, int(slice_s * expected / COUNT))
            began = time.perf_counter()
            crew.run(times)
            found[name].append(times * COUNT / (time.perf_counter() - began))
    for crew in crews.values():
        crew.stop()
    return {name: figures[1:] for name, figures in found.items()}  # the first round warmed up
