"""Django's caches: Shoal's adapter beside Django's own two, as a project has them, on one node.

May import: the standard library, contestant, rows, Django. Used by the Python clients.
"""
from __future__ import annotations

from functools import partial
from typing import Any

from contestant import Contestant, Place
from rows import Row

BACKENDS = {
    "ShoalCache": "shoal.django.ShoalCache",
    "PyLibMCCache": "django.core.cache.backends.memcached.PyLibMCCache",
    "PyMemcacheCache": "django.core.cache.backends.memcached.PyMemcacheCache",
}


def _caches(node: str) -> Any:
    from django.conf import settings  # pylint: disable=import-outside-toplevel
    from django.core.cache import caches  # pylint: disable=import-outside-toplevel
    if not settings.configured:
        made = {each: {"BACKEND": backend, "LOCATION": node, "KEY_PREFIX": each} for each, backend in BACKENDS.items()}
        settings.configure(CACHES={"default": made["ShoalCache"], **made})
    return caches


def make(name: str, row: Row, place: Place) -> Contestant:
    """A cache with its calls; values are bytes, which none of them pickles."""
    load = {key: value.encode() for key, value in row.load.items()}
    key, value = next(iter(load.items()))
    cache = _caches(place.nodes[0])[name]
    made = Contestant(name, row, {
        "get": partial(cache.get, key),
        "set": partial(cache.set, key, value),
        "get_many": partial(cache.get_many, list(load)),
        "set_many": partial(cache.set_many, load),
    }, cache.close)
    made.results["set"] = None
    return made
