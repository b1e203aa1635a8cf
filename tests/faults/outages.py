"""Faults of the node itself: killed, stopped, flapping, and packets that are dropped on their way to it.

Each is an async context: the fault lasts while it is open. Packets are dropped by a socket filter that lets none in
(SO_ATTACH_FILTER): the kernel drops the client's segments, its attempts to connect among them, as a network that loses
all of them; it takes neither a namespace nor root. What was sent meanwhile comes, by retransmission, once the fault is
over.
May import: the standard library, nodes, proxy. Listed by the table of faults.
"""
from __future__ import annotations

import asyncio
import contextlib
import ctypes
import socket
import struct
from typing import AsyncIterator

from nodes import Node
from proxy import Proxy

FLAP_S = 0.7
SO_ATTACH_FILTER = 26
SO_DETACH_FILTER = 27
RETURN_NOTHING = struct.pack("HBBI", 6, 0, 0, 0)  # BPF_RET | BPF_K, 0: no byte of a packet is kept


@contextlib.asynccontextmanager
async def killed(node: Node, _: Proxy) -> AsyncIterator[None]:
    """Connections are refused until it is started again."""
    node.kill()
    yield
    node.start()


@contextlib.asynccontextmanager
async def stopped(node: Node, _: Proxy) -> AsyncIterator[None]:
    """Connections are taken, nothing is answered."""
    node.freeze()
    try:
        yield
    finally:
        node.thaw()


@contextlib.asynccontextmanager
async def flapping(node: Node, _: Proxy) -> AsyncIterator[None]:
    """Stopped for 0.7 s, well for 0.7 s, and so on."""
    async def flap() -> None:
        while True:
            node.freeze()
            await asyncio.sleep(FLAP_S)
            node.thaw()
            await asyncio.sleep(FLAP_S)

    task = asyncio.create_task(flap())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        node.thaw()


@contextlib.asynccontextmanager
async def dropped(_: Node, proxy: Proxy) -> AsyncIterator[None]:
    """Nothing that clients send arrives."""
    code = ctypes.create_string_buffer(RETURN_NOTHING)
    program = struct.pack("HP", 1, ctypes.addressof(code))
    filtered = [proxy.listener, *proxy.clients]
    for each in filtered:
        each.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program)
    try:
        yield
    finally:
        for each in filtered:
            with contextlib.suppress(OSError):  # closed meanwhile
                each.setsockopt(socket.SOL_SOCKET, SO_DETACH_FILTER, 0)
