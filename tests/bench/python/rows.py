"""What is compared: the rows, and how fast Shoal is to be beside each peer.

May import: the standard library. Used by all that measures, and by the report.
"""
from __future__ import annotations

from dataclasses import dataclass, field

SMALL = 100
LARGE = 900 * 1024


@dataclass(frozen=True)
class Row:
    """An operation, on how many nodes, with how many keys; targets: the largest ratio Shoal / peer, by peer."""

    name: str
    operation: str
    nodes: int = 1
    keys: int = 1
    size: int = SMALL
    targets: dict[str, float] = field(default_factory=dict)

    @property
    def load(self) -> dict[str, bytes]:
        """Keys with values, of which no two are alike."""
        letter = "k" if self.size == SMALL else "L"
        names = [f"{letter}:{number}" for number in range(self.keys)]
        return {name: name.encode().ljust(self.size, b"v") for name in names}


CLIENTS = [
    Row("get", "get", targets={"pylibmc": 0.94, "pymemcache": 0.85}),
    Row("set", "set", targets={"pylibmc": 0.95, "pymemcache": 0.87}),
    Row("get_many", "get_many", keys=100, targets={"pylibmc": 0.55, "pymemcache": 0.20}),
    Row("get_many_4", "get_many", 4, 100, targets={"pylibmc": 0.71, "pymemcache": 0.06}),
    Row("set_many", "set_many", keys=100, targets={"pylibmc": 0.05, "pymemcache noreply": 0.40}),
    Row("set_many_4", "set_many", 4, 100, targets={"pylibmc": 0.08, "pymemcache": 0.10}),
    Row("get_900k", "get", size=LARGE, targets={"pylibmc": 0.20, "pymemcache": 0.45}),
    Row("set_900k", "set", size=LARGE, targets={"pylibmc": 0.50, "pymemcache": 0.18}),
]

DJANGO = [
    Row("django_get", "get", targets={"PyLibMCCache": 0.9, "PyMemcacheCache": 0.7}),
    Row("django_set", "set", targets={"PyLibMCCache": 0.9, "PyMemcacheCache": 0.7}),
    Row("django_get_many", "get_many", keys=100, targets={"PyLibMCCache": 0.9, "PyMemcacheCache": 0.7}),
    Row("django_set_many", "set_many", keys=100, targets={"PyLibMCCache": 0.9, "PyMemcacheCache": 0.7}),
]

#: The least ratio of throughputs, by peer.
THREADS = Row("threads_get", "get", targets={"pylibmc pool": 1.25, "pymemcache pool": 2.8})

#: Microseconds that Python may cost beyond C: a call, or a key of a batch.
BEYOND_C = {"get": 0.3, "set": 0.3, "get_many": 0.1, "set_many": 0.1}

#: Instructions are counted for these.
COUNTED = [row for row in CLIENTS if row.nodes == 1 and row.size == SMALL]
