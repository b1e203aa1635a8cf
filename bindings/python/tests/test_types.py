"""Types: the package is right in itself, its stub is what the native module has, and users' mistakes are seen.

May import: the standard library and shoal. Skipped where mypy is not installed.
"""
import importlib.util
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

# Django has no types of its own: its classes are Any.
CONFIG = """
[mypy]
strict = True
[mypy-django.*]
ignore_missing_imports = True
[mypy-shoal.django.*]
disallow_subclassing_any = False
"""

# That the class itself lacks a mark, which mypy asks for from 1.18 on, and of which earlier releases know nothing.
ALLOWED = "shoal._native.ClientBase\n"

# Each line is right, or is refused with what stands behind its "#".
USE = """
import shoal
import shoal.aio
cache = shoal.Client(["a:1", "b:1"], codec="json", operation_timeout_ms=5)
texts: dict[str, object] = cache.get_many(["a"])
data: dict[bytes, object] = cache.get_many([b"a"])
number: int = cache.increment("a")  # Incompatible types in assignment
left: list[str] = cache.set_many({"a": 1}, ttl=0.5)
cache.get(5)  # "get" of "ClientBase" has incompatible type "int"
cache.set("a", 1, ttl=None)  # "set" of "ClientBase" has incompatible type "None"
count: int = cache.fetch("a", lambda: 5, 60, stale_ttl=0.5)
text: str = cache.fetch("a", lambda: 5)  # Incompatible types in assignment
cache.fetch("a", 5)  # Argument 2 to "fetch" of "Client" has incompatible type "int"
async def compute() -> int:
    return 5
cache.close("now")  # Too many arguments for "close"
async def use(other: shoal.aio.Client) -> None:
    texts: dict[str, object] = await other.get_many(["a"])
    left: list[bytes] = await other.set_many({b"a": 1}, ttl=0.5)
    other.get("a")  # must be used
    await other.get(5)  # "get" of "Client" has incompatible type "int"
    count: int = await other.fetch("a", compute, 60)
    plain: int = await other.fetch("a", lambda: 5, stale_ttl=60)
    text: str = await other.fetch("a", compute)  # Argument 2 to "fetch" of "Client" has incompatible type
    node: str = (await other.topology()).nodes[0].name
"""


@unittest.skipUnless(importlib.util.find_spec("mypy"), "mypy is not installed")
class Types(unittest.TestCase):
    def run_module(self, *command):
        """A module of mypy's in a folder of its own, where it may leave what it likes; its status and output."""
        with tempfile.TemporaryDirectory() as folder:
            (pathlib.Path(folder) / "use.py").write_text(USE, encoding="utf-8")
            (pathlib.Path(folder) / "mypy.ini").write_text(CONFIG, encoding="utf-8")
            (pathlib.Path(folder) / "allowed").write_text(ALLOWED, encoding="utf-8")
            result = subprocess.run([sys.executable, "-m", *command], cwd=folder, stdout=subprocess.PIPE, text=True,
                                    stderr=subprocess.STDOUT, check=False, env={**os.environ, "NO_COLOR": "1"})
        return result.returncode, result.stdout

    def test_the_package_is_strictly_typed(self):
        status, output = self.run_module("mypy", "--package", "shoal")
        self.assertEqual(status, 0, output)
        self.assertIn("no issues found", output)

    def test_the_stub_is_what_the_native_module_has(self):
        status, output = self.run_module("mypy.stubtest", "shoal._native", "--allowlist", "allowed",
                                         "--ignore-unused-allowlist")
        self.assertEqual(status, 0, output)
        self.assertIn("no issues found", output)

    def test_users_see_their_mistakes(self):
        _, output = self.run_module("mypy", "use.py")
        told = {}
        for line in output.splitlines():
            if ": error: " in line:
                told.setdefault(int(line.split(":")[1]), []).append(line)
        for number, line in enumerate(USE.split("\n"), 1):
            _, _, refused = line.partition("  # ")
            with self.subTest(line):
                self.assertEqual(bool(refused), number in told, told.get(number))
                self.assertIn(refused, "".join(told.get(number, [])))


if __name__ == "__main__":
    unittest.main()
