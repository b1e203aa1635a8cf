"""The package installs offline: from the tree, and from an sdist by one who has no SWIG.

SHOAL_SOURCE names the tree and SHOAL_BUILD a build, whose library is installed first. May import: the standard library.
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
import unittest

SOURCE = pathlib.Path(os.environ.get("SHOAL_SOURCE", pathlib.Path(__file__).parents[3]))
BUILD = os.environ.get("SHOAL_BUILD")
MAKE_SDIST = "import setuptools.build_meta as b, sys; print(b.build_sdist(sys.argv[1]))"
USE = """
import shoal
with shoal.Client("127.0.0.1:1") as client:
    print(shoal.__version__, shoal.__file__)
"""


@unittest.skipUnless(BUILD, "SHOAL_BUILD names no build")
class Install(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.scratch = pathlib.Path(folder.name)
        self.prefix = self.scratch / "prefix"
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        self.run_in(self.scratch, "cmake", "--install", BUILD, "--prefix", self.prefix)
        library = next(self.prefix.rglob("libshoal.so")).parent
        self.environment.update(PKG_CONFIG_PATH=str(library / "pkgconfig"), LD_LIBRARY_PATH=str(library),
                                PIP_DISABLE_PIP_VERSION_CHECK="1", PIP_ROOT_USER_ACTION="ignore")
        # A copy, as setuptools writes beside the sources.
        tree = self.scratch / "tree"
        for name in ("swig", "core/include", "bindings/python"):
            shutil.copytree(SOURCE / name, tree / name,
                            ignore=shutil.ignore_patterns("build", "dist", "generated", "*.egg-info", "__pycache__"))
        shutil.copy(SOURCE / "LICENSE", tree)
        self.package = tree / "bindings/python"

    def run_in(self, folder, *command):
        result = subprocess.run([str(word) for word in command], cwd=folder, env=self.environment, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        self.assertEqual(result.returncode, 0, result.stdout)
        return result.stdout

    def install(self, what):
        """Installs by pip and uses what came of it."""
        target = self.scratch / "target"
        self.run_in(self.scratch, sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-cache-dir",
                    "--no-build-isolation", "--target", target, what)
        self.environment["PYTHONPATH"] = str(target)
        self.assertIn(str(target), self.run_in(self.scratch, sys.executable, "-W", "error", "-c", USE))
        self.check_files(target)

    def check_files(self, folder):
        """What no import would miss is there too."""
        for name in ("py.typed", "_native.pyi", "django/cache.py", "django/management/commands/shoal.py"):
            self.assertTrue((folder / "shoal" / name).is_file(), name)

    def test_from_the_build(self):
        self.check_files(self.prefix / "lib/python3/dist-packages")

    def test_from_the_tree(self):
        self.install(self.package)

    def test_from_an_sdist_without_swig(self):
        output = self.run_in(self.package, sys.executable, "-c", MAKE_SDIST, self.scratch)
        archive = self.scratch / output.split()[-1]
        with tarfile.open(archive) as sdist:
            names = {name.partition("/")[2] for name in sdist.getnames()}
        self.assertLessEqual({"generated/shoal_wrap.c", "native/support.h", "src/shoal/client.py", "README.md", "LICENSE",
                              "src/shoal/django/cache.py", "examples/django/manage.py", "tests/support.py"}, names)
        tools = self.scratch / "tools"
        tools.mkdir()
        (tools / "swig").write_text("#!/bin/sh\nexit 1\n")
        (tools / "swig").chmod(0o755)
        self.environment["PATH"] = f"{tools}:{self.environment['PATH']}"
        self.install(archive)


if __name__ == "__main__":
    unittest.main()
