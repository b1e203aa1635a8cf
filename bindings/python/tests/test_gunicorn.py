"""gunicorn with four prefork workers that come and go, under requests from several threads: every value is right.

May import: the standard library, support, and gunicorn, without which the test is skipped.
"""
import http.client
import importlib.util
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest

from support import FleetTest, eventually, free_port, listens, python_environment, run_all, start

CALLERS = 6
TURNS = 80
WORKERS = 4
TROUBLE = re.compile(r"error|critical|warning|traceback|fork\(\)", re.IGNORECASE)
ENDED = re.compile(r"terminated due to signal 15|was sent SIGTERM")  # what a restart does to some
# gunicorn's master logs in its signal handlers, which may interrupt it while it logs.
INTERRUPTED = re.compile(r"^--- Logging error ---\n(?:(?!^--- Logging).)*?^RuntimeError: reentrant call"
                         r"(?:(?!^--- Logging).)*?^Arguments: [^\n]*\n", re.MULTILINE | re.DOTALL)


def answers(port, path):
    """Status and body of a request, which gunicorn's sync workers take one at a time."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


@unittest.skipUnless(importlib.util.find_spec("gunicorn"), "gunicorn is not installed")
class Gunicorn(FleetTest):
    NODES = 2

    def serve(self, endpoint, *options):
        """gunicorn with the application; its process, port and log."""
        port = free_port()
        log = tempfile.TemporaryFile("w+")  # pylint: disable=consider-using-with
        self.addCleanup(log.close)
        gunicorn = [sys.executable, "-B", "-W", "default", "-W", "ignore::ResourceWarning", "-m", "gunicorn"]
        process = start([*gunicorn, "--bind", f"127.0.0.1:{port}", "--workers", str(WORKERS), "--max-requests", "50",
                         "--max-requests-jitter", "20", *options, "wsgi_app:application"],
                        env=python_environment(SHOAL_ENDPOINT=endpoint), stdout=log, stderr=subprocess.STDOUT,
                        cwd=os.path.dirname(os.path.abspath(__file__)))
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process, port, log

    def check(self, endpoint, *options):
        process, port, log = self.serve(endpoint, *options)
        served = set()

        def call(caller):
            for turn in range(TURNS):
                status, body = answers(port, f"/{caller}/{turn}")
                self.assertEqual(status, 200, body)
                served.add(int(body))

        def restart():
            for _ in range(3):
                time.sleep(0.5)
                process.send_signal(signal.SIGHUP)

        self.assertTrue(eventually(lambda: listens(port), 30))
        run_all(restart, *(lambda number=number: call(f"caller{number}") for number in range(CALLERS)))
        self.settle(log)
        process.terminate()
        status = process.wait(20)
        log.seek(0)
        told = INTERRUPTED.sub("", log.read())
        self.assertEqual(status, 0, told)
        # Workers ended and were replaced; none complained, nor Python of a fork beside a thread.
        self.assertGreater(len(served), WORKERS, told)
        self.assertEqual([line for line in told.splitlines() if TROUBLE.search(line) and not ENDED.search(line)], [], told)

    @staticmethod
    def settle(log):
        """gunicorn loses a signal to a worker that is only just there, and then waits half a minute for it to end."""
        size = -1
        while size != os.fstat(log.fileno()).st_size:
            size = os.fstat(log.fileno()).st_size
            time.sleep(0.5)

    def test_a_list_of_nodes_preloaded(self):
        self.check(self.endpoint, "--preload")

    def test_discovery_preloaded(self):
        # The one server is asked for a list of nodes, by the background thread.
        self.check(self.servers[0].name, "--preload")

    def test_discovery_by_each_worker(self):
        self.check(self.servers[0].name)


if __name__ == "__main__":
    unittest.main()
