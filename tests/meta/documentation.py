"""The documents: what the headers promise a function, what the pages point to, how the sources open and end.

Argument: the source folder.
"""
import pathlib
import re
import shutil
import subprocess

from tree import ROOT, fault, files, finish, public_functions

LONGEST = 500  # lines a source file may have
FOLDERS = "core tests swig bindings .ci".split()  # what a path of the tree starts with


def check_header(path):
    """Each function says its thread safety, how long it blocks and since when, or the head of its header does."""
    text = path.read_text()
    shared = " ".join(re.findall(r"/\*(?!\*)(?:(?!\*/).)*\*/", text, re.DOTALL))
    for comment, name in public_functions(text):
        if not comment:
            fault(path, f"{name} has no comment")
            continue
        if not re.search(r"Thread safety|any thread", comment + shared, re.IGNORECASE):
            fault(path, f"{name} does not tell its thread safety")
        if not re.search(r"Blocks:|never blocks", comment + shared, re.IGNORECASE):
            fault(path, f"{name} does not tell how long it may block")
        since = re.search(r"Since (\d+\.\d+)\.", comment)
        if not since:
            fault(path, f"{name} does not tell since when it is there")
        elif not re.search(rf"SHOAL_{re.escape(since[1])} \{{[^}}]*\b{name};", SYMBOL_MAP):
            fault(path, f"{name} is since {since[1]}, which the symbol map does not say")


def anchors(path):
    """The names that a page's headings can be linked by."""
    headings = re.findall(r"^#+ +(.+?) *#*$", path.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def exists(name):
    """Whether a path of the tree, or a pattern of paths, is there; sources may be named from their own root."""
    for root in (ROOT, ROOT / "core/src", ROOT / "core/include", ROOT / "bindings/python",
                 ROOT / "bindings/ruby", ROOT / "bindings/php"):
        if any(root.glob(name.rstrip("/"))):
            return True
    return False


def check_page(path):
    """No link and no file name leads nowhere."""
    text = re.sub(r"^```.*?^```", "", path.read_text(), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        name, _, anchor = target.partition("#")
        if re.match(r"[a-z]+:", target):
            continue
        page = path.parent / name if name else path
        if not page.exists():
            fault(path, f"the link to {target} leads nowhere")
        elif anchor and page.suffix == ".md" and anchor not in anchors(page):
            fault(path, f"there is no heading for the link to {target}")
    for name in re.findall(r"`<?([\w.-]+/[\w./*-]*)>?`", text):
        first = name.split("/")[0]
        if (first in FOLDERS + ["base", "logic", "net", "api"] or re.match(r"shoal/\w+\.h$", name)) and not exists(name):
            fault(path, f"`{name}` is not there")


def check_source(path):
    """A C file opens with what it is for, a script too; none grows too long; what a comment points to is there."""
    text = path.read_text()
    if path.suffix in (".c", ".h", ".def", ".map", ".i"):
        if not re.match(r"/\*(?:(?!\*/).)*\n(?:(?!\*/).)*\*/", text, re.DOTALL):
            fault(path, "does not open with a comment of two lines or more")
    elif path.suffix == ".php":
        if not re.match(r"<\?php\n(declare\(.*\n|(namespace|use) .*\n|\n)*(/\*|//)", text):
            fault(path, "does not open with a comment")
    elif not re.match(r'(#!.*\n)?(#[^\n]*\w|\w*"""|\.\\")', text):
        fault(path, "does not open with a comment")
    lines = text.count("\n")
    if lines > LONGEST:
        fault(path, f"has {lines} lines; {LONGEST} are the most")
    for name in re.findall(r"(?<![\w/.$}-])(?:core|tests|swig|bindings)/[\w./-]+\.(?:md|c|h|i|py|rb|php|sh|def|map|txt|in)\b", text):
        if not exists(name):
            fault(path, f"names {name}, which is not there")


def package_hosts():
    """The hosts that this machine installs packages from: they are its business, not the tree's."""
    hosts = set()
    apt = pathlib.Path("/etc/apt")
    for path in [*apt.glob("sources.list"), *apt.glob("sources.list.d/*"), *apt.glob("apt.conf.d/*")]:
        for line in path.read_text(errors="replace").splitlines():
            if not re.match(r"\s*(#|//)", line):
                hosts.update(re.findall(r"\w://(?:[^/\s\"@]*@)?([\w.-]+\.[\w.-]+)", line))
    return {host for host in hosts if host not in ("localhost", "github.com") and not re.match(r"[\d.]+$", host)}


def check_any(path, private):
    """Nothing of the machine it was written on, no note to self without its reason."""
    try:
        text = path.read_text()
    except UnicodeDecodeError:
        return
    for number, line in enumerate(text.splitlines(), 1):
        for match in private.finditer(line):
            fault(path, f"line {number} holds {match[0]}")
        # Such a word needs a reason in parentheses right behind it.
        for match in re.finditer(r"\b(TO[D]O|FIX[M]E|XX[X]|HAC[K])\b(?! ?\(\w)", line):
            fault(path, f"line {number}: {match[0]} gives no reason")


def check_manual(path):
    """The man page is clean, and knows every command of the command line's table."""
    if not shutil.which("mandoc"):
        fault(path, "mandoc is not installed")
        return
    result = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", path], capture_output=True, text=True, check=False)
    if result.returncode or result.stdout:
        fault(path, result.stdout + result.stderr)
    commands = re.findall(r'\.name = "(\w+)"', (ROOT / "core/cli/main.c").read_text())
    if not commands:
        fault(path, "core/cli/main.c holds no table of commands of the form .name = \"...\"")
    for name in commands:
        if not re.search(rf"^\.\w+ .*\b{name}\b", path.read_text(), re.MULTILINE):
            fault(path, f"does not name the command {name}")


SYMBOL_MAP = (ROOT / "core/abi/shoal.map").read_text()
PRIVATE = re.compile("|".join([r"(?<![\w.}])/(work|root)/\w", *map(re.escape, sorted(package_hosts()))]))

headers = files("core/include/shoal/*.h")
for header in headers:
    check_header(header)
pages = files("*.md")
for page in pages:
    check_page(page)
sources = files("core/*.[ch]", "core/*.def", "core/*.map", "tests/*.[ch]", "swig/*.i", "bindings/*.[ch]", "*.py", "*.pyi", "*.rb", "*.rbs",
                "*.gemspec", "*.php", "*.sh", "*CMakeLists.txt", "*.cmake",
                "dev", ".ci/run")
for source in sources:
    check_source(source)
everything = files("*")
for any_file in everything:
    check_any(any_file, PRIVATE)
for manual in files("core/doc/*.1"):
    check_manual(manual)
finish(len(headers) and len(everything))
