"""The options page and the README's table of options say what the library says.

Arguments: the source folder, the page, the `shoal` command, whose `config --json` is the library's own description.
"""
import json
import pathlib
import re
import subprocess
import sys

from tree import ROOT, fault, finish

PAGE, COMMAND = pathlib.Path(sys.argv[2]), sys.argv[3]

listing = subprocess.run([COMMAND, "config", "--json"], capture_output=True, text=True, check=True).stdout
options = {option["name"]: option for option in json.loads(listing)}


def check_page():
    """Each option once, with its facts, in the library's order and under a heading; the page holds no other."""
    page = PAGE.read_text()
    names = re.findall(r"^### `(\w+)`$", page, re.MULTILINE)
    if names != list(options):
        fault("OPTIONS.md", f"lists {names}, the library {list(options)}")
    if not 0 <= page.find("\n## ") < page.find("\n### "):
        fault("OPTIONS.md", "begins with an option outside every group")
    for name, text in zip(names, re.split(r"^### .*$", page, flags=re.MULTILINE)[1:]):
        option = options.get(name, {})
        for fact in ("type", "unit", "range", "default", "since", "description"):
            if option.get(fact, "") not in text.replace("\\", ""):
                fault("OPTIONS.md", f"{name}: does not tell its {fact}")


def check_readme():
    """A default is the option's own; where that is empty, what the option takes may stand there instead."""
    readme = ROOT / "README.md"
    table = re.search(r"^\| option \| default \|.*\n\|[-|]*\n((?:\|.*\n)+)", readme.read_text(), re.MULTILINE)
    if not table:
        fault(readme, "holds no table | option | default |")
        return
    for row in table[1].splitlines():
        name, default = (cell.strip().strip("`") for cell in row.split("|")[1:3])
        option = options.get(name)
        if not option:
            fault(readme, f"names the option {name}, which does not exist")
        elif option["default"]:
            if default != option["default"]:
                fault(readme, f"gives {name} the default {default}; it is {option['default']}")
        elif not set(default.split()) <= {"or", *option["range"].split("|")}:
            fault(readme, f"gives {name} the default {default}; it is empty")


check_page()
check_readme()
finish(len(options))
