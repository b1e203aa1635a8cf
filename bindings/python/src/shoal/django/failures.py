"""What becomes of an error: the program's own are raised, the fleet's are logged and forgiven.

May import: the standard library, shoal and Django's exceptions. Called by cache.
"""
from __future__ import annotations

import logging
import time

import shoal
from django.core.cache.backends.base import InvalidCacheKey

logger = logging.getLogger("shoal.django")

#: Errors that waiting does not mend, whatever the fleet does.
_OF_THE_PROGRAM = (shoal.BadEndpoint, shoal.BadOption, shoal.Closed, shoal.InvalidArgument, shoal.OutOfMemory,
                   shoal.Unsupported)
_PAUSE_S = 1.0


class NotACounter(shoal.NotANumber, TypeError):
    """incr or decr of a value that is no number: a TypeError, as with Django's other caches."""


class Failures:
    """Tells of failures by the logger "shoal.django": of each kind at each node once a second at most."""

    def __init__(self, raises: bool) -> None:
        self._raises = raises
        self._told: dict[object, tuple[float, int]] = {}  # when, and how many have not been told since

    def settle(self, error: shoal.Error) -> None:
        """Raises what is to be raised; returns where the call goes on as if nothing were cached."""
        if isinstance(error, shoal.BadKey):
            raise InvalidCacheKey(str(error)) from error
        if isinstance(error, shoal.NotANumber):
            raise NotACounter(str(error)) from error
        is_unreadable = isinstance(error, shoal.BadValue)  # stored anew, where an error would stay until it expires
        if isinstance(error, _OF_THE_PROGRAM) or (self._raises and not is_unreadable):
            raise error
        self.warn((error.node, type(error)), str(error), logging.ERROR if is_unreadable else logging.WARNING)

    def warn(self, kind: object, message: str, level: int = logging.WARNING) -> None:
        """Logs a message, unless one of its kind was logged just now."""
        now = time.monotonic()
        last, silent = self._told.get(kind, (now - _PAUSE_S, 0))
        if now - last < _PAUSE_S:
            self._told[kind] = (last, silent + 1)
            return
        self._told[kind] = (now, 0)
        logger.log(level, "%s%s", message, f" ({silent} more of this kind before it)" if silent else "")
