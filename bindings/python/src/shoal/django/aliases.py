"""Which of Django's caches are Shoal's.

May import: Django, and beside it cache. Called by checks and by the management command.
"""
from __future__ import annotations

from django.conf import settings
from django.utils.module_loading import import_string

from .cache import ShoalCache


def shoal_aliases() -> list[str]:
    """The names, in the order of CACHES, of those whose BACKEND is ShoalCache or made of it."""
    return [alias for alias, setting in settings.CACHES.items() if _is_ours(setting.get("BACKEND", ""))]


def _is_ours(backend: str) -> bool:
    try:
        found = import_string(backend)
    except ImportError:  # Django says so itself where that cache is used
        return False
    return isinstance(found, type) and issubclass(found, ShoalCache)
