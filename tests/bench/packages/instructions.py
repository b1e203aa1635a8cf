"""Instructions a call, counted by callgrind: steadier than time, and blind to the kernel and to waiting.

May import: the standard library, contestant, rows, the Python clients. Used by the main program, and run by itself
under valgrind: instructions.py CONTESTANT ROW TIMES HOST:PORT...
"""
from __future__ import annotations

import os
import re
import subprocess
import sys

from contestant import Place
from rows import COUNTED, Row

CONTESTANTS = ["C", "shoal", "pylibmc", "pymemcache"]


def _command(contestant: str, row: Row, times: int, nodes: list[str]) -> list[str]:
    return ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", sys.executable, __file__, contestant,
            row.name, str(times), *nodes]


def _count(contestant: str, row: Row, times: int, nodes: list[str]) -> int:
    # Without a random seed Python's own start takes about the same each time.
    done = subprocess.run(_command(contestant, row, times, nodes), capture_output=True, text=True, check=False,
                          env={**os.environ, "PYTHONHASHSEED": "0"})
    found = re.search(r"Collected : (\d+)", done.stderr)
    if done.returncode != 0 or not found:
        raise SystemExit(f"bench: instructions of {contestant} cannot be counted:\n{done.stdout}{done.stderr}")
    return int(found[1])


def measure_instructions(nodes: list[str]) -> dict[str, dict[str, float]]:
    """By row and contestant. What is not the call's own is the same in a short run and in a long one, and goes."""
    counted: dict[str, dict[str, float]] = {}
    for row in COUNTED:
        few, many = (10, 110) if row.keys > 1 else (100, 3100)
        counted[row.name] = {each: (_count(each, row, many, nodes) - _count(each, row, few, nodes)) / (many - few)
                             for each in CONTESTANTS}
    return counted


def _run(contestant: str, name: str, times: str, *nodes: str) -> None:
    from python_clients import make  # pylint: disable=import-outside-toplevel
    made = make(contestant, next(each for each in COUNTED if each.name == name), Place(list(nodes)))
    made.store()
    made.loop(int(times))
    made.close()


if __name__ == "__main__":
    _run(*sys.argv[1:])
