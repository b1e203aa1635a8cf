"""What goes over a memcached connection, cut into requests and replies, each reply with the request that it answers.

Classic and meta are understood; of the binary protocol the frames alone. Pure: no socket, no clock.
May import: the standard library. Used by the proxy, and by the faults, which alter replies.
"""
from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

CRLF = b"\r\n"
CLASSIC_READS = (b"get", b"gets", b"gat", b"gats")
CLASSIC_STORES = {b"set": 4, b"add": 4, b"replace": 4, b"append": 4, b"prepend": 4, b"cas": 4, b"ms": 2}
META = (b"mg", b"ms", b"md", b"ma", b"mn", b"me")
BINARY_HEADER = 24


@dataclass
class Request:
    """The words of a line; what a store carries is left out."""

    words: list[bytes]

    @property
    def verb(self) -> bytes:
        """The first word."""
        return self.words[0]

    @property
    def is_meta(self) -> bool:
        """Whether it is of the meta protocol."""
        return self.verb in META

    @property
    def is_read(self) -> bool:
        """Whether it asks for values."""
        return self.verb == b"mg" or self.verb in CLASSIC_READS

    @property
    def key(self) -> bytes:
        """The first key; empty where it has none."""
        return self.words[1] if len(self.words) > 1 else b""

    @property
    def is_quiet(self) -> bool:
        """Whether its usual answer is none."""
        return (self.is_meta and b"q" in self.words[2:]) or self.words[-1] == b"noreply"

    @property
    def opaque(self) -> bytes:
        """The word that a meta reply repeats; empty where it has none."""
        return next((word for word in self.words[2:] if self.is_meta and word[:1] == b"O"), b"")


@dataclass
class Reply:
    """All that answers a request: lines, each with the value behind it (with its line end) or with nothing."""

    items: list[tuple[bytes, bytes]]
    request: Request | None = None

    @property
    def bytes(self) -> bytes:
        """As it was sent."""
        return b"".join(line + value for line, value in self.items)

    @property
    def has_value(self) -> bool:
        """Whether it carries the value of a key."""
        return self.items[0][0].startswith((b"VALUE ", b"VA "))


def _take_line(text: bytearray) -> bytes | None:
    end = text.find(CRLF)
    if end < 0:
        return None
    line = bytes(text[:end + 2])
    del text[:end + 2]
    return line


def _take_binary(text: bytearray) -> bytes | None:
    if len(text) < BINARY_HEADER:
        return None
    size = BINARY_HEADER + int.from_bytes(text[8:12], "big")
    if len(text) < size:
        return None
    frame = bytes(text[:size])
    del text[:size]
    return frame


@dataclass
class Conversation:
    """One connection: what was asked and is not answered yet, and the bytes of which more must come."""

    _asking: bytearray = field(default_factory=bytearray)
    _answering: bytearray = field(default_factory=bytearray)
    _to_skip: int = 0
    _pending: deque[Request] = field(default_factory=deque)
    _items: list[tuple[bytes, bytes]] = field(default_factory=list)

    def ask(self, data: bytes) -> None:
        """Notes what a client sends."""
        self._asking += data
        while self._asking:
            skipped = min(self._to_skip, len(self._asking))
            del self._asking[:skipped]
            self._to_skip -= skipped
            if not self._asking:
                return
            taken = _take_binary(self._asking) if self._asking[0] == 0x80 else _take_line(self._asking)
            if taken is None:
                return
            words = taken.split()
            if taken[0] == 0x80 or not words:
                continue
            self._pending.append(Request(words))
            at = CLASSIC_STORES.get(words[0])
            if at is not None and len(words) > at and words[at].isdigit():
                self._to_skip = int(words[at]) + len(CRLF)

    def answer(self, data: bytes) -> list[Reply]:
        """The replies that are whole now that a server has sent this too."""
        self._answering += data
        replies = []
        while self._answering:
            if self._answering[0] == 0x81:
                frame = _take_binary(self._answering)
                if frame is None:
                    break
                replies.append(Reply([(frame, b"")]))
                continue
            item = self._take_item()
            if item is None:
                break
            self._items.append(item)
            if not item[0].startswith((b"VALUE ", b"STAT ")):
                replies.append(Reply(self._items))
                self._items = []
                replies[-1].request = self._asked_by(replies[-1])
        return replies

    def _take_item(self) -> tuple[bytes, bytes] | None:
        end = self._answering.find(CRLF)
        if end < 0:
            return None
        words = self._answering[:end].split()
        at = {b"VALUE": 3, b"VA": 1}.get(bytes(words[0]) if words else b"")
        size = int(words[at]) + len(CRLF) if at is not None else 0
        if len(self._answering) < end + 2 + size:
            return None
        line, value = bytes(self._answering[:end + 2]), bytes(self._answering[end + 2:end + 2 + size])
        del self._answering[:end + 2 + size]
        return line, value

    def _asked_by(self, reply: Reply) -> Request | None:
        """Quiet requests before the one that is meant were answered by nothing."""
        opaques = [word for word in reply.items[0][0].split()[1:] if word[:1] == b"O"]
        while self._pending:
            request = self._pending.popleft()
            is_other = opaques[:1] not in ([], [request.opaque]) or reply.items[0][0] == b"MN\r\n"
            if not (request.is_quiet and is_other):
                return request
        return None
