"""pymemcache, and Django's cache on it, as make_codec_vectors.py asks for them: writes values of every kind, or checks
what they read. Names that begin with django are Django's.

Arguments: write or check, the port.
"""
import pickle
import sys

import django
import pymemcache
from django.conf import settings
from django.core.cache import cache
from pymemcache.client.base import Client
from pymemcache.serde import get_python_memcache_serializer, pickle_serde, python_memcache_deserializer

PICKLE = 4  # a protocol that does not change with the Python release
client = Client(("127.0.0.1", int(sys.argv[2])), serializer=get_python_memcache_serializer(PICKLE),
                deserializer=python_memcache_deserializer, default_noreply=False)
settings.configure(CACHES={"default": {
    "BACKEND": "django.core.cache.backends.memcached.PyMemcacheCache",
    "LOCATION": f"127.0.0.1:{sys.argv[2]}",
    "KEY_FUNCTION": lambda key, prefix, version: key,
}})

VALUES = {
    "bytes": b"\x00\xff bytes",
    "bytes-empty": b"",
    "text": "text: äöü €",
    "text-empty": "",
    "int": 42,
    "int-negative": -7,
    "int-big": 2**70,
    "true": True,
    "false": False,
    "none": None,
    "float": 1.5,
    "dict": {"a": [1, 2.5, None], "b": "c"},
    "text-long": "text that repeats: ä " * 20,
}


def kind_of(value, protocol):
    """The kind, and its plain bytes; bools are pickled."""
    if isinstance(value, bytes):
        return "bytes", value
    if isinstance(value, str):
        return "text", value.encode()
    if type(value) is int:
        return "integer", str(value).encode()
    return "pickle", pickle.dumps(value, protocol)


def tell(name, value, protocol):
    kind, plain = kind_of(value, protocol)
    print("pymemcache", name, kind, 0, plain.hex() or "-")


def write():
    print(f"pymemcache {pymemcache.__version__}, Django {django.__version__}")
    for name, value in VALUES.items():
        client.set(name, value)
        tell(name, value, PICKLE)
        cache.set(f"django-{name}", value)
        tell(f"django-{name}", value, pickle.HIGHEST_PROTOCOL)
    client.set("counted-down", 10)
    client.decr("counted-down", 1)
    print("pymemcache", "counted-down", "integer", 0, b"9".hex())


def check():
    count = 0
    for line in sys.stdin:
        _, name, kind, plain = line.split()
        if name.endswith("-zlib") and not hasattr(pymemcache.serde, "CompressedSerde"):
            continue  # pymemcache reads compressed values from 4.0 on
        plain = bytes.fromhex(plain.replace("-", ""))
        wanted = {"bytes": bytes, "text": bytes.decode, "integer": int, "pickle": pickle.loads}[kind](plain)
        got = cache.get(name) if name.startswith("django") else Client(
            ("127.0.0.1", int(sys.argv[2])), serde=getattr(pymemcache.serde, "compressed_serde", pickle_serde)).get(name)
        if got != wanted or type(got) is not type(wanted):
            sys.exit(f"{name}: {got!r}")
        count += 1
    print(count)


write() if sys.argv[1] == "write" else check()
