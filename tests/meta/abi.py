"""The binary interface over time: what a released function or constant was, it stays (core/doc/ABI.md).

Arguments: what to do, the source folder, the shared library (not for symbols). What to do is one of
  symbols   core/abi/symbols against the headers and the symbol map
  types     core/abi/libshoal.abi.xml, the baseline, against the library, by libabigail
  program   a program linked against the baseline's interface runs with the library, on a real memcached
  renew     writes core/abi/symbols and the baseline anew: the build's target abi-baseline
`types` is skipped (status 77) where libabigail is missing or writes another format, and on other architectures.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree

WHAT = sys.argv.pop(1)
# pylint: disable=wrong-import-position  # tree reads argv[1]
from tree import ROOT, fault, files, finish, public_functions, without_comments

LIBRARY = pathlib.Path(sys.argv[2]).resolve() if len(sys.argv) > 2 else None
ABI = ROOT / "core/abi"
SYMBOLS = ABI / "symbols"
BASELINE = ABI / "libshoal.abi.xml"
SYMBOLS_HEAD = """\
# Every public function with the release that brought it, every public constant with its release and its value.
# A line of a release that is out never changes. The build's target abi-baseline writes this file: core/doc/ABI.md.
"""


def release_in_development():
    text = (ROOT / "core/include/shoal/version.h").read_text()
    return ".".join(re.search(rf"SHOAL_VERSION_{part} (\d+)", text)[1] for part in ("MAJOR", "MINOR"))


def read_symbols():
    """The file's lines, as {name: (release, value or None)}."""
    found = {}
    for line in SYMBOLS.read_text().splitlines() if SYMBOLS.exists() else []:
        if line and not line.startswith("#"):
            name, release, *value = line.split()
            found[name] = (release, value[0] if value else None)
    return found


def read_headers():
    """The same, as the headers have it. Constants don't tell their release: it is the one in `known`, or today's."""
    known, today, found = read_symbols(), release_in_development(), {}
    for header in files("core/include/shoal/*.h"):
        text = header.read_text()
        for comment, name in public_functions(text):
            since = re.search(r"Since (\d+\.\d+)\.", comment)
            found[name] = (since[1] if since else "none", None)
        for name in re.findall(r"\b(?:struct|union)\s+(\w*)\s*\{", without_comments(text)):
            fault(header, f"lays struct {name} open, which then can never grow")
        for name, value in re.findall(r"^#define (SHOAL_\w+) \(?(-?\w+)\)?(?: */\*.*)?$", text, re.MULTILINE):
            if not name.startswith("SHOAL_VERSION_"):
                found[name] = (known.get(name, (today, None))[0], value)
    return found


def check_symbols():
    """What the file lists is there and unchanged; what it does not list is new in the release in development."""
    listed, declared, today = read_symbols(), read_headers(), release_in_development()
    symbol_map = (ABI / "shoal.map").read_text()
    for name, (release, value) in listed.items():
        if name not in declared:
            fault(name, f"was public in {release} and is in no header any more")
        elif declared[name][1] != value:
            fault(name, f"was {value} in {release} and is {declared[name][1]} now")
        elif declared[name][0] != release:
            fault(name, f"is since {release}, which its header does not say")
        elif value is None and not re.search(rf"\bSHOAL_{re.escape(release)} \{{[^}}]*\b{name};", symbol_map):
            fault(name, f"does not stand in the node SHOAL_{release} of core/abi/shoal.map")
    for name, (release, _) in declared.items():
        if name not in listed and release != today:
            fault(name, f"is said to be since {release} and is missing in core/abi/symbols")
    return len(listed)


def run(*command, **options):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False, **options)


def prune(corpus):
    """Leaves the public functions and the types that they name.

    Structs are reduced to their names first: no public one has a layout. (libabigail's own --drop-private-types goes
    by the headers' names alone, and takes core/src/api/batch.h for <shoal/batch.h>.)
    """
    for struct in corpus.iter("class-decl"):
        kept = {name: struct.get(name) for name in ("name", "is-struct", "visibility", "id") if struct.get(name)}
        tail = struct.tail
        struct.clear()
        struct.attrib.update(kept, **{"is-declaration-only": "yes"})
        struct.tail = tail
    types = {element.get("id"): element for element in corpus.iter() if element.get("id")}
    needed = set()
    waiting = list(corpus.iter("function-decl"))
    while waiting:
        for element in waiting.pop().iter():
            name = element.get("type-id")
            if name in types and name not in needed:
                needed.add(name)
                waiting.append(types[name])
    for unit in corpus.findall("abi-instr"):
        unit.set("path", re.sub(r".*/(?=core/src/)", "", unit.get("path", "")))
        for element in list(unit):
            if element.tag != "function-decl" and element.get("id") not in needed:
                unit.remove(element)
        if not len(unit):
            corpus.remove(unit)


def describe(library):
    """The library's interface as libabigail's XML, with nothing in it of the machine that built it."""
    result = run("abidw", "--exported-interfaces-only", "--no-show-locs", "--no-corpus-path", "--no-comp-dir-path",
                 "--no-elf-needed", "--no-parameter-names", "--type-id-style", "hash", library)
    if result.returncode or "<function-decl" not in result.stdout:
        fault("abidw", f"cannot read the functions of {library}: is it built with -g?\n{result.stderr}")
        finish(1)
    corpus = xml.etree.ElementTree.fromstring(result.stdout)
    prune(corpus)
    return xml.etree.ElementTree.tostring(corpus, encoding="unicode") + "\n"


def skip(reason):
    print(f"skipped: {reason}")
    sys.exit(77)


def head_of(corpus, name):
    """What the XML's first line says of its format or its machine."""
    return re.search(rf"<abi-corpus [^>]*\b{name}=\"([^\"]*)\"", corpus)[1]


def check_types():
    if not shutil.which("abidiff"):
        skip("abidiff is not installed: Debian's abigail-tools has it")
    baseline, today = BASELINE.read_text(), describe(LIBRARY)
    if head_of(baseline, "architecture") != head_of(today, "architecture"):
        skip(f"the baseline is of {head_of(baseline, 'architecture')}")
    if head_of(baseline, "version").split(".")[0] != head_of(today, "version").split(".")[0]:
        skip(f"libabigail here does not read format {head_of(baseline, 'version')}, the baseline's")
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "today.abi.xml"
        path.write_text(today)
        result = run("abidiff", "--no-added-syms", BASELINE, path)
    # Bits of the status: 1 abidiff failed, 2 wrong usage, 4 something changed, 8 in a way that breaks programs.
    if result.returncode:
        fault("abidiff", result.stdout + result.stderr)
    return 1


def compile_c(folder, program, *arguments):
    result = run("cc", "-std=c11", "-Wall", "-Wextra", "-Werror", "-o", folder / program, *arguments)
    if result.returncode:
        fault(program, result.stderr)
    return not result.returncode


def build_stub(folder, functions):
    """A library with the baseline's functions under the baseline's versions, and nothing in them."""
    nodes = []
    for release in sorted(set(functions.values()), key=lambda text: [int(part) for part in text.split(".")]):
        names = "".join(f"{name};" for name in functions if functions[name] == release)
        older = nodes[-1].split()[0] if nodes else ""
        nodes.append(f"SHOAL_{release} {{ global: {names} local: *; }} {older};")
    (folder / "stub.map").write_text("\n".join(nodes))
    (folder / "stub.c").write_text("".join(f"void {name}(void);\nvoid {name}(void) {{}}\n" for name in functions))
    return compile_c(folder, "libshoal.so", "-shared", "-fPIC", "-Wl,-soname,libshoal.so.0",
                     f"-Wl,--version-script={folder}/stub.map", folder / "stub.c")


def check_program():
    """The loader has to find every function of the baseline under its version; then the program calls them."""
    functions = {name: release for name, (release, value) in read_symbols().items() if value is None}
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        declared = "".join(f"extern void {name}(void);\n" for name in functions)
        (folder / "every.c").write_text(f"{declared}extern void (*const every_function[])(void);\n"
                                        f"void (*const every_function[])(void) = {{{', '.join(functions)}}};\n")
        if not build_stub(folder, functions) or not compile_c(
                folder, "program", ROOT / "tests/meta/abi_program.c", folder / "every.c", f"-L{folder}", "-lshoal",
                "-Wl,-z,now"):
            return 0
        socket = folder / "memcached"
        user = ["-u", "root"] if os.geteuid() == 0 else []
        with subprocess.Popen(["memcached", "-s", socket, *user]) as server:
            for _ in range(1000):
                if socket.exists():
                    break
                time.sleep(0.01)
            result = run(folder / "program", socket, env={**os.environ, "LD_LIBRARY_PATH": str(LIBRARY.parent)})
            server.terminate()
    if result.returncode:
        fault("program", f"status {result.returncode}\n{result.stdout}{result.stderr}")
    return len(functions)


def renew():
    """Writes both files. Where a release is out, what it brought has to have stayed as it was."""
    if any(release != release_in_development() for release, _ in read_symbols().values()):
        for what in ("symbols", "types"):
            if subprocess.run([sys.executable, __file__, what, ROOT, LIBRARY], check=False).returncode:
                sys.exit("the baseline stays as it was")
    declared, interface = read_headers(), describe(LIBRARY)
    lines = [" ".join(filter(None, (name, *entry))) for name, entry in declared.items()]
    SYMBOLS.write_text(SYMBOLS_HEAD + "".join(line + "\n" for line in lines))
    BASELINE.write_text(interface)
    return len(lines)


finish({"symbols": check_symbols, "types": check_types, "program": check_program, "renew": renew}[WHAT]())
