#!/usr/bin/python3
"""C, Python, Ruby and PHP put each of 10 000 keys on the same node of four, and read one another's raw values there.

compare.py --LANGUAGE COMMAND... for each: its program beside this, whose lines speak.py tells. Once with Shoal's own
distribution, and once in the place of each of some clients that hash in other ways.
May import: the standard library, shoal, and the Python tests' support.
"""
import subprocess
import sys

import shoal
from support import Memcached

NODES = 4
KEYS = 10000
VALUES = 200
LONGEST_KEY = 250
# "" is Shoal's own distribution; the others differ in the distribution, in the hash or in both.
PRESETS = ("", "php-memcached", "symfony", "dalli", "django-elasticache", "pymemcache")


def make_key(number):
    """Plain ones, as programs have them, and in turn each kind of odd one."""
    kinds = (f"user:{number}", str(number), f"ключ-{number}-鍵", f"{number}:" + "x" * LONGEST_KEY,
             f"!\"#$%&'()*+,/<=>?@[]^`{{|}}~\\{number}")
    odd = (*(kind.encode()[:LONGEST_KEY] for kind in kinds), b"\xff\x80\xfe" + str(number).encode())
    return odd[number // 10 % len(odd)] if number % 10 == 0 else odd[0]


def make_value(number):
    """Every byte there is, NUL among them, each value from another one on; the first is empty."""
    return bytes((number + at) % 256 for at in range(number * 2))


def read_commands(words):
    """The languages and their commands."""
    commands = {}
    for word in words:
        if word in ("--c", "--python", "--ruby", "--php"):
            commands[word[2:]] = command = []
        else:
            command.append(word)
    return commands


def ask(command, endpoint, preset, requests):
    """What a language's program answers, an answer a request."""
    text = "".join(" ".join((verb, *(word.hex() for word in words))) + "\n" for verb, *words in requests)
    done = subprocess.run([*command, endpoint, preset], input=text, text=True, stdout=subprocess.PIPE, timeout=100,
                          check=True)
    answers = done.stdout.splitlines()
    if len(answers) != len(requests):
        sys.exit(f"{command[0]}: {len(answers)} answers to {len(requests)} requests")
    return answers


def compare(what, found, expected, keys):
    """Prints the first difference; returns how many there are."""
    wrong = [index for index, answer in enumerate(found) if answer != expected[index]]
    if wrong:
        print(f"{what}: {len(wrong)} of {len(keys)} differ, the first is key {keys[wrong[0]]!r}: {found[wrong[0]][:60]}, "
              f"expected {expected[wrong[0]][:60]}")
    return len(wrong)


def compare_routes(commands, endpoint, preset, keys):
    """C's answers, and in how many the others differ."""
    routes = {name: ask(command, endpoint, preset, [("route", key) for key in keys])
              for name, command in commands.items()}
    if len(set(routes["c"])) != NODES:
        sys.exit(f"C puts keys on {len(set(routes['c']))} nodes of {NODES}")
    return routes["c"], sum(compare(f"node by {name}, preset {preset!r}", found, routes["c"], keys)
                            for name, found in routes.items())


def compare_values(commands, endpoint, preset, keys, routes):
    """Each language writes its share, and all read all; so does a client of the one node where a value has to be."""
    values = [make_value(number) for number in range(len(keys))]
    share = len(keys) // len(commands)
    for index, command in enumerate(commands.values()):
        own = slice(index * share, (index + 1) * share)
        ask(command, endpoint, preset, [("set", *item) for item in zip(keys[own], values[own])])
    expected = [value.hex() for value in values]
    differ = sum(compare(f"value by {name}, preset {preset!r}", ask(command, endpoint, preset, [("get", key) for key in keys]),
                         expected, keys) for name, command in commands.items())
    nodes = {name: shoal.Client(f"static://{name}?operation_timeout_ms=20000") for name in set(routes)}
    there = [(nodes[node].get(key) or b"").hex() for node, key in zip(routes, keys)]
    return differ + compare(f"value on its node, preset {preset!r}", there, expected, keys)


def main():
    commands = read_commands(sys.argv[1:])
    keys = [make_key(number) for number in range(KEYS)]
    if len(set(keys)) != KEYS or list(commands) != ["c", "python", "ruby", "php"]:
        sys.exit("compare: four languages and keys that differ are needed")
    some = keys[::KEYS // VALUES]
    servers = [Memcached() for _ in range(NODES)]
    endpoint = f"static://{','.join(server.name for server in servers)}?operation_timeout_ms=20000"
    differ = 0
    try:
        for preset in PRESETS:
            routes, wrong = compare_routes(commands, endpoint, preset, keys)
            differ += wrong + compare_values(commands, endpoint, preset, some, routes[::KEYS // VALUES])
            shoal.Client(endpoint).flush_all()
    finally:
        for server in servers:
            server.stop()
    print(f"{len(PRESETS)} ways to place {KEYS} keys, {VALUES} values each: {differ} differences")
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main())
