"""Which of Django's own tests run on a foreign cache backend, and how.

All of Django's tests of caches, of sessions in caches and of the template tag {% cache %} run, but those named in
LEFT_OUT. Where they mean any cache at all and take the one in local memory, they get the backend in its place.
May import: Django and its tests (once run.py has found them), the standard library. Imported by run.py.
"""
import importlib
import unittest

from django.core.cache.backends import locmem
from django.test import TestCase, override_settings
from django.utils.module_loading import import_string

MODULES = ("cache.tests", "cache.tests_async", "sessions_tests.tests", "template_tests.syntax_tests.test_cache")
FEWEST = 250  # of them that run in any release of Django: 255 in 3.2, 257 in 4.2, 355 in 5.2

# Django's tests that say nothing of a backend that is not theirs, classes or single tests, each with the reason.
OF_DUMMY = "of the backend that stores nothing"
OF_DATABASE = "of the backend in a database"
OF_FILES = "of the backend in files"
OF_SESSIONS = "of sessions that are in no cache"
LEFT_OUT = {
    "DummyCacheTests": OF_DUMMY,
    "AsyncDummyCacheTests": OF_DUMMY,
    "DBCacheTests": OF_DATABASE,
    "DBCacheWithTimeZoneTests": OF_DATABASE,
    "CreateCacheTableForDBCacheTests": OF_DATABASE,
    "FileBasedCacheTests": OF_FILES,
    "FileBasedCachePathLibTests": OF_FILES,
    "LocMemCacheTests": "of the backend in local memory",
    "RedisCacheTests": "of the backend for Redis",
    "MemcachedCacheTests": "of the backend on python-memcached",
    "MemcachedCacheDeprecationTests": "of the backend on python-memcached",
    "PyLibMCCacheTests": "of the backend on pylibmc; BackendTests runs what it inherits",
    "PyMemcacheCacheTests": "of the backend on pymemcache; BackendTests runs what it inherits",
    "BackendTests.test_location_multiple_servers": "reads an attribute of Django's own memcached backends, _servers",
    "BackendTests.test_set_many_returns_failing_keys": "puts a fake into the client library of Django's own backends",
    "CustomCacheKeyValidationTests": "of a backend of its own that takes any key",
    "CacheClosingTests": "of a backend of its own that counts calls of close()",
    "DefaultNonExpiringCacheKeyTests.test_caches_set_with_timeout_as_none_has_correct_default_timeout":
        "wants None of get_backend_timeout(), which gives a backend on memcached what memcached takes, 0",
    "DefaultNonExpiringCacheKeyTests.test_caches_with_unset_timeout_set_expiring_key":
        "reads an attribute of the backend in local memory, _expire_info",
    "DefaultNonExpiringCacheKeyTests.test_caches_set_with_timeout_as_none_set_non_expiring_key":
        "reads an attribute of the backend in local memory, _expire_info",
    "DatabaseSessionTests": OF_SESSIONS,
    "DatabaseSessionWithTimeZoneTests": OF_SESSIONS,
    "CustomDatabaseSessionTests": OF_SESSIONS,
    "FileSessionTests": OF_SESSIONS,
    "FileSessionPathLibTests": OF_SESSIONS,
    "CookieSessionTests": OF_SESSIONS,
    "ClearSessionsCommandTests": OF_SESSIONS,
    "SessionBaseTests": OF_SESSIONS,
}

# Tests that Django itself skips on every memcached, with the reason it gives.
SKIPPED = {
    "BackendTests.test_cull": "Culling isn't implemented.",
    "BackendTests.test_zero_cull": "Culling isn't implemented.",
    "BackendTests.test_cull_delete_when_store_empty": "Culling isn't implemented.",
}

# Tests that store for one second and want to read it back: memcached counts whole seconds, so that such an item lives
# for 0 to 1 of them. One of these that fails is tried once more.
SHORT_LIVED = (
    "BackendTests.test_touch", "BackendTests.test_forever_timeout", "CacheMiddlewareTest", "CacheUtils",
    "PrefixedCacheUtils", "TestWithTemplateResponse",
)


def backend_tests(backend, location):
    """What every cache backend must do, by Django's tests of those on memcached."""
    tests = importlib.import_module("cache.tests")
    base = {"BACKEND": backend, "LOCATION": location}
    own = getattr(tests, backend.rpartition(".")[2] + "Tests", None)  # where the backend is one of Django's own
    caches = tests.caches_setting_for_tests(base=base, exclude=tests.memcached_excluded_caches)

    @override_settings(CACHES=caches)
    class BackendTests(tests.BaseMemcachedTests, TestCase):
        """Django's memcached tests, but for the close() that Django's own backends have."""

        base_params = base
        incr_decr_type_error = getattr(own, "incr_decr_type_error", TypeError)
        test_close = tests.BaseCacheTests.test_close

    return BackendTests


def stand_in(backend, location):
    """The backend as what takes the place of a cache in local memory: two of other names hold other things."""
    class InPlaceOfLocalMemory(import_string(backend)):
        def __init__(self, name, params):
            super().__init__(location, {**params, "KEY_PREFIX": name + params.get("KEY_PREFIX", "")})

    return InPlaceOfLocalMemory


def load(backend, location):
    """All tests of Django's that could be run, with those that are to be left out."""
    locmem.LocMemCache = stand_in(backend, location)
    loader = unittest.defaultTestLoader
    classes = [backend_tests(backend, location)]
    for name in MODULES:
        try:
            module = importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name != name:  # older releases have fewer
                raise
        else:
            classes += [item for item in vars(module).values() if isinstance(item, type) and
                        issubclass(item, unittest.TestCase) and item.__module__ == name]
    return [test for item in classes for test in loader.loadTestsFromTestCase(item)]
