"""The client: every call is one of the core's, with Python's types around it.

May import: the native module, codecs, exceptions. Adapters import this through the package alone.
"""
from __future__ import annotations

import logging
import os
from typing import Any, Callable, Iterable, Mapping, NamedTuple, NoReturn, Optional, Sequence, TypeVar, Union

from . import _native
from .codecs import Codec, RawCodec, hooks_of, make_codec
from .errors import Error

Key = Union[str, bytes]
Seconds = Union[int, float]
_AnyKey = TypeVar("_AnyKey", str, bytes, Key)
_Value = TypeVar("_Value")

logger = logging.getLogger("shoal")


class Node(NamedTuple):
    """One node of the fleet."""

    name: str  #: "host:port", or the path of a Unix socket
    host: str
    address: str  #: what discovery gave; "" where it gave none
    port: int  #: 0 for a Unix socket
    weight: int


class Topology(NamedTuple):
    """The list of nodes at one moment."""

    version: int  #: the configuration version that the endpoint gave; 0 for a fixed list
    nodes: list[Node]


class Lease:
    """The right to compute a value that has run out, which one caller at a time has: until `store`, `abandon` or the end
    of a `with`."""

    __slots__ = ("_handle", "_codec")

    def __init__(self, handle: Any, codec: Codec) -> None:
        self._handle = handle
        self._codec = codec

    def store(self, value: Any) -> None:
        """Stores what was computed."""
        data, flags = self._codec.encode(value)
        _native.lease_store(self._handle, data, flags)

    def store_or_log(self, value: Any) -> None:
        """Stores what was computed. Where the fleet fails, the value in hand is right all the same: that is logged."""
        try:
            self.store(value)
        except Error as reason:
            logger.warning("fetch: what was computed was not stored: %s", reason)

    def abandon(self) -> None:
        """Lets the next caller compute at once; nothing where the value was stored."""
        _native.lease_abandon(self._handle)

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        self.abandon()


def _option_text(name: str, value: Any) -> str:
    """An option's value as the core reads it: true and false, lists with commas."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return ",".join(_option_text(name, each) for each in value)
    if isinstance(value, (str, int, float, os.PathLike)):
        return str(value)
    raise TypeError(f"{name} is text, a number, True or False, or a list of these, not {type(value).__name__}")


def _make_native(endpoint: Union[str, Sequence[str]], preset: Optional[str], options: Mapping[str, Any]) -> Any:
    config = _native.config_new()
    if preset is not None:
        _native.config_set_preset(config, preset)
    for name, value in {"endpoint": endpoint, **options}.items():
        _native.config_set(config, name, _option_text(name, value))
    return _native.client_new(config)


class Client(_native.ClientBase):
    """A view of a fleet. It may serve any number of threads, and parent and child after a fork.

    >>> cache = shoal.Client("my-cluster.cfg.use1.cache.amazonaws.com:11211")
    >>> cache.set("greeting", b"hello", ttl=60)
    True

    Keys are str (sent as UTF-8) or bytes. Times to live are seconds: 0 for ever, negative expired at once, fractions
    rounded up. Every call waits for `operation_timeout_ms` at most, without holding the interpreter's lock, and raises
    a subclass of `shoal.Error` where it fails.
    """

    __slots__ = ("_codec", "__weakref__")

    def __init__(self, endpoint: Union[str, Sequence[str]], *, codec: Union[str, Codec] = "raw",
                 compress: Optional[str] = None, compress_min_bytes: Optional[int] = None,
                 preset: Optional[str] = None, **options: Any) -> None:
        """Makes a client; the network is not touched before the first call.

        endpoint: "host:port" to discover, a list of nodes, or any other that the core reads.
        codec: "raw" (bytes alone), "pickle", "pymemcache", "json", or an object with encode and decode.
        compress: "none", "zlib" or "zstd", for values from compress_min_bytes on.
        preset: whose place Shoal takes, e.g. "pylibmc": keys stay on their nodes.
        options: those that `shoal config` lists, e.g. operation_timeout_ms=200.
        """
        packing = {"compress": compress, "compress_min_bytes": compress_min_bytes}
        made = make_codec(codec, **{name: value for name, value in packing.items() if value is not None})
        super().__init__(_make_native(endpoint, preset, options), *hooks_of(made))
        self._codec = made

    # --- Reading: get and get_many are the native class's ---

    def gets(self, key: Key) -> Optional[tuple[Any, int]]:
        """(value, token) for `cas`, or None where there is no item."""
        found = _native.get(self._handle, key)
        return None if found is None else (self._codec.decode(found[0], found[1]), found[2])

    def get_and_touch(self, key: Key, ttl: Seconds, default: Any = None) -> Any:
        """The value of a key, which gets a new time to live; default where there is none."""
        found = _native.get_and_touch(self._handle, key, ttl)
        return default if found is None else self._codec.decode(found[0], found[1])

    def fetch(self, key: Key, compute: Callable[[], _Value], ttl: Seconds = 0, *, stale_ttl: Seconds = 0) -> _Value:
        """The value of a key; where it has run out, what compute() returns, which is stored for ttl.

        Of all callers in all processes one computes at a time. The others get the old value, which is kept for stale_ttl
        behind its end; where there is none they wait for `fetch_wait_ms` at most, and then compute as well. What `set`
        and others stored counts as old.

        What compute raises is raised here, and the next caller computes at once. Where the value cannot be read, the
        error is raised as by `get`; where what was computed cannot be stored, it is returned, and the logger "shoal"
        says why. The first caller gets what compute returned, all others what the codec makes of it.
        """
        value: _Value
        value, lease = self._begin_fetch(key, ttl, stale_ttl)
        if lease is None:
            return value
        with lease:
            value = compute()
            lease.store_or_log(value)
        return value

    def _begin_fetch(self, key: Key, ttl: Seconds, stale_ttl: Seconds) -> tuple[Any, Optional[Lease]]:
        """A value, or the lease of who is to compute it."""
        _, found, lease = _native.fetch_begin(self._handle, key, ttl, stale_ttl)
        if lease is not None:
            return None, Lease(lease, self._codec)
        return self._codec.decode(found[0], found[1]), None

    # --- Writing: set and set_many are the native class's ---

    def add(self, key: Key, value: Any, ttl: Seconds = 0) -> bool:
        """Stores a value only where there was none: else False."""
        return self._store(_native.ADD, key, value, ttl)

    def replace(self, key: Key, value: Any, ttl: Seconds = 0) -> bool:
        """Stores a value only where there was one: else False."""
        return self._store(_native.REPLACE, key, value, ttl)

    def append(self, key: Key, value: Any, ttl: Seconds = 0) -> bool:
        """Puts bytes behind those that are there; False where there are none. See `prepend` for ttl and codecs."""
        return self._extend(_native.APPEND, key, value, ttl)

    def prepend(self, key: Key, value: Any, ttl: Seconds = 0) -> bool:
        """Puts bytes before those that are there; False where there are none.

        The item's lifetime and flags stay as they are; the server ignores ttl. With a codec of the core, value is bytes
        or str, and is neither serialised nor compressed: what is there should not be either.
        """
        return self._extend(_native.PREPEND, key, value, ttl)

    def cas(self, key: Key, value: Any, token: int, ttl: Seconds = 0) -> bool:
        """Stores a value only where the item is still that of the token from `gets`: else False."""
        data, flags = self._codec.encode(value)
        return _native.store(self._handle, _native.CAS, key, data, flags, ttl, token) == 0

    def touch(self, key: Key, ttl: Seconds) -> bool:
        """Gives an item a new time to live; False where there is none."""
        return _native.touch(self._handle, key, ttl) == 0

    def delete(self, key: Key) -> bool:
        """Deletes an item; False where there was none."""
        return _native.delete(self._handle, key) == 0

    def delete_many(self, keys: Iterable[_AnyKey]) -> list[_AnyKey]:
        """Deletes many items; the caller's keys that could not be deleted, among which those without an item are not.
        An exception means that nothing was sent."""
        return _native.delete_many(self._handle, keys)

    def increment(self, key: Key, delta: int = 1, initial: Optional[int] = None, ttl: Seconds = 0) -> Optional[int]:
        """Adds to a counter: its new number. A missing one starts with initial (delta is not added) and ttl, else None.

        shoal.NotANumber where the item is no decimal number. Past 2**64 - 1 it wraps; a negative delta subtracts. It is
        never repeated on its own.
        """
        return _native.increment(self._handle, key, delta, initial, ttl)

    def decrement(self, key: Key, delta: int = 1, initial: Optional[int] = None, ttl: Seconds = 0) -> Optional[int]:
        """Subtracts from a counter, which stays at 0 or above; else as `increment`."""
        return _native.increment(self._handle, key, -delta, initial, ttl)

    # --- The fleet ---

    def flush_all(self) -> None:
        """Empties every node of the fleet, other clients' items too."""
        _native.flush_all(self._handle)

    def stats(self, group: Optional[str] = None) -> dict[str, Optional[dict[str, str]]]:
        """What the nodes say of themselves, by node; None for a node that did not answer.

        group: None, or what memcached's `stats` takes: "settings", "items", "slabs", ...
        """
        stats = _native.stats_read(self._handle, group)
        found: dict[str, Optional[dict[str, str]]] = {}
        for node in range(_native.stats_node_count(stats)):
            answered = _native.stats_node_status(stats, node) == 0
            counters = range(_native.stats_count(stats, node))
            found[_native.stats_node_name(stats, node)] = {
                _native.stats_name(stats, node, index): _native.stats_value(stats, node, index)
                for index in counters} if answered else None
        return found

    def nodes(self) -> list[str]:
        """The names, "host:port", of the nodes in use."""
        return [node.name for node in self.topology().nodes]

    def topology(self) -> Topology:
        """The list of nodes in use, with its version."""
        topology = _native.client_topology(self._handle)
        handles = (_native.topology_node_at(topology, index) for index in range(_native.topology_node_count(topology)))
        nodes = [Node(_native.node_name(handle), _native.node_host(handle), _native.node_address(handle),
                      _native.node_port(handle), _native.node_weight(handle)) for handle in handles]
        return Topology(_native.topology_version(topology), nodes)

    def route(self, key: Key) -> str:
        """The name of the node that a key belongs to now. No traffic to it."""
        return _native.node_name(_native.route(self._handle, key))

    # --- Its life ---

    def close(self) -> None:
        """Ends the client: later calls raise shoal.Closed. It need not be called, and may be more than once."""
        _native.client_close(self._handle)

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a shoal.Client can be neither pickled nor copied: share it among threads, keep it across a "
                        "fork, or make another from the same arguments")

    def __repr__(self) -> str:
        return f"<shoal.Client at {id(self):#x}>"

    # --- Shared by several ---

    def _store(self, mode: int, key: Key, value: Any, ttl: Seconds) -> bool:
        data, flags = self._codec.encode(value)
        return _native.store(self._handle, mode, key, data, flags, ttl, 0) == 0

    def _extend(self, mode: int, key: Key, value: Any, ttl: Seconds) -> bool:
        data = value
        if isinstance(value, str) and type(self._codec) is not RawCodec:
            data = value.encode()
        elif not isinstance(value, (bytes, bytearray, memoryview)):
            data, _ = RawCodec().encode(value)
        return _native.store(self._handle, mode, key, data, 0, ttl, 0) == 0


def check_keys(keys: Iterable[_AnyKey]) -> Iterable[_AnyKey]:
    """A str or bytes is a sequence too, of keys that nobody meant."""
    if isinstance(keys, (str, bytes)):
        raise TypeError(f"keys is a list or another iterable of keys, not one {type(keys).__name__}")
    return keys
