"""The client for asyncio: the calls of `shoal.Client` as coroutines, made by a pool of threads.

May import: the package's client and errors. Imported by users alone, as `shoal.aio`.
"""
from __future__ import annotations

import asyncio
import inspect
import os
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Awaitable, Callable, Iterable, Mapping, NoReturn, Optional, Sequence, TypeVar, Union, overload

from . import _native
from .client import Client as _SyncClient
from .client import Key, Lease, Seconds, Topology, _AnyKey, _Value, check_keys
from .codecs import Codec
from .errors import make_error

_Result = TypeVar("_Result")


class Client:
    """`shoal.Client` for asyncio: the same methods, with the same arguments and results, to be awaited.

    >>> async with shoal.aio.Client("my-cluster.cfg.use1.cache.amazonaws.com:11211") as cache:
    ...     await cache.set("greeting", b"hello", ttl=60)
    True

    Each call runs in a thread of the client's own pool, so that the event loop never waits for the network; codecs run
    there too, so leave a value alone until its call is over. A thread serves one call at a time: `max_threads` is how
    many can wait for servers at once, and `operation_timeout_ms` begins when a thread takes the call.

    A coroutine that is cancelled stops waiting at once. Its call is dropped where no thread has taken it yet; else it
    goes on to its end, within `operation_timeout_ms`, and its result is dropped: a write may have happened or not.

    One client serves any number of event loops, one after another or side by side, and parent and child after a fork.
    """

    __slots__ = ("_client", "_owns_client", "_max_threads", "_pool", "_waiting", "_process", "_closed", "__weakref__")

    def __init__(self, endpoint: Union[str, Sequence[str]], *, codec: Union[str, Codec] = "raw",
                 compress: Optional[str] = None, compress_min_bytes: Optional[int] = None,
                 preset: Optional[str] = None, max_threads: int = 32, **options: Any) -> None:
        """Makes a client; no network and no thread before the first call.

        max_threads: how many calls may wait for servers at once; more wait for a thread.
        All else is as for shoal.Client.
        """
        client = _SyncClient(endpoint, codec=codec, compress=compress, compress_min_bytes=compress_min_bytes,
                             preset=preset, **options)
        self._begin(client, True, max_threads)

    @classmethod
    def from_client(cls, client: _SyncClient, *, max_threads: int = 32) -> "Client":
        """A client that makes its calls through an existing one, which stays open when this one is closed."""
        made = cls.__new__(cls)
        made._begin(client, False, max_threads)
        return made

    def _begin(self, client: _SyncClient, owns_client: bool, max_threads: int) -> None:
        self._client = client
        self._owns_client = owns_client
        self._max_threads = max_threads
        self._closed = False
        self._make_pools()

    # --- Reading ---

    async def get(self, key: Key, default: Any = None) -> Any:
        """The value of a key, or default where there is none."""
        return await self._call(self._client.get, key, default)

    async def gets(self, key: Key) -> Optional[tuple[Any, int]]:
        """(value, token) for `cas`, or None where there is no item."""
        return await self._call(self._client.gets, key)

    async def get_many(self, keys: Iterable[_AnyKey]) -> dict[_AnyKey, Any]:
        """A dict of those keys that have a value, under the caller's own key objects.

        Where the read of a key failed, or its value is a shoal.BadValue, the error is raised once all are read; its
        `partial` is the dict of the hits.
        """
        return await self._call(self._client.get_many, tuple(check_keys(keys)))

    async def get_and_touch(self, key: Key, ttl: Seconds, default: Any = None) -> Any:
        """The value of a key, which gets a new time to live; default where there is none."""
        return await self._call(self._client.get_and_touch, key, ttl, default)

    @overload
    async def fetch(self, key: Key, compute: Callable[[], Awaitable[_Value]], ttl: Seconds = 0, *,
                    stale_ttl: Seconds = 0) -> _Value: ...

    @overload
    async def fetch(self, key: Key, compute: Callable[[], _Value], ttl: Seconds = 0, *,
                    stale_ttl: Seconds = 0) -> _Value: ...

    async def fetch(self, key: Key, compute: Callable[[], Any], ttl: Seconds = 0, *, stale_ttl: Seconds = 0) -> Any:
        """The value of a key; where it has run out, what compute() returns or, where that is to be awaited, gives.

        As `shoal.Client.fetch`, with compute in the event loop. Who waits for another's value takes a thread meanwhile, of
        as many more as `max_threads` says. Where the coroutine is cancelled while it computes, the next caller computes
        at once; what was computed before is stored all the same.
        """
        value, lease = await self._begin_fetch(key, ttl, stale_ttl)
        if lease is None:
            return value
        try:
            value = compute()
            if inspect.isawaitable(value):
                value = await value
        except BaseException as reason:
            given_back = self._end_lease(lease.abandon)
            if isinstance(reason, Exception):  # who is cancelled does not wait
                await asyncio.shield(asyncio.wrap_future(given_back))
            raise
        await asyncio.shield(asyncio.wrap_future(self._end_lease(self._store, lease, value)))
        return value

    # --- Writing ---

    async def set(self, key: Key, value: Any, ttl: Seconds = 0) -> bool:
        """Stores a value, whatever was there. True; a value that the server refuses is an exception."""
        return await self._call(self._client.set, key, value, ttl)

    async def add(self, key: Key, value: Any, ttl: Seconds = 0) -> bool:
        """Stores a value only where there was none: else False."""
        return await self._call(self._client.add, key, value, ttl)

    async def replace(self, key: Key, value: Any, ttl: Seconds = 0) -> bool:
        """Stores a value only where there was one: else False."""
        return await self._call(self._client.replace, key, value, ttl)

    async def append(self, key: Key, value: Any, ttl: Seconds = 0) -> bool:
        """Puts bytes behind those that are there; False where there are none. See `shoal.Client` for ttl."""
        return await self._call(self._client.append, key, value, ttl)

    async def prepend(self, key: Key, value: Any, ttl: Seconds = 0) -> bool:
        """Puts bytes before those that are there; False where there are none."""
        return await self._call(self._client.prepend, key, value, ttl)

    async def cas(self, key: Key, value: Any, token: int, ttl: Seconds = 0) -> bool:
        """Stores a value only where the item is still that of the token from `gets`: else False."""
        return await self._call(self._client.cas, key, value, token, ttl)

    async def set_many(self, mapping: Mapping[_AnyKey, Any], ttl: Seconds = 0) -> list[_AnyKey]:
        """Stores many values; the caller's keys that were not stored. An exception means that nothing was sent."""
        return await self._call(self._client.set_many, dict(mapping.items()), ttl)

    async def touch(self, key: Key, ttl: Seconds) -> bool:
        """Gives an item a new time to live; False where there is none."""
        return await self._call(self._client.touch, key, ttl)

    async def delete(self, key: Key) -> bool:
        """Deletes an item; False where there was none."""
        return await self._call(self._client.delete, key)

    async def delete_many(self, keys: Iterable[_AnyKey]) -> list[_AnyKey]:
        """Deletes many items; the caller's keys that could not be deleted, among which those without an item are not.
        An exception means that nothing was sent."""
        return await self._call(self._client.delete_many, tuple(check_keys(keys)))

    async def increment(self, key: Key, delta: int = 1, initial: Optional[int] = None,
                        ttl: Seconds = 0) -> Optional[int]:
        """Adds to a counter: its new number. A missing one starts with initial (delta is not added) and ttl, else None.

        shoal.NotANumber where the item is no decimal number. Past 2**64 - 1 it wraps; a negative delta subtracts. It is
        never repeated on its own.
        """
        return await self._call(self._client.increment, key, delta, initial, ttl)

    async def decrement(self, key: Key, delta: int = 1, initial: Optional[int] = None,
                        ttl: Seconds = 0) -> Optional[int]:
        """Subtracts from a counter, which stays at 0 or above; else as `increment`."""
        return await self._call(self._client.decrement, key, delta, initial, ttl)

    # --- The fleet ---

    async def flush_all(self) -> None:
        """Empties every node of the fleet, other clients' items too."""
        await self._call(self._client.flush_all)

    async def stats(self, group: Optional[str] = None) -> dict[str, Optional[dict[str, str]]]:
        """What the nodes say of themselves, by node; None for a node that did not answer."""
        return await self._call(self._client.stats, group)

    async def nodes(self) -> list[str]:
        """The names, "host:port", of the nodes in use."""
        return await self._call(self._client.nodes)

    async def topology(self) -> Topology:
        """The list of nodes in use, with its version."""
        return await self._call(self._client.topology)

    async def route(self, key: Key) -> str:
        """The name of the node that a key belongs to now. No traffic to it."""
        return await self._call(self._client.route, key)

    # --- Its life ---

    def close(self) -> None:
        """Ends the client: later calls, and those that no thread has taken yet, raise shoal.Closed. Its threads end
        with the calls they are in. It need not be called, and may be more than once."""
        self._closed = True
        self._end(wait=False)

    async def aclose(self) -> None:
        """Ends the client as `close` does, and waits until the calls under way are done and the threads have ended."""
        self._closed = True
        await asyncio.get_running_loop().run_in_executor(None, self._end, True)

    async def __aenter__(self) -> "Client":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a shoal.aio.Client can be neither pickled nor copied: share it, keep it across a fork, or "
                        "make another from the same arguments")

    def __repr__(self) -> str:
        return f"<shoal.aio.Client at {id(self):#x}>"

    # --- Its threads ---

    def _make_pools(self) -> None:
        """Its threads start as calls need them. Those that may wait for another caller have their own: whom they wait for
        must find one free."""
        self._pool, self._waiting = (
            ThreadPoolExecutor(self._max_threads, thread_name_prefix="shoal") for _ in range(2))
        self._process = os.getpid()

    def _end(self, wait: bool) -> None:
        if self._owns_client:
            self._client.close()
        if self._process == os.getpid():
            self._waiting.shutdown(wait)
            self._pool.shutdown(wait)

    def _check_open(self) -> None:
        if self._closed:
            raise make_error(_native.E_CLOSED, "the client was closed: make a new one")

    def _run(self, function: Callable[..., _Result], *arguments: Any) -> _Result:
        """In a thread of the pool."""
        self._check_open()
        try:
            return function(*arguments)
        except StopIteration as reason:
            # No future takes one, and whoever awaits it would wait for ever.
            raise RuntimeError(f"{function.__name__} raised StopIteration") from reason

    def _check_ready(self) -> None:
        self._check_open()
        # A child has none of its parent's threads. Where two of its threads come by here at once, one of the pools is
        # forgotten: it finishes its calls, and ends.
        if self._process != os.getpid():
            self._make_pools()

    async def _call(self, function: Callable[..., _Result], *arguments: Any) -> _Result:
        self._check_ready()
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._run, function, *arguments)

    # --- Leases: whoever waits may be cancelled, and none is left to run out. ---

    async def _begin_fetch(self, key: Key, ttl: Seconds, stale_ttl: Seconds) -> tuple[Any, Optional[Lease]]:
        self._check_ready()
        begun = self._waiting.submit(lambda: self._run(self._client._begin_fetch, key, ttl, stale_ttl))
        try:
            return await asyncio.wrap_future(begun)
        except BaseException:
            begun.add_done_callback(self._abandon_begun)
            raise

    def _abandon_begun(self, begun: "Future[tuple[Any, Optional[Lease]]]") -> None:
        """Of a call that nobody waits for any more; in the thread that made it, or in the loop's."""
        lease = None if begun.cancelled() or begun.exception() else begun.result()[1]
        if lease is not None:
            self._end_lease(lease.abandon)

    @staticmethod
    def _store(lease: Lease, value: Any) -> None:
        with lease:
            lease.store_or_log(value)

    def _end_lease(self, function: Callable[..., None], *arguments: Any) -> "Future[None]":
        """In the pool; in a thread made for it where the client was closed meanwhile."""
        try:
            return self._pool.submit(function, *arguments)
        except RuntimeError:
            pool = ThreadPoolExecutor(1, thread_name_prefix="shoal")
            ended = pool.submit(function, *arguments)
            pool.shutdown(wait=False)
            return ended
