"""The process's clients: caches with equal settings share one, however many threads or contexts have their own cache.

May import: shoal, Django's exceptions, and beside it failures, settings, values. Called by cache.
"""
from __future__ import annotations

import logging
from typing import NamedTuple

import shoal
from django.core.exceptions import ImproperlyConfigured

from .failures import Failures
from .settings import Settings
from .values import make_codec

logger = logging.getLogger("shoal.django")


class Shared(NamedTuple):
    """What caches with equal settings have in common."""

    client: shoal.Client
    failures: Failures


# Never emptied: a request may be a thread's only one, and the next wants the connections that are there. No lock, which
# a fork could find held: of two that are made at once, one is dropped before it was used.
_shared: dict[Settings, Shared] = {}


def _make(settings: Settings) -> Shared:
    try:
        client = shoal.Client(settings.endpoint, codec=make_codec(settings.codec), preset=settings.preset,
                              **dict(settings.options))
    except (shoal.Error, TypeError, ValueError) as reason:
        raise ImproperlyConfigured(f"A cache's LOCATION or OPTIONS: {reason}") from reason
    return Shared(client, Failures(settings.raises))


def share(settings: Settings) -> Shared:
    """The client of these settings, which is made where there is none. No traffic."""
    found = _shared.get(settings)
    if found is not None:
        return found
    made = _make(settings)
    found = _shared.setdefault(settings, made)
    if found is made and settings.reason:
        logger.info("keys and values as with preset=%r, judged by %s; OPTIONS['preset'] overrules it (None: Shoal's own "
                    "ring)", settings.preset, settings.reason)
    return found
