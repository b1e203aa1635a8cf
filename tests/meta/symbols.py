"""The binary interface: what the headers declare, what the symbol map lists and what the library exports are one.

And what a library in other people's processes must not have: destructors, text relocations, handlers of its own.
Arguments: the source folder, the shared library, the static library.
"""
import re
import subprocess
import sys

from tree import ROOT, fault, files, finish, public_functions, without_comments

SHARED, STATIC = sys.argv[2:4]
SONAME = "libshoal.so.0"
NEEDED = re.compile(r"(lib(memcached|hashkit|cares|crypto|ssl|z|zstd|c|m|pthread)|ld-linux[\w-]*)\.so\.\d+$")
# getaddrinfo and its kind block without a deadline; the others change what belongs to the whole process.
FORBIDDEN = set("getaddrinfo gethostbyname gethostbyname_r gethostbyaddr getnameinfo signal sigaction atexit on_exit "
                "at_quick_exit __cxa_atexit exit abort system".split())
POINTER_SIZE = 8 if sys.maxsize > 2**32 else 4


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def names_in_map(text):
    """The symbols of the map, each with its node."""
    found = {}
    for node, body in re.findall(r"(\w[\w.]*)\s*\{(.*?)\}", without_comments(text), re.DOTALL):
        for name in re.findall(r"[\w*]+(?=;)", body.split("local:")[0]):
            found[name] = node
    return found


declared = {name for header in files("core/include/shoal/*.h") for _, name in public_functions(header.read_text())}
listed = names_in_map((ROOT / "core/abi/shoal.map").read_text())
exported = {}
for line in run("nm", "-D", "--defined-only", "--with-symbol-versions", SHARED).splitlines():
    kind, symbol = line.split()[-2:]
    name, _, node = symbol.partition("@@")
    if kind != "A":  # the nodes themselves
        exported[name] = node

for name in sorted(declared | set(listed) | set(exported)):
    if name not in declared:
        fault(name, "is no function of a public header")
    if name not in listed:
        fault(name, "is missing in core/abi/shoal.map")
    elif name not in exported:
        fault(name, "is not exported by the library")
    elif exported[name] != listed[name]:
        fault(name, f"is exported with the version {exported[name] or 'none'}, not {listed[name]}")

# Prefixes keep a static link and the debugger clean of clashes.
for line in run("nm", "-g", "--defined-only", STATIC).splitlines():
    words = line.split()
    if len(words) == 3 and not words[2].startswith(("shoal_", "shoal__")):
        fault(STATIC, f"the global symbol {words[2]} does not start with shoal_")

dynamic = run("readelf", "-dW", SHARED)
if f"Library soname: [{SONAME}]" not in dynamic:
    fault(SHARED, f"the SONAME is not {SONAME}")
if "TEXTREL" in dynamic:
    fault(SHARED, "has text relocations")
if not re.search(r"FLAGS_1.*\bNODELETE\b", dynamic):
    fault(SHARED, "is not marked NODELETE")
if re.search(r"\((RPATH|RUNPATH)\)", dynamic):
    fault(SHARED, "has a run path")
for library in re.findall(r"\(NEEDED\).*\[(.*)\]", dynamic):
    if not NEEDED.match(library):
        fault(SHARED, f"needs {library}")

# The C runtime's own entry is the only destructor.
for size in re.findall(r"\.fini_array\s+FINI_ARRAY\s+\S+\s+\S+\s+(\w+)", run("readelf", "-SW", SHARED)):
    if int(size, 16) > POINTER_SIZE:
        fault(SHARED, "has a destructor of its own")
for line in run("nm", "-D", "--undefined-only", SHARED).splitlines():
    name = line.split()[-1].partition("@")[0]
    if name in FORBIDDEN:
        fault(SHARED, f"calls {name}")
finish(len(exported))
