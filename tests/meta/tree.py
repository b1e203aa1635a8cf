"""What the meta tests share: the files of the tree, and one way to report faults.

A test calls fault() for everything it finds and ends with finish().
"""
import fnmatch
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else None
_faults = []


def fault(place, text):
    """Reports one fault; place is a path of the tree or any other name."""
    if isinstance(place, pathlib.Path) and place.is_relative_to(ROOT):
        place = place.relative_to(ROOT)
    _faults.append(text)
    print(f"{place}: {text}")


def finish(checked):
    """Ends the test; one that found nothing to look at has failed too."""
    if not checked:
        fault("test", "there was nothing to check")
    print(f"{checked} checked, {len(_faults)} faults")
    sys.exit(1 if _faults else 0)


def files(*patterns, root=None):
    """The tree's files that match one of the globs, in which * crosses folders: what git tracks or would track;
    without git, all but build/."""
    root = root or ROOT
    command = ["git", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listing = shutil.which("git") and subprocess.run(command, capture_output=True, text=True, check=False)
    if listing and listing.returncode == 0 and listing.stdout:
        found = {root / name for name in listing.stdout.split("\0") if name}
    else:
        found = {path for path in root.rglob("*") if path.relative_to(root).parts[0] not in ("build", ".git")}
    return sorted(path for path in found if path.is_file() and
                  any(fnmatch.fnmatch(path.relative_to(root).as_posix(), pattern) for pattern in patterns))


def without_comments(text):
    """C source with comments and string literals blanked, its lines kept."""
    pattern = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"', re.DOTALL)
    return pattern.sub(lambda match: '""' if match[0][0] == '"' else re.sub(r"[^\n]", " ", match[0]), text)


def public_functions(text):
    """The functions a public header declares, as (comment before it on one line, name)."""
    found = []
    pattern = r"(/\*\*(?:(?!\*/).)*\*/)?\s*(?<!define )SHOAL_API\s([^;]*?)(\w+)\("
    for comment, _, name in re.findall(pattern, text, re.DOTALL):
        found.append((re.sub(r"\s*\n\s*\*?\s*", " ", comment), name))
    return found
