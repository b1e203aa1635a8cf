"""Only what is alike is compared: each contestant's call gives the same, and has the servers do the same.

May import: the standard library, fleet, contestant. Used by the comparison.
"""
from __future__ import annotations

from typing import Any

from contestant import Contestant, NotAlike
from fleet import Fleet


def check(contestant: Contestant, fleet: Fleet) -> None:
    """The result of one call, after a store of its own; and what the servers counted meanwhile."""
    row = contestant.row
    is_read = row.operation.startswith("get")
    counter = "get_hits" if is_read else "cmd_set"
    contestant.store()
    contestant.turn(1)  # connections are made, and a store that awaits no reply is over
    before = fleet.count(counter)
    result = contestant.call()
    contestant.turn(0)
    counted = fleet.count(counter) - before
    if contestant.name != "C" and not _equal(result, contestant.results[row.operation]):
        raise NotAlike(f"{row.name}: {contestant.name} gives {str(result)[:60]!r}, which is not what was asked for")
    if counted != row.keys:
        raise NotAlike(f"{row.name}: {contestant.name} had the servers count {counted} {counter}, not {row.keys}")


def check_placement(one: Contestant, other: Contestant, fleet: Fleet) -> None:
    """One finds what the other stored: both hash each key to the same node."""
    fleet.flush()
    other.store()
    if one.read is None or one.read() != one.results["get_many"]:
        raise NotAlike(f"{one.row.name}: {one.name} does not find all that {other.name} stored")


def _equal(result: Any, expected: Any) -> bool:
    return type(result) is type(expected) and bool(result == expected)
