"""What Django builds on a cache: pages, sessions, template fragments, async views; the system check and the command.

May import: the standard library, Django, config and support.
"""
import asyncio
import io
import re
import unittest

from config import BACKEND, CacheTest, override_settings
import django
from django.core.cache import cache, caches
from django.core.checks import run_checks
from django.core.management import CommandError, call_command
from django.core.signals import request_finished
from django.http import HttpResponse
from django.template import engines
from django.test import Client as Browser
from django.urls import path
from django.views.decorators.cache import cache_page

from support import Memcached

visits = {"page": 0}


def page(request):
    """A cached view that counts how often it ran. The decorator takes a cache at once, and so waits for the test's."""
    def make(_):
        visits["page"] += 1
        return HttpResponse(f"made {visits['page']}")
    return cache_page(60)(make)(request)


def session(request):
    """A view that counts in the session."""
    request.session["n"] = request.session.get("n", 0) + 1
    return HttpResponse(str(request.session["n"]))


urlpatterns = [path("page", page), path("session", session)]


class Site(CacheTest):
    NODES = 3

    def setUp(self):
        super().setUp()
        self.use()

    @override_settings(ROOT_URLCONF=__name__)
    def test_a_cached_page(self):
        browser = Browser()
        first = browser.get("/page").content
        self.assertEqual(browser.get("/page").content, first)
        cache.clear()
        self.assertNotEqual(browser.get("/page").content, first)

    @override_settings(ROOT_URLCONF=__name__, SESSION_ENGINE="django.contrib.sessions.backends.cache",
                       MIDDLEWARE=["django.contrib.sessions.middleware.SessionMiddleware"])
    def test_sessions(self):
        browser, other = Browser(), Browser()
        self.assertEqual([browser.get("/session").content for _ in range(3)], [b"1", b"2", b"3"])
        self.assertEqual(other.get("/session").content, b"1")
        cache.clear()
        self.assertEqual(browser.get("/session").content, b"1")

    def test_template_fragments(self):
        template = engines["django"].from_string("{% load cache %}{% cache 60 name who %}{{ value }}{% endcache %}")
        self.assertEqual(template.render({"who": "a", "value": 1}), "1")
        self.assertEqual(template.render({"who": "a", "value": 2}), "1")
        self.assertEqual(template.render({"who": "b", "value": 3}), "3")

    def test_the_end_of_a_request(self):
        cache.set("k", 1)
        for _ in range(3):
            request_finished.send(sender=self)
        self.assertEqual(cache.get("k"), 1)

    @unittest.skipIf(django.VERSION < (4, 0), "caches are async from Django 4.0 on")
    def test_async(self):
        async def work(number):
            own = caches["default"]
            await own.aset(f"k{number}", number)
            self.assertEqual(await own.aget(f"k{number}"), number)
            self.assertEqual(await own.aget_many([f"k{number}", "missing"]), {f"k{number}": number})
            self.assertEqual(await own.aincr(f"k{number}"), number + 1)
            self.assertIs(await own.aadd(f"k{number}", 1), False)
            self.assertIs(await own.atouch(f"k{number}", 5), True)
            self.assertEqual(await own.aset_many({"a": 1}), [])
            self.assertIs(await own.adelete(f"k{number}"), True)
            with self.assertRaises(ValueError):
                await own.aincr(f"k{number}")
            await own.aclose()
            return own.client

        async def all_of_it():
            return await asyncio.gather(*(work(number) for number in range(1, 20)))

        self.assertEqual(len(set(map(id, asyncio.run(all_of_it())))), 1)


class Command(CacheTest):
    NODES = 2

    def run_command(self, *words):
        """What `manage.py shoal` prints, and why it failed."""
        out = io.StringIO()
        try:
            call_command("shoal", *words, stdout=out)
        except CommandError as reason:
            return out.getvalue(), str(reason)
        return out.getvalue(), None

    def test_status(self):
        self.use(second={"BACKEND": BACKEND, "LOCATION": self.names[0]},
                 local={"BACKEND": "django.core.cache.backends.locmem.LocMemCache"})
        cache.set("k", 1)
        cache.get("k")
        out, reason = self.run_command("status")
        self.assertIsNone(reason)
        lines = out.splitlines()
        self.assertEqual([line for line in lines if not line.startswith(" ")],
                         ["default: version 0, 2 nodes", "second: version 0, 1 node"])
        rows = [re.split(r"\s{2,}", line.strip()) for line in lines if line.startswith("  127")]
        self.assertEqual([row[:2] for row in rows],
                         [[self.names[0], "up"], [self.names[1], "up"], [self.names[0], "up"]])
        self.assertIn("100.0 %", [row[3] for row in rows])
        self.assertEqual(self.run_command("status", "second")[0].count("\n"), 3)

    def test_what_is_down(self):
        mortal = Memcached()
        mortal.stop()
        self.use(broken={"BACKEND": BACKEND, "LOCATION": [self.names[0], mortal.name]},
                 wrong={"BACKEND": BACKEND, "LOCATION": "a:b:c"},
                 gone={"BACKEND": BACKEND, "LOCATION": f"elasticache://{mortal.name}"})
        out, reason = self.run_command("status")
        self.assertEqual(reason, f"down: {mortal.name} of broken, wrong, gone")
        self.assertRegex(out, rf"{re.escape(mortal.name)} +down")
        self.assertEqual(self.run_command("status", "default")[1], None)
        self.assertIn("there is no cache 'none' on Shoal; there are: default, broken, wrong, gone",
                      self.run_command("status", "none")[1])
        self.assertIn("status", self.run_command()[1])


class Check(CacheTest):
    NODES = 1

    def messages(self, deploy=True):
        """The ids of what is found, and the texts."""
        found = run_checks(tags=["shoal"], include_deployment_checks=deploy)
        return [message.id for message in found], " ".join(message.msg for message in found)

    def test_all_is_well(self):
        self.use()
        self.assertEqual(self.messages(), ([], ""))

    def test_what_does_not_answer(self):
        mortal = Memcached()
        mortal.stop()
        self.use(broken={"BACKEND": BACKEND, "LOCATION": [self.names[0], mortal.name]},
                 gone={"BACKEND": BACKEND, "LOCATION": f"elasticache://{mortal.name}"})
        ids, text = self.messages()
        self.assertEqual(ids, ["shoal.W002", "shoal.W001"])
        self.assertIn(f"CACHES['broken']: no answer from {mortal.name}", text)
        self.assertEqual(self.messages(deploy=False), ([], ""))


class Import(CacheTest):
    def test_shoal_alone_imports_no_django(self):
        program = "import shoal, sys; print([name for name in sys.modules if name.partition('.')[0] == 'django'])"
        self.assertEqual(self.run_python(program).strip(), "[]")


if __name__ == "__main__":
    unittest.main()
