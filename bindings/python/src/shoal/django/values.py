"""Values: which codec a setting asks for, and what a value that cannot be read becomes.

May import: the standard library, shoal and Django's helpers. Called by settings and clients.
"""
from __future__ import annotations

import logging
import pickle
from typing import Any, NamedTuple, Optional

import shoal
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

logger = logging.getLogger("shoal.django")

#: What is read of a value that cannot be read: a miss, by whoever gets it.
UNREADABLE = object()

_PICKLES = {"pickle": "pylibmc", "pylibmc": "pylibmc", "pymemcache": "pymemcache"}


class CodecChoice(NamedTuple):
    """A codec that is still to be made. An object of the user's is told from others by its identity."""

    name: str
    packing: tuple[tuple[str, Any], ...] = ()
    given: Optional["_Given"] = None


class _Given:
    """An object of the user's own: equal where it is the same, whatever that one says of itself."""

    def __init__(self, itself: Any) -> None:
        self.itself = itself

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Given) and self.itself is other.itself

    def __hash__(self) -> int:
        return id(self.itself)


class _Serde(shoal.Codec):
    """pymemcache's own form of a codec, whose methods take the key as well: it is not told."""

    def __init__(self, serde: Any) -> None:
        self._serde = serde

    def encode(self, value: Any) -> tuple[Any, int]:
        """As pymemcache stores it: what is not bytes goes as text."""
        data, flags = self._serde.serialize("", value)
        return data if isinstance(data, bytes) else str(data).encode("ascii"), flags

    def decode(self, data: bytes, flags: int) -> Any:
        """What the serde makes of it."""
        return self._serde.deserialize("", data, flags)


class _Tolerant(shoal.Codec):
    """Reads a value that cannot be read as missing, and says so: it is stored anew, where an error would stay until it
    expires."""

    def __init__(self, codec: Any) -> None:
        self._encode = codec.encode
        self._decode = codec.decode

    def encode(self, value: Any) -> tuple[Any, int]:
        """As the codec does; what it cannot tell is the program's error."""
        data, flags = self._encode(value)
        return data, flags

    def decode(self, data: bytes, flags: int) -> Any:
        """The value, or UNREADABLE."""
        try:
            return self._decode(data, flags)
        except Exception as reason:  # pylint: disable=broad-except  # whatever a codec raises on others' bytes
            # What other codecs raise may quote the value.
            logger.error("a stored value of %d bytes with the flags %d cannot be read, and counts as missing: %s",
                         len(data), flags, reason if isinstance(reason, shoal.Error) else type(reason).__name__)
            return UNREADABLE


def choose_codec(options: dict[str, Any], incumbent: str) -> CodecChoice:
    """Takes the options that are about values out of a setting's options, and says which codec they mean."""
    packing = tuple((name, options.pop(name)) for name in ("compress", "compress_min_bytes") if name in options)
    codec = options.pop("codec", incumbent)
    serde = options.pop("serde", None)
    if isinstance(codec, str) and "." in codec:
        try:
            codec = import_string(codec)
        except ImportError as reason:
            raise ImproperlyConfigured(f"OPTIONS: codec: {reason}") from reason
    if isinstance(codec, str) and serde is None:
        return CodecChoice(codec, packing)
    if packing:
        raise ImproperlyConfigured("OPTIONS: compress and compress_min_bytes are of Shoal's own codecs alone")
    if isinstance(codec, str):
        return CodecChoice("serde", given=_Given(serde))
    return CodecChoice("object", given=_Given(codec))


def make_codec(choice: CodecChoice) -> shoal.Codec:
    """The codec, which pickles at the highest protocol, as Django's own backends do."""
    packing = dict(choice.packing)
    if choice.given is not None:
        return _Tolerant(_Serde(choice.given.itself) if choice.name == "serde" else _instance(choice.given.itself))
    if choice.name in _PICKLES:
        return _Tolerant(shoal.PickleCodec(_PICKLES[choice.name], protocol=pickle.HIGHEST_PROTOCOL, **packing))
    if choice.name == "json":
        return _Tolerant(shoal.JsonCodec(**packing))
    if choice.name == "raw" and not packing:
        return _Tolerant(shoal.RawCodec())
    raise ImproperlyConfigured(f"OPTIONS: codec {choice.name!r}: there are {', '.join(_PICKLES)}, json and raw, which "
                               "does not compress, and objects with encode and decode, or their dotted path")


def _instance(given: Any) -> Any:
    """A codec of the user's own, which may be given as a class."""
    codec = given() if isinstance(given, type) else given
    if not (hasattr(codec, "encode") and hasattr(codec, "decode")):
        raise ImproperlyConfigured(f"OPTIONS: codec {codec!r} has no encode and decode")
    return codec
