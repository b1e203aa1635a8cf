"""The system check: that every node answers. (That settings can be read Django sees to, which makes each cache.)

May import: shoal, Django, and beside it aliases. Registered by apps.
"""
from __future__ import annotations

from typing import Any

import shoal
from django.core.cache import caches
from django.core.checks import Warning as CheckWarning

from .aliases import shoal_aliases


def check_fleets(**_: Any) -> list[Any]:
    """shoal.W001 for each cache whose endpoint gives no nodes, and shoal.W002 for those nodes that do not answer."""
    found = []
    for alias in shoal_aliases():
        try:
            silent = [node for node, stats in caches[alias].client.stats().items() if stats is None]
        except shoal.Error as reason:
            found.append(CheckWarning(f"CACHES[{alias!r}]: the fleet cannot be reached: {reason}", id="shoal.W001",
                                      hint="Every read will be a miss. See `manage.py shoal status`."))
            continue
        if silent:
            found.append(CheckWarning(f"CACHES[{alias!r}]: no answer from {', '.join(silent)}", id="shoal.W002",
                                      hint="Reads of their keys will be misses. See `manage.py shoal status`."))
    return found
