"""A setting of CACHES, LOCATION and all, turned into what a shoal.Client is made of. No network, no state.

May import: the standard library, shoal, Django's exceptions, and beside it location, predecessors, values. Called by
cache.
"""
from __future__ import annotations

import difflib
from typing import Any, Callable, Iterable, Mapping, NamedTuple, Optional

import shoal
from django.core.exceptions import ImproperlyConfigured

from .location import Location, read_location
from .predecessors import (FAMILIES, PYLIBMC, PYLIBMC_BEHAVIORS, PYMEMCACHE, PYTHON_MEMCACHED, TOP_LEVEL, Family,
                           family_of, pylibmc_placing)
from .values import CodecChoice, choose_codec

#: OPTIONS that are Shoal's but none of the core's.
_OWN = ("codec", "compress", "compress_min_bytes", "preset", "stale_ttl")
#: What Django itself reads in OPTIONS.
_DJANGO = frozenset(("MAX_ENTRIES", "CULL_FREQUENCY"))
_PLACING = ("distribution", "hash", "ring_identity")
_PRESET_FAMILIES: dict[Optional[str], Family] = {
    "pylibmc": PYLIBMC, "django-elasticache": PYLIBMC, "django-elasticache-options": PYLIBMC,
    "pymemcache": PYMEMCACHE, "django-elastipymemcache": PYMEMCACHE}


class Settings(NamedTuple):
    """What a client is made of. Two that are equal share one client."""

    endpoint: str
    preset: Optional[str]
    options: tuple[tuple[str, Any], ...]  #: the core's, sorted
    codec: CodecChoice
    raises: bool  #: on_node_failure is "error"; the core is told neither, so that misses can be logged
    free_keys: bool  #: the core takes keys that Django would refuse
    stale_ttl: Optional[float]  #: how long get_or_set serves old values; None where it does all that Django says
    reason: str  #: why it is this preset; "" where it was asked for


def _own_names() -> frozenset[str]:
    return frozenset(option.name for option in shoal.options()) - {"endpoint"} | frozenset(_OWN)


def _nearest(name: object, names: Iterable[str]) -> str:
    return f"; the nearest is {difflib.get_close_matches(str(name), sorted(names), n=1, cutoff=0)[0]!r}"


def _check_names(options: Mapping[str, Any], family: Optional[Family], own: frozenset[str]) -> None:
    """An option that nobody knows, or that another library than the one at hand does, is an error."""
    accepted = own | _DJANGO | frozenset(family.rules if family else ())
    for name in options:
        if name in accepted:
            continue
        others = [other.title for other in FAMILIES if name in other.rules]
        if name == "endpoint":
            advice = "; the endpoint is LOCATION"
        elif others:
            advice = f": it is of {others[0]}, and preset={options.get('preset')!r} takes another's place"
        else:
            advice = _nearest(name, accepted.union(*(other.rules for other in FAMILIES)))
        raise ImproperlyConfigured(f"OPTIONS: unknown option {name!r}{advice}")


def _flatten(params: Mapping[str, Any]) -> dict[str, Any]:
    """OPTIONS, with what django-elasticache takes beside them and with pylibmc's nested behaviors among them."""
    options = {name: params[name] for name in TOP_LEVEL if name in params}
    options.update(params.get("OPTIONS") or {})
    behaviors = options.get("behaviors") or {}
    for name in behaviors:
        if name not in PYLIBMC_BEHAVIORS:
            raise ImproperlyConfigured(f"OPTIONS: pylibmc has no behavior {name!r}{_nearest(name, PYLIBMC_BEHAVIORS)}")
    options.update(behaviors)
    return options


def _choose_preset(location: Location, params: Mapping[str, Any], options: Mapping[str, Any],
                   family: Optional[Family]) -> tuple[Optional[str], str]:
    """The preset, and why. Nothing that Shoal alone has an option for, but how keys are placed, changes it."""
    if "preset" in options:
        return options["preset"], ""
    if family is PYLIBMC and location.discovers:
        if "OPTIONS" in params:
            return "django-elasticache-options", "one LOCATION, and OPTIONS of django-elasticache's or pylibmc's"
        return "django-elasticache", "one LOCATION, and django-elasticache's settings beside it"
    if family is PYMEMCACHE and location.discovers and options.get("use_vpc_ip_address", True):
        return "django-elastipymemcache", "one LOCATION, and OPTIONS of django-elastipymemcache's or pymemcache's"
    if family is not None:
        return family.preset, f"OPTIONS of {family.title}'s"
    if not location.plain or location.weighted or any(name in options for name in _PLACING):
        return None, ""
    if not location.discovers:
        return "pymemcache", "servers as Django's PyMemcacheCache takes them, and no OPTIONS of another's"
    if params.get("OPTIONS") == {}:
        return "django-elasticache-options", "one LOCATION, and empty OPTIONS"
    return "django-elasticache", "one LOCATION, and no OPTIONS of another's"


def _apply(name: str, rule: Callable[[Any], Any], value: Any) -> Any:
    try:
        return rule(value)
    except (AttributeError, TypeError, ValueError) as reason:
        raise ImproperlyConfigured(f"OPTIONS: {name} = {value!r} cannot be read: {reason}") from reason


def _seconds(value: Any) -> Optional[float]:
    if value is not None and (isinstance(value, bool) or not 0 <= value < float("inf")):
        raise ValueError("it is a number of seconds, 0 or more, or None")
    return value


def _translate(options: Mapping[str, Any], family: Optional[Family], preset: Optional[str]) -> dict[str, Any]:
    """Shoal's options: those of the family under their names here, overruled by what is said in Shoal's own."""
    given = {name: value for name, value in options.items() if name not in _DJANGO and name != "preset"}
    translated: dict[str, Any] = {}
    if family is PYLIBMC:
        translated = pylibmc_placing(given, "ketama" if preset == "django-elasticache" else "modula")
    elif family is PYTHON_MEMCACHED:
        translated = {"hash": "libmemcached_crc"}
    for name, rule in family.rules.items() if family else ():
        if name in given:
            translated.update(_apply(name, rule, given.pop(name)))
    return {**translated, **given}


def _plain(value: Any) -> Any:
    """A value that the client takes, and that can be compared. pymemcache's key_prefix is bytes."""
    return tuple(value) if isinstance(value, (list, set)) else value.decode() if isinstance(value, bytes) else value


def read_settings(location: Any, params: Mapping[str, Any]) -> Settings:
    """Reads a setting of CACHES as Django hands it to a backend; ImproperlyConfigured says what is wrong with it."""
    own = _own_names()
    where = read_location(location)
    options = _flatten(params)
    family = _PRESET_FAMILIES.get(options.get("preset")) or family_of(options, own)
    _check_names(options, family, own)
    preset, reason = _choose_preset(where, params, options, family)
    translated = _translate(options, family, preset)
    codec = choose_codec(translated, (family or _PRESET_FAMILIES.get(preset) or PYLIBMC).codec)
    raises = translated.get("on_node_failure") == "error"
    if translated.get("on_node_failure") in ("error", "miss"):
        del translated["on_node_failure"]
    stale_ttl = _apply("stale_ttl", _seconds, translated.pop("stale_ttl", None))
    free_keys = translated.get("long_keys") == "hash" or translated.get("binary_keys") in (True, "true")
    core = tuple(sorted((name, _apply(name, _plain, value)) for name, value in translated.items()))
    return Settings(where.endpoint, preset, core, codec, raises, free_keys, stale_ttl, reason)
