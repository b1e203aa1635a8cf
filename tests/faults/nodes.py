"""The servers: four memcached of which one can be killed, stopped and started again, and an endpoint that lists them.

All end with this process however it ends. May import: the standard library. Used by the runs.
"""
from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import time

COUNT = 4
FAULTED = 2  # node 3
ENDS_WITH_THIS = ["setpriv", "--pdeathsig", "KILL"]


def reserve_port() -> int:
    """It stays bound, so that nobody else gets it; memcached does, as it sets SO_REUSEADDR too."""
    probe = socket.socket()
    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    probe.bind(("127.0.0.1", 0))
    port = int(probe.getsockname()[1])
    probe.detach()
    return port


class Node:
    """One memcached; the port stays its own while it is dead."""

    def __init__(self) -> None:
        self.port = reserve_port()
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def name(self) -> str:
        """As clients are told it."""
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        """Returns once it answers."""
        user = ["-u", "root"] if os.geteuid() == 0 else []
        command = ["memcached", "-t", "1", "-l", "127.0.0.1", "-p", str(self.port), "-U", "0", "-m", "64", *user]
        self._process = subprocess.Popen([*ENDS_WITH_THIS, *command])
        end = time.monotonic() + 10
        while self.reads() is None:
            if time.monotonic() > end or self._process.poll() is not None:
                raise SystemExit(f"faults: the memcached on port {self.port} does not answer")
            time.sleep(0.002)

    def kill(self) -> None:
        """It ends; may be called twice."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def freeze(self) -> None:
        """Connections are taken by the kernel, and nothing is answered."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """It goes on where it was."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def reads(self) -> int | None:
        """How many keys it was asked for so far; None where it does not answer within a second."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1) as connection:
                connection.sendall(b"stats\r\n")
                answer = b""
                while not answer.endswith(b"END\r\n"):
                    piece = connection.recv(65536)
                    if not piece:
                        return None
                    answer += piece
        except OSError:
            return None
        return int(answer.split(b"STAT cmd_get ")[1].split(b"\r\n")[0])


class Endpoint:
    """A discovery endpoint with a list that does not change."""

    def __init__(self, names: list[str]) -> None:
        nodes = " ".join(f"127.0.0.1|127.0.0.1|{name.rsplit(':', 1)[1]}" for name in names)
        payload = f"1\n{nodes}\n"
        self._answer = f"CONFIG cluster 0 {len(payload)}\r\n{payload}\r\nEND\r\n".encode()
        self._server: asyncio.Server | None = None
        self.name = ""

    async def start(self) -> None:
        """From now on it answers."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.name = "127.0.0.1:%d" % self._server.sockets[0].getsockname()[1]

    def stop(self) -> None:
        """Nobody is served any more."""
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                known = line.strip() == b"config get cluster"
                writer.write(self._answer if known else b"ERROR\r\n")
                await writer.drain()
        except OSError:
            pass  # the client is gone
        finally:
            writer.close()
