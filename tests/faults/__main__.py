"""The fault bench: what one faulty node of four shows to an application; core/doc/FAULTS.md tells more.

May import: the standard library, and the modules beside it. Called by ./dev faults, and by CTest with --check.
"""
from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import pathlib
import sys

from clients import CLIENTS, OPERATION_TIMEOUT_MS, Client
from faults import CHECKS, FAULTS, Fault
from figures import Plan, Record, failures, sum_up
from report import client_table, comparison, verdict
from run import Run

SHORT = Plan(before_s=0.6, fault_s=1.5, after_s=2.5, patience_s=10, rate=1000)
SHOAL = [client.name for client in CLIENTS if client.is_shoal]


def read_arguments() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(
        prog="./dev faults", description="Measures what one faulty node of four shows to an application.")
    clients, faults = [each.name for each in CLIENTS] + ["all"], [each.name for each in FAULTS + CHECKS]
    parser.add_argument("--client", nargs="+", choices=clients, default=SHOAL, metavar="NAME",
                        help="those measured, or all; Shoal's own unless given: %(choices)s")
    parser.add_argument("--fault", nargs="+", choices=faults, metavar="NAME",
                        help="the faults; all but forged and rewound, which test the bench, unless given: %(choices)s")
    parser.add_argument("--option", action="append", default=[], metavar="NAME=VALUE", help="an option of Shoal's")
    parser.add_argument("--jobs", type=int, default=1, metavar="NUMBER",
                        help="runs at a time: 1, unless only --check counts")
    parser.add_argument("--short", action="store_true", help="faults of 1.5 s instead of 8 s, and half the load")
    parser.add_argument("--svg", type=pathlib.Path, metavar="FOLDER", help="draw pictures into it")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE",
                        help="write down all that was seen, each tenth of a second")
    parser.add_argument("--check", action="store_true",
                        help="fail where a value is wrong, or a client crashes or hangs")
    return parser.parse_args()


def chosen_runs(arguments: argparse.Namespace, options: dict[str, str]) -> list[tuple[Client, Fault]]:
    """Fault by fault, the clients in which it means anything."""
    faults = [each for each in FAULTS + CHECKS if each.name in arguments.fault] if arguments.fault else FAULTS
    clients = [each for each in CLIENTS if each.name in arguments.client or "all" in arguments.client]
    return [(client, fault) for fault in faults for client in clients if client.protocol(options) in fault.speaks]


async def measure(runs: list[tuple[Client, Fault]], plan: Plan, options: dict[str, str], jobs: int) -> list[Record]:
    """So many runs at a time, with a line on stderr for each, and one for each error that it told."""
    free = asyncio.Semaphore(jobs)

    async def measure_one(client: Client, fault: Fault) -> Record:
        async with free:
            record = await Run(client, fault, plan, options)()
        print(f"{client.name:<20} {fault.name:<16} {verdict(sum_up(record), fault)}", file=sys.stderr)
        for error in dict.fromkeys(record.errors):
            print(f"    {error}", file=sys.stderr)
        return record

    return await asyncio.gather(*(measure_one(client, fault) for client, fault in runs))


def write_down(records: list[Record], path: pathlib.Path) -> None:
    """Each run with its buckets; the fault by its name."""
    runs = [{**vars(each), "fault": each.fault.name, "plan": vars(each.plan), "figures": vars(sum_up(each)),
             "buckets": [vars(bucket) for bucket in each.buckets]} for each in records]
    path.write_text(json.dumps(runs, indent=1) + "\n", encoding="utf-8")


def check(records: list[Record]) -> int:
    """The exit status: what the tests ask for is more generous than the bounds, and has to do with values first."""
    bad = [f"{each.client}, {each.fault.title}: {text}" for each in records
           for text in failures(sum_up(each), each.fault, OPERATION_TIMEOUT_MS)]
    print("\n".join(bad) or f"{len(records)} runs, nothing wrong")
    return 1 if bad or not records else 0


def main() -> int:
    """Measures, and tells it."""
    arguments = read_arguments()
    if not arguments.check:
        with contextlib.suppress(PermissionError):  # without it, the machine's other work is measured too
            os.nice(-10)
    options = dict(each.split("=", 1) for each in arguments.option)
    plan = SHORT if arguments.short else Plan()
    records = asyncio.run(measure(chosen_runs(arguments, options), plan, options, arguments.jobs))
    clients = list(dict.fromkeys(each.client for each in records))
    for name in clients:
        print(client_table(name, records), end="\n\n")
    if len(clients) > 1:
        print("### share / errors in % / longest in ms", comparison(clients, records), sep="\n\n", end="\n\n")
    if arguments.json:
        write_down(records, arguments.json)
    if arguments.svg:
        from pictures import draw  # pylint: disable=import-outside-toplevel  # the tests do without matplotlib
        print(*draw(records, arguments.svg), sep="\n")
    return check(records) if arguments.check else 0


if __name__ == "__main__":
    sys.exit(main())
