#!/usr/bin/python3
"""Runs Django's own cache tests on a cache backend: run.py [BACKEND [TEST...]], by default on shoal.django.ShoalCache.

Django and its tests are those of the Debian package python3-django's source, which fetch_source.py finds or fetches;
suite.py says which tests. LOCATION is the endpoint that with_fleet.py leaves in SHOAL_TEST_ENDPOINT. TEST is part of
the names of those to be run alone. Fails where a test fails, where fewer ran than there should be, and where one was
skipped that is not known to be. May import: Django, the standard library. Called by CTest.
"""
import os
import pathlib
import subprocess
import sys
import unittest
import warnings

HERE = pathlib.Path(__file__).resolve().parent
DATABASE = {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}


def find_django():
    """Puts Django and its tests on Python's path, both of the same source: the tests of one revision of a Debian
    package need not pass on another. The folder of the tests."""
    fetch = subprocess.run([HERE.parent / "fetch_source.py", "python3-django"], stdout=subprocess.PIPE, text=True,
                           check=False)
    if fetch.returncode:
        sys.exit("Django's tests are not there: what was said above tells why")
    folder = pathlib.Path(fetch.stdout.strip())
    sys.path[:0] = [str(folder / "tests"), str(folder)]
    return folder / "tests"


def configure(backend, location, folder):
    """Django's settings, as its own tests have them, with the backend for the cache."""
    import django  # pylint: disable=import-outside-toplevel
    from django.conf import settings  # pylint: disable=import-outside-toplevel
    contrib = [f"django.contrib.{name}" for name in ("contenttypes", "auth", "sites", "sessions")]
    settings.configure(
        CACHES={"default": {"BACKEND": backend, "LOCATION": location}},
        DATABASES={"default": DATABASE, "other": DATABASE},
        DEFAULT_AUTO_FIELD="django.db.models.AutoField",
        INSTALLED_APPS=[*contrib, "cache", "sessions_tests"],
        LANGUAGE_CODE="en",
        LOGGING={"version": 1, "loggers": {"django": {"level": "ERROR"}}},
        MIGRATION_MODULES={"auth": None, "contenttypes": None, "sessions": None},
        ROOT_URLCONF="urls",
        SECRET_KEY="of these tests alone",
        SESSION_ENGINE="django.contrib.sessions.backends.cached_db",
        SITE_ID=1,
        TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "DIRS": [folder / "templates"]}],
        USE_TZ=False,
    )
    django.setup()


def is_named(test, names):
    """Whether a test or its class is among the names."""
    class_name, name = test.id().split(".")[-2:]
    return class_name in names or f"{class_name}.{name}" in names


def run_suite(tests):
    """Runs tests; its result, and those that failed."""
    result = unittest.TextTestRunner(verbosity=2 if len(tests) < 10 else 1).run(unittest.TestSuite(tests))
    # What failed within a subTest names its test as test_case.
    bad = {getattr(test, "test_case", test) for test, _ in result.failures + result.errors}
    return result, bad | set(result.unexpectedSuccesses)


def once_more(bad, short_lived):
    """Tries tests whose items live for a second once more; those that failed for good."""
    again = {test for test in bad if isinstance(test, unittest.TestCase) and is_named(test, short_lived)}
    if not again:
        return bad
    print("once more, as memcached counts whole seconds:", *sorted(test.id() for test in again), flush=True)
    _, still_bad = run_suite([type(test)(test._testMethodName) for test in again])  # pylint: disable=protected-access
    return bad - again | still_bad


def judge(result, bad, skipped, fewest):
    """Prints what became of the tests, of which those named may have been skipped for the reasons given; whether all is
    well."""
    unknown = [(test, reason) for test, reason in result.skipped
               if not (is_named(test, skipped) and reason in skipped.values())]
    for test, reason in unknown:
        print(f"skipped, which nobody knows of: {test.id()}: {reason}")
    for test in sorted(bad, key=str):
        print(f"failed: {test}")
    few = result.testsRun - len(result.skipped) < fewest
    if few:
        print(f"there should be {fewest} tests or more")
    print(f"{result.testsRun} run, {len(bad)} failed, {len(result.skipped)} skipped")
    return not (unknown or bad or few)


def main():
    """Sets Django up, runs the tests, tells how they went."""
    backend, *patterns = sys.argv[1:] or ["shoal.django.ShoalCache"]
    nodes = os.environ.get("SHOAL_TEST_ENDPOINT", "").split(",")
    if nodes == [""]:
        sys.exit("SHOAL_TEST_ENDPOINT names no server: run this by tests/adapters/with_fleet.py")
    location = nodes[0] if len(nodes) == 1 else nodes
    configure(backend, location, find_django())
    warnings.simplefilter("error", ResourceWarning)
    warnings.simplefilter("error", RuntimeWarning)

    import suite  # pylint: disable=import-outside-toplevel
    from django import get_version  # pylint: disable=import-outside-toplevel
    from django.test.runner import DiscoverRunner  # pylint: disable=import-outside-toplevel
    everything = suite.load(backend, location)
    tests = [test for test in everything if not is_named(test, suite.LEFT_OUT) and
             (not patterns or any(pattern in test.id() for pattern in patterns))]
    print(f"Django {get_version()}, {backend} on {location}: {len(tests)} of {len(everything)} tests", flush=True)
    runner = DiscoverRunner(verbosity=0, interactive=False)
    runner.setup_test_environment()
    databases = runner.setup_databases()
    try:
        result, bad = run_suite(tests)
        bad = once_more(bad, suite.SHORT_LIVED)
    finally:
        runner.teardown_databases(databases)
        runner.teardown_test_environment()
    sys.exit(0 if judge(result, bad, suite.SKIPPED, 1 if patterns else suite.FEWEST) else 1)


if __name__ == "__main__":
    main()
