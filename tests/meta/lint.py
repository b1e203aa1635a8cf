"""Format and static analysis, as .clang-format and .clang-tidy ask for.

Arguments: `format` or `tidy`, the source folder, the build folder. Other releases of LLVM format and warn differently:
where this machine has another than the one below, the test says so and is skipped (status 77).
"""
import json
import pathlib
import re
import subprocess
import sys

WHAT = sys.argv.pop(1)
from tree import fault, files, finish  # pylint: disable=wrong-import-position  # tree reads argv[1]

LLVM = "14"
GENERATED = re.compile(r"_wrap\.c$")  # by SWIG, which answers for it


def skip_unless_reference(tool):
    version = subprocess.run([tool, "--version"], capture_output=True, text=True, check=True).stdout
    found = re.search(r"version (\d+)", version)[1]
    if found != LLVM:
        print(f"skipped: {tool} is of release {found}; Shoal is formatted and analysed with {LLVM}")
        sys.exit(77)


def check_format():
    sources = files("core/*.[ch]", "tests/*.[ch]", "bindings/*.[ch]")
    result = subprocess.run(["clang-format", "--dry-run", "-Werror", *sources], capture_output=True, text=True, check=False)
    unformatted = sorted(set(re.findall(r"^(\S.*?):\d+:\d+: error:", result.stderr, re.MULTILINE)))
    for name in unformatted:
        fault(pathlib.Path(name), "is not formatted: clang-format -i does it")
    if result.returncode and not unformatted:
        fault("clang-format", result.stderr)
    return len(sources)


def check_tidy(build):
    with open(f"{build}/compile_commands.json", encoding="utf-8") as database:
        sources = [entry["file"] for entry in json.load(database) if not GENERATED.search(entry["file"])]
    # The flags of the compiler in use may be unknown to clang.
    result = subprocess.run(["run-clang-tidy", "-quiet", "-p", build, "-extra-arg=-Wno-unknown-warning-option",
                             *(f"^{re.escape(source)}$" for source in sources)],
                            capture_output=True, text=True, check=False)
    output = re.sub(r"\x1b\[[\d;]*m", "", result.stdout)
    findings = sorted(set(re.findall(r"^.*:\d+:\d+: (?:error|warning): .*$", output, re.MULTILINE)))
    for line in findings:
        fault("tidy", line)
    if result.returncode and not findings:
        fault("run-clang-tidy", output[-3000:] + result.stderr[-3000:])
    return len(sources)


if WHAT == "format":
    skip_unless_reference("clang-format")
    finish(check_format())
skip_unless_reference("clang-tidy")
finish(check_tidy(sys.argv[2]))
