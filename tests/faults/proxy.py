"""A proxy before one memcached: what it is told to do to replies it does, and else passes everything on as it is.

May import: the standard library, wire. Used by the runs; the faults are put into `fault`.
"""
from __future__ import annotations

import asyncio
import socket
from dataclasses import dataclass
from typing import Callable, Iterable

from wire import Conversation, Reply


@dataclass
class Piece:
    """Bytes for the client, and how long they take: since the reply came (late), or since the piece before (paced)."""

    data: bytes
    late_s: float = 0.0
    paced_s: float = 0.0
    then_close: bool = False


Fault = Callable[[Reply], Iterable[Piece]]


class Proxy:
    """Listens from `start` on; `fault` says what becomes of a reply."""

    def __init__(self, listener: socket.socket, upstream_port: int) -> None:
        self.listener = listener
        self.clients: set[socket.socket] = set()
        self._fault: Fault | None = None
        self._calm = asyncio.Event()
        self._calm.set()
        self._upstream_port = upstream_port
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def port(self) -> int:
        """Where clients connect."""
        return int(self.listener.getsockname()[1])

    async def start(self) -> None:
        """From now on connections are taken."""
        self._server = await asyncio.start_server(self._serve, sock=self.listener)

    async def stop(self) -> None:
        """Connections end, and no other is taken."""
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def begin(self, fault: Fault) -> None:
        """Replies that come from now on have the fault."""
        self._fault = fault
        self._calm.clear()

    def end(self) -> None:
        """Replies are passed on as they come; those that are held back go at once."""
        self._fault = None
        self._calm.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        client = writer.get_extra_info("socket")
        self.clients.add(client)
        try:
            await self._join(reader, writer)
        except (OSError, asyncio.CancelledError):
            pass  # a client or server that is gone, or the end of the run: nobody is left to be told
        finally:
            self.clients.discard(client)
            self._tasks.discard(task)
            writer.close()

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Until one side closes."""
        up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self._upstream_port)
        conversation = Conversation()
        pieces: asyncio.Queue[tuple[float, Piece]] = asyncio.Queue()
        ways = [asyncio.create_task(way) for way in (
            self._ask(reader, up_writer, conversation),
            self._answer(up_reader, conversation, pieces),
            self._deliver(pieces, writer))]
        try:
            done, _ = await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in done:
                way.result()
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            up_writer.close()

    @staticmethod
    async def _ask(reader: asyncio.StreamReader, up_writer: asyncio.StreamWriter, conversation: Conversation) -> None:
        while data := await reader.read(65536):
            conversation.ask(data)
            up_writer.write(data)
            await up_writer.drain()

    async def _answer(self, up_reader: asyncio.StreamReader, conversation: Conversation,
                      pieces: asyncio.Queue[tuple[float, Piece]]) -> None:
        while data := await up_reader.read(65536):
            now = asyncio.get_running_loop().time()
            for reply in conversation.answer(data):
                for piece in self._fault(reply) if self._fault else [Piece(reply.bytes)]:
                    pieces.put_nowait((now + piece.late_s, piece))
        pieces.put_nowait((0.0, Piece(b"", then_close=True)))
        await asyncio.Event().wait()  # _deliver ends it, behind what is still to be sent

    async def _deliver(self, pieces: asyncio.Queue[tuple[float, Piece]], writer: asyncio.StreamWriter) -> None:
        clock = asyncio.get_running_loop().time
        while True:
            due, piece = await pieces.get()
            pause = max(due - clock(), piece.paced_s)
            if pause > 0 and not self._calm.is_set():
                try:
                    await asyncio.wait_for(self._calm.wait(), pause)
                except asyncio.TimeoutError:
                    pass
            writer.write(piece.data)
            await writer.drain()
            if piece.then_close:
                return
