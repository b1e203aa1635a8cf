"""The servers: memcached processes with one thread each, which end with this process however it ends.

May import: the standard library. Used by all that measures.
"""
from __future__ import annotations

import os
import socket
import subprocess
import time


def _free_port() -> int:
    """It stays bound, so that nobody else gets it; memcached does, as it sets SO_REUSEADDR too."""
    probe = socket.socket()
    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    probe.bind(("127.0.0.1", 0))
    port = int(probe.getsockname()[1])
    probe.detach()
    return port


def _ask(port: int, line: str) -> bytes:
    with socket.create_connection(("127.0.0.1", port), 5) as connection:
        connection.sendall(line.encode() + b"\r\n")
        answer = b""
        while not answer.endswith((b"END\r\n", b"OK\r\n")) and (piece := connection.recv(65536)):
            answer += piece
        return answer


class Fleet:
    """Four memcached processes, on any core until they are pinned."""

    def __init__(self, size: int = 4) -> None:
        self.ports = [_free_port() for _ in range(size)]
        self.processes = [subprocess.Popen(self._command(port)) for port in self.ports]
        end = time.monotonic() + 10
        for port in self.ports:
            while not self._answers(port):
                if time.monotonic() > end:
                    raise SystemExit(f"bench: the memcached on port {port} does not answer")
                time.sleep(0.01)

    @staticmethod
    def _command(port: int) -> list[str]:
        user = ["-u", "root"] if os.geteuid() == 0 else []
        return ["setpriv", "--pdeathsig", "KILL", "memcached", "-t", "1", "-l", "127.0.0.1", "-p", str(port), "-U", "0",
                "-m", "256", "-c", "1024", *user]

    @staticmethod
    def _answers(port: int) -> bool:
        try:
            return _ask(port, "stats").startswith(b"STAT")
        except OSError:
            return False

    def names(self, nodes: int) -> list[str]:
        """The first nodes, each as host:port."""
        return [f"127.0.0.1:{port}" for port in self.ports[:nodes]]

    def count(self, counter: str) -> int:
        """A counter of `stats`, summed over the servers."""
        mark = f"STAT {counter} ".encode()
        lines = [line for port in self.ports for line in _ask(port, "stats").split(b"\r\n") if line.startswith(mark)]
        return sum(int(line[len(mark):]) for line in lines)

    def flush(self) -> None:
        """All items go."""
        for port in self.ports:
            _ask(port, "flush_all")

    def pin(self, cores: set[int]) -> None:
        """All threads of the servers and of this process run on these cores from now on."""
        for process in [os.getpid(), *(each.pid for each in self.processes)]:
            for thread in os.listdir(f"/proc/{process}/task"):
                os.sched_setaffinity(int(thread), cores)

    def stop(self) -> None:
        """They end."""
        for process in self.processes:
            process.kill()
            process.wait()
