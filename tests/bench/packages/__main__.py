"""How fast a language's package is, beside its peers and beside C: ./dev bench LANGUAGE runs this folder by Python.

Starts four memcached of its own, and four more over TLS for those rows. Rounds of all contestants alternate in one
run, pinned with the servers to one core, as waking another costs more than what is measured; threads have all cores.
Python's contestants run in this process, Ruby's and PHP's in a worker, which keeps the time itself.

May import: the standard library and all beside it.
"""
from __future__ import annotations

import argparse
import json
import os
import pathlib
from typing import Any

import report
from contestant import Contestant, NotAlike, Remote, Worker, build_folder
from fleet import Fleet, pin
from in_c import make_in_c
from likeness import check, check_placement
from measure import measure
from rows import LANGUAGES, Row

HERE = pathlib.Path(__file__).resolve().parent


def parse_arguments() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__.split(":", maxsplit=1)[0])
    parser.add_argument("language", choices=LANGUAGES)
    parser.add_argument("rows", metavar="ROW", nargs="*", help="all, or some; a wrong one is answered with their names")
    parser.add_argument("--rounds", type=int, default=41, help="rounds of each row (%(default)s)")
    parser.add_argument("--slice-ms", type=float, default=10, help="how long a contestant's turn is (%(default)s)")
    parser.add_argument("--core", type=int, default=max(os.sched_getaffinity(0)), help="to pin to (%(default)s)")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="write all rounds into a file")
    given = parser.parse_intermixed_args()
    names = [row.name for row in LANGUAGES[given.language]] + ["instructions"] * (given.language == "python")
    unknown = set(given.rows) - set(names)
    if unknown:
        parser.error(f"no such row: {' '.join(sorted(unknown))}; there are {' '.join(names)}")
    if given.rounds < 1 or given.slice_ms <= 0:
        parser.error("--rounds is 1 or more, --slice-ms more than 0")
    given.rows = given.rows or names
    return given


def start_worker(language: str) -> Worker:
    """Ruby's or PHP's. It finds Shoal where CMake built it."""
    built = build_folder()
    if language == "ruby":
        return Worker(["ruby", "-I", f"{built}/bindings/ruby/lib", str(HERE / "worker.rb")])
    return Worker(["php", "-d", f"extension={built}/bindings/php/modules/shoal.so", str(HERE / "worker.php")])


class Bench:
    """One run: where it measures, and what it found."""

    def __init__(self, given: argparse.Namespace) -> None:
        self.given = given
        self.cores = os.sched_getaffinity(0)
        self.fleets = {False: Fleet()}
        self.worker = None if given.language == "python" else start_worker(given.language)
        self.found: dict[str, Any] = {}

    def _fleet(self, tls: bool) -> Fleet:
        if tls not in self.fleets:
            self.fleets[tls] = Fleet(tls=tls)
        return self.fleets[tls]

    def _pin(self, cores: set[int]) -> None:
        pids = [os.getpid(), *(pid for fleet in self.fleets.values() for pid in fleet.pids())]
        pin([*pids, *([self.worker.pid] if self.worker else [])], cores)

    def _fleet_of(self, name: str, row: Row) -> Fleet:
        return self._fleet(row.tls and name != "shoal plain")

    def _make(self, name: str, row: Row) -> Contestant:
        place = self._fleet_of(name, row).place(row.nodes)
        if self.worker is None:
            import python_clients  # pylint: disable=import-outside-toplevel  # neither Ruby nor PHP needs them
            return python_clients.make(name, row, place)
        return make_in_c(name, row, place) if name == "C" else Remote(name, row, place, self.worker)

    def _alike(self, row: Row) -> list[Contestant]:
        """Those that are alike; the others told."""
        made = []
        for name in row.contestants:
            try:
                contestant = self._make(name, row)
                check(contestant, self._fleet_of(name, row))
                made.append(contestant)
                if row.is_placed_alike and len(made) == 2:
                    check_placement(made[0], made[1], self._fleet_of(name, row))
            except NotAlike as reason:
                raise_or_tell(reason, name == row.shoal)
        return made

    def compare(self, row: Row) -> None:
        """Shoal and its peers."""
        has_threads = row.threads > 1
        self._fleet(row.tls)
        self._pin(self.cores if has_threads else {self.given.core})
        contestants = self._alike(row)
        slice_s = self.given.slice_ms / 1e3
        figures = measure(contestants, self.given.rounds, 10 * slice_s if has_threads else slice_s)
        for contestant in contestants:
            contestant.close()
        self.found[row.name] = (report.tell_beyond_c if row.beyond_c else report.tell_row)(row, figures)

    def count_instructions(self) -> None:
        """Of each contestant, and of C."""
        from instructions import measure_instructions  # pylint: disable=import-outside-toplevel
        self.found["instructions"] = report.tell_instructions(measure_instructions(self._fleet(False).place(1).nodes))

    def describe(self) -> dict[str, str]:
        """The machine, and the versions of what is compared."""
        if self.worker is not None:
            return {**report.describe_machine(), **self.worker.ask("describe")}
        import python_clients  # pylint: disable=import-outside-toplevel
        return {**report.describe_machine(), **python_clients.describe()}

    def run(self) -> None:
        """All rows that were asked for."""
        for row in LANGUAGES[self.given.language]:
            if row.name in self.given.rows:
                self.compare(row)
        if "instructions" in self.given.rows:
            self.count_instructions()

    def stop(self) -> None:
        """The worker ends, and so do the servers."""
        if self.worker:
            self.worker.stop()
        for fleet in self.fleets.values():
            fleet.stop()


def raise_or_tell(reason: NotAlike, is_shoal: bool) -> None:
    """Without Shoal there is nothing to compare with."""
    if is_shoal:
        raise SystemExit(f"bench: {reason}")
    print(f"not compared: {reason}", flush=True)


def main() -> None:
    """Measures and tells."""
    given = parse_arguments()
    bench = Bench(given)
    try:
        machine = bench.describe()
        print("  ".join(f"{name}: {each}" for name, each in machine.items()))
        print(f"pinned to core {given.core}; {given.rounds} rounds of {given.slice_ms:g} ms; medians, ratios Shoal / "
              "peer by round with first and last tenth; wall time, cpu that of the client's process")
        bench.run()
    finally:
        bench.stop()
    if given.json:
        given.json.write_text(json.dumps({"machine": machine, "rows": bench.found}), encoding="utf-8")


if __name__ == "__main__":
    main()
