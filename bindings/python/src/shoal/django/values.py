"""Values: which codec a setting asks for.

May import: the standard library, shoal and Django's helpers. Called by settings and clients.
"""
from __future__ import annotations

import pickle
from typing import Any, NamedTuple, Optional

import shoal
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

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


class _Guarded(shoal.Codec):
    """A codec of the user's: whatever it raises on what it cannot read is a shoal.BadValue, which belongs to one key."""

    def __init__(self, codec: Any) -> None:
        self._encode = codec.encode
        self._decode = codec.decode

    def encode(self, value: Any) -> tuple[Any, int]:
        """As the codec does; what it cannot tell is the program's error."""
        data, flags = self._encode(value)
        return data, flags

    def decode(self, data: bytes, flags: int) -> Any:
        """The value."""
        try:
            return self._decode(data, flags)
        except shoal.Error:
            raise
        except Exception as reason:  # pylint: disable=broad-except  # whatever a codec raises on others' bytes
            # Its words may quote the value.
            raise shoal.BadValue(f"a stored value of {len(data)} bytes with the flags {flags} cannot be read: "
                                 f"{type(reason).__name__}") from reason


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
        return _Guarded(_Serde(choice.given.itself) if choice.name == "serde" else _instance(choice.given.itself))
    if choice.name in _PICKLES:
        return shoal.PickleCodec(_PICKLES[choice.name], protocol=pickle.HIGHEST_PROTOCOL, **packing)
    if choice.name == "json":
        return shoal.JsonCodec(**packing)
    if choice.name == "raw" and not packing:
        return shoal.RawCodec()
    raise ImproperlyConfigured(f"OPTIONS: codec {choice.name!r}: there are {', '.join(_PICKLES)}, json and raw, which "
                               "does not compress, and objects with encode and decode, or their dotted path")


def _instance(given: Any) -> Any:
    """A codec of the user's own, which may be given as a class."""
    codec = given() if isinstance(given, type) else given
    if not (hasattr(codec, "encode") and hasattr(codec, "decode")):
        raise ImproperlyConfigured(f"OPTIONS: codec {codec!r} has no encode and decode")
    return codec
