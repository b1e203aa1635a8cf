"""What was measured, as tables in Markdown.

May import: the standard library, faults, figures. Used by the main program.
"""
from __future__ import annotations

from faults import Fault
from figures import Figures, Record, misses, sum_up

HEAD = ["fault", "share", "errors, %", "longest, ms", "stalled, s", "back, s", "wrong", "stale", ""]


def _line(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _back(figures: Figures) -> str:
    return "never" if figures.back_s is None else f"{figures.back_s:.2f}"


def _percent(value: float) -> str:
    return f"{value:.2f}" if 0 < value < 10 else f"{value:.0f}"


def verdict(figures: Figures, fault: Fault) -> str:
    """`ok`, or what was missed."""
    missed = misses(figures, fault)
    return "missed: " + ", ".join(missed) if missed else "ok"


def row(record: Record) -> list[str]:
    """A run's cells, in the order of HEAD."""
    figures = sum_up(record)
    return [record.fault.title, f"{figures.share:.2f}", _percent(figures.errors_percent), f"{figures.longest_ms:.0f}",
            f"{figures.stalled_s:.2f}", _back(figures), str(figures.wrong), str(figures.stale),
            verdict(figures, record.fault)]


def client_table(name: str, records: list[Record]) -> str:
    """All of one client's figures, a fault a line."""
    lines = [f"### {name}", "", _line(HEAD), "|" + "---|" * len(HEAD)]
    return "\n".join([*lines, *(_line(row(each)) for each in records if each.client == name)])


def _cell(record: Record) -> str:
    """share / errors in % / longest in ms, and what is worse than that."""
    figures = sum_up(record)
    if figures.ended:
        return figures.ended
    counts = [f"{mark}{count}" for mark, count in (("W", figures.wrong), ("S", figures.stale)) if count]
    return " ".join([f"{figures.share:.2f}/{_percent(figures.errors_percent)}/{figures.longest_ms:.0f}", *counts])


def comparison(clients: list[str], records: list[Record]) -> str:
    """A fault a line, a client a column."""
    cells = {(each.client, each.fault.name): _cell(each) for each in records}
    faults = {each.fault.name: each.fault.title for each in records}
    lines = [_line(["fault", *clients]), "|" + "---|" * (len(clients) + 1)]
    return "\n".join([*lines, *(_line([title, *(cells.get((client, name), "–") for client in clients)])
                                for name, title in faults.items())])
