"""Servers for the Python tests: memcached processes on free ports, which end with the test.

May import: the standard library and shoal. Used by the tests here and by tests/conformance/run_cases.py.
"""
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import unittest

import shoal

# Generous, as test machines are busy: nothing here is about how fast a call is.
OPERATION_TIMEOUT_MS = 10000


def eventually(condition, seconds=10.0):
    """Whether a condition comes true in that time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.005)
    return True


def _answers(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


class Memcached:
    """One memcached process."""

    def __init__(self):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.name = f"127.0.0.1:{self.port}"
        program = shutil.which("memcached") or "/usr/bin/memcached"
        # It ends with this process, however that ends.
        self.process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", program, "-l", "127.0.0.1", "-p",
                                         str(self.port), "-U", "0", "-t", "1", "-m", "64", "-c", "2048", "-u", "root"])
        if not eventually(lambda: _answers(self.port)):
            raise RuntimeError("memcached does not answer")

    def freeze(self):
        """It keeps its connections and answers nothing, from when this returns."""
        os.kill(self.process.pid, signal.SIGSTOP)
        os.waitpid(self.process.pid, os.WUNTRACED)

    def thaw(self):
        """It goes on."""
        os.kill(self.process.pid, signal.SIGCONT)

    def stop(self):
        """It ends, frozen or not."""
        self.process.kill()
        self.process.wait()


class FleetTest(unittest.TestCase):
    """Tests with a fleet of their own, emptied before each."""

    NODES = 1

    @classmethod
    def setUpClass(cls):
        cls.servers = []
        cls.addClassCleanup(lambda: [server.stop() for server in cls.servers])
        cls.servers.extend(Memcached() for _ in range(cls.NODES))
        cls.endpoint = "static://" + ",".join(server.name for server in cls.servers)

    def setUp(self):
        with self.client() as client:
            client.flush_all()

    def client(self, **options):
        """A client of this fleet."""
        return shoal.Client(self.endpoint, **{"operation_timeout_ms": OPERATION_TIMEOUT_MS, **options})

    def run_python(self, program, *options):
        """Runs a program on this fleet in a Python of its own, with warnings as errors; its standard output. Nothing may
        come on its standard error."""
        command = [sys.executable, "-B", "-W", "error", *options, "-c", program, self.endpoint]
        result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual((result.returncode, result.stderr), (0, ""), result.stdout)
        return result.stdout
