"""The servers: memcached processes with one thread each, which end with this process however it ends.

May import: the standard library, contestant. Used by all that measures.
"""
from __future__ import annotations

import os
import pathlib
import socket
import ssl
import subprocess
import tempfile
import time

from contestant import Place


def _free_port() -> int:
    """It stays bound, so that nobody else gets it; memcached does, as it sets SO_REUSEADDR too."""
    probe = socket.socket()
    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    probe.bind(("127.0.0.1", 0))
    port = int(probe.getsockname()[1])
    probe.detach()
    return port


def _make_certificates(folder: pathlib.Path) -> None:
    """An authority, ca.pem, and a server's certificate by it, server.pem, for one day."""
    def openssl(*words: str) -> None:
        done = subprocess.run(["openssl", *words], cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise SystemExit(f"bench: openssl {' '.join(words)} failed:\n{done.stderr}")
    # Python 3.13 looks closely at what certificates say of themselves.
    (folder / "authority").write_text("[req]\ndistinguished_name=name\nx509_extensions=authority\n[name]\n[authority]\n"
                                      "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n"
                                      "subjectKeyIdentifier=hash\n", encoding="utf-8")
    (folder / "server").write_text("subjectAltName=IP:127.0.0.1\nauthorityKeyIdentifier=keyid\n", encoding="utf-8")
    new_key = ["-config", "authority", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    openssl("req", "-x509", *new_key, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=Shoal's bench", "-days", "1")
    openssl("req", *new_key, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=127.0.0.1")
    openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-out",
            "server.pem", "-extfile", "server", "-days", "1")


class Fleet:
    """Four memcached processes, over TLS or not, on any core until they are pinned."""

    def __init__(self, size: int = 4, tls: bool = False) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="shoal-bench-")
        self._ca_file = ""
        self._context: ssl.SSLContext | None = None
        if tls:
            _make_certificates(pathlib.Path(self._folder.name))
            self._ca_file = f"{self._folder.name}/ca.pem"
            self._context = ssl.create_default_context(cafile=self._ca_file)
        self.ports = [_free_port() for _ in range(size)]
        self.processes = [subprocess.Popen(self._command(port)) for port in self.ports]
        end = time.monotonic() + 10
        for port in self.ports:
            while not self._answers(port):
                if time.monotonic() > end:
                    raise SystemExit(f"bench: the memcached on port {port} does not answer")
                time.sleep(0.01)

    def _command(self, port: int) -> list[str]:
        user = ["-u", "root"] if os.geteuid() == 0 else []
        files = f"ssl_chain_cert={self._folder.name}/server.pem,ssl_key={self._folder.name}/server.key"
        over_tls = ["-Z", "-o", files] if self._context else []
        return ["setpriv", "--pdeathsig", "KILL", "memcached", "-t", "1", "-l", "127.0.0.1", "-p", str(port), "-U", "0",
                "-m", "256", "-c", "1024", *user, *over_tls]

    def _ask(self, port: int, line: str) -> bytes:
        with socket.create_connection(("127.0.0.1", port), 5) as plain:
            connection = self._context.wrap_socket(plain, server_hostname="127.0.0.1") if self._context else plain
            connection.sendall(line.encode() + b"\r\n")
            answer = b""
            while not answer.endswith((b"END\r\n", b"OK\r\n")) and (piece := connection.recv(65536)):
                answer += piece
            return answer

    def _answers(self, port: int) -> bool:
        try:
            return self._ask(port, "stats").startswith(b"STAT")
        except ConnectionError:
            return False

    def place(self, nodes: int) -> Place:
        """The first nodes."""
        return Place([f"127.0.0.1:{port}" for port in self.ports[:nodes]], self._ca_file)

    def count(self, counter: str) -> int:
        """A counter of `stats`, summed over the servers."""
        mark = f"STAT {counter} ".encode()
        lines = [line for port in self.ports for line in self._ask(port, "stats").split(b"\r\n")]
        return sum(int(line[len(mark):]) for line in lines if line.startswith(mark))

    def flush(self) -> None:
        """All items go."""
        for port in self.ports:
            self._ask(port, "flush_all")

    def pids(self) -> list[int]:
        """Of the servers."""
        return [each.pid for each in self.processes]

    def stop(self) -> None:
        """They end."""
        for process in self.processes:
            process.kill()
            process.wait()
        self._folder.cleanup()


def pin(processes: list[int], cores: set[int]) -> None:
    """All their threads run on these cores from now on."""
    for process in processes:
        for thread in os.listdir(f"/proc/{process}/task"):
            os.sched_setaffinity(int(thread), cores)
