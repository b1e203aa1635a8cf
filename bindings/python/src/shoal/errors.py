"""Exceptions: one class for each kind of error the core tells, all under `Error`.

May import: the native module's constants. Imported by the package and by the codecs.
"""
from __future__ import annotations

from typing import Any, Optional

from . import _native


class Error(Exception):
    """Whatever Shoal reports. `str()` of it says what was wrong, where, and what to do."""

    #: The status of the C library, e.g. -9; `status_name` is its name, e.g. "SHOAL_E_TIMEOUT".
    status: int = 0
    #: The node at which it happened, as "host:port"; None where no node was involved.
    node: Optional[str] = None
    #: The operating system's error number; 0 where none was involved.
    errno: int = 0
    #: How often the command was tried on a node; 0 where the call failed before a connection was there.
    attempts: int = 0
    #: Whether the same call may succeed later without a change by the caller.
    retriable: bool = False
    #: Whether the command may have been executed all the same, because its reply was lost.
    outcome_unknown: bool = False
    #: What `get_many` read before or beside the failure: a dict of hits; None from every other call.
    partial: Optional[dict[Any, Any]] = None

    @property
    def status_name(self) -> str:
        """The name of the status in C, e.g. "SHOAL_E_TIMEOUT"."""
        return _native.status_name(self.status)


class InvalidArgument(Error, ValueError):
    """An argument that cannot be right, such as the cas token 0."""


class OutOfMemory(Error, MemoryError):
    """Memory ran out."""


class BadOption(Error, ValueError):
    """An option that does not exist (the message names the nearest), or a value that it does not take."""


class BadEndpoint(Error, ValueError):
    """An endpoint that cannot be read, or of a kind that is not built in."""


class BadKey(Error, ValueError):
    """A key that is empty, too long, or holds a space or a control character."""


class TooLarge(Error):
    """A value that the server refuses for its size, or larger than `max_value_bytes`."""


class NotANumber(Error):
    """An increment or decrement of an item that is no decimal number."""


class Closed(Error):
    """The client was closed."""


class Timeout(Error):
    """The call's time ran out."""


class NodeDown(Error):
    """The node refused, closed the connection or could not be reached."""


class DiscoveryError(Error):
    """No list of nodes is known yet: the endpoint gave none."""


class ProtocolError(Error):
    """The server's answer made no sense; its connection was closed."""


class ServerError(Error):
    """The server answered with an error of its own."""


class Unsupported(Error):
    """Not possible with this protocol, server or build."""


class SystemFailure(Error):
    """The operating system refused, e.g. for want of descriptors or threads: see `errno`."""


class BadValue(Error):
    """A stored value that the codec cannot read: damaged, or written by another client."""


_CLASSES: dict[int, type[Error]] = {
    _native.E_INVALID: InvalidArgument,
    _native.E_NO_MEMORY: OutOfMemory,
    _native.E_BAD_OPTION: BadOption,
    _native.E_BAD_ENDPOINT: BadEndpoint,
    _native.E_BAD_KEY: BadKey,
    _native.E_TOO_LARGE: TooLarge,
    _native.E_NOT_A_NUMBER: NotANumber,
    _native.E_CLOSED: Closed,
    _native.E_TIMEOUT: Timeout,
    _native.E_NODE_DOWN: NodeDown,
    _native.E_DISCOVERY: DiscoveryError,
    _native.E_PROTOCOL: ProtocolError,
    _native.E_SERVER: ServerError,
    _native.E_UNSUPPORTED: Unsupported,
    _native.E_SYSTEM: SystemFailure,
    _native.E_BAD_VALUE: BadValue,
}


def make_error(status: int, message: str, node: Optional[str] = None, errno: int = 0, attempts: int = 0,
               retriable: bool = False, outcome_unknown: bool = False,
               partial: Optional[dict[Any, Any]] = None) -> Error:
    """The exception for a status; the native module calls it for every error. A status unknown here is an Error."""
    error = _CLASSES.get(status, Error)(message)
    error.status = status
    error.node = node
    error.errno = errno
    error.attempts = attempts
    error.retriable = retriable
    error.outcome_unknown = outcome_unknown
    error.partial = partial
    return error


_native.use_errors(make_error)
