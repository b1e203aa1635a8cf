"""The servers of these tests end with them.

May import: the standard library and support.
"""
import os
import signal
import unittest

from support import FleetTest, eventually

PROGRAM = """
import sys
from support import Memcached
server = Memcached()
print(server.process.pid, flush=True)
sys.stdin.readline()
"""


def runs(pid):
    """Whether a process is there and has not ended."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            return file.read().rpartition(") ")[2][0] not in "ZX"
    except FileNotFoundError:
        return False


class Servers(FleetTest):
    def test_a_test_that_is_killed_leaves_none(self):
        with self.started_python(PROGRAM) as test:
            server = int(test.stdout.readline())
            self.assertTrue(runs(server))
            test.kill()
        self.assertEqual(test.returncode, -signal.SIGKILL)
        self.assertTrue(eventually(lambda: not runs(server)))

    def test_one_that_stands_still_ends_too(self):
        with self.started_python(PROGRAM) as test:
            server = int(test.stdout.readline())
            os.kill(server, signal.SIGSTOP)
            test.kill()
        self.assertTrue(eventually(lambda: not runs(server)))


if __name__ == "__main__":
    unittest.main()
