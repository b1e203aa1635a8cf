"""What is compared: the rows of each language, and how fast Shoal is to be beside each peer.

May import: the standard library. Used by all that measures, and by the report.
"""
from __future__ import annotations

from dataclasses import dataclass, field

SMALL = 100
LARGE = 900 * 1024


@dataclass(frozen=True)
class Row:
    """An operation, on how many nodes, with how many keys; peers: the largest ratio to each, 0 without a target."""

    name: str
    operation: str
    nodes: int = 1
    keys: int = 1
    size: int = SMALL
    peers: dict[str, float] = field(default_factory=dict)
    shoal: str = "shoal"  #: the contestant that is measured by the peers
    is_placed_alike: bool = False  #: Shoal and the first peer hash each key to the same node
    threads: int = 1  #: with more, all cores
    tls: bool = False
    beyond_c: float = 0  #: where set: microseconds that a call, or a key of a batch, may cost beyond C, the only peer

    @property
    def load(self) -> dict[str, str]:
        """Keys with values, of which no two are alike."""
        letter = "k" if self.size == SMALL else "L"
        names = [f"{letter}.{number}" for number in range(self.keys)]
        return {name: name.ljust(self.size, "v") for name in names}

    @property
    def contestants(self) -> list[str]:
        """Shoal, then its peers."""
        return [self.shoal, *self.peers]


#: What every client has: a row's name, operation, nodes, keys, bytes.
_OPERATIONS = [
    ("get", "get", 1, 1, SMALL),
    ("set", "set", 1, 1, SMALL),
    ("get_many", "get_many", 1, 100, SMALL),
    ("get_many_4", "get_many", 4, 100, SMALL),
    ("set_many", "set_many", 1, 100, SMALL),
    ("set_many_4", "set_many", 4, 100, SMALL),
    ("get_900k", "get", 1, 1, LARGE),
    ("set_900k", "set", 1, 1, LARGE),
]
_FOUR = {"get": 1, "set": 1, "get_many": 100, "set_many": 100}


def _clients(**targets: list[float]) -> list[Row]:
    """All operations, with a target of each peer for each of them."""
    named = {peer.replace("_", "-"): wanted for peer, wanted in targets.items()}
    return [Row(*operation, {peer: wanted[index] for peer, wanted in named.items()}, is_placed_alike=True)
            for index, operation in enumerate(_OPERATIONS)]


def _adapters(prefix: str, shoal: str, **targets: float) -> list[Row]:
    """Four operations through a framework's caches."""
    return [Row(f"{prefix}_{operation}", operation, keys=keys, peers=dict(targets), shoal=shoal)
            for operation, keys in _FOUR.items()]


def _beyond_c(call: float, key: float) -> list[Row]:
    """What the language costs beyond a loop in C."""
    return [Row(f"beyond_c_{operation}", operation, keys=keys, peers={"C": 0}, beyond_c=call if keys == 1 else key)
            for operation, keys in _FOUR.items()]


def _over_tls(peer: str) -> list[Row]:
    """A peer's TLS has no target of its own: the words of the targets are about Shoal's own plain calls."""
    plain = {"get": 1.40, "set": 1.50, "get_many": 1.33, "set_many": 0}
    return [Row(f"tls_{operation}", operation, keys=keys, peers={peer: 0, "shoal plain": plain[operation]}, tls=True)
            for operation, keys in _FOUR.items()]


PYTHON = [
    *_clients(pylibmc=[0.94, 0.95, 0.55, 0.71, 0.05, 0.08, 0.20, 0.50],
              pymemcache=[0.85, 0.87, 0.20, 0.06, 0, 0.10, 0.45, 0.18]),
    Row("set_many_noreply", "set_many", keys=100, peers={"pymemcache noreply": 0.40}),
    Row("threads_get", "get", peers={"pylibmc pool": 1 / 1.25, "pymemcache pool": 1 / 2.8}, threads=8),
    *_over_tls("pymemcache"),
    *_beyond_c(0.3, 0.1),
    *_adapters("django", "ShoalCache", PyLibMCCache=0.9, PyMemcacheCache=0.7),
]

_DALLI = [0.70, 0.64, 0.15, 0.20, 0.33, 0.22, 1.10, 0.60]
RUBY = [
    *_clients(dalli=_DALLI),
    *(Row(f"marshal_{row.name}", row.operation, row.nodes, row.keys, row.size, {"dalli marshal": 0}, "shoal marshal",
          is_placed_alike=True) for row in _clients(dalli=_DALLI)),
    Row("threads_get", "get", peers={"dalli": 1 / 3}, threads=8),
    *_over_tls("dalli"),
    *_beyond_c(0.8, 0.3),
    *_adapters("rails", "shoal_store", mem_cache_store=0.7),
]

PHP = [
    *_clients(php_memcached=[0.94, 0.94, 0.66, 0.80, 0.05, 0.08, 0.65, 0.45]),
    *_beyond_c(0.15, 0.06),
    *_adapters("symfony", "ShoalAdapter", MemcachedAdapter=0.9),
    *_adapters("laravel", "ShoalStore", MemcachedStore=0.9),
]

LANGUAGES = {"python": PYTHON, "ruby": RUBY, "php": PHP}

#: Instructions are counted for these.
COUNTED = [row for row in PYTHON if row.name in _FOUR]
