"""Shoal: a memcached client for fleets whose nodes come and go.

>>> import shoal
>>> cache = shoal.Client("127.0.0.1:11211", codec="json")
>>> cache.set("answer", {"is": 42}, ttl=60)
True
"""
import os as _os

from . import _native
from .client import Client, Node, Topology
from .codecs import Codec, JsonCodec, PickleCodec, RawCodec
from .describe import Option, Preset, options, presets
from .errors import (BadEndpoint, BadKey, BadOption, BadValue, Closed, DiscoveryError, Error, InvalidArgument, NodeDown,
                     NotANumber, OutOfMemory, ProtocolError, ServerError, SystemFailure, Timeout, TooLarge, Unsupported)

__version__: str = _native.version()

# A fork beside a second thread makes Python 3.12 and later warn: the core's own thread rests meanwhile, and the next
# call starts it again.
_os.register_at_fork(before=_native.quiesce)

__all__ = [
    "BadEndpoint", "BadKey", "BadOption", "BadValue", "Client", "Closed", "Codec", "DiscoveryError", "Error",
    "InvalidArgument", "JsonCodec", "Node", "NodeDown", "NotANumber", "Option", "OutOfMemory", "PickleCodec", "Preset",
    "ProtocolError", "RawCodec", "ServerError", "SystemFailure", "Timeout", "TooLarge", "Topology", "Unsupported",
    "options", "presets",
]
