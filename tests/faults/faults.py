"""The table of faults: what each is called, what it does, and what a client may let show of it.

May import: the standard library, nodes, proxy, damage, lies, outages. Used by the runs and the reports.
"""
from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import AsyncIterator, Callable

import damage
import lies
import outages
import proxy
from nodes import Node


@dataclass(frozen=True)
class Bounds:
    """The most that may show, but for `share`, the least."""

    share: float = 0.97
    errors_percent: float = 0.02
    longest_ms: float = 250.0  # operation_timeout_ms and 50
    stalled_s: float = 0.5
    back_s: float = 0.75


Outage = Callable[[Node, proxy.Proxy], contextlib.AbstractAsyncContextManager[None]]


@dataclass(frozen=True)
class Fault:
    """Either an outage of the node, or a way to alter replies, made anew for each run."""

    name: str
    title: str
    outage: Outage | None = None
    make: Callable[[], proxy.Fault] | None = None
    by_proxy: bool = True  # whether clients reach the node through the proxy
    speaks: tuple[str, ...] = ("meta", "classic", "binary")  # the protocols it means anything in
    bounds: Bounds = Bounds()
    shows: str = ""  # "wrong" or "stale": what a driver must see of it

    @contextlib.asynccontextmanager
    async def begin(self, node: Node, before: proxy.Proxy) -> AsyncIterator[None]:
        """The fault lasts while this is open."""
        if self.outage is not None:
            async with self.outage(node, before):
                yield
            return
        assert self.make is not None
        before.begin(self.make())
        try:
            yield
        finally:
            before.end()


def _always(fault: proxy.Fault) -> Callable[[], proxy.Fault]:
    return lambda: fault


TEXT = ("meta", "classic")
FLAPPING = Bounds(share=0.9, stalled_s=1.5)
DESYNC = Bounds(back_s=2.0)

FAULTS = [
    Fault("killed", "process killed, restarted", outage=outages.killed, by_proxy=False),
    Fault("stopped", "stopped, continued", outage=outages.stopped, by_proxy=False),
    Fault("dropped", "packets dropped", outage=outages.dropped),
    Fault("slow_300", "slow, 300 ms", make=_always(damage.slow_300)),
    Fault("slow_100", "slow, 100 ms", make=_always(damage.slow_100)),
    Fault("flapping", "flapping every 0.7 s", outage=outages.flapping, by_proxy=False, bounds=FLAPPING),
    Fault("cut", "closes in mid-reply", make=_always(damage.cut)),
    Fault("garbage", "garbage", make=_always(damage.garbage)),
    Fault("huge_length", "reply with length 2^64-1", make=_always(damage.huge_length), speaks=TEXT),
    Fault("long_key", "reply key over 250 bytes", make=_always(damage.long_key), speaks=TEXT),
    Fault("doubled", "each reply twice (desync)", make=_always(damage.doubled), bounds=DESYNC),
    Fault("trickle", "trickle, a byte at a time", make=_always(damage.trickle)),
    Fault("swapped", "the reply to another request", make=lies.Swapped, speaks=TEXT),
    Fault("another_key", "a value under another key", make=lies.AnotherKey, speaks=("meta",)),
    Fault("another_opaque", "a value with another opaque", make=lies.AnotherOpaque, speaks=("meta",)),
    Fault("another_hd", "an HD for somebody else", make=lies.AnotherDone, speaks=("meta",)),
]

# Lies that no client can see through: a driver that does not tell them measures nothing.
CHECKS = [
    Fault("forged", "another key's value as this one's", make=lies.Forged, speaks=TEXT, shows="wrong"),
    Fault("rewound", "an old value", make=lies.Rewound, speaks=TEXT, shows="stale"),
]
