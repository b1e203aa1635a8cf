"""Faults of whose reply it is: right in form, and somebody else's.

Each is made once a run, as it remembers a value to lie with. Pure.
May import: the standard library, proxy, wire. Listed by the table of faults.
"""
from __future__ import annotations

from typing import Iterator

from proxy import Piece
from wire import CRLF, Reply, Request


def _pass(reply: Reply) -> Iterator[Piece]:
    yield Piece(reply.bytes)


def another_number(opaque: bytes) -> bytes:
    """The opaque word of another request."""
    return b"O%d" % (int(opaque[1:]) + 1)


class Lie:
    """Answers reads by the reply to an earlier one of another key; each kind of lie changes what must look right."""

    def __init__(self) -> None:
        self._last: Reply | None = None

    def __call__(self, reply: Reply) -> Iterator[Piece]:
        request = reply.request
        if request is None:
            return _pass(reply)
        other = self._another(reply) if request.is_read else None
        return iter([Piece(self.tell(reply, request, other))])

    def _another(self, reply: Reply) -> Reply | None:
        """The last reply with a value, if it was of another key."""
        last = self._last
        if reply.has_value:
            self._last = reply
        assert reply.request is not None
        if last is None or last.request is None or last.request.key == reply.request.key:
            return None
        return last

    def tell(self, reply: Reply, request: Request, other: Reply | None) -> bytes:
        """What is said in place of the reply; `other` is None where there is nothing to lie with."""
        raise NotImplementedError


class Swapped(Lie):
    """The whole reply to another request: its value, its key where it has one, its opaque."""

    def tell(self, reply: Reply, request: Request, other: Reply | None) -> bytes:
        return other.bytes if other and other.request and other.request.is_meta == request.is_meta else reply.bytes


class AnotherKey(Lie):
    """Meta alone: another key's value under that key's name, with the opaque that was asked for."""

    def tell(self, reply: Reply, request: Request, other: Reply | None) -> bytes:
        if other is None or other.request is None or not request.opaque:
            return reply.bytes
        value = other.items[0][1]
        return b"VA %d f0 c1 k" % (len(value) - len(CRLF)) + other.request.key + b" " + request.opaque + CRLF + value


class AnotherOpaque(Lie):
    """Meta alone: another key's value, and the opaque of another request."""

    def tell(self, reply: Reply, request: Request, other: Reply | None) -> bytes:
        if other is None or not request.opaque:
            return reply.bytes
        value = other.items[0][1]
        return b"VA %d f0 c1 " % (len(value) - len(CRLF)) + another_number(request.opaque) + CRLF + value


class AnotherDone(Lie):
    """Meta alone: the HD of somebody else's store in place of every reply."""

    def tell(self, reply: Reply, request: Request, other: Reply | None) -> bytes:
        return b"HD " + another_number(request.opaque) + CRLF if request.opaque else reply.bytes


class Forged(Lie):
    """Another key's value as this one's: no client can tell, so every driver must. It tests the bench."""

    def tell(self, reply: Reply, request: Request, other: Reply | None) -> bytes:
        if other is None or not reply.has_value or len(reply.items[0][1]) != len(other.items[0][1]):
            return reply.bytes
        return b"".join([reply.items[0][0], other.items[0][1], *(line for line, _ in reply.items[1:])])


class Rewound(Lie):
    """The first value ever seen of a key in place of its present one, which every driver must notice. It tests the
    bench."""

    def __init__(self) -> None:
        super().__init__()
        self._first: dict[bytes, bytes] = {}

    def tell(self, reply: Reply, request: Request, other: Reply | None) -> bytes:
        if not reply.has_value:
            return reply.bytes
        value = self._first.setdefault(request.key, reply.items[0][1])
        if len(value) != len(reply.items[0][1]):
            return reply.bytes
        return b"".join([reply.items[0][0], value, *(line for line, _ in reply.items[1:])])
