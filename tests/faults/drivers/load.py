"""The load of the fault bench through a Python client: load.py CLIENT SERVERS RATE SECONDS KEYS.

What every driver does, in any language: it stores all keys once, says `start SECONDS` (monotonic clock), then makes
RATE operations a second, one in five a store, the others reads; a miss is followed by a store. Where it is late by more
than 20 ms, what it missed is left out. What began in a tenth of a second is told in a line

    bucket INDEX OPERATIONS FINE ERRORS WRONG STALE LONGEST_US STALLED_US

LONGEST_US is that of a single call, STALLED_US the sum of calls over 50 ms. The first errors are told as `error TEXT`,
and `end` is the last line. A value has 200 bytes: key, version, filling. Wrong is one of another key or of a version
that was never written, stale one older than what this process knows to be stored.
May import: the standard library, and the client. Started by the runs, as its twins in C, Ruby and PHP are.
"""
from __future__ import annotations

import random
import sys
import time
from dataclasses import dataclass
from typing import Any, Callable

BUCKET_S = 0.1
STALLED_S = 0.05
BACKLOG_S = 0.02
ERRORS_TOLD = 8
SIZE = 200


@dataclass
class Cache:
    """A client's two calls. `get` gives None for a miss; what cannot be done raises."""

    get: Callable[[str], Any]
    set: Callable[[str, bytes], Any]


def make_shoal(servers: str) -> Cache:
    """Shoal, with its options in the endpoint."""
    import shoal  # pylint: disable=import-outside-toplevel  # each needs its own client alone
    client = shoal.Client(servers)
    return Cache(client.get, client.set)


def _make_pylibmc(servers: str, behaviors: dict[str, Any]) -> Cache:
    import pylibmc  # pylint: disable=import-outside-toplevel
    client = pylibmc.Client(servers.split(","), behaviors={"tcp_nodelay": True, "ketama": True, **behaviors})

    def store(key: str, value: bytes) -> None:
        if not client.set(key, value):
            raise OSError("set gave False")
    return Cache(client.get, store)


def make_pylibmc(servers: str) -> Cache:
    """pylibmc as it is."""
    return _make_pylibmc(servers, {})


def make_pylibmc_tuned(servers: str) -> Cache:
    """pylibmc with all that it has against faults."""
    return _make_pylibmc(servers, {
        "connect_timeout": 200, "_poll_timeout": 200, "send_timeout": 200000, "receive_timeout": 200000,
        "auto_eject": 1, "failure_limit": 1, "retry_timeout": 1, "dead_timeout": 1})


def _make_pymemcache(servers: str, **options: Any) -> Cache:
    from pymemcache.client.hash import HashClient  # pylint: disable=import-outside-toplevel
    client = HashClient(servers.split(","), default_noreply=False, allow_unicode_keys=True, **options)

    def store(key: str, value: bytes) -> None:
        if not client.set(key, value):
            raise OSError("set gave False")
    return Cache(client.get, store)


def make_pymemcache(servers: str) -> Cache:
    """pymemcache as Django makes it, without a timeout."""
    return _make_pymemcache(servers)


def make_pymemcache_tuned(servers: str) -> Cache:
    """pymemcache with timeouts, and with nodes that fail left out for a second."""
    return _make_pymemcache(servers, connect_timeout=0.2, timeout=0.2, retry_attempts=0, dead_timeout=1)


MAKERS = {
    "python": make_shoal,
    "pylibmc": make_pylibmc,
    "pylibmc_tuned": make_pylibmc_tuned,
    "pymemcache": make_pymemcache,
    "pymemcache_tuned": make_pymemcache_tuned,
}


def make_value(key: str, version: int) -> bytes:
    """What is stored."""
    return f"{key} {version} ".encode().ljust(SIZE, b".")


class Load:
    """The operations, and the counts of the tenth of a second under way."""

    def __init__(self, cache: Cache, keys: int) -> None:
        self._cache = cache
        self._keys = keys
        self._tried = [0] * keys
        self._stored = [0] * keys
        self._errors_told = 0
        self._random = random.Random(1)
        self._reset(0)

    def _reset(self, index: int) -> None:
        self._index = index
        self._operations = self._fine = self._errors = self._wrong = self._stale = 0
        self._longest_s = self._stalled_s = 0.0

    def _flush(self) -> None:
        if self._operations:
            print("bucket", self._index, self._operations, self._fine, self._errors, self._wrong, self._stale,
                  int(self._longest_s * 1e6), int(self._stalled_s * 1e6), flush=True)

    def _call(self, function: Callable[..., Any], *arguments: Any) -> tuple[bool, Any]:
        """Whether it succeeded, and what it gave."""
        began = time.monotonic()
        try:
            return True, function(*arguments)
        except Exception as error:  # pylint: disable=broad-exception-caught  # whatever a client tells
            if self._errors_told < ERRORS_TOLD:
                self._errors_told += 1
                print("error", type(error).__name__, " ".join(str(error).split()), flush=True)
            return False, None
        finally:
            taken = time.monotonic() - began
            self._longest_s = max(self._longest_s, taken)
            self._stalled_s += taken if taken > STALLED_S else 0.0

    def _judge(self, number: int, value: Any) -> None:
        key, version = f"key:{number}", -1
        words = value.split() if isinstance(value, bytes) else []
        if len(words) == 3 and words[1].isdigit():
            version = int(words[1])
        if value != make_value(key, version) or version > self._tried[number]:
            self._wrong += 1
        elif version < self._stored[number]:
            self._stale += 1

    def store(self, number: int) -> bool:
        """Whether it was stored."""
        self._tried[number] += 1
        version = self._tried[number]
        key = f"key:{number}"
        succeeded, _ = self._call(self._cache.set, key, make_value(key, version))
        if succeeded:
            self._stored[number] = version
        return succeeded

    def _read(self, number: int) -> bool:
        succeeded, value = self._call(self._cache.get, f"key:{number}")
        if not succeeded:
            return False
        if value is None:
            return self.store(number)
        self._judge(number, value)
        return True

    def _operate(self) -> None:
        number = self._random.randrange(self._keys)
        succeeded = self._read(number) if self._random.randrange(5) else self.store(number)
        self._operations += 1
        self._fine += succeeded
        self._errors += not succeeded

    def run(self, rate: float, seconds: float) -> None:
        """Operates in step, and tells it."""
        for number in range(self._keys):
            self.store(number)
        began = now = due = time.monotonic()
        self._reset(0)
        print(f"start {began:.6f}", flush=True)
        while now < began + seconds:
            if now < due:
                time.sleep(due - now)
            else:
                due = (now if now - due > BACKLOG_S else due) + 1 / rate
                if int((now - began) / BUCKET_S) != self._index:
                    self._flush()
                    self._reset(int((now - began) / BUCKET_S))
                self._operate()
            now = time.monotonic()
        self._flush()
        print("end", flush=True)


if __name__ == "__main__":
    Load(MAKERS[sys.argv[1]](sys.argv[2]), int(sys.argv[5])).run(float(sys.argv[3]), float(sys.argv[4]))
