#!/usr/bin/python3
"""32 processes of all languages fetch one key: one computes a period, and nobody waits longer than he said.

fetch.py --periods N --LANGUAGE COMMAND... for each: its program beside this, whose lines fetch_worker.py tells. A period
is the second that a value is fresh for, give or take what memcached makes of it, which counts whole seconds.
May import: the standard library, shoal, and the Python tests' support.
"""
import pathlib
import subprocess
import sys
import tempfile
from typing import NamedTuple

import shoal
from support import Memcached

PROCESSES = 32
TTL_S = 1
STALE_TTL_S = 600
FEW_PERIODS = 5  # without an old value, where all wait for every computation
COST_MS = 300
PATIENCE_MS = 20000
# A computation that nobody has the patience for, and how late who gave up may be on a machine that is busy.
LONG_COST_MS = 4000
SHORT_PATIENCE_MS = 200
SLACK_MS = 2500
MS = 1_000_000  # nanoseconds


class Fetched(NamedTuple):
    """What all workers did together."""

    ticks: int  #: seconds that the server counted meanwhile
    computations: list  #: (begin, end) in nanoseconds, sorted
    calls: int
    slow: int  #: of these, that took half a computation's time or longer, their own left out
    longest_ms: float  #: of a call, to its end or to where it computes itself
    wrong: int  #: values that nobody can have computed


class Workers:
    """The processes, which do the same at the same time."""

    def __init__(self, commands, server, journal):
        self._server = server
        self._journal = journal
        names = list(commands)
        self._processes = [subprocess.Popen(["setpriv", "--pdeathsig", "KILL", *commands[names[i % len(names)]], str(journal)],
                                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
                           for i in range(PROCESSES)]
        self._answers()  # they are there

    def _answers(self):
        answers = [process.stdout.readline().split() for process in self._processes]
        if not all(answers):
            sys.exit("fetch: a worker has died: its words are above")
        return answers

    def _second(self):
        with shoal.Client(f"static://{self._server.name}", operation_timeout_ms=PATIENCE_MS) as client:
            return int(client.stats()[self._server.name]["time"])

    def fetch(self, key, seconds, patience_ms, stale_ttl_s, cost_ms):
        """All fetch a key for so many seconds, at least once each."""
        self._journal.write_text("")
        endpoint = f"static://{self._server.name}?operation_timeout_ms={PATIENCE_MS}&fetch_wait_ms={patience_ms}"
        begin = self._second()
        for process in self._processes:
            process.stdin.write(f"{endpoint} {key} {seconds} {TTL_S} {stale_ttl_s} {cost_ms}\n")
            process.stdin.flush()
        told = [[int(word) for word in answer] for answer in self._answers()]
        ticks = self._second() - begin
        computations = sorted(tuple(map(int, line.split())) for line in self._journal.read_text().splitlines())
        calls, slow, longest_ns, wrong = zip(*told)
        return Fetched(ticks, computations, sum(calls), sum(slow), max(longest_ns) / MS, sum(wrong))

    def stop(self):
        """They end."""
        for process in self._processes:
            process.kill()
            process.communicate()


def check_turns(what, fetched, faults):
    """One computation after the other, and none that a second's end did not ask for."""
    count = len(fetched.computations)
    overlaps = sum(end > begin for (_, end), (begin, _) in zip(fetched.computations, fetched.computations[1:]))
    print(f"{what}: {count} computations in {fetched.ticks} seconds, {fetched.calls} calls, {fetched.slow} of them slow, the "
          f"longest wait {fetched.longest_ms:.0f} ms")
    if overlaps:
        faults.append(f"{what}: {overlaps} computations began before the one before them ended")
    if not fetched.ticks / 2 <= count <= fetched.ticks + 1:
        faults.append(f"{what}: {count} computations in {fetched.ticks} seconds")
    if fetched.wrong:
        faults.append(f"{what}: {fetched.wrong} wrong values")


def run(workers, periods):
    """What is wrong, a line each."""
    faults = []
    stale = workers.fetch("stale", periods, PATIENCE_MS, STALE_TTL_S, COST_MS)
    check_turns("with an old value", stale, faults)
    # Behind the first, for which all wait, those who waited would be nearly all of them in each period.
    if stale.slow > PROCESSES + PROCESSES * len(stale.computations) / 4:
        faults.append(f"with an old value: {stale.slow} calls waited for another's computation")
    bare = workers.fetch("bare", min(periods, FEW_PERIODS), PATIENCE_MS, 0, COST_MS)
    check_turns("without an old value", bare, faults)
    if bare.longest_ms > PATIENCE_MS:
        faults.append(f"without an old value: a caller waited for {bare.longest_ms:.0f} ms")
    hasty = workers.fetch("hasty", 0, SHORT_PATIENCE_MS, 0, LONG_COST_MS)
    print(f"without patience: {len(hasty.computations)} of {PROCESSES} computed, the longest wait {hasty.longest_ms:.0f} ms")
    if hasty.longest_ms > SHORT_PATIENCE_MS + SLACK_MS or hasty.wrong or len(hasty.computations) < 2:
        faults.append(f"without patience: {hasty.longest_ms:.0f} ms, {hasty.wrong} wrong values")
    return faults


def read_commands(words):
    """How many periods, and the languages with their commands."""
    commands, command = {}, None
    for word in words:
        if word.startswith("--") and word[2:] in ("periods", "c", "python", "ruby", "php"):
            commands[word[2:]] = command = []
        else:
            command.append(word)
    return int(commands.pop("periods")[0]), commands


def main():
    periods, commands = read_commands(sys.argv[1:])
    server = Memcached()
    with tempfile.TemporaryDirectory() as folder:
        workers = Workers(commands, server, pathlib.Path(folder, "journal"))
        try:
            faults = run(workers, periods)
        finally:
            workers.stop()
            server.stop()
    for fault in faults:
        print(fault)
    print(f"{PROCESSES} processes of {', '.join(commands)}: {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
