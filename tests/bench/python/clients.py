"""The clients that are compared, each with its calls as the others have them: same keys, same values, same results.

May import: the standard library, rows, in_c, shoal and its peers. Used by the comparison, the threads and the counter.
"""
from __future__ import annotations

from functools import partial
from itertools import repeat
from typing import Any, Callable

import pylibmc
import pymemcache
import shoal
from pymemcache.client.hash import HashClient

from in_c import InC
from rows import Row

Loop = Callable[[int], Any]


def loop_of(call: Callable[[], Any]) -> Loop:
    """A function that makes a call so many times."""
    def loop(times: int) -> None:
        for _ in repeat(None, times):
            call()
    return loop


def _calls(client: Any, row: Row, get_many: str, set_many: str, **of_stores: Any) -> dict[str, Callable[[], Any]]:
    """The four operations, each bound to what it takes."""
    load = row.load
    key, value = next(iter(load.items()))
    return {
        "get": partial(client.get, key),
        "set": partial(client.set, key, value, **of_stores),
        "get_many": partial(getattr(client, get_many), list(load)),
        "set_many": partial(getattr(client, set_many), load, **of_stores),
    }


class Contestant:
    """A client on the nodes of a row. `call` makes its operation once, `loop` many times."""

    def __init__(self, name: str, row: Row, calls: dict[str, Callable[[], Any]], close: Callable[[], Any]) -> None:
        self.name = name
        self.row = row
        self.call = calls[row.operation]
        self.store = calls["set_many"]
        self.read = calls.get("get_many")
        self.loop = loop_of(self.call)
        self.close = close
        self.stored: Any = True  # what its set gives


def make_shoal(row: Row, names: list[str]) -> Contestant:
    """shoal.Client as it is made by default, but for a timeout that no noise of the machine can reach."""
    client = shoal.Client("static://" + ",".join(names), operation_timeout_ms=60000)
    return Contestant("shoal", row, _calls(client, row, "get_many", "set_many"), client.close)


def make_pylibmc(row: Row, names: list[str]) -> Contestant:
    """pylibmc as its documentation recommends it, with the ring and the hash that are Shoal's default."""
    client = pylibmc.Client(names, behaviors={"tcp_nodelay": True, "ketama_weighted": True})
    return Contestant("pylibmc", row, _calls(client, row, "get_multi", "set_multi"), client.disconnect_all)


def _pymemcache_client(names: list[str]) -> Any:
    return pymemcache.Client(names[0], no_delay=True) if len(names) == 1 else HashClient(names, no_delay=True)


def make_pymemcache(row: Row, names: list[str]) -> Contestant:
    """pymemcache, which is told to await the replies to its stores."""
    client = _pymemcache_client(names)
    return Contestant("pymemcache", row, _calls(client, row, "get_many", "set_many", noreply=False), client.close)


def make_pymemcache_noreply(row: Row, names: list[str]) -> Contestant:
    """pymemcache as it is by default: nobody learns what became of a store. A get ends each round, so that the servers'
    work is part of it."""
    client = _pymemcache_client(names)
    calls = _calls(client, row, "get_many", "set_many", noreply=True)
    made = Contestant("pymemcache noreply", row, calls, client.close)
    stores = loop_of(made.call)

    def loop(times: int) -> None:
        stores(times)
        calls["get"]()
    made.loop = loop
    return made


def make_in_c(row: Row, names: list[str]) -> Contestant:
    """The core's own calls, by a loop in C. That they do what they should is checked there."""
    calls = InC(names, row.keys, row.size)
    loop = partial(calls.run, row.operation)
    made = Contestant("C", row, {row.operation: partial(loop, 1), "set_many": partial(calls.run, "set_many", 1)},
                      calls.close)
    made.loop = loop
    return made


MAKERS = {
    "shoal": make_shoal,
    "pylibmc": make_pylibmc,
    "pymemcache": make_pymemcache,
    "pymemcache noreply": make_pymemcache_noreply,
    "C": make_in_c,
}
