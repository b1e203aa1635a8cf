"""What was measured: as a table, and as JSON with every round.

May import: the standard library, rows, measure. Used by the main program.
"""
from __future__ import annotations

import importlib.metadata
import os
import pathlib
import platform
import re
import subprocess
from typing import Any

from measure import Figures, spread
from rows import BEYOND_C, THREADS, Row

Results = dict[str, Any]


def _first(pattern: str, text: str) -> str:
    found = re.search(pattern, text, re.MULTILINE)
    return found[1].strip() if found else "?"


def describe_machine() -> dict[str, str]:
    """Where it was measured, and with what."""
    import pylibmc  # pylint: disable=import-outside-toplevel
    import shoal  # pylint: disable=import-outside-toplevel
    memcached = subprocess.run(["memcached", "-V"], capture_output=True, text=True, check=False).stdout
    return {
        "processor": _first(r"^model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8")),
        "cores": str(os.cpu_count()),
        "kernel": platform.release(),
        "system": platform.freedesktop_os_release().get("PRETTY_NAME", "?") if hasattr(
            platform, "freedesktop_os_release") else "?",
        "python": platform.python_version(),
        "memcached": _first(r"memcached (\S+)", memcached),
        "shoal": shoal.__version__,
        "pylibmc": f"{pylibmc.__version__} on libmemcached {pylibmc.libmemcached_version}",
        "pymemcache": importlib.metadata.version("pymemcache"),
        "load": " ".join(f"{load:.2f}" for load in os.getloadavg()),
    }


def verdict(ratio: float, target: float, least: bool = False) -> str:
    """Whether a ratio is within its target."""
    met = ratio >= target if least else ratio <= target
    return f"{'>=' if least else '<='} {target:.2f} {'met' if met else 'MISSED'}"


def _line(row: str, mine: str, peer: str, theirs: str, rest: str) -> None:
    print(f"{row:<16} {mine:>10}   {peer:<18} {theirs:>10}   {rest}", flush=True)


def tell_row(row: Row, figures: dict[str, Figures]) -> Results:
    """A line for each peer of Shoal's. Ratios are taken round by round."""
    ours = figures["shoal"]
    told: Results = {}
    for name, theirs in figures.items():
        if name == "shoal":
            continue
        ratio, low, high = spread([mine / other for mine, other in zip(ours.wall, theirs.wall)])
        cpu = spread(ours.cpu)[0] / max(spread(theirs.cpu)[0], 1e-9)
        target = row.targets.get(name)
        judged = verdict(ratio, target) if target else ""
        told[name] = {"ratio": ratio, "low": low, "high": high, "cpu_ratio": cpu, "target": target, "judged": judged}
        _line(row.name, f"{spread(ours.wall)[0]:.1f} us", name, f"{spread(theirs.wall)[0]:.1f} us",
              f"{ratio:.2f} ({low:.2f} to {high:.2f})  cpu {cpu:.2f}  {judged}")
    rounds = {name: {"wall_us": each.wall, "cpu_us": each.cpu} for name, each in figures.items()}
    return {"ratios": told, "rounds": rounds}


def tell_threads(found: dict[str, list[float]]) -> Results:
    """Calls a second, and how many times the peer's."""
    ours = found["shoal"]
    told: Results = {}
    for name, theirs in found.items():
        if name == "shoal":
            continue
        ratio, low, high = spread([mine / other for mine, other in zip(ours, theirs)])
        judged = verdict(ratio, THREADS.targets[name], least=True)
        told[name] = {"ratio": ratio, "low": low, "high": high, "target": THREADS.targets[name], "judged": judged}
        _line(THREADS.name, f"{spread(ours)[0]:.0f}/s", name, f"{spread(theirs)[0]:.0f}/s",
              f"{ratio:.2f} ({low:.2f} to {high:.2f})  {judged}")
    return {"ratios": told, "rounds": found}


def tell_beyond_c(row: Row, figures: dict[str, Figures]) -> Results:
    """Microseconds that Python adds to a call, or to each key of a batch."""
    added, low, high = (each / row.keys for each in spread(
        [mine - other for mine, other in zip(figures["shoal"].wall, figures["C"].wall)]))
    unit = "a key" if row.keys > 1 else "a call"
    judged = verdict(added, BEYOND_C[row.operation])
    _line(f"beyond_c_{row.name}", f"{spread(figures['shoal'].wall)[0]:.1f} us", "C",
          f"{spread(figures['C'].wall)[0]:.1f} us", f"{added:.3f} us {unit} ({low:.3f} to {high:.3f})  {judged}")
    return {"added_us": added, "low": low, "high": high, "target": BEYOND_C[row.operation], "judged": judged,
            "rounds": {name: each.wall for name, each in figures.items()}}


def tell_instructions(counted: dict[str, dict[str, float]]) -> Results:
    """A line a row: what each contestant takes in all."""
    for row, counts in counted.items():
        _line("instructions", row, "", "", "  ".join(f"{name} {count:.0f}" for name, count in counts.items()))
    return dict(counted)
