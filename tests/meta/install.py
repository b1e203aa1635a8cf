"""What is installed serves its users: by pkg-config, by CMake's find_package, and as the README shows it.

Arguments: the source folder, the build folder, the cmake program. It installs into a folder whose name holds a space,
and moves it afterwards: nothing in it may name the place where it was first put.
"""
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

from tree import ROOT, fault, finish

BUILD, CMAKE = sys.argv[2:4]
HERE = pathlib.Path(__file__).resolve().parent
checked = 0


def run(title, *command, **environment):
    """Runs one step; its output, or None after a fault."""
    global checked  # pylint: disable=global-statement
    checked += 1
    settings = {name: value for name, value in os.environ.items() if name not in ("DESTDIR", "LD_LIBRARY_PATH")}
    result = subprocess.run([str(word) for word in command], env={**settings, **environment}, capture_output=True,
                            text=True, check=False)
    if result.returncode:
        fault(title, f"{shlex.join(map(str, command))}\n{result.stdout}{result.stderr}")
        return None
    return result.stdout


def compile_by_pkg_config(title, source, prefix, program):
    pkg_config = next(prefix.rglob("pkgconfig"), prefix)
    flags = run(title, "pkg-config", "--cflags", "--libs", "shoal", PKG_CONFIG_PATH=str(pkg_config))
    if flags is None:
        return None
    return run(title, "cc", "-std=c99", "-Wall", "-Wextra", "-Werror", "-o", program, source, *shlex.split(flags))


def check(scratch):
    prefix = scratch / "a prefix"
    if run("install", CMAKE, "--install", BUILD, "--prefix", scratch / "first") is None:
        return
    (scratch / "first").rename(prefix)
    for path in prefix.rglob("*"):
        if path.suffix in (".pc", ".cmake") and str(scratch) in path.read_text():
            fault(path.name, "names the place where it was installed")
    library = str(next(prefix.rglob("libshoal.so")).parent)

    program = scratch / "by-pkg-config"
    if compile_by_pkg_config("pkg-config", HERE / "user_program.c", prefix, program) is not None:
        run("pkg-config", program, LD_LIBRARY_PATH=library)

    project = scratch / "project"
    if run("find_package", CMAKE, "-G", "Ninja", "-S", HERE / "user_project", "-B", project,
           f"-DCMAKE_PREFIX_PATH={prefix}") is not None:
        if run("find_package", CMAKE, "--build", project) is not None:
            run("find_package", project / "user")

    command = prefix / "bin/shoal"
    if run("shoal", command, "--version") is None:
        fault("shoal", "the installed command does not start without LD_LIBRARY_PATH")

    package = prefix / "lib/python3/dist-packages"
    if (package / "shoal").exists():
        run("python", "/usr/bin/python3", "-B", "-c", "import shoal; shoal.Client('a:1').close()", PYTHONPATH=str(package))

    package = prefix / "lib/ruby/vendor_ruby"
    if package.exists():
        run("ruby", "/usr/bin/ruby", "-e", "require 'shoal'; Shoal::Client.new('a:1').close", RUBYLIB=str(package))

    extension = next(prefix.rglob("php/*/shoal.so"), None)
    if extension:
        script = 'require $argv[1]; (new Shoal\\Client("a:1"))->close();'
        run("php", "php", "-n", "-d", f'extension="{extension}"', "-r", script, "--", prefix / "share/php/Shoal/autoload.php")

    readme = ROOT / "README.md"
    if readme.exists():
        example = re.search(r"^```c\n(.*?)^```", readme.read_text(), re.MULTILINE | re.DOTALL)
        if not example:
            fault(readme, "has no example in C")
        else:
            (scratch / "example.c").write_text(example[1])
            compile_by_pkg_config("README.md's example", scratch / "example.c", prefix, scratch / "example")


with tempfile.TemporaryDirectory() as folder:
    check(pathlib.Path(folder))
finish(checked)
