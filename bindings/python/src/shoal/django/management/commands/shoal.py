"""`manage.py shoal status`: for each cache on Shoal its topology, and how each node is doing.

May import: shoal, Django, and shoal.django's aliases. Called by Django.
"""
from __future__ import annotations

from typing import Any, Mapping, Optional

import shoal
from django.core.cache import caches
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError

from shoal.django.aliases import shoal_aliases

_HEADINGS = ("node", "state", "version", "hits", "memory", "items", "connections", "evictions", "uptime")


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "-"


def _row(node: str, stats: Optional[Mapping[str, str]]) -> tuple[str, ...]:
    if stats is None:
        return (node, "down", *["-"] * (len(_HEADINGS) - 2))
    count = {name: int(stats.get(name, 0)) for name in ("get_hits", "get_misses", "bytes", "limit_maxbytes", "uptime")}
    return (node, "up", stats.get("version", "-"), _share(count["get_hits"], count["get_hits"] + count["get_misses"]),
            f"{count['bytes'] / 2**20:.1f} of {count['limit_maxbytes'] / 2**20:.0f} MiB", stats.get("curr_items", "-"),
            stats.get("curr_connections", "-"), stats.get("evictions", "-"), f"{count['uptime']} s")


def _table(rows: list[tuple[str, ...]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]


class Command(BaseCommand):
    """Shows how the fleets behind the caches are doing."""

    help = "Shows how the fleets behind the caches on Shoal are doing."

    def add_arguments(self, parser: Any) -> None:
        """The subcommand, and which caches."""
        status = parser.add_subparsers(dest="subcommand", required=True, metavar="status").add_parser(
            "status", help="the nodes of each cache: up or down, and what they say of themselves")
        status.add_argument("caches", nargs="*", metavar="CACHE", help="names in CACHES; all on Shoal unless given")

    def handle(self, *args: Any, **options: Any) -> None:
        """Writes a table a cache; exit status 1 where a node or a whole fleet is down."""
        known = shoal_aliases()
        for alias in options["caches"]:
            if alias not in known:
                raise CommandError(f"there is no cache {alias!r} on Shoal; there are: {', '.join(known) or 'none'}")
        down = [name for alias in options["caches"] or known for name in self._show(alias)]
        if down:
            raise CommandError(f"down: {', '.join(down)}")

    def _show(self, alias: str) -> list[str]:
        """Writes about one cache; what of it is down."""
        try:
            client = caches[alias].client
            topology, stats = client.topology(), client.stats()
        except (shoal.Error, ImproperlyConfigured) as reason:
            self.stdout.write(f"{alias}: {reason}")
            return [alias]
        self.stdout.write(f"{alias}: version {topology.version}, {len(topology.nodes)} "
                          f"{'node' if len(topology.nodes) == 1 else 'nodes'}")
        for line in _table([_HEADINGS, *(_row(node, found) for node, found in stats.items())]):
            self.stdout.write(f"  {line}")
        return [f"{node} of {alias}" for node, found in stats.items() if found is None]
