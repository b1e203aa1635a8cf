"""What was measured, as pictures: a file a fault, with a line a client for throughput and one for the longest call.

May import: the standard library, clients, figures, matplotlib (Debian's python3-matplotlib). Used by the main program.
"""
from __future__ import annotations

import pathlib
import re

import matplotlib
from matplotlib import pyplot

from clients import CLIENTS
from figures import BUCKET_S, Plan, Record

SHOAL = {"linewidth": 1.8, "zorder": 3}
PEER = {"linewidth": 1.0, "linestyle": "--"}
OURS = {client.name for client in CLIENTS if client.is_shoal}
LONGEST_SHOWN_MS = 20000
SHORTEST_SHOWN_MS = 0.02


def _series(record: Record) -> tuple[list[float], list[float], list[float]]:
    """Seconds since the fault began; operations a second that succeeded; the longest call in ms. A tenth of a second in
    which none began has no operations, and belongs to the call that was under way."""
    plan = record.plan
    known = {each.index: each for each in record.buckets}
    times, fine, longest = [], [], []
    under_way_ms = 0.0
    for index in range(round(plan.total_s / BUCKET_S)):
        bucket = known.get(index)
        under_way_ms = bucket.longest_us / 1e3 if bucket else under_way_ms
        times.append((index + 0.5) * BUCKET_S - plan.before_s)
        fine.append(bucket.fine / BUCKET_S if bucket else 0.0)
        longest.append(max(under_way_ms, SHORTEST_SHOWN_MS))
    return times, fine, longest


def _draw(records: list[Record], plan: Plan, path: pathlib.Path) -> None:
    pyplot.rcParams["axes.prop_cycle"] = pyplot.cycler(color=pyplot.get_cmap("tab20").colors[::2] + ("0.2",))
    figure, (upper, lower) = pyplot.subplots(2, 1, sharex=True, figsize=(8, 5))
    for record in records:
        times, fine, longest = _series(record)
        style = SHOAL if record.client in OURS else PEER
        line, = upper.plot(times, fine, label=record.client, **style)
        lower.plot(times, longest, color=line.get_color(), **style)
    for axes in (upper, lower):
        axes.axvspan(0, plan.fault_s, color="0.9", linewidth=0)
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(axis="y", color="0.85", linewidth=0.5)
        axes.set_axisbelow(True)
    upper.set_title(f"One node of four: {records[0].fault.title}", loc="left", fontsize=11)
    upper.set_ylabel("successful operations / s")
    upper.set_ylim(0, plan.rate * 1.1)
    upper.set_xlim(-plan.before_s, plan.fault_s + plan.after_s)
    upper.legend(loc="center left", bbox_to_anchor=(1.0, 0.0), frameon=False, fontsize=9)
    lower.set_ylabel("longest call, ms")
    lower.set_yscale("log")
    lower.set_ylim(SHORTEST_SHOWN_MS, LONGEST_SHOWN_MS)
    lower.set_xlabel("seconds since the fault began; it lasts while the ground is grey")
    figure.savefig(path, bbox_inches="tight", metadata={"Date": None})
    pyplot.close(figure)
    text = re.sub(r"(\d\.\d)\d+", r"\1", path.read_text(encoding="utf-8"))  # a third of the size
    path.write_text(text, encoding="utf-8")


def draw(records: list[Record], folder: pathlib.Path) -> list[pathlib.Path]:
    """The files that were made, a fault each."""
    matplotlib.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "shoal", "path.simplify_threshold": 0.5})
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name in dict.fromkeys(each.fault.name for each in records):
        paths.append(folder / f"fault_{name}.svg")
        chosen = [each for each in records if each.fault.name == name]
        _draw(chosen, chosen[0].plan, paths[-1])
    return paths
