"""What takes part: a client with one row's operation, in this process, or in a worker that this process talks to.

May import: the standard library, rows. Used by all that measures.
"""
from __future__ import annotations

import json
import os
import subprocess
import time
from dataclasses import dataclass
from functools import partial
from itertools import repeat
from typing import Any, Callable

from rows import Row

Loop = Callable[[int], Any]


class NotAlike(Exception):
    """A contestant does less or more than the others, or fails."""


@dataclass(frozen=True)
class Place:
    """The servers of a row, each as host:port, and whom to trust where they speak TLS."""

    nodes: list[str]
    ca_file: str = ""


def loop_of(call: Callable[[], Any]) -> Loop:
    """A function that makes a call so many times."""
    def loop(times: int) -> None:
        for _ in repeat(None, times):
            call()
    return loop


class Contestant:
    """A client in this process. `call` makes its operation once, `store` and `read` make that of all keys."""

    def __init__(self, name: str, row: Row, calls: dict[str, Callable[[], Any]], close: Callable[[], Any]) -> None:
        self.name = name
        self.row = row
        self.call = calls[row.operation]
        self.store = calls["set_many"]
        self.read = calls.get("get_many")
        self.loop = loop_of(self.call)
        self.close = close
        load = {key: value.encode() for key, value in row.load.items()}
        #: what a call is to give
        self.results: dict[str, Any] = {"get": next(iter(load.values())), "set": True, "get_many": load, "set_many": []}

    def turn(self, times: int) -> tuple[float, float]:
        """Makes the call so many times: seconds on the clock, and of this process's cores."""
        began_cpu = time.process_time()
        began = time.perf_counter()
        self.loop(times)
        return time.perf_counter() - began, time.process_time() - began_cpu


class Worker:
    """A process of another language, which keeps the time itself. Asked and answered a line of JSON at a time."""

    def __init__(self, command: list[str]) -> None:
        self._process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", *command], stdin=subprocess.PIPE,
                                         stdout=subprocess.PIPE, text=True, bufsize=1)
        self.pid = self._process.pid

    def ask(self, do: str, **told: Any) -> Any:
        """What it answers; it has told why where it ended."""
        assert self._process.stdin and self._process.stdout
        print(json.dumps({"do": do, **told}), file=self._process.stdin, flush=True)
        answer = self._process.stdout.readline()
        if not answer:
            raise SystemExit(f"bench: the worker ended at {do!r}, and should have told why")
        said = json.loads(answer)
        if "failed" in said:
            raise NotAlike(f"{told.get('name', 'the worker')} failed at {do!r}: {said['failed'].strip()}")
        return said["is"]

    def stop(self) -> None:
        """It ends."""
        self._process.kill()
        self._process.wait()


class Remote(Contestant):
    """A client in a worker. Of a store it tells whether all was stored, as far as its client knows."""

    def __init__(self, name: str, row: Row, place: Place, worker: Worker) -> None:
        asks = {what: partial(worker.ask, what, name=name) for what in ("call", "get_many", "set_many", "close")}
        super().__init__(name, row, {**asks, row.operation: asks["call"]}, asks["close"])
        self._worker = worker
        self.results = {"get": next(iter(row.load.values())), "set": True, "get_many": row.load, "set_many": True}
        worker.ask("make", name=name, nodes=place.nodes, ca=place.ca_file, operation=row.operation,
                   threads=row.threads, load=row.load)

    def turn(self, times: int) -> tuple[float, float]:
        wall, cpu = self._worker.ask("turn", name=self.name, times=times)
        return wall, cpu


def build_folder() -> str:
    """Where CMake built what is measured."""
    return os.path.abspath(os.environ.get("SHOAL_BUILD", "build/release"))
