"""Measuring: rounds in which the contestants take turns, in an order that turns too; medians and spread.

May import: the standard library, contestant. Used by all that measures.
"""
from __future__ import annotations

import gc
from dataclasses import dataclass
from statistics import median
from typing import Sequence

from contestant import Contestant


@dataclass
class Figures:
    """One contestant's microseconds a call, a figure a round."""

    wall: list[float]
    cpu: list[float]  #: of the client's process: user and system


def spread(figures: Sequence[float]) -> tuple[float, float, float]:
    """The median, the first tenth and the last."""
    ordered = sorted(figures)
    tenth = len(ordered) // 10
    return median(ordered), ordered[tenth], ordered[-1 - tenth]


def _repetitions(contestant: Contestant, slice_s: float) -> int:
    """How many calls take about so long; the slowest of all contestants need not be made often."""
    times = 1
    while True:
        took, _ = contestant.turn(times)
        if took > slice_s / 4 or times >= 1 << 20:
            return max(1, min(round(times * slice_s / max(took, 1e-9)), 1 << 20))
        times *= 4


def _turn(contestant: Contestant, times: int, figures: Figures) -> None:
    wall, cpu = contestant.turn(times)
    figures.wall.append(wall / times * 1e6)
    figures.cpu.append(cpu / times * 1e6)


def measure(contestants: list[Contestant], rounds: int, slice_s: float) -> dict[str, Figures]:
    """So many rounds, in which each contestant calls for about slice_s."""
    times = {each.name: _repetitions(each, slice_s) for each in contestants}
    figures = {each.name: Figures([], []) for each in contestants}
    gc.collect()
    gc.disable()
    try:
        for turn in range(rounds):
            first = turn % len(contestants)
            for each in contestants[first:] + contestants[:first]:
                _turn(each, times[each.name], figures[each.name])
    finally:
        gc.enable()
    return figures
