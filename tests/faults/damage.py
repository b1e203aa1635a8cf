"""Faults of what a node says: late, slow, cut off, doubled, or no memcached's at all.

Each takes a reply and gives what is sent in its place. Pure, but for the garbage's own random numbers.
May import: the standard library, proxy, wire. Listed by the table of faults.
"""
from __future__ import annotations

import random
from typing import Iterator

from proxy import Piece
from wire import CRLF, Reply, Request

TRICKLE_S = 0.05  # shorter than any client's timeout between two bytes
TOO_LONG_KEY = b"k" * 1000
GARBAGE = random.Random(1)


def slow_300(reply: Reply) -> Iterator[Piece]:
    """Each reply is 300 ms late: later than the timeout."""
    yield Piece(reply.bytes, late_s=0.3)


def slow_100(reply: Reply) -> Iterator[Piece]:
    """Each reply is 100 ms late: within the timeout."""
    yield Piece(reply.bytes, late_s=0.1)


def trickle(reply: Reply) -> Iterator[Piece]:
    """A byte at a time."""
    for byte in reply.bytes:
        yield Piece(bytes([byte]), paced_s=TRICKLE_S)


def cut(reply: Reply) -> Iterator[Piece]:
    """Half of it, and the connection is closed."""
    yield Piece(reply.bytes[:len(reply.bytes) // 2], then_close=True)


def garbage(_: Reply) -> Iterator[Piece]:
    """Any bytes, every other time with a line's end."""
    yield Piece(GARBAGE.randbytes(GARBAGE.randint(1, 200)) + GARBAGE.choice([b"", CRLF]))


def doubled(reply: Reply) -> Iterator[Piece]:
    """Each reply twice: whoever believes the second reads it as the answer to the next question."""
    yield Piece(reply.bytes * 2)


def _with_head(reply: Reply, request: Request, key: bytes, size: bytes) -> Piece:
    """The value, or none, under another key and length."""
    value = reply.items[0][1] if reply.has_value else CRLF
    if not request.is_meta:
        return Piece(b"VALUE " + key + b" 0 " + size + CRLF + value + b"END" + CRLF)
    flags = reply.items[0][0].split()[2:] if reply.has_value else [b"f0", b"c1", *filter(None, [request.opaque])]
    named = [b"k" + key] if key != request.key else []
    return Piece(b" ".join([b"VA", size, *named, *flags]) + CRLF + value)


def huge_length(reply: Reply) -> Iterator[Piece]:
    """Whoever reads is told of 2^64-1 bytes."""
    request = reply.request
    if request is None or not request.is_read:
        yield Piece(reply.bytes)
    else:
        yield _with_head(reply, request, request.key, b"%d" % (2 ** 64 - 1))


def long_key(reply: Reply) -> Iterator[Piece]:
    """Whoever reads is told a key of 1000 bytes, of which memcached allows 250."""
    request = reply.request
    if request is None or not request.is_read:
        yield Piece(reply.bytes)
    else:
        size = len(reply.items[0][1]) - len(CRLF) if reply.has_value else 0
        yield _with_head(reply, request, TOO_LONG_KEY, b"%d" % size)
