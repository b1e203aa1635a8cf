"""ShoalCache, Django's cache backend: Django's rules about keys, times and results around a client's calls.

May import: the standard library, shoal, Django, and beside it clients, settings. Django makes one a thread.
"""
from __future__ import annotations

import re
from typing import Any, Callable, Iterable, Mapping, Optional, TypeVar

import shoal
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
