"""Servers for the Python tests: memcached processes on free ports, which end with the test.

May import: the standard library and shoal. Used by the tests here and by tests/conformance/run_cases.py.
"""
import contextlib
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import shoal
from shoal import _native

# Generous, as test machines are busy: nothing here is about how fast a call is.
OPERATION_TIMEOUT_MS = 10000

# Its allocator takes no lock at a fork: a child of a process whose other threads allocate may wait for ever.
UNDER_ASAN = "asan" in os.environ.get("LD_PRELOAD", "")

SHOAL = pathlib.Path(os.environ.get("SHOAL_BUILD", "build"), "core/cli/shoal")


def eventually(condition, seconds=10.0):
    """Whether a condition comes true in that time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.005)
    return True


def python_environment(**more):
    """For a Python beside the test's. Leaks are looked for in the test's own process alone: one that forked, or has
    threads at its end, leaves some of Python's."""
    return {**os.environ, "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0", **more}


def start(command, **options):
    """A program that the kernel kills when the thread that started it ends, however the test's process does. It runs
    without the instruments that may have been loaded into this Python."""
    environment = {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}
    return subprocess.Popen(["setpriv", "--pdeathsig", "KILL", "--", *command],
                            **{"env": environment, "text": True, **options})


def free_port():
    """A port that nobody listens on, and that only who names it gets while this process lives: it stays bound."""
    probe = socket.socket()
    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    probe.bind(("127.0.0.1", 0))
    port = probe.getsockname()[1]
    probe.detach()
    return port


def listens(port):
    """Whether somebody does."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def run_all(*targets):
    """Runs functions side by side; raises what one of them raised."""
    failures = []

    def guarded(target):
        try:
            target()
        except BaseException as error:  # pylint: disable=broad-except  # it is raised below
            failures.append(error)

    threads = [threading.Thread(target=guarded, args=(target,)) for target in targets]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


class Memcached:
    """One memcached process."""

    def __init__(self):
        self.port = free_port()
        self.name = f"127.0.0.1:{self.port}"
        program = shutil.which("memcached") or "/usr/bin/memcached"
        self.process = start([program, "-l", "127.0.0.1", "-p", str(self.port), "-U", "0", "-t", "1", "-m", "64", "-c",
                              "2048", "-u", "root"])
        if not eventually(lambda: listens(self.port)) or self.process.poll() is not None:
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


class LocalFleet:
    """A fleet with a discovery endpoint, as `shoal local` starts it; it ends with this process."""

    def __init__(self, nodes, *options):
        if not SHOAL.is_file():
            raise unittest.SkipTest("SHOAL_BUILD names no build with the command shoal")
        self._folder = tempfile.TemporaryDirectory()
        self._process = start([str(SHOAL), "local", "--nodes", str(nodes), "--dir", self._folder.name, *options],
                              stdout=subprocess.PIPE)
        self.endpoint = self._process.stdout.readline().split()[-1]

    @property
    def address(self):
        """The endpoint's host:port alone."""
        return self.endpoint.rpartition("://")[2].partition("?")[0]

    @property
    def ca_file(self):
        """Whom to trust, where the fleet has TLS."""
        return os.path.join(self._folder.name, "tls", "ca.pem")

    def change(self, *words):
        """`shoal local add` or `remove`: what it prints."""
        return subprocess.run([str(SHOAL), "local", *words, "--dir", self._folder.name], check=True, text=True,
                              stdout=subprocess.PIPE).stdout

    def stop(self):
        """Ends it."""
        self._process.terminate()
        self._process.communicate()
        self._folder.cleanup()


class FleetTest(unittest.TestCase):
    """Tests with a fleet of their own, emptied before each."""

    NODES = 1

    @classmethod
    def setUpClass(cls):
        # The core's own thread rests before the process ends, when LeakSanitizer would stumble on a thread that just ends.
        cls.addClassCleanup(_native.quiesce)
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

    def started_python(self, program, *options):
        """A program on this fleet in a Python of its own, with warnings as errors, and pipes to all its streams."""
        return start([sys.executable, "-B", "-W", "error", *options, "-c", program, self.endpoint],
                     env=python_environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def run_python(self, program, *options):
        """Runs such a program to its end; its standard output. Nothing may come on its standard error."""
        with self.started_python(program, *options) as process:
            try:
                output, complaints = process.communicate(timeout=60)
            finally:
                process.kill()
        self.assertEqual((process.returncode, complaints), (0, ""), output)
        return output
