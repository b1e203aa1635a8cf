"""Draws what a stampede is: the database calls of 32 processes that serve one page from the cache, without fetch and with it.

    PYTHONPATH=build/dev/bindings/python/packages:bindings/python/tests \\
        /usr/bin/python3 tests/bench/stampede.py core/doc/stampede.svg

Real processes on a memcached of its own, 12 seconds each way; the database is a pause. Wants python3-matplotlib.
May import: the standard library, matplotlib, shoal, and the Python tests' support.
"""
from __future__ import annotations

import json
import os
import random
import sys
import time
from typing import Any

import matplotlib
from matplotlib import pyplot

import shoal
from support import Memcached

PROCESSES = 32
SECONDS = 12
TTL_S = 2
STALE_TTL_S = 60
QUERY_S = 0.3
MEAN_PAUSE_S = 0.03  # between two requests to a process

Calls = list[tuple[float, float]]  # each from when until when, in seconds

INK, MUTED, GRID = "#1f2328", "#59636e", "#d8dee4"
PANELS = (("get, then set", False, "#cf4a1f"), ("fetch", True, "#0b66c3"))
STYLE = {
    "svg.fonttype": "none", "svg.hashsalt": "shoal", "font.family": "sans-serif", "font.size": 9, "text.color": INK,
    "axes.edgecolor": GRID, "axes.labelcolor": MUTED, "xtick.color": MUTED, "ytick.color": MUTED, "axes.grid": True,
    "axes.grid.axis": "y", "grid.color": GRID, "grid.linewidth": 0.6, "axes.axisbelow": True, "axes.spines.top": False,
    "axes.spines.right": False, "axes.spines.left": False, "ytick.major.size": 0,
}


def serve(endpoint: str, by_fetch: bool, begin: float) -> Calls:
    """What one process of a site does: requests at random times, each for the page."""
    client = shoal.Client(endpoint, operation_timeout_ms=20000)
    key, calls = f"page-{by_fetch}", []

    def query() -> bytes:
        called = time.monotonic() - begin
        time.sleep(QUERY_S)
        calls.append((called, time.monotonic() - begin))
        return b"the page"

    time.sleep(max(0.0, begin - time.monotonic()))
    while time.monotonic() - begin < SECONDS:
        if by_fetch:
            client.fetch(key, query, TTL_S, stale_ttl=STALE_TTL_S)
        elif client.get(key) is None:
            client.set(key, query(), TTL_S)
        time.sleep(random.expovariate(1 / MEAN_PAUSE_S))
    return calls


def run(endpoint: str, by_fetch: bool) -> Calls:
    """All processes' calls of the database."""
    begin = time.monotonic() + 0.5
    pipes = []
    for _ in range(PROCESSES):
        reader, writer = os.pipe()
        if os.fork() == 0:
            with os.fdopen(writer, "w") as pipe:
                json.dump(serve(endpoint, by_fetch, begin), pipe)
            os._exit(0)  # pylint: disable=protected-access
        os.close(writer)
        pipes.append(reader)
    calls: Calls = []
    for reader in pipes:
        with os.fdopen(reader) as pipe:
            calls += json.load(pipe)
        os.wait()
    return sorted(calls)


def running(calls: Calls) -> tuple[list[float], list[int]]:
    """The times between which the number of calls that are under way stays the same, to a hundredth of a second, and these
    numbers."""
    changes = [(begin, 1) for begin, _ in calls] + [(end, -1) for _, end in calls]
    times = sorted({0.0, SECONDS + QUERY_S, *(round(at, 2) for at, _ in changes)})
    return times, [sum(change for at, change in changes if round(at, 2) <= time) for time in times[:-1]]


def bursts(calls: Calls) -> list[Calls]:
    """The calls that one expiry brought: those that begin while another of them is under way."""
    found: list[Calls] = []
    for call in calls:
        if found and call[0] < max(end for _, end in found[-1]):
            found[-1].append(call)
        else:
            found.append([call])
    return found


def draw_panel(axes: Any, title: str, color: str, calls: Calls) -> None:
    """The calls under way, and above each burst how many there were."""
    times, counts = running(calls)
    axes.stairs(counts, times, fill=True, color=color)
    for burst in bursts(calls):
        axes.annotate(str(len(burst)), (burst[0][0], max(running(burst)[1])), (-3, 2), textcoords="offset points", color=INK)
    axes.set_title(f"{title}: {len(calls)} database calls", loc="left", fontsize=10, color=INK)
    axes.set_ylim(0, PROCESSES * 1.15)
    axes.set_yticks([0, PROCESSES // 2, PROCESSES])
    axes.set_ylabel("calls under way")


def draw(path: str, runs: list[Calls]) -> None:
    """The picture."""
    matplotlib.rcParams.update(STYLE)
    figure, panels = pyplot.subplots(2, 1, sharex=True, sharey=True, figsize=(7.4, 3.8), layout="constrained")
    for axes, (title, _, color), calls in zip(panels, PANELS, runs):
        draw_panel(axes, title, color, calls)
    panels[-1].set_xlim(-0.1, SECONDS)
    panels[-1].set_xlabel(f"seconds; {PROCESSES} processes serve one page, ttl={TTL_S}, a call takes {QUERY_S} s")
    figure.savefig(path, metadata={"Date": None, "Creator": None})


def main() -> None:
    """Runs both ways, and draws them."""
    server = Memcached()
    try:
        draw(sys.argv[1], [run(f"static://{server.name}", by_fetch) for _, by_fetch, _ in PANELS])
    finally:
        server.stop()


if __name__ == "__main__":
    main()
