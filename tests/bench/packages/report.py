"""What was measured: as a table, and as JSON with every round.

May import: the standard library, rows, measure. Used by the main program.
"""
from __future__ import annotations

import os
import pathlib
import platform
import re
import ssl
import subprocess
from typing import Any

from measure import Figures, spread
from rows import Row

Results = dict[str, Any]


def _first(pattern: str, text: str) -> str:
    found = re.search(pattern, text, re.MULTILINE)
    return found[1].strip() if found else "?"


def describe_machine() -> dict[str, str]:
    """Where it is measured."""
    memcached = subprocess.run(["memcached", "-V"], capture_output=True, text=True, check=False).stdout
    return {
        "processor": _first(r"^model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8")),
        "cores": str(os.cpu_count()),
        "kernel": platform.release(),
        "system": platform.freedesktop_os_release().get("PRETTY_NAME", "?") if hasattr(
            platform, "freedesktop_os_release") else "?",
        "python": platform.python_version(),
        "memcached": _first(r"memcached (\S+)", memcached),
        "openssl": ssl.OPENSSL_VERSION,
        "load": " ".join(f"{load:.2f}" for load in os.getloadavg()),
    }


def verdict(ratio: float, target: float) -> str:
    """Whether a ratio is within its target."""
    return f"<= {target:.2f} {'met' if ratio <= target else 'MISSED'}" if target else ""


def _line(row: str, mine: str, peer: str, theirs: str, rest: str) -> None:
    print(f"{row:<18} {mine:>10}   {peer:<18} {theirs:>10}   {rest}", flush=True)


def tell_row(row: Row, figures: dict[str, Figures]) -> Results:
    """A line for each peer of Shoal's. Ratios are taken round by round."""
    ours = figures[row.shoal]
    told: Results = {}
    for name, target in row.peers.items():
        if name not in figures:
            continue
        theirs = figures[name]
        ratio, low, high = spread([mine / other for mine, other in zip(ours.wall, theirs.wall)])
        cpu = spread(ours.cpu)[0] / max(spread(theirs.cpu)[0], 1e-9)
        judged = verdict(ratio, target)
        told[name] = {"ratio": ratio, "low": low, "high": high, "cpu_ratio": cpu, "target": target, "judged": judged}
        _line(row.name, f"{spread(ours.wall)[0]:.1f} us", name, f"{spread(theirs.wall)[0]:.1f} us",
              f"{ratio:.2f} ({low:.2f} to {high:.2f})  cpu {cpu:.2f}  {judged}")
    rounds = {name: {"wall_us": each.wall, "cpu_us": each.cpu} for name, each in figures.items()}
    return {"ratios": told, "rounds": rounds}


def tell_beyond_c(row: Row, figures: dict[str, Figures]) -> Results:
    """Microseconds that the language adds to a call, or to each key of a batch."""
    ours, in_c = figures[row.shoal], figures["C"]
    added, low, high = (each / row.keys for each in spread([mine - other for mine, other in zip(ours.wall, in_c.wall)]))
    judged = verdict(added, row.beyond_c)
    _line(row.name, f"{spread(ours.wall)[0]:.1f} us", "C", f"{spread(in_c.wall)[0]:.1f} us",
          f"{added:.3f} us {'a key' if row.keys > 1 else 'a call'} ({low:.3f} to {high:.3f})  {judged}")
    return {"added_us": added, "low": low, "high": high, "target": row.beyond_c, "judged": judged,
            "rounds": {name: each.wall for name, each in figures.items()}}


def tell_instructions(counted: dict[str, dict[str, float]]) -> Results:
    """A line a row: what each contestant takes in all."""
    for row, counts in counted.items():
        _line("instructions", row, "", "", "  ".join(f"{name} {count:.0f}" for name, count in counts.items()))
    return dict(counted)
