#!/usr/bin/python3
"""Runs the conformance cases of cases.txt, whose head describes them, through Python's client on three memcached servers.

Arguments: cases.txt. The client gives True, False and None where C gives statuses, so that a step may allow for two of
them; whatever else it can tell is compared. Fails where a case does or a line is unclear. May import: the standard
library, shoal, and the Python tests' support.
"""
import re
import sys
import time

import shoal
from support import Memcached

PIECE = re.compile(rb'"((?:[^"\\]|\\[\\"rn]|\\x[0-9A-Fa-f]{2})*)"(?:\*(\d+))?|([^" ]+)')
ESCAPES = {b"r": b"\r", b"n": b"\n", b'"': b'"', b"\\": b"\\"}
VERBS = {"get": (1, ""), "get_and_touch": (1, "ttl"), "set": (2, "flags ttl"), "add": (2, "flags ttl"),
         "replace": (2, "flags ttl"), "append": (2, "flags ttl"), "prepend": (2, "flags ttl"),
         "cas": (2, "flags ttl cas"), "increment": (1, "delta initial ttl"), "delete": (1, ""), "touch": (1, "ttl"),
         "flush_all": (0, "")}
READS = ("get", "get_and_touch")
STORES = ("set", "add", "replace", "append", "prepend", "cas")
MANY = ("get", "set", "delete")


class Unclear(Exception):
    """A line that does not keep to the grammar."""


class Failed(Exception):
    """A step whose outcome is another."""


class Pairs(shoal.Codec):
    """The cases speak of bytes and flags: they are the values here."""

    def encode(self, value):
        return value

    def decode(self, data, flags):
        return data, flags


def unescape(text):
    return re.sub(rb"\\(x..|.)", lambda found: bytes([int(found[1][1:], 16)]) if found[1][:1] == b"x" and
                  len(found[1]) == 3 else ESCAPES[found[1]], text)


def read_words(line):
    words, at = [], 0
    while at < len(line):
        if line[at:at + 1] == b" ":
            at += 1
            continue
        word = b""
        while at < len(line) and line[at:at + 1] != b" ":
            piece = PIECE.match(line, at)
            if not piece:
                raise Unclear("the words cannot be read")
            quoted, times, bare = piece.groups()
            word += bare if bare is not None else unescape(quoted) * int(times or 1)
            at = piece.end()
        words.append(word)
    return words


class Step:
    """One line: a verb with its words, and what is to come back."""

    def __init__(self, line, number):
        self.number = number
        words = read_words(line)
        if b"->" not in words[1:-1]:
            raise Unclear("a step is written VERB ... -> STATUS ...")
        arrow = words.index(b"->")
        self.verb = words[0].decode()
        if self.verb not in VERBS:
            raise Unclear(f"there is no verb {self.verb}")
        count, takes = VERBS[self.verb]
        self.words = words[1:1 + count]
        self.named = self._named(words[1 + count:arrow], takes.split())
        self.status = words[arrow + 1].decode()
        has_value = self.status == "ok" and self.verb in (*READS, "increment")
        self.value = words[arrow + 2] if has_value else None
        self.expected = self._named(words[arrow + 2 + has_value:], ("flags", "cas", "not_cas"))

    @staticmethod
    def _named(words, names):
        found = dict(word.decode().split("=", 1) for word in words)
        if not set(found) <= set(names):
            raise Unclear(f"there is no place for {found}")
        return found

    @property
    def key(self):
        return self.words[0]

    @property
    def ttl(self):
        return int(self.named.get("ttl", 0))

    @property
    def pair(self):
        """The value to be stored, as Pairs takes it."""
        return self.words[1], int(self.named.get("flags", 0))


class Runner:
    def __init__(self, endpoint):
        self.endpoint = endpoint
        self.client = None
        self.tokens = {}
        self.batch = None  # (status, number of its line)
        self.items = []

    def use_client(self, options):
        if self.client:
            self.client.close()
        self.client = shoal.Client(self.endpoint, codec=Pairs(), operation_timeout_ms=20000, **options)

    def begin_case(self):
        self.tokens = {}
        self.use_client({})
        self.client.flush_all()

    # --- Calling: the statuses that an outcome may stand for, and the outcome ---

    def token_of(self, step):
        text = step.named.get("cas", "0")
        return self.tokens[text] if text in self.tokens else int(text)

    def call(self, step):
        client, verb = self.client, step.verb
        if verb == "get":
            found = client.get(step.key)
        elif verb == "get_and_touch":
            found = client.get_and_touch(step.key, step.ttl)
        elif verb == "increment":
            initial = step.named.get("initial")
            delta = int(step.named.get("delta", 1))
            call, delta = (client.increment, delta) if delta > 0 else (client.decrement, -delta)
            found = call(step.key, delta, None if initial is None else int(initial), step.ttl)
        elif verb == "delete":
            found = client.delete(step.key) or None
        elif verb == "touch":
            found = client.touch(step.key, step.ttl) or None
        elif verb == "flush_all":
            client.flush_all()
            found = True
        elif verb == "cas":
            found = client.cas(step.key, step.pair, self.token_of(step), step.ttl)
            if not found:
                return ["not_found" if client.get(step.key) is None else "exists"], None
        else:
            value = step.words[1] if verb in ("append", "prepend") else step.pair
            found = getattr(client, verb)(step.key, value, step.ttl)
            return ["ok" if found else "not_stored"], None
        return ["not_found" if found is None else "ok"], found

    def outcome(self, step):
        try:
            return self.call(step)
        except shoal.Error as error:
            return [error.status_name.removeprefix("SHOAL_E_").lower()], None

    # --- Comparing ---

    def check(self, step, statuses, found):
        if step.status not in statuses:
            raise Failed(f"came {' or '.join(statuses)}")
        if step.status != "ok":
            return
        if step.verb in READS:
            if found != (step.value, int(step.expected.get("flags", 0))):
                raise Failed(f"came {found[0][:40]!r} flags={found[1]}")
        elif step.verb == "increment" and found != int(step.value):
            raise Failed(f"came {found}")
        self.check_token(step)

    def check_token(self, step):
        """No call but gets tells a token: it is asked for once the step is done."""
        name, other = step.expected.get("cas"), step.expected.get("not_cas")
        if name is None and other is None:
            return
        found = self.client.gets(step.key)
        token = found[1] if found else 0
        if not token or (other is not None and self.tokens[other] == token):
            raise Failed(f"came the token {token}")
        if name is not None and self.tokens.setdefault(name, token) != token:
            raise Failed(f"came another token than {name}")

    # --- Batches: runs of one verb go through the call for many keys, what has none step by step ---

    def runs(self):
        """The items in groups that one call can take, in their order."""
        groups = []
        for item in self.items:
            alike = groups and groups[-1][0].verb == item.verb and item.verb in MANY
            fresh = alike and item.key not in [each.key for each in groups[-1]] and groups[-1][0].ttl == item.ttl
            if fresh:
                groups[-1].append(item)
            else:
                groups.append([item])
        return groups

    def call_many(self, items):
        """The statuses and the outcome of each item."""
        keys = [item.key for item in items]
        if items[0].verb == "get":
            partial = None
            try:
                hits = self.client.get_many(keys)
            except shoal.Error as error:
                hits, partial = error.partial, error.status_name.removeprefix("SHOAL_E_").lower()
            for key in keys:
                yield (["ok"], hits[key]) if key in hits else ([partial or "not_found", "not_found"], None)
            return
        if items[0].verb == "set":
            left = self.client.set_many({item.key: item.pair for item in items}, items[0].ttl)
        else:
            left = self.client.delete_many(keys)
        for item in items:
            yield (["bad_key", "too_large"] if item.key in left else ["ok", "not_found"]), True

    def end_batch(self):
        if self.batch is None:
            return
        status, self.batch = self.batch, None
        failed = False
        for group in self.runs():
            many = group[0].verb in MANY
            outcomes = self.call_many(group) if many else [self.outcome(group[0])]
            for item, (statuses, found) in zip(group, outcomes):
                if item.verb == "set":
                    statuses = [each for each in statuses if each != "not_found"]
                self.check(item, statuses, found)
                failed |= item.status not in ("ok", "not_found", "not_stored", "exists")
        if status != ("partial" if failed else "ok"):
            raise Failed(f"the batch's items do not make it {status}")

    # --- Lines ---

    def run_line(self, line, number):
        first = line.split(b" ", 1)[0]
        if first == b"+":
            if self.batch is None:
                raise Unclear("an item without a batch")
            self.items.append(Step(line[1:], number))
            return
        self.end_batch()
        words = read_words(line)
        if first == b"with":
            self.use_client(dict(word.decode().split("=", 1) for word in words[1:]))
        elif first == b"sleep":
            time.sleep(int(words[1]))
        elif first == b"batch":
            self.batch, self.items = words[2].decode(), []
        else:
            step = Step(line, number)
            self.check(step, *self.outcome(step))


def run_file(runner, path):
    """Counts cases, failed cases and unclear lines."""
    cases = failed = unclear = 0
    skip, title = False, ""
    with open(path, "rb") as file:
        lines = [*enumerate(file.read().split(b"\n"), 1), (0, b"case")]
    for number, line in lines:
        line = line.lstrip(b" ")
        if not line or line.startswith(b"#") or (skip and not line.startswith(b"case")):
            continue
        try:
            if line.startswith(b"case"):
                if not skip:
                    runner.end_batch()
                skip, runner.batch = False, None
                if number:
                    title = line[5:].decode()
                    cases += 1
                    runner.begin_case()
            else:
                runner.run_line(line, number)
        except (Unclear, Failed) as reason:
            print(f"{path}:{number}: case {title}: {line.decode()[:100]}: {reason}")
            failed += isinstance(reason, Failed)
            unclear += isinstance(reason, Unclear)
            skip = not line.startswith(b"case")
            if line.startswith(b"case ") and isinstance(reason, Failed):
                runner.begin_case()
    return cases, failed, unclear


def main():
    servers = [Memcached() for _ in range(3)]
    try:
        runner = Runner("static://" + ",".join(server.name for server in servers))
        cases, failed, unclear = run_file(runner, sys.argv[1])
    finally:
        for server in servers:
            server.stop()
    print(f"python: {cases} cases, {failed} failed, {unclear} unclear lines")
    return 0 if cases and not failed and not unclear else 1


if __name__ == "__main__":
    sys.exit(main())
