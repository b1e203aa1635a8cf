"""Django's caches: Shoal's adapter beside Django's own two, as a project has them, on one node.

May import: the standard library, rows, clients, Django. Used by the main program.
"""
from __future__ import annotations

import importlib.util
from functools import partial
from typing import Any, Callable

from clients import Contestant
from rows import Row

BACKENDS = {
    "shoal": "shoal.django.ShoalCache",
    "PyLibMCCache": "django.core.cache.backends.memcached.PyLibMCCache",
    "PyMemcacheCache": "django.core.cache.backends.memcached.PyMemcacheCache",
}


def why_not() -> str:
    """Why these cannot be measured here; empty where they can."""
    for module in ("django", "shoal.django"):
        if importlib.util.find_spec(module) is None:
            return f"{module} is not there"
    return ""


def _caches(name: str) -> Any:
    from django.conf import settings  # pylint: disable=import-outside-toplevel
    from django.core.cache import caches  # pylint: disable=import-outside-toplevel
    if not settings.configured:
        made = {each: {"BACKEND": backend, "LOCATION": name, "KEY_PREFIX": each} for each, backend in BACKENDS.items()}
        settings.configure(CACHES={"default": made["shoal"], **made})
    return caches


def make_contestants(row: Row, names: list[str]) -> list[Contestant]:
    """Each with its calls; values are bytes, which none of them pickles."""
    load = row.load
    key, value = next(iter(load.items()))
    made = []
    for name in BACKENDS:
        cache = _caches(names[0])[name]
        calls: dict[str, Callable[[], Any]] = {
            "get": partial(cache.get, key),
            "set": partial(cache.set, key, value),
            "get_many": partial(cache.get_many, list(load)),
            "set_many": partial(cache.set_many, load),
        }
        made.append(Contestant(name, row, calls, cache.close))
        made[-1].stored = None
    return made
