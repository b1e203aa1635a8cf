"""What a run amounts to, and whether that is within the fault's bounds. Pure.

May import: the standard library, faults. Used by the runs and the reports.
"""
from __future__ import annotations

from dataclasses import dataclass, field

from faults import Fault

BUCKET_S = 0.1  # as the drivers have it


@dataclass(frozen=True)
class Plan:
    """How long a run's parts take, and how busy it is."""

    before_s: float = 2.0
    fault_s: float = 8.0
    after_s: float = 8.0
    patience_s: float = 15.0  # how much later than it should the driver may end before it counts as hung
    rate: int = 2000
    keys: int = 2000

    @property
    def total_s(self) -> float:
        """From the first operation to the last."""
        return self.before_s + self.fault_s + self.after_s


@dataclass(frozen=True)
class Bucket:
    """A tenth of a second, as a driver tells it."""

    index: int
    operations: int
    fine: int
    errors: int
    wrong: int
    stale: int
    longest_us: int
    stalled_us: int


@dataclass
class Record:
    """All that was seen of one run."""

    client: str
    fault: Fault
    plan: Plan
    buckets: list[Bucket] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    back_s: float | None = None  # None: the node did not serve again in time
    ended: str = ""  # how the driver ended, where it should not have: "hung", "SIGSEGV", "status 1"


@dataclass(frozen=True)
class Figures:
    """What is compared."""

    share: float
    errors_percent: float
    longest_ms: float
    stalled_s: float
    back_s: float | None
    wrong: int
    stale: int
    ended: str


def _rate(buckets: list[Bucket], seconds: float) -> float:
    return sum(each.fine for each in buckets) / seconds


def sum_up(record: Record) -> Figures:
    """Operations belong to the moment when they began: one that hangs from just before the fault counts as its."""
    plan = record.plan
    first, last = round(plan.before_s / BUCKET_S), round((plan.before_s + plan.fault_s) / BUCKET_S)
    before = [each for each in record.buckets if each.index < first - 1]
    meanwhile = [each for each in record.buckets if first <= each.index < last]
    since = [each for each in record.buckets if each.index >= first - 1]
    usual = _rate(before, (first - 1) * BUCKET_S)
    operations = sum(each.operations for each in since if each.index < last)
    return Figures(
        share=_rate(meanwhile, plan.fault_s) / usual if usual else 0.0,
        errors_percent=100 * sum(each.errors for each in since) / max(operations, 1),
        longest_ms=max((each.longest_us for each in record.buckets), default=0) / 1e3,
        stalled_s=sum(each.stalled_us for each in since) / 1e6,
        back_s=record.back_s,
        wrong=sum(each.wrong for each in record.buckets),
        stale=sum(each.stale for each in record.buckets),
        ended=record.ended,
    )


def misses(figures: Figures, fault: Fault) -> list[str]:
    """The names of the figures that are out of bounds."""
    bounds = fault.bounds
    judged = {
        figures.ended: bool(figures.ended),
        "wrong": figures.wrong > 0,
        "stale": figures.stale > 0,
        "share": figures.share < bounds.share,
        "errors": figures.errors_percent > bounds.errors_percent,
        "longest": figures.longest_ms > bounds.longest_ms,
        "stalled": figures.stalled_s > bounds.stalled_s,
        "back": figures.back_s is None or figures.back_s > bounds.back_s,
    }
    return [name for name, is_missed in judged.items() if is_missed]


SLACK_MS = 1500.0  # a test machine may be busy with much else


def failures(figures: Figures, fault: Fault, timeout_ms: float) -> list[str]:
    """What no machine's load excuses, as the tests ask it. A busy one delays what was given up, so that it may come behind
    what made it good: stale values are told by ./dev faults alone."""
    judged = {
        f"ended by {figures.ended}": bool(figures.ended),
        f"{figures.wrong} wrong values": (figures.wrong > 0) != (fault.shows == "wrong"),
        "no stale values": fault.shows == "stale" and figures.stale == 0,
        f"a call of {figures.longest_ms:.0f} ms": figures.longest_ms > timeout_ms + SLACK_MS,
    }
    return [text for text, is_so in judged.items() if is_so]
