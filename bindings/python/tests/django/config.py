"""Django as its tests here want it: settings without a project, caches on a fleet of the test's own.

May import: the standard library, Django, shoal and the support of the Python tests. Imported by each test here, first.
"""
import logging
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

# pylint: disable=wrong-import-position
import django
from django.conf import settings

settings.configure(
    SECRET_KEY="of the tests", ALLOWED_HOSTS=["*"], USE_TZ=True, ROOT_URLCONF="config", MIDDLEWARE=[],
    INSTALLED_APPS=["shoal.django", "django.contrib.sessions"], CACHES={},
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates"}])
django.setup()
# What is logged is looked at where it matters, and else kept off the test's own output.
logging.getLogger("shoal.django").addHandler(logging.NullHandler())

from django.core.cache import caches
from django.test.utils import override_settings

from shoal.django import ShoalCache
from support import OPERATION_TIMEOUT_MS, FleetTest, LocalFleet  # pylint: disable=unused-import

BACKEND = "shoal.django.ShoalCache"
urlpatterns = []


class CacheTest(FleetTest):
    """Tests with a fleet of their own and Django's caches on it."""

    def setUp(self):
        super().setUp()
        # The test's patience, and not the default: test machines are busy.
        self.patience = {"operation_timeout_ms": OPERATION_TIMEOUT_MS}

    @property
    def names(self):
        """The nodes, as LOCATION lists them."""
        return [server.name for server in self.servers]

    def cache(self, location=None, options=None, **params):
        """A cache of its own on this fleet."""
        return ShoalCache(location or self.names, {**params, "OPTIONS": {**self.patience, **(options or {})}})

    def use(self, **settings_of):
        """Django's own caches, of settings by their names, for this test; `default` is on this fleet unless given."""
        default = {"BACKEND": BACKEND, "LOCATION": self.names, "OPTIONS": self.patience}
        override = override_settings(CACHES={"default": default, **settings_of})
        override.enable()
        self.addCleanup(override.disable)
        return caches
