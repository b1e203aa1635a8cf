"""Codecs: what a value looks like in memcached. Flags and compression are the core's; the serialisers are Python's.

May import: the native module and the exceptions. Imported by the client, and by those who write a codec of their own.
"""
from __future__ import annotations

import json
import pickle
from typing import Any, Callable, Union

from . import _native
from .errors import BadValue, make_error

#: What a codec may hand to the client to be stored.
Buffer = Union[bytes, bytearray, memoryview]

_COMPRESSIONS = {"none": _native.COMPRESS_NONE, "zlib": _native.COMPRESS_ZLIB, "zstd": _native.COMPRESS_ZSTD}


class Codec:
    """Turns values into bytes and 32 flag bits, and back. A client takes any object with these two methods."""

    def encode(self, value: Any) -> tuple[Buffer, int]:
        """What to store for a value: (bytes, flags)."""
        raise NotImplementedError

    def decode(self, data: bytes, flags: int) -> Any:
        """The value of what was stored."""
        raise NotImplementedError


class RawCodec(Codec):
    """Bytes as they are, and nothing else; flags are written as 0 and not looked at."""

    def encode(self, value: Any) -> tuple[Buffer, int]:
        """The value itself: bytes, or whatever lends its bytes (bytearray, memoryview, array)."""
        if not isinstance(value, (bytes, bytearray, memoryview)):
            try:
                value = memoryview(value)
            except TypeError:
                raise TypeError(f"codec='raw' carries bytes, not {type(value).__name__}: encode the value, or give "
                                "the client codec='json' or codec='pickle'") from None
        return value, 0

    def decode(self, data: bytes, flags: int) -> bytes:
        """The bytes."""
        return data


class _CoreCodec(Codec):
    """Kinds of values, given to and taken from one of the core's layouts."""

    def __init__(self, layout: str, compress: str, compress_min_bytes: int) -> None:
        if compress not in _COMPRESSIONS:
            raise ValueError(f"compress is one of {', '.join(_COMPRESSIONS)}, not {compress!r}")
        if compress_min_bytes < 0:
            raise ValueError("compress_min_bytes is 0 or more")
        found = _native.codec_find(layout)
        if found is None:
            raise ValueError(f"the core knows no layout {layout!r}")
        self._layout = found
        self._compress = _COMPRESSIONS[compress]
        self._compress_min_bytes = compress_min_bytes
        # Whether the layout has a flag for the compression is told now, and not by the first large value.
        self._pack(_native.KIND_BYTES, b"")

    def _pack(self, kind: int, data: Buffer) -> tuple[Buffer, int]:
        return _native.encode(self._layout, kind, data, self._compress, self._compress_min_bytes)

    def encode(self, value: Any) -> tuple[Buffer, int]:
        """Bytes and flags of a value."""
        return self._pack(*self._dump(value))

    def decode(self, data: bytes, flags: int) -> Any:
        """The value; shoal.BadValue where the bytes or the flags are not of this codec."""
        return self._value_of(*_native.decode(self._layout, flags, data))

    def _value_of(self, kind: int, plain: bytes) -> Any:
        if kind == _native.KIND_BYTES:
            return plain
        try:
            return self._load(kind, plain)
        except Exception as reason:  # whatever a serialiser raises on damaged bytes
            raise make_error(_native.E_BAD_VALUE, f"a stored value of the kind {_native.kind_name(kind)} cannot be "
                             f"read: {type(reason).__name__}") from reason

    def _dump(self, value: Any) -> tuple[int, Buffer]:
        raise NotImplementedError

    def _load(self, kind: int, plain: bytes) -> Any:
        raise NotImplementedError


class PickleCodec(_CoreCodec):
    """Any value, as pylibmc (layout "pylibmc") or pymemcache with its pickle serde ("pymemcache") stores it.

    bytes, str and int are stored as such, so that counters count; all else, bool too, is pickled. Whoever can write to
    the memcached can run code in its readers: unpickle from servers you trust alone.
    """

    def __init__(self, layout: str = "pylibmc", compress: str = "none", compress_min_bytes: int = 1024,
                 protocol: int = pickle.DEFAULT_PROTOCOL) -> None:
        super().__init__(layout, compress, compress_min_bytes)
        self._protocol = protocol

    def _dump(self, value: Any) -> tuple[int, Buffer]:
        kind = type(value)
        if kind is bytes:
            return _native.KIND_BYTES, value
        if kind is str:
            return _native.KIND_TEXT, value.encode()
        if kind is int:
            return _native.KIND_INTEGER, b"%d" % value
        return _native.KIND_PICKLE, pickle.dumps(value, self._protocol)

    def _load(self, kind: int, plain: bytes) -> Any:
        if kind == _native.KIND_TEXT:
            return plain.decode()
        if kind == _native.KIND_INTEGER:
            return int(plain)
        return pickle.loads(plain)


class JsonCodec(_CoreCodec):
    """bytes and str as such, all else as JSON: a TypeError for what JSON cannot tell. Other languages read it, and dalli
    with its JSON serialiser too."""

    def __init__(self, compress: str = "none", compress_min_bytes: int = 1024) -> None:
        super().__init__("json", compress, compress_min_bytes)

    def _dump(self, value: Any) -> tuple[int, Buffer]:
        if isinstance(value, (bytes, bytearray, memoryview)):
            return _native.KIND_BYTES, value
        if isinstance(value, str):
            return _native.KIND_TEXT, value.encode()
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        return _native.KIND_JSON, text.encode()

    def _load(self, kind: int, plain: bytes) -> Any:
        text = plain.decode()
        return text if kind == _native.KIND_TEXT else json.loads(text)


_MAKERS: dict[str, Callable[..., Codec]] = {
    "pickle": PickleCodec,
    "pylibmc": PickleCodec,
    "pymemcache": lambda **options: PickleCodec("pymemcache", **options),
    "json": JsonCodec,
}


def hooks_of(codec: Codec) -> tuple[Any, Any, Any]:
    """What the native client calls for values that it does not handle itself: (encode, decode, packing), of which
    bindings/python/native/codecs.h tells. A class that extends one of these is called for every value."""
    if type(codec) is RawCodec:
        return codec.encode, None, None
    if isinstance(codec, _CoreCodec) and type(codec) in (PickleCodec, JsonCodec):
        return codec._dump, codec._value_of, (codec._layout, codec._compress, codec._compress_min_bytes)
    return codec.encode, codec.decode, None


def make_codec(codec: Union[str, Codec], **options: Any) -> Codec:
    """The codec of a name ("raw", "pickle", "pylibmc", "pymemcache", "json") with compress and compress_min_bytes, or a
    codec as it stands, which takes no options."""
    if isinstance(codec, str) and codec in _MAKERS:
        return _MAKERS[codec](**options)
    if options:
        raise ValueError(f"{' and '.join(options)} belong to the codecs {', '.join(_MAKERS)}, not to codec={codec!r}")
    if codec == "raw":
        return RawCodec()
    if isinstance(codec, str) or not all(callable(getattr(codec, name, None)) for name in ("encode", "decode")):
        raise ValueError(f"codec is one of raw, {', '.join(_MAKERS)}, or an object with encode and decode, not {codec!r}")
    return codec


__all__ = ["BadValue", "Buffer", "Codec", "JsonCodec", "PickleCodec", "RawCodec", "make_codec"]
