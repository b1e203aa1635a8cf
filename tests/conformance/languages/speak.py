"""Does what compare.py asks for, by Python's client. Arguments: the endpoint, the preset or nothing. Keys and values come
and go in hexadecimal: `route KEY`, `get KEY`, `set KEY VALUE`, a line each, and a line of answer.

May import: the standard library and shoal.
"""
import sys

import shoal


def main():
    client = shoal.Client(sys.argv[1], preset=sys.argv[2] or None)
    for line in sys.stdin:
        verb, key, *value = line.rstrip("\n").split(" ")
        key = bytes.fromhex(key)
        if verb == "route":
            print(client.route(key))
        elif verb == "get":
            found = client.get(key)
            print("missing" if found is None else found.hex())
        else:
            client.set(key, bytes.fromhex(value[0]))
            print("stored")


main()
