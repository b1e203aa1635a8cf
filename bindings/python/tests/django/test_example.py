"""The example project is served, and goes on being served when a node dies and when the fleet changes.

May import: the standard library, config and support.
"""
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import unittest
import urllib.error
import urllib.request

from config import LocalFleet

from support import eventually, free_port

EXAMPLE = pathlib.Path(__file__).resolve().parents[2] / "examples/django"


class Example(unittest.TestCase):
    def setUp(self):
        self.fleet = LocalFleet(3)
        self.addCleanup(self.fleet.stop)
        self.url = f"http://127.0.0.1:{free_port()}/"
        self.environment = {**os.environ, "SHOAL_ENDPOINT": f"elasticache://{self.fleet.endpoint}"}
        self.site = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", *self.manage("runserver", "--noreload"),
                                      self.url.split("/")[2]], env=self.environment,
                                     stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(self.site.wait)
        self.addCleanup(self.site.kill)
        self.assertTrue(eventually(self.answers, 60), "the example does not answer")

    @staticmethod
    def manage(*words):
        """A command of the example's manage.py."""
        return [sys.executable, "-B", str(EXAMPLE / "manage.py"), *words]

    def take(self):
        """The page, by the first words of its lines."""
        with urllib.request.urlopen(self.url, timeout=30) as answer:
            self.assertEqual(answer.status, 200)
            return dict(re.split(r"\s{2,}", line, maxsplit=1) for line in answer.read().decode().splitlines())

    def answers(self):
        """Whether the site is up yet."""
        try:
            return bool(self.take())
        except urllib.error.URLError:
            return False

    def articles(self):
        """How many articles came from the cache."""
        return int(self.take()["articles"].split()[0])

    def test_the_page_while_nodes_come_and_go(self):
        self.assertTrue(eventually(lambda: self.articles() == 100))
        page = self.take()
        self.assertEqual(self.take()["report"], page["report"])
        self.assertEqual(len(page["fleet"].split()), 2 + 3)

        nodes = json.loads(self.fleet.change("list", "--json"))["nodes"]
        os.kill(nodes[0]["pid"], signal.SIGKILL)
        for _ in range(5):
            self.assertLess(self.articles(), 100)
        self.fleet.change("remove", str(nodes[0]["port"]))
        self.assertTrue(eventually(lambda: self.articles() == 100, 30))
        self.assertEqual(len(self.take()["fleet"].split()), 2 + 2)

        self.fleet.change("add")
        self.assertTrue(eventually(lambda: len(self.take()["fleet"].split()) == 2 + 3, 30))
        self.assertTrue(eventually(lambda: self.articles() == 100, 30))
        status = subprocess.run(self.manage("shoal", "status"), env=self.environment, check=True, text=True,
                                stdout=subprocess.PIPE).stdout
        self.assertEqual(status.count(" up "), 3, status)


if __name__ == "__main__":
    unittest.main()
