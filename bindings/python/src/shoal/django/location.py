"""LOCATION: what Django's settings may say there, and the endpoint that it is to Shoal.

May import: the standard library and Django's exceptions. Called by settings.
"""
from __future__ import annotations

import re
from typing import Any, NamedTuple

from django.core.exceptions import ImproperlyConfigured


class Location(NamedTuple):
    """A LOCATION that was read."""

    endpoint: str
    plain: bool  #: spelled as Django's own backends take it, and not as Shoal alone does, by a scheme or options
    discovers: bool  #: one address, which is asked for the nodes
    weighted: bool  #: a node has a weight


def _node(item: Any) -> str:
    """One server of a list: text, or (host, port) as pymemcache takes it."""
    if isinstance(item, (tuple, list)) and len(item) == 2:
        host, port = item
        item = f"[{host}]:{port}" if ":" in str(host) else f"{host}:{port}"
    if not isinstance(item, str):
        raise ImproperlyConfigured(f"LOCATION names a server by text, such as 'host:port', not by {item!r}")
    return item.strip()


def _split(location: Any) -> list[str]:
    if isinstance(location, (list, tuple)):
        return [_node(item) for item in location]
    if not isinstance(location, str):
        raise ImproperlyConfigured(f"LOCATION is text, or a list of servers, not {type(location).__name__}")
    return [location.strip()] if "://" in location else [part.strip() for part in re.split("[;,]", location)]


def read_location(location: Any) -> Location:
    """The endpoint of a LOCATION. What stands behind a scheme is Shoal's to read, and not touched."""
    nodes = [node for node in _split(location) if node]
    if not nodes:
        raise ImproperlyConfigured("LOCATION is empty: give an endpoint, e.g. 'host:port', or a list of servers")
    if any("://" in node for node in nodes):
        if len(nodes) > 1:
            raise ImproperlyConfigured("LOCATION holds an endpoint with :// among others; such a one stands alone")
        return Location(nodes[0], False, nodes[0].startswith(("elasticache", "memorystore")), False)
    nodes = [node[len("unix:"):] if node.startswith("unix:") else node for node in nodes]
    endpoint = ",".join(nodes)
    return Location(endpoint, "?" not in endpoint, len(nodes) == 1 and not nodes[0].startswith("/"),
                    any(re.search(r"(^[^:]*|\]):\d+:\d+$", node) for node in nodes))
