"""The options of those whose place Shoal takes under Django, and what each is called here.

A family is the options of one client library, whichever backend passed them on. May import: the standard library and
Django's exceptions. Called by settings.
"""
from __future__ import annotations

from typing import Any, Callable, Mapping, NamedTuple, Optional

from django.core.exceptions import ImproperlyConfigured

#: Turns an option's value into Shoal's options; one that Shoal has no use for becomes none.
Rule = Callable[[Any], dict[str, Any]]

_MOST_RETRIES = 10


class Family(NamedTuple):
    """One library's options."""

    title: str  #: as messages call it
    rules: Mapping[str, Rule]
    preset: str  #: for a list of servers
    codec: str


def _no_use(_: Any) -> dict[str, Any]:
    return {}


def _refuse(name: str, why: str) -> Rule:
    def rule(value: Any) -> dict[str, Any]:
        if value:
            raise ImproperlyConfigured(f"OPTIONS: {name} cannot be followed: {why}")
        return {}
    return rule


def _seconds(option: str) -> Rule:
    return lambda value: {} if value is None else {option: max(1, round(value * 1000))}


def _retries(value: Any) -> dict[str, Any]:
    return {"retry_attempts": max(0, min(int(value), _MOST_RETRIES))}


def _ignore_cluster_errors(value: Any) -> dict[str, Any]:
    return {"discovery_fallback": "single" if value else "strict"}


def _hasher(value: Any) -> dict[str, Any]:
    if getattr(value, "__name__", "") != "RendezvousHash":
        raise ImproperlyConfigured(f"OPTIONS: the hasher {value!r} places keys in a way of its own. Leave it out, and "
                                   "choose by distribution and hash")
    return {}


_SASL = "Shoal does not speak SASL"

#: Behaviors that say where keys go are read by `pylibmc_placing`, in the order in which pylibmc sets them.
_PLACING = ("hash", "ketama_hash", "ketama", "ketama_weighted", "distribution")

#: What may stand among `behaviors`.
PYLIBMC_BEHAVIORS: dict[str, Rule] = {
    **dict.fromkeys((*_PLACING, "no_block", "tcp_nodelay", "cas", "buffer_requests", "verify_keys", "send_timeout",
                     "receive_timeout", "num_replicas", "auto_eject", "retry_timeout", "_retry_timeout",
                     "remove_failed", "failure_limit", "dead_timeout", "pickle_protocol", "_io_msg_watermark",
                     "_io_bytes_watermark", "_io_key_prefetch", "_noreply", "_poll_timeout", "_socket_send_size",
                     "_socket_recv_size"), _no_use),
    "tcp_keepalive": lambda value: {"tcp_keepalive": bool(value)},
    "connect_timeout": lambda value: {"connect_timeout_ms": max(1, int(value))},
    "namespace": lambda value: {"key_prefix": value},
    "_hash_with_prefix_key": _refuse("_hash_with_prefix_key", "the namespace is not hashed; KEY_PREFIX is"),
    "_sort_hosts": _refuse("_sort_hosts", "nodes stand as they are listed. List them in their order"),
}

PYLIBMC = Family("pylibmc", {
    **PYLIBMC_BEHAVIORS,
    "behaviors": _no_use,  # taken apart before
    "binary": _no_use,
    "BINARY": _no_use,
    "username": _refuse("username", _SASL),
    "IGNORE_CLUSTER_ERRORS": _ignore_cluster_errors,
    "CALL_RETRY_COUNT": _retries,
}, "pylibmc", "pylibmc")

PYMEMCACHE = Family("pymemcache", {
    **dict.fromkeys(("no_delay", "pool_idle_timeout", "lock_generator", "retry_timeout", "dead_timeout",
                     "socket_module", "use_pooling", "allow_unicode_keys", "default_noreply", "encoding",
                     "discovery_retry_delay", "use_vpc_ip_address",
                     # Django gives a serde beside them, which makes pymemcache overlook them.
                     "serializer", "deserializer"), _no_use),
    "connect_timeout": _seconds("connect_timeout_ms"),
    "timeout": _seconds("operation_timeout_ms"),
    "cluster_timeout": _seconds("discovery_timeout_ms"),
    "discovery_interval": lambda value: {"discovery_interval_ms": max(10, round(value * 1000))} if value else {},
    "socket_keepalive": lambda value: {"tcp_keepalive": bool(value)},
    "max_pool_size": lambda value: {"lanes_per_node": min(value or 0, 4096)},
    "retry_attempts": _retries,
    "ignore_exc": lambda value: {"on_node_failure": "miss" if value else "error"},
    "ignore_cluster_errors": _ignore_cluster_errors,
    "hasher": _hasher,
    "serde": lambda value: {"serde": value} if value is not None else {},
    "tls_context": _refuse("tls_context", "OpenSSL is spoken to in C. Set tls, tls_ca_file, tls_cert_file and tls_key_file"),
}, "pymemcache", "pymemcache")

PYTHON_MEMCACHED = Family("python-memcached", {
    **dict.fromkeys(("pickleProtocol", "server_max_key_length", "dead_retry", "cache_cas", "check_keys", "debug"),
                    _no_use),
    "socket_timeout": _seconds("operation_timeout_ms"),
    "server_max_value_length": lambda value: {"max_value_bytes": value} if value else {},
    "flush_on_reconnect": _refuse("flush_on_reconnect", "a node that comes back keeps what it holds"),
}, "pylibmc", "pymemcache")

FAMILIES = (PYLIBMC, PYMEMCACHE, PYTHON_MEMCACHED)

#: Options that stand beside OPTIONS in a setting.
TOP_LEVEL = ("BINARY", "CALL_RETRY_COUNT", "IGNORE_CLUSTER_ERRORS")

#: pylibmc's names that are others here. Those that Shoal has no like of, such as "random", the core refuses.
_DISTRIBUTIONS = {"consistent": "ketama", "consistent ketama": "ketama", "consistent weighted": "ketama_weighted"}
_HASHES = {"default": "one_at_a_time", "crc": "libmemcached_crc"}


def pylibmc_placing(behaviors: Mapping[str, Any], distribution: str) -> dict[str, Any]:
    """The options that pylibmc's behaviors come to, from a distribution to begin with: none where none of them places
    keys, and of several a later one of _PLACING overrules those before it. Names that are Shoal's own stay."""
    given = {name: behaviors[name] for name in _PLACING if behaviors.get(name) is not None}
    if not given:
        return {}
    hash_name = _HASHES.get(given.get("hash", "default"), given.get("hash"))
    # ketama_hash moves nothing in libmemcached.
    if "ketama" in given:
        distribution = "ketama" if given["ketama"] else "modula"
    if given.get("ketama_weighted"):
        distribution, hash_name = "ketama_weighted", "md5"
    elif "ketama_weighted" in given:
        distribution = "ketama"
    if "distribution" in given:
        distribution = _DISTRIBUTIONS.get(given["distribution"], given["distribution"])
    return {"distribution": distribution, "hash": hash_name}


def _spelled_by_pylibmc(name: str, value: Any) -> bool:
    """Shoal has options called distribution and hash as well: their values tell whose they are."""
    if name == "distribution":
        return str(value).startswith("consistent") or value in ("virtual bucket", "random")
    return name == "hash" and value in ("crc", "hsieh")


def family_of(options: Mapping[str, Any], own: frozenset[str]) -> Optional[Family]:
    """Whose options these are, told by names that are neither Shoal's (`own`) nor those of two libraries."""
    telling: dict[str, Family] = {}
    shared: set[str] = set()
    for name, value in options.items():
        families = [family for family in FAMILIES if name in family.rules]
        if _spelled_by_pylibmc(name, value):
            telling[name] = PYLIBMC
        elif name not in own and len(families) == 1:
            telling[name] = families[0]
        elif name not in own and families:
            shared.add(name)
    found = {family.title for family in telling.values()}
    if len(found) > 1:
        names = ", ".join(f"{name} ({family.title})" for name, family in telling.items())
        raise ImproperlyConfigured(f"OPTIONS are of more than one library: {names}. Keep those of one")
    # Options of both: backends of today pass them to pymemcache as they stand, and to pylibmc among `behaviors`.
    return next(iter(telling.values())) if telling else PYMEMCACHE if shared else None
