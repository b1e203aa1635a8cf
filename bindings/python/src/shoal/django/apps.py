"""The app "shoal.django" in INSTALLED_APPS: the system check, and `manage.py shoal`. The cache works without it.

May import: Django, and beside it checks. Called by Django.
"""
from __future__ import annotations

from django.apps import AppConfig
from django.core import checks

from .checks import check_fleets


class ShoalConfig(AppConfig):
    """Registers the check."""

    name = "shoal.django"
    label = "shoal"
    verbose_name = "Shoal"

    def ready(self) -> None:
        """With `check --deploy` alone: a server that is started, or a migration, does not wait for the network."""
        checks.register(check_fleets, checks.Tags.caches, "shoal", deploy=True)
