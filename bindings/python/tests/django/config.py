"""Django as its tests here want it: settings without a project, caches on a fleet of the test's own.

May import: the standard library, Django, shoal and the support of the Python tests. Imported by each test here, first.
"""
import logging
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

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
from support import OPERATION_TIMEOUT_MS, FleetTest

BACKEND = "shoal.django.ShoalCache"
SHOAL = pathlib.Path(os.environ.get("SHOAL_BUILD", "build"), "core/cli/shoal")
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


class LocalFleet:
    """A fleet with a discovery endpoint, as `shoal local` starts it; it ends with this process."""

    def __init__(self, nodes):
        if not SHOAL.is_file():
            raise unittest.SkipTest("SHOAL_BUILD names no build with the command shoal")
        self._folder = tempfile.TemporaryDirectory()
        self._process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", str(SHOAL), "local", "--nodes", str(nodes), "--dir", self._folder.name],
            stdout=subprocess.PIPE, text=True)
        self.endpoint = self._process.stdout.readline().split()[-1]

    def change(self, *words):
        """`shoal local add` or `remove`: what it prints."""
        return subprocess.run([str(SHOAL), "local", *words, "--dir", self._folder.name], check=True, text=True,
                              stdout=subprocess.PIPE).stdout

    def stop(self):
        """Ends it."""
        self._process.terminate()
        self._process.communicate()
        self._folder.cleanup()
