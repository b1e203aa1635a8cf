"""How fast the Python package is, beside its peers and beside C: ./dev bench python, or python3 tests/bench/python.

Starts four memcached of its own. Rounds of all contestants alternate in one run, pinned with the servers to one core, as
waking another costs more than what is measured; threads have all cores. 100-byte values unless a row says otherwise.

May import: the standard library and all beside it.
"""
from __future__ import annotations

import argparse
import json
import os
import pathlib
from functools import partial
from typing import Any, Callable

import django_caches
import report
from clients import MAKERS, Contestant
from fleet import Fleet
from instructions import measure_instructions
from likeness import NotAlike, check, check_placement
from measure import Figures, measure
from rows import CLIENTS, COUNTED, DJANGO, THREADS, Row
from threads import measure_threads

BEYOND_C = {f"beyond_c_{row.name}": row for row in COUNTED}
NAMES = [*(row.name for row in CLIENTS), THREADS.name, *BEYOND_C, *(row.name for row in DJANGO), "instructions"]


def parse_arguments() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(prog="./dev bench python", description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("rows", metavar="ROW", nargs="*", help=f"all, or some of: {' '.join(NAMES)}")
    parser.add_argument("--rounds", type=int, default=41, help="rounds of each row (%(default)s)")
    parser.add_argument("--slice-ms", type=float, default=10, help="how long a contestant's turn is (%(default)s)")
    parser.add_argument("--core", type=int, default=max(os.sched_getaffinity(0)), help="to pin to (%(default)s)")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="write all rounds into a file")
    given = parser.parse_args()
    unknown = set(given.rows) - set(NAMES)
    if unknown:
        parser.error(f"no such row: {' '.join(sorted(unknown))}; there are {' '.join(NAMES)}")
    if given.rounds < 1 or given.slice_ms <= 0:
        parser.error("--rounds is 1 or more, --slice-ms more than 0")
    given.rows = given.rows or NAMES
    return given


class Bench:
    """One run: where it measures, and what it found."""

    def __init__(self, given: argparse.Namespace, fleet: Fleet) -> None:
        self.given = given
        self.fleet = fleet
        self.found: dict[str, Any] = {}

    def _hold(self, row: Row, contestants: list[Contestant]) -> dict[str, Figures]:
        """Those that are alike, measured; the others told."""
        alike = {}
        for contestant in contestants:
            try:
                check(contestant, self.fleet)
                alike[contestant.name] = contestant.loop
            except NotAlike as reason:
                print(f"not compared: {reason}", flush=True)
        if "shoal" not in alike:
            raise SystemExit(f"bench: {row.name}: there is nothing to compare with")
        figures = measure(alike, self.given.rounds, self.given.slice_ms / 1e3)
        for contestant in contestants:
            contestant.close()
        return figures

    def _make(self, row: Row, makers: list[str]) -> list[Contestant]:
        return [MAKERS[name](row, self.fleet.names(row.nodes)) for name in makers]

    def compare(self, row: Row) -> None:
        """Shoal and its peers."""
        stores = row.operation == "set_many"
        makers = ["shoal", "pylibmc", "pymemcache", *(["pymemcache noreply"] if stores else [])]
        contestants = self._make(row, makers)
        check_placement(contestants[0], contestants[1], self.fleet)
        self.found[row.name] = report.tell_row(row, self._hold(row, contestants))

    def compare_with_c(self, name: str, row: Row) -> None:
        """Shoal in Python and in C."""
        self.found[name] = report.tell_beyond_c(row, self._hold(row, self._make(row, ["shoal", "C"])))

    def compare_django(self, row: Row) -> None:
        """Shoal's adapter and Django's own."""
        why = django_caches.why_not()
        if why:
            print(f"not compared: {row.name}: {why}", flush=True)
            return
        contestants = django_caches.make_contestants(row, self.fleet.names(1))
        self.found[row.name] = report.tell_row(row, self._hold(row, contestants))

    def compare_threads(self, cores: set[int]) -> None:
        """On all cores."""
        self.fleet.pin(cores)
        found = measure_threads(self.fleet.names(1), self.given.rounds, 10 * self.given.slice_ms / 1e3)
        self.found[THREADS.name] = report.tell_threads(found)

    def count_instructions(self) -> None:
        """Of each contestant, and of C."""
        counted = measure_instructions(self.fleet.names(1))
        self.found["instructions"] = report.tell_instructions(counted)

    def run(self) -> None:
        """All rows that were asked for."""
        cores = os.sched_getaffinity(0)
        self.fleet.pin({self.given.core})
        steps: dict[str, Callable[[], None]] = {row.name: partial(self.compare, row) for row in CLIENTS}
        steps |= {name: partial(self.compare_with_c, name, row) for name, row in BEYOND_C.items()}
        steps |= {row.name: partial(self.compare_django, row) for row in DJANGO}
        steps["instructions"] = self.count_instructions
        steps[THREADS.name] = partial(self.compare_threads, cores)
        for name, step in steps.items():
            if name in self.given.rows:
                step()


def main() -> None:
    """Measures and tells."""
    given = parse_arguments()
    machine = report.describe_machine()
    print("  ".join(f"{name}: {each}" for name, each in machine.items()))
    print(f"pinned to core {given.core}; {given.rounds} rounds of {given.slice_ms:g} ms; medians, ratios Shoal / peer by "
          "round with first and last tenth; wall time, cpu that of the client's process")
    fleet = Fleet()
    try:
        bench = Bench(given, fleet)
        bench.run()
    except NotAlike as reason:
        raise SystemExit(f"bench: {reason}") from None
    finally:
        fleet.stop()
    if given.json:
        result = {"machine": machine, "rounds": given.rounds, "slice_ms": given.slice_ms, "rows": bench.found}
        given.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
