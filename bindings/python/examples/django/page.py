"""The example's only page: what it takes from the cache, and from which node. Plain text, for curl and for browsers."""
import time

from django.core.cache import cache
from django.http import HttpResponse
from django.urls import path

ARTICLES = [f"article-{number}" for number in range(100)]


def write_report():
    """Stands for something slow."""
    time.sleep(0.2)
    return time.strftime("%H:%M:%S")


def count_hit():
    """How often the page was taken. The counter starts anew where its node is gone."""
    cache.add("hits", 0, timeout=None)
    try:
        return cache.incr("hits")
    except ValueError:
        return "not counted: its node is down"


def page(_):
    """Everything here goes on, slower, while nodes are missing."""
    report = cache.get_or_set("report", write_report, 30)
    found = cache.get_many(ARTICLES)
    cache.set_many({key: f"the text of {key}" for key in ARTICLES if key not in found})
    topology = cache.client.topology()
    node = cache.client.route(cache.make_key("report"))
    return HttpResponse(f"report    written at {report}, kept by {node}\n"
                        f"articles  {len(found)} of {len(ARTICLES)} from the cache\n"
                        f"hits      {count_hit()}\n"
                        f"fleet     version {topology.version}: {' '.join(each.name for each in topology.nodes)}\n",
                        content_type="text/plain")


urlpatterns = [path("", page)]
