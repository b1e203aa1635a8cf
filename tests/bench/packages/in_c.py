"""The loop in C over the core's own calls, which CMake builds from tests/bench/calls.c.

May import: the standard library, contestant, rows. Used by the comparison and the clients.
"""
from __future__ import annotations

import ctypes
import pathlib
from functools import partial

from contestant import Contestant, Place, build_folder
from rows import Row


def _library() -> ctypes.PyDLL:
    """Its calls keep the interpreter's lock: that costs nothing, and there is no second thread."""
    found = pathlib.Path(build_folder(), "tests/bench/libbench_calls.so")
    if not found.exists():
        raise SystemExit(f"bench: {found} is not there: run this by ./dev bench, which builds it")
    library = ctypes.PyDLL(str(found))
    library.calls_new.restype = ctypes.c_void_p
    library.calls_new.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_size_t]
    library.calls_run.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int]
    library.calls_free.argtypes = [ctypes.c_void_p]
    return library


def make_in_c(name: str, row: Row, place: Place) -> Contestant:
    """A client in C, with keys and values of its own. That its calls do what they should is checked there."""
    library = _library()
    calls = library.calls_new(("static://" + ",".join(place.nodes)).encode(), row.keys, row.size)
    loop = partial(library.calls_run, calls, row.operation.encode())
    store = partial(library.calls_run, calls, b"set_many", 1)
    close = partial(library.calls_free, calls)
    made = Contestant(name, row, {"set_many": store, row.operation: partial(loop, 1)}, close)
    made.loop = loop
    return made
