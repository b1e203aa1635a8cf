"""The layers of the core: every #include stays in its own layer or goes to one below it.

base < logic < net < api; the public headers stand under all of them; the command, the SWIG interface and the languages'
packages see nothing but them. A package's adapter of a framework sees the package's face alone, and the package no
framework. Libraries are included in one place each, and the logic knows neither sockets nor clocks nor threads.
"""
import ast
import re
import sys

from tree import ROOT, fault, files, finish, without_comments

LAYERS = ["base", "logic", "net", "api"]

# A library's headers, and the one file that may include them.
LIBRARIES = {
    "libmemcached": "core/src/net/transport_libmemcached.c",
    "libmemcached-1.0": "core/src/net/transport_libmemcached.c",
    "libmemcachedutil-1.0": None,
    "libhashkit": "core/src/base/hash.c",
    "libhashkit-1.0": "core/src/base/hash.c",
    "ares.h": "core/src/net/dns.c",
    "openssl": "core/src/base/hash.c core/src/base/base64.c core/src/net/tls.c core/src/net/tls_context.c "
               "core/src/net/tls_private.h",
    "zlib.h": "core/src/logic/compress.c core/src/base/hash.c",
    "zstd.h": "core/src/logic/compress.c",
    "zstd_errors.h": "core/src/logic/compress.c",
}
# The headers of a language, by the folder of its package.
LANGUAGES = {"python": re.compile(r"Python\.h$"), "ruby": re.compile(r"ruby/|ruby\.h$"),
             "php": re.compile(r"php\.h$|zend_\w+\.h$|ext/(standard|json|spl)/\w+\.h$")}
NOT_IN_LOGIC = re.compile(r"(sys/(socket|epoll|select|time|un|uio)|netinet/|arpa/|netdb|poll|time|pthread|threads|"
                          r"semaphore|unistd|fcntl|signal)\b")
CLOCKS = re.compile(r"\b(clock_gettime|gettimeofday|time|clock|nanosleep|socket|poll|getrandom|rand|random)\s*\(")
INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]', re.MULTILINE)
SWIG_INCLUDE = re.compile(r'^\s*[#%]\s*(?:include|import)\s*(["<])([^">]+)[">]', re.MULTILINE)
STANDARD = set("assert ctype errno float inttypes limits locale math setjmp signal stdalign stdarg stdatomic stdbool "
               "stddef stdint stdio stdlib string strings time unistd fcntl poll pthread sched netdb getopt fnmatch dirent pwd "
               "grp termios".split())


def is_libc(name):
    return name.removesuffix(".h") in STANDARD or name.split("/")[0] in ("sys", "netinet", "arpa", "net")


def check_core(path, system, name):
    layer = path.relative_to(ROOT / "core/src").parts[0]
    if not system:
        below = name.split("/")[0]
        if below not in LAYERS:
            fault(path, f'"{name}" should be named from core/src: "base/...", "logic/...", "net/...", "api/..."')
        elif LAYERS.index(below) > LAYERS.index(layer):
            fault(path, f'{layer}/ includes "{name}" of a layer above it')
        elif not (ROOT / "core/src" / name).is_file():
            fault(path, f'"{name}" does not exist')
    elif name.split("/")[0] in LIBRARIES:
        allowed = LIBRARIES[name.split("/")[0]]
        if str(path.relative_to(ROOT)) not in (allowed or "").split():
            fault(path, f"<{name}> may be included in {allowed or 'no file'} alone")
    elif not name.startswith("shoal/") and not is_libc(name):
        fault(path, f"<{name}> is neither libc nor a public header")
    elif layer == "logic" and NOT_IN_LOGIC.match(name):
        fault(path, f"logic/ may not include <{name}>: sockets, clocks and threads are given to it")


def check_public(path, system, name):
    if not system or not (name.startswith("shoal/") or name in ("stddef.h", "stdint.h")):
        fault(path, f"a public header may include <stddef.h>, <stdint.h> and <shoal/...>, not {name}")


def check_command(path, system, name):
    if not system:
        if not (ROOT / "core/cli" / name).is_file() or ".." in name:
            fault(path, f'"{name}" is no header of the command, named from core/cli')
    elif not (name.startswith("shoal/") or name == "jansson.h" or is_libc(name)):
        fault(path, f"the command may include <shoal/...>, <jansson.h> and libc, not <{name}>")


def check_swig(path, system, name):
    """`%include` is meant as well as what the wrapper includes."""
    if system:
        if not name.startswith("shoal/"):
            fault(path, f"the SWIG interface may include <shoal/...>, not <{name}>")
    elif not (ROOT / "swig" / name).is_file() and name != "support.h":
        fault(path, f'"{name}" is neither in swig/ nor the support.h of a language')


def check_native(path, system, name):
    if not system:
        if not (path.parent / name).is_file():
            fault(path, f'"{name}" does not stand beside it')
    elif not (name.startswith("shoal/") or is_libc(name) or LANGUAGES[path.relative_to(ROOT).parts[1]].match(name)):
        fault(path, f"a package may include <shoal/...>, its language's headers and libc, not <{name}>")


PYTHON_FRAMEWORKS = {"django": ("django", "asgiref")}


def check_python(path):
    """The Python package imports the standard library and itself; an adapter its framework besides, and of the package
    `shoal` alone, by that name, or what stands in its own folder."""
    parts = path.relative_to(ROOT / "bindings/python/src/shoal").parts
    adapter = parts[0] if len(parts) > 1 else None
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            names = [("." * node.level) + (node.module or "")]
            names += [f"shoal.{alias.name}" for alias in node.names if adapter and alias.name.startswith("_")]
        else:
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        for name in names:
            first = name.split(".")[0]
            own = name == "shoal" or name.startswith(f"shoal.{adapter}.") if adapter else False
            relative = name.startswith(".") and (not adapter or len(name) - len(name.lstrip(".")) < len(parts))
            framework = first in PYTHON_FRAMEWORKS.get(adapter, ())
            if not (relative or own or framework or first in sys.stdlib_module_names):
                fault(path, f"imports {name}, which is not its to see")


RUBY_REQUIRE = re.compile(r'^\s*(?:require|load|autoload :\w+,) "([^"]+)"(.*)$', re.MULTILINE)
RUBY_STANDARD = ["json", "logger", "did_you_mean"]
RUBY_ADAPTER = re.compile(r"active_support/|rack/|shoal/(rails_cache/|railtie)")
RUBY_FRAMEWORK = re.compile(r"(active_support|rails|rack|action_\w+|connection_pool)(/|$)")


def check_ruby(path):
    """The gem requires the standard library and itself; its adapters a framework besides, never the native module."""
    own = str(path.relative_to(ROOT / "bindings/ruby/lib")).removesuffix(".rb")
    adapter = RUBY_ADAPTER.match(own)
    text = path.read_text()
    for name, condition in RUBY_REQUIRE.findall(text):
        own_part = name.split("/")[0] == "shoal" and (adapter or not RUBY_ADAPTER.match(name))
        framework = adapter and RUBY_FRAMEWORK.match(name)
        where_there = RUBY_ADAPTER.match(name) and "if defined?(" in condition
        if not (name in RUBY_STANDARD or own_part or framework or where_there):
            fault(path, f"requires {name}, which is not its to see")
    if adapter and re.search(r"\bNative\b", text):
        fault(path, "an adapter uses the gem's classes, not the native module")


PHP_USE = re.compile(r"^use (?:function )?([\w\\]+)", re.MULTILINE)
PHP_FRAMEWORKS = {"Symfony": ("Symfony", "Psr"), "Laravel": ("Illuminate", "Psr"), "Adapter": ("Psr",),
                  "SimpleCache.php": ("Psr",), "SessionHandler.php": ("Psr",), "Exception/InvalidCacheArgument.php": ("Psr",)}


def check_php(path):
    """The PHP library uses itself; an adapter its framework besides, and never the extension's functions."""
    own = path.relative_to(ROOT / "bindings/php/src")
    seen = PHP_FRAMEWORKS.get(str(own), PHP_FRAMEWORKS.get(own.parts[0]))
    text = path.read_text()
    for name in PHP_USE.findall(text):
        if name.split("\\")[0] not in ("Shoal", *(seen or ())):
            fault(path, f"uses {name}, which is not its to see")
    if seen and re.search(r"\\shoal_|\bNative\b", text):
        fault(path, "an adapter uses the library's classes, not the extension")


checked = 0
for path in files("core/*.[ch]", "core/*.def"):
    folder = path.relative_to(ROOT / "core").parts[0]
    check = {"src": check_core, "include": check_public, "cli": check_command, "examples": check_command,
             "doc": check_command}.get(folder)
    if not check:
        fault(path, "stands in no folder that the layers know")
        continue
    checked += 1
    text = path.read_text()
    for bracket, name in INCLUDE.findall(text):
        check(path, bracket == "<", name)
    if path.is_relative_to(ROOT / "core/src/logic"):
        for call in CLOCKS.findall(without_comments(text)):
            fault(path, f"logic/ may not call {call}()")
for pattern, check in (("swig/*.i", check_swig), ("bindings/*.[ch]", check_native)):
    found = files(pattern)
    if not found:
        fault(pattern, "is no file")
    for path in found:
        checked += 1
        for bracket, name in SWIG_INCLUDE.findall(path.read_text()):
            check(path, bracket == "<", name)
for path in files("bindings/python/src/*.py"):
    checked += 1
    check_python(path)
for path in files("bindings/ruby/lib/*.rb"):
    checked += 1
    check_ruby(path)
for path in files("bindings/php/src/*.php"):
    checked += 1
    check_php(path)
finish(checked)
