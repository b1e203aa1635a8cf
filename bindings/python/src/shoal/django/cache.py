"""ShoalCache, Django's cache backend: Django's rules about keys, times and results around a client's calls.

May import: the standard library, shoal, Django, its asgiref, and beside it clients, settings. Django makes one a thread.
"""
from __future__ import annotations

import functools
import re
from typing import Any, Callable, Iterable, Mapping, Optional, TypeVar

import shoal
from asgiref.sync import sync_to_async
from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache, InvalidCacheKey, memcache_key_warnings

from .clients import share
from .settings import read_settings

_Result = TypeVar("_Result")

_EXPIRED = -1
_LONGEST_KEY_BYTES = 250
_UNFIT = re.compile("[\0-\x20\x7f]")


class ShoalCache(BaseCache):
    """A cache on a fleet of memcached nodes that may come and go.

    A node that fails makes its keys' reads misses and its writes False, and is logged by the logger "shoal.django";
    with OPTIONS["on_node_failure"] = "error" it raises shoal.Error instead. `client` is the shoal.Client behind it, shared
    by all caches with the same settings, for what Django has no name for; its keys are those that `make_key` gives.
    """

    def __init__(self, location: Any, params: dict[str, Any]) -> None:
        super().__init__(params)
        settings = read_settings(location, params)
        self.client, self._failures = share(settings)
        self._free_keys = settings.free_keys
        self._stale_ttl = settings.stale_ttl

    # --- Keys and times ---

    def validate_key(self, key: str) -> None:
        """InvalidCacheKey, in Django's own words, for a key that memcached does not take."""
        if self._free_keys:
            return
        if len(key) > _LONGEST_KEY_BYTES or _UNFIT.search(key):
            for warning in memcache_key_warnings(key):
                raise InvalidCacheKey(warning)
        # Django counts characters, and memcached bytes.
        if not key.isascii() and len(key.encode()) > _LONGEST_KEY_BYTES:
            raise InvalidCacheKey(f"Cache key will cause errors if used with memcached: {key!r} "
                                  f"(longer than {_LONGEST_KEY_BYTES})")

    def make_and_validate_key(self, key: Any, version: Optional[int] = None) -> str:
        """The key that is sent. Django has this method from 4.1 on."""
        made: str = self.make_key(key, version=version)
        self.validate_key(made)
        return made

    def get_backend_timeout(self, timeout: Any = DEFAULT_TIMEOUT) -> Any:
        """Seconds as the client takes them: 0 for ever, negative expired at once."""
        if timeout is DEFAULT_TIMEOUT:
            timeout = self.default_timeout
        if timeout is None:
            return 0
        return timeout if timeout > 0 else _EXPIRED

    def _call(self, otherwise: _Result, call: Callable[..., _Result], *arguments: Any) -> _Result:
        """A call of the client's; `otherwise` where the fleet failed it."""
        try:
            return call(*arguments)
        except shoal.Error as error:
            self._failures.settle(error)
            return otherwise

    # --- One key ---

    def get(self, key: Any, default: Any = None, version: Optional[int] = None) -> Any:
        """The value of a key, or default."""
        made = self.make_and_validate_key(key, version=version)
        return self._call(default, self.client.get, made, default)

    def set(self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: Optional[int] = None) -> None:
        """Stores a value. Where that fails the old one is deleted, so that nobody reads it any more."""
        made = self.make_and_validate_key(key, version=version)
        try:
            self.client.set(made, value, self.get_backend_timeout(timeout))
        except shoal.Error as error:
            self._discard([made])
            self._failures.settle(error)

    def add(self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: Optional[int] = None) -> bool:
        """Stores a value where there was none: whether it did."""
        made = self.make_and_validate_key(key, version=version)
        return self._call(False, self.client.add, made, value, self.get_backend_timeout(timeout))

    def touch(self, key: Any, timeout: Any = DEFAULT_TIMEOUT, version: Optional[int] = None) -> bool:
        """Gives a key a new time to live: whether there was one."""
        made = self.make_and_validate_key(key, version=version)
        return self._call(False, self.client.touch, made, self.get_backend_timeout(timeout))

    def delete(self, key: Any, version: Optional[int] = None) -> bool:
        """Deletes a key: whether there was one."""
        return self._call(False, self.client.delete, self.make_and_validate_key(key, version=version))

    def incr(self, key: Any, delta: int = 1, version: Optional[int] = None) -> int:
        """Adds to a counter: its new number. ValueError where there is none, TypeError where it is no number."""
        made = self.make_and_validate_key(key, version=version)
        number = self._call(None, self.client.increment, made, delta)
        if number is None:
            raise ValueError(f"Key '{key}' not found")
        return number

    def decr(self, key: Any, delta: int = 1, version: Optional[int] = None) -> int:
        """Subtracts from a counter, which stays at 0 or above; else as `incr`."""
        return self.incr(key, -delta, version=version)

    # --- One computer at a time ---

    def get_or_set(self, key: Any, default: Any, timeout: Any = DEFAULT_TIMEOUT, version: Optional[int] = None) -> Any:
        """The value of a key. Where there is none, default, or what it returns where it can be called, which is added.

        Of those who call the default of a key, in all processes, one does at a time; the others wait for its value, for
        `fetch_wait_ms` at most. With OPTIONS["stale_ttl"] they get the old one, for so many seconds behind its end.
        """
        get_or_set = functools.partial(super().get_or_set, key, default, timeout=timeout, version=version)
        if self._stale_ttl is None and callable(default):
            value = self.get(key, self._missing_key, version=version)
            if value is not self._missing_key:
                return value
        if not self._takes_turns(default, timeout):
            return get_or_set()
        value, lease = self._begin(key, timeout, version)
        if lease is None:
            return get_or_set() if value is self._missing_key else value
        with lease:
            if self._stale_ttl is None:
                return get_or_set()
            value = default() if callable(default) else default
            self._store_computed(lease, key, value, version)
            return value

    async def _aget_or_set(self, key: Any, default: Any, timeout: Any = DEFAULT_TIMEOUT,
                           version: Optional[int] = None) -> Any:
        """See get_or_set()."""
        get_or_set = functools.partial(super().aget_or_set, key, default, timeout=timeout, version=version)
        if self._stale_ttl is None and callable(default):
            value = await self.aget(key, self._missing_key, version=version)
            if value is not self._missing_key:
                return value
        if not self._takes_turns(default, timeout):
            return await get_or_set()
        # Not in the thread that all of Django's calls share: whom it waits for wants that one.
        value, lease = await sync_to_async(self._begin, thread_sensitive=False)(key, timeout, version)
        if lease is None:
            return await get_or_set() if value is self._missing_key else value
        try:
            if self._stale_ttl is None:
                return await get_or_set()
            value = default() if callable(default) else default
            await sync_to_async(self._store_computed)(lease, key, value, version)
            return value
        finally:
            await sync_to_async(lease.abandon)()

    if hasattr(BaseCache, "aget_or_set"):  # from Django 4.0 on
        aget_or_set = _aget_or_set

    def _takes_turns(self, default: Any, timeout: Any) -> bool:
        """Whether there is something to wait for: a computation, whose value is kept."""
        return (self._stale_ttl is not None or callable(default)) and self.get_backend_timeout(timeout) != _EXPIRED

    def _begin(self, key: Any, timeout: Any, version: Optional[int]) -> tuple[Any, Any]:
        """A value, or the lease of who is to compute it; neither where the fleet fails."""
        made = self.make_and_validate_key(key, version=version)
        neither: tuple[Any, Any] = self._missing_key, None
        # pylint: disable-next=protected-access
        return self._call(neither, self.client._begin_fetch, made, self.get_backend_timeout(timeout), self._stale_ttl or 0)

    def _store_computed(self, lease: Any, key: Any, value: Any, version: Optional[int]) -> None:
        """As `set`: where that fails the old value is deleted."""
        try:
            lease.store(value)
        except shoal.Error as error:
            self._discard([self.make_and_validate_key(key, version=version)])
            self._failures.settle(error)

    # --- Many keys ---

    def get_many(self, keys: Iterable[Any], version: Optional[int] = None) -> dict[Any, Any]:
        """A dict of those keys that have a value."""
        keys_of = {self.make_and_validate_key(key, version=version): key for key in keys}
        try:
            found = self.client.get_many(keys_of)
        except shoal.Error as error:
            self._failures.settle(error)
            found = error.partial or {}
        return {keys_of[made]: value for made, value in found.items()}

    def set_many(self, data: Mapping[Any, Any], timeout: Any = DEFAULT_TIMEOUT,
                 version: Optional[int] = None) -> list[Any]:
        """Stores many values, of a mapping or of pairs: the keys that failed, whose old values are deleted."""
        values = dict(data)
        keys_of = {self.make_and_validate_key(key, version=version): key for key in values}
        failed = self._call(list(keys_of), self.client.set_many,
                            {made: values[key] for made, key in keys_of.items()}, self.get_backend_timeout(timeout))
        if failed:
            self._discard(failed)
            self._failures.warn("set_many", f"set_many: {len(failed)} of {len(values)} values were not stored")
        return [keys_of[made] for made in failed]

    def delete_many(self, keys: Iterable[Any], version: Optional[int] = None) -> None:
        """Deletes many keys."""
        made = [self.make_and_validate_key(key, version=version) for key in keys]
        failed: list[str] = self._call([], self.client.delete_many, made)
        if failed:
            self._failures.warn("delete_many", f"delete_many: {len(failed)} of {len(made)} keys could not be deleted")

    # --- All of it ---

    def clear(self) -> None:
        """Empties every node of the fleet: other caches' keys too, whatever their KEY_PREFIX."""
        self._call(None, self.client.flush_all)

    def close(self, **kwargs: Any) -> None:
        """Nothing: Django calls it at the end of each request, and the next request wants the connections."""

    def _discard(self, keys: list[str]) -> None:
        """What could not be stored anew is not to be read any more. A node that is down keeps it from all."""
        try:
            self.client.delete_many(keys)
        except shoal.Error:
            pass  # the failure to store is told
