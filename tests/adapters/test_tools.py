"""The tools with which the frameworks' suites are run: that they fail where they should.

May import: the standard library, and the tools. SHOAL_COMMAND is the command `shoal` to be tried with.
"""
import contextlib
import importlib.util
import io
import os
import pathlib
import socket
import subprocess
import tempfile
import time
import unittest

import fetch_source

HERE = pathlib.Path(__file__).resolve().parent


def load(path):
    """A program's functions; not by its name, as its folder is called as Django is."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class FetchSourceTest(unittest.TestCase):
    """Source packages."""

    def form(self, name, text):
        """What becomes of a file of apt's sources."""
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / name
            path.write_text(text)
            return fetch_source.source_form(path)

    def test_one_line_sources(self):
        text = "# deb x\ndeb [signed-by=/k.gpg] http://mirror.test/ sid main\ndeb-src http://old.test/ sid main\n"
        self.assertEqual(self.form("a.list", text),
                         "# deb x\ndeb-src [signed-by=/k.gpg] http://mirror.test/ sid main\n\n")

    def test_stanzas(self):
        rest = "\nURIs: http://mirror.test/\nSuites: sid\nSigned-By: /k.gpg\n\n"
        self.assertEqual(self.form("a.sources", f"Types: deb{rest}types: deb deb-src{rest}"),
                         f"Types: deb-src{rest}Types: deb-src{rest}")

    def test_releases(self):
        for version, release in (("3:3.2.25-0+deb12u7", "3.2.25"), ("2.10-3", "2.10"), ("1.0", "1.0"),
                                 ("1-2-3", "1-2")):
            self.assertEqual(fetch_source.upstream(version), release)

    def test_series(self):
        for version, series in (("2:7.2.4+dfsg-1", "7.2"), ("2.10-3", "2.10"), ("1-2", "1")):
            self.assertEqual(fetch_source.series(version), series)
        self.assertEqual(fetch_source.in_stable("deb-src http://mirror.test/none none main"),
                         "deb-src http://mirror.test/none none main")

    def test_the_nearest_comes_first(self):
        listed = ["6.4.9-1", "7.4.3-1", "7.4.1-2", "7.4.1-1"]
        self.assertEqual(fetch_source.nearest("7.4.1-1", listed, False), ["7.4.1-1", "7.4.1-2", "7.4.3-1"])
        self.assertEqual(fetch_source.nearest("7.4.1-1", listed, True), ["7.4.1-1", "7.4.1-2", "7.4.3-1", "6.4.9-1"])

    def test_what_is_unpacked_is_found(self):
        with tempfile.TemporaryDirectory() as folder:
            cache = pathlib.Path(folder)
            (cache / "x-1.0-2.new").mkdir()
            (cache / "x-1-2").mkdir()
            (cache / "x-2.0-2").mkdir()
            self.assertIsNone(fetch_source.find_folder("x", "1:1.0-1", cache))
            (cache / "x-1.0.3-2").mkdir()
            self.assertEqual(fetch_source.find_folder("x", "1:1.0-1", cache).name, "x-1.0.3-2")
            (cache / "x-1.0-2").mkdir()
            self.assertEqual(fetch_source.find_folder("x", "1:1.0-1", cache).name, "x-1.0-2")
            (cache / "x-1.0-1").mkdir()
            self.assertEqual(fetch_source.find_folder("x", "1:1.0-1", cache).name, "x-1.0-1")

    def test_a_package_that_is_not_installed(self):
        result = subprocess.run([HERE / "fetch_source.py", "no-such-package"], capture_output=True, text=True,
                                check=False)
        self.assertEqual((result.returncode, result.stdout), (1, ""))
        self.assertIn("apt-get install no-such-package", result.stderr)


class FleetTest(unittest.TestCase):
    """Servers for a suite."""

    def run_with(self, fleet, *command):
        """Runs a command beside a fleet."""
        return subprocess.run([HERE / "with_fleet.py", os.environ["SHOAL_COMMAND"], fleet, *command],
                              capture_output=True, text=True, check=False)

    def test_endpoints(self):
        for fleet, count in (("one", 1), ("three", 3), ("discovered", 1)):
            result = self.run_with(fleet, "printenv", "SHOAL_TEST_ENDPOINT")
            self.assertEqual((result.returncode, len(result.stdout.split(","))), (0, count), result.stderr)

    def test_a_command_that_fails_or_dies(self):
        self.assertEqual(self.run_with("one", "sh", "-c", "exit 3").returncode, 3)
        self.assertEqual(self.run_with("one", "sh", "-c", "kill -9 $$").returncode, 128 + 9)
        self.assertEqual(self.run_with("two", "true").returncode, 1)

    def test_servers_end_however_it_ends(self):
        command = [HERE / "with_fleet.py", os.environ["SHOAL_COMMAND"], "one", "sh", "-c",
                   "echo $SHOAL_TEST_ENDPOINT; exec sleep 60"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            host, port = process.stdout.readline().strip().split(":")
            socket.create_connection((host, int(port)), 10).close()
            process.kill()
            self.assertEqual(process.stdout.read(), "")  # its end: the command has ended too
        end = time.monotonic() + 10
        with self.assertRaises(ConnectionRefusedError):
            while time.monotonic() < end:
                with contextlib.suppress(ConnectionResetError):  # it ends while it is being connected to
                    socket.create_connection((host, int(port)), 10).close()
                time.sleep(0.01)


class Sample(unittest.TestCase):
    """Tests to be judged: they go well at the second try, never, or are skipped."""

    tries = 0

    def test_second_try(self):
        Sample.tries += 1
        with self.subTest("part"):
            self.assertEqual(Sample.tries, 2)

    def test_failing(self):
        self.fail("as it should")

    def test_skipped(self):
        self.skipTest("because")


class RunTest(unittest.TestCase):
    """How django/run.py judges."""

    def setUp(self):
        self.run_py = load(HERE / "django/run.py")
        Sample.tries = 0

    def judge(self, names, short_lived=(), skipped=None, fewest=1):
        """Whether a run of some of the samples is well."""
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            result, bad = self.run_py.run_suite([Sample(name) for name in names])
            bad = self.run_py.once_more(bad, short_lived)
            return self.run_py.judge(result, bad, skipped or {}, fewest)

    def test_second_tries_are_for_those_named(self):
        self.assertFalse(self.judge(["test_second_try"]))
        Sample.tries = 0
        self.assertTrue(self.judge(["test_second_try"], ["Sample.test_second_try"]))
        self.assertEqual(Sample.tries, 2)
        self.assertFalse(self.judge(["test_failing"], ["Sample"]))

    def test_skipped_tests_are_known(self):
        names = ["test_skipped", "test_second_try"]
        for known, well in (({}, False), ({"Sample.test_skipped": "because"}, True),
                            ({"Sample.test_skipped": "of another reason"}, False), ({"Other": "because"}, False)):
            Sample.tries = 1
            self.assertEqual(self.judge(names, skipped=known), well, known)

    def test_there_are_enough_of_them(self):
        for fewest, well in ((1, True), (2, False)):
            Sample.tries = 1
            self.assertEqual(self.judge(["test_second_try"], fewest=fewest), well)


def load_tests(loader, _tests, _pattern):
    """The samples are no tests of their own."""
    return unittest.TestSuite(map(loader.loadTestsFromTestCase, (FetchSourceTest, FleetTest, RunTest)))
