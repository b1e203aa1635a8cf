"""pylibmc as make_codec_vectors.py asks for it: writes values of every kind, or checks what it reads.

Arguments: write or check, the port.
"""
import pickle
import sys

import pylibmc

PICKLE = 4  # a protocol that does not change with the Python release
client = pylibmc.Client([f"127.0.0.1:{sys.argv[2]}"], behaviors={"pickle_protocol": PICKLE})

VALUES = {
    "bytes": b"\x00\xff bytes",
    "bytes-empty": b"",
    "text": "text: äöü €",
    "text-empty": "",
    "int": 42,
    "int-negative": -7,
    "int-zero": 0,
    "int-big": 2**70,
    "true": True,
    "false": False,
    "none": None,
    "float": 1.5,
    "dict": {"a": [1, 2.5, None], "b": "c"},
    "bytes-long": b"bytes that repeat " * 20,
    "text-long": "text that repeats: ä " * 20,
    "int-long": 10**200,
    "list-long": ["an element that repeats"] * 20 + list(range(50)),
}


def kind_of(value):
    """The kind, and its plain bytes. pylibmc has no flag for bools and writes them as integers."""
    if isinstance(value, bytes):
        return "bytes", value
    if isinstance(value, str):
        return "text", value.encode()
    if isinstance(value, int):
        return "integer", str(int(value)).encode()
    return "pickle", pickle.dumps(value, PICKLE)


def write():
    print(f"pylibmc {pylibmc.__version__}")
    for name, value in VALUES.items():
        kind, plain = kind_of(value)
        client.set(name, value, min_compress_len=100)
        print("pylibmc", name, kind, 0, plain.hex() or "-")
    client.set("counted-down", 10)
    client.decr("counted-down")
    print("pylibmc", "counted-down", "integer", 0, b"9".hex())


def check():
    count = 0
    for line in sys.stdin:
        _, name, kind, plain = line.split()
        if plain == "-":
            continue  # this client ends the process where it reads an empty value
        plain = bytes.fromhex(plain)
        wanted = {"bytes": bytes, "text": bytes.decode, "integer": int, "pickle": pickle.loads}[kind](plain)
        got = client.get(name)
        if got != wanted or type(got) is not type(wanted):
            sys.exit(f"{name}: {got!r}")
        count += 1
    print(count)


write() if sys.argv[1] == "write" else check()
