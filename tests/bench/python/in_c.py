"""The loop in C over the core's own calls, which CMake builds from tests/bench/calls.c.

May import: the standard library. Used by the clients.
"""
from __future__ import annotations

import ctypes
import os
import pathlib


def _library() -> ctypes.PyDLL:
    """Its calls keep the interpreter's lock: that costs nothing, and there is no second thread."""
    found = pathlib.Path(os.environ.get("SHOAL_BUILD", "build/release"), "tests/bench/libbench_calls.so")
    if not found.exists():
        raise SystemExit(f"bench: {found} is not there: run ./dev bench python, which builds it")
    library = ctypes.PyDLL(str(found.resolve()))
    library.calls_new.restype = ctypes.c_void_p
    library.calls_new.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_size_t]
    library.calls_run.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int]
    library.calls_free.argtypes = [ctypes.c_void_p]
    return library


class InC:
    """A client in C, with keys and values of its own."""

    def __init__(self, names: list[str], keys: int, size: int) -> None:
        self._library = _library()
        self._calls = self._library.calls_new(("static://" + ",".join(names)).encode(), keys, size)

    def run(self, operation: str, times: int) -> None:
        """Makes a call so many times; a failure ends the process."""
        self._library.calls_run(self._calls, operation.encode(), times)

    def close(self) -> None:
        """It ends."""
        self._library.calls_free(self._calls)
