"""The public headers: each compiles alone, as C99 and as C++, without a warning under strict flags.

A user may include any one of them first, in a project with stricter habits than ours.
"""
import subprocess

from tree import ROOT, fault, files, finish

WARNINGS = ["-pedantic", "-Wall", "-Wextra", "-Wshadow", "-Wundef", "-Werror", "-fsyntax-only"]
LANGUAGES = [
    ["cc", "-x", "c", "-std=c99", "-Wstrict-prototypes", "-Wc++-compat"],
    ["cc", "-x", "c", "-std=c11"],
    ["c++", "-x", "c++", "-std=c++11", "-Wold-style-cast"],
    ["c++", "-x", "c++", "-std=c++17"],
]

headers = files("core/include/shoal/*.h")
for header in headers:
    name = header.relative_to(ROOT / "core/include")
    # Twice, so that a missing guard shows.
    source = f"#include <{name}>\n#include <{name}>\nint after_{header.stem};\n"
    for language in LANGUAGES:
        command = language + WARNINGS + ["-I", str(ROOT / "core/include"), "-"]
        result = subprocess.run(command, input=source, capture_output=True, text=True, check=False)
        if result.returncode:
            fault(header, f"does not compile alone with {' '.join(language)}:\n{result.stderr}")

umbrella = (ROOT / "core/include/shoal/shoal.h").read_text()
for header in headers:
    if header.name != "shoal.h" and f"#include <shoal/{header.name}>" not in umbrella:
        fault(header, "is not included by <shoal/shoal.h>")
finish(len(headers))
