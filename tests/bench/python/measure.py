"""Measuring: rounds in which the contestants take turns, in an order that turns too; medians and spread.

May import: the standard library. Used by all that measures.
"""
from __future__ import annotations

import gc
import time
from dataclasses import dataclass
from statistics import median
from typing import Callable, Sequence

Loop = Callable[[int], object]


@dataclass
class Figures:
    """One contestant's microseconds a call, a figure a round."""

    wall: list[float]
    cpu: list[float]  #: of this process: user and system


def spread(figures: Sequence[float]) -> tuple[float, float, float]:
    """The median, the first tenth and the last."""
    ordered = sorted(figures)
    tenth = len(ordered) // 10
    return median(ordered), ordered[tenth], ordered[-1 - tenth]


def _repetitions(loop: Loop, slice_s: float) -> int:
    """How many calls take about so long; the slowest of all contestants need not be made often."""
    times = 1
    while True:
        began = time.perf_counter()
        loop(times)
        took = time.perf_counter() - began
        if took > slice_s / 4 or times >= 1 << 20:
            return max(1, min(round(times * slice_s / max(took, 1e-9)), 1 << 20))
        times *= 4


def _turn(loop: Loop, times: int, figures: Figures) -> None:
    began_cpu = time.process_time()
    began = time.perf_counter()
    loop(times)
    figures.wall.append((time.perf_counter() - began) / times * 1e6)
    figures.cpu.append((time.process_time() - began_cpu) / times * 1e6)


def measure(loops: dict[str, Loop], rounds: int, slice_s: float) -> dict[str, Figures]:
    """So many rounds, in which each contestant calls for about slice_s."""
    names = list(loops)
    times = {name: _repetitions(loops[name], slice_s) for name in names}
    figures = {name: Figures([], []) for name in names}
    gc.collect()
    gc.disable()
    try:
        for turn in range(rounds):
            first = turn % len(names)
            for name in names[first:] + names[:first]:
                _turn(loops[name], times[name], figures[name])
    finally:
        gc.enable()
    return figures
