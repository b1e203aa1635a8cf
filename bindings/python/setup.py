"""Builds the package's extension: the wrapper that SWIG makes, and the C by hand beside it, linked with libshoal.

In Shoal's tree SWIG makes the wrapper anew; an sdist carries it in generated/. pkg-config says where libshoal is.
"""
import pathlib
import re
import shlex
import shutil
import subprocess

from setuptools import Extension, setup

HERE = pathlib.Path(__file__).resolve().parent
TREE = HERE.parents[1]
WRAPPER = HERE / "generated/shoal_wrap.c"
INTERFACE = TREE / "swig/shoal.i"
HEADERS = TREE / "core/include"


def run(what, *command):
    """The output of a program; a failure says what it was for."""
    try:
        return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    except (OSError, subprocess.CalledProcessError) as reason:
        raise SystemExit(f"shoal: {what} ({shlex.join(map(str, command))}: {reason})") from None


def prepare():
    """What lies elsewhere in the tree comes here, where an sdist finds it."""
    if not INTERFACE.is_file():
        return
    WRAPPER.parent.mkdir(exist_ok=True)
    run("the wrapper could not be made; it takes SWIG 4.1 or later",
        "swig", "-python", "-noproxy", f"-I{INTERFACE.parent}", f"-I{HEADERS}", "-o", WRAPPER, INTERFACE)
    shutil.copy(TREE / "LICENSE", HERE)


def version():
    """In the tree from the C library's header, in an sdist from its own metadata."""
    header = HEADERS / "shoal/version.h"
    if header.is_file():
        return ".".join(re.findall(r"#define SHOAL_VERSION_(?:MAJOR|MINOR|PATCH) (\d+)", header.read_text()))
    return re.search(r"^Version: (.+)$", (HERE / "PKG-INFO").read_text(), re.MULTILINE)[1]


def pkg_config(option):
    """Flags of the libshoal that is installed."""
    return shlex.split(run("libshoal was not found; install it, or name its folder in PKG_CONFIG_PATH", "pkg-config",
                           option, "shoal"))


prepare()
sources = [WRAPPER, *sorted((HERE / "native").glob("*.c"))]
setup(version=version(),
      ext_modules=[Extension("shoal._native", [str(source.relative_to(HERE)) for source in sources],
                             include_dirs=["native"], extra_compile_args=pkg_config("--cflags"),
                             extra_link_args=[*pkg_config("--libs"), "-lm"])])
