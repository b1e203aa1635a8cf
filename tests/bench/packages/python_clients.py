"""The Python clients that are compared, each with its calls as the others have them: same keys, values and results.

May import: the standard library, contestant, rows, in_c, shoal and its peers, what is beside it of Python's. Used by
the comparison and the counter of instructions.
"""
from __future__ import annotations

import importlib.metadata
import ssl
from functools import partial
from typing import Any, Callable

import pylibmc
import pymemcache
import shoal
from pymemcache.client.hash import HashClient

import python_django
import python_threads
from contestant import Contestant, Place, loop_of
from in_c import make_in_c
from rows import Row


def _calls(client: Any, row: Row, get_many: str, set_many: str, **of_stores: Any) -> dict[str, Callable[[], Any]]:
    """The four operations, each bound to what it takes."""
    load = {key: value.encode() for key, value in row.load.items()}
    key, value = next(iter(load.items()))
    return {
        "get": partial(client.get, key),
        "set": partial(client.set, key, value, **of_stores),
        "get_many": partial(getattr(client, get_many), list(load)),
        "set_many": partial(getattr(client, set_many), load, **of_stores),
    }


def make_shoal(name: str, row: Row, place: Place) -> Contestant:
    """shoal.Client as it is made by default, but for a timeout that no noise of the machine can reach."""
    over_tls: dict[str, Any] = {"tls": True, "tls_ca_file": place.ca_file} if place.ca_file else {}
    client = shoal.Client("static://" + ",".join(place.nodes), operation_timeout_ms=60000, **over_tls)
    return Contestant(name, row, _calls(client, row, "get_many", "set_many"), client.close)


def make_pylibmc(name: str, row: Row, place: Place) -> Contestant:
    """pylibmc as its documentation recommends it, with the ring and the hash that are Shoal's default."""
    client = pylibmc.Client(place.nodes, behaviors={"tcp_nodelay": True, "ketama_weighted": True})
    return Contestant(name, row, _calls(client, row, "get_multi", "set_multi"), client.disconnect_all)


def _pymemcache_client(place: Place) -> Any:
    over_tls = {"tls_context": ssl.create_default_context(cafile=place.ca_file)} if place.ca_file else {}
    if len(place.nodes) == 1:
        return pymemcache.Client(place.nodes[0], no_delay=True, **over_tls)
    return HashClient(place.nodes, no_delay=True, **over_tls)


def make_pymemcache(name: str, row: Row, place: Place) -> Contestant:
    """pymemcache, which is told to await the replies to its stores."""
    client = _pymemcache_client(place)
    return Contestant(name, row, _calls(client, row, "get_many", "set_many", noreply=False), client.close)


def make_pymemcache_noreply(name: str, row: Row, place: Place) -> Contestant:
    """pymemcache as it is by default: nobody learns what became of a store. A get ends each round, so that the servers'
    work is part of it."""
    client = _pymemcache_client(place)
    calls = _calls(client, row, "get_many", "set_many", noreply=True)
    made = Contestant(name, row, calls, client.close)
    stores = loop_of(made.call)

    def loop(times: int) -> None:
        stores(times)
        calls["get"]()
    made.loop = loop
    return made


MAKERS = {
    "shoal": make_shoal,
    "shoal plain": make_shoal,
    "pylibmc": make_pylibmc,
    "pymemcache": make_pymemcache,
    "pymemcache noreply": make_pymemcache_noreply,
    "C": make_in_c,
}


def make(name: str, row: Row, place: Place) -> Contestant:
    """A contestant by its name."""
    if row.threads > 1:
        return python_threads.make(name, row, place)
    if name in python_django.BACKENDS:
        return python_django.make(name, row, place)
    return MAKERS[name](name, row, place)


def describe() -> dict[str, str]:
    """The versions of all."""
    return {
        "shoal": shoal.__version__,
        "pylibmc": f"{pylibmc.__version__} on libmemcached {pylibmc.libmemcached_version}",
        "pymemcache": importlib.metadata.version("pymemcache"),
    }
