"""The pure parts of the fault bench: what is read of a connection, what each fault makes of it, and the verdicts.

May import: the standard library, and the modules beside it. Called by CTest.
"""
from __future__ import annotations

import unittest

import damage
import lies
from faults import CHECKS, FAULTS, Fault
from figures import Bucket, Figures, Plan, Record, failures, misses, sum_up
from wire import Conversation, Reply

CLASSIC_HIT = b"VALUE key:1 0 5\r\nhello\r\nEND\r\n"
META_HIT = b"VA 5 f0 c7 O3\r\nhello\r\n"


def talk(asked: bytes, answered: bytes, step: int = 1 << 20) -> list[Reply]:
    """The replies, in whatever pieces the bytes come."""
    conversation = Conversation()
    replies = []
    for at in range(0, len(asked), step):
        conversation.ask(asked[at:at + step])
    for at in range(0, len(answered), step):
        replies += conversation.answer(answered[at:at + step])
    return replies


def sent(fault: object, *replies: Reply) -> bytes:
    """All that a fault makes of replies."""
    return b"".join(piece.data for reply in replies for piece in fault(reply))  # type: ignore[operator]


class WireTest(unittest.TestCase):
    """Requests and replies."""

    def test_each_reply_has_its_request(self) -> None:
        asked = (b"set key:1 0 0 9\r\nget x\r\nO3\r\nget key:1\r\nmg key:2 v O4\r\nms key:3 2 O5\r\nhi\r\n"
                 b"md key:4 O6\r\nversion\r\nstats\r\n")
        answered = (b"STORED\r\n" + CLASSIC_HIT + b"EN O4\r\nHD O5\r\nNF O6\r\nVERSION 1.6.18\r\n"
                    b"STAT pid 1\r\nSTAT x y\r\nEND\r\n")
        for step in (1, 2, 7, 1 << 20):
            replies = talk(asked, answered, step)
            self.assertEqual([reply.request.verb for reply in replies if reply.request],
                             [b"set", b"get", b"mg", b"ms", b"md", b"version", b"stats"])
            self.assertEqual(b"".join(reply.bytes for reply in replies), answered)

    def test_quiet_requests_are_answered_by_nothing(self) -> None:
        replies = talk(b"ms a 1 q\r\nx\r\nms b 1 q\r\ny\r\nms c 1 O9\r\nz\r\nmn\r\n", b"HD O9\r\nMN\r\n")
        self.assertEqual([reply.request.key for reply in replies if reply.request], [b"c", b""])

    def test_binary_frames_are_whole(self) -> None:
        frame = bytes([0x81]) + bytes(7) + (5).to_bytes(4, "big") + bytes(12) + b"hello"
        self.assertEqual([reply.bytes for reply in talk(b"", frame * 2, 10)], [frame, frame])


class DamageTest(unittest.TestCase):
    """What is sent in a reply's place."""

    def setUp(self) -> None:
        self.classic, = talk(b"get key:1\r\n", CLASSIC_HIT)
        self.meta, = talk(b"mg key:1 v f c O3\r\n", META_HIT)

    def test_pieces(self) -> None:
        self.assertEqual(sent(damage.slow_100, self.meta), META_HIT)
        self.assertEqual(sent(damage.trickle, self.meta), META_HIT)
        self.assertEqual(sent(damage.doubled, self.classic), CLASSIC_HIT * 2)
        cut, = damage.cut(self.classic)
        self.assertTrue(cut.then_close and CLASSIC_HIT.startswith(cut.data) and 0 < len(cut.data) < len(CLASSIC_HIT))
        self.assertNotIn(b"hello", sent(damage.garbage, *[self.classic] * 100))

    def test_heads(self) -> None:
        self.assertTrue(sent(damage.huge_length, self.classic).startswith(b"VALUE key:1 0 18446744073709551615\r\n"))
        self.assertEqual(sent(damage.huge_length, self.meta), META_HIT.replace(b"VA 5", b"VA 18446744073709551615"))
        self.assertEqual(sent(damage.long_key, self.classic), CLASSIC_HIT.replace(b"key:1", damage.TOO_LONG_KEY))
        miss, = talk(b"mg key:1 v O3\r\n", b"EN O3\r\n")
        self.assertTrue(sent(damage.huge_length, miss).startswith(b"VA 18446744073709551615 f0 c1 O3\r\n"))
        stored, = talk(b"set key:1 0 0 1\r\nx\r\n", b"STORED\r\n")
        self.assertEqual(sent(damage.huge_length, stored), b"STORED\r\n")


class LiesTest(unittest.TestCase):
    """Another key's value, in all its disguises."""

    def setUp(self) -> None:
        self.classic = talk(b"get key:1\r\nget key:2\r\n", CLASSIC_HIT + b"VALUE key:2 0 5\r\nworld\r\nEND\r\n")
        self.meta = talk(b"mg key:1 v O3\r\nmg key:2 v O4\r\n", META_HIT + b"VA 5 f0 c8 O4\r\nworld\r\n")

    def test_lies(self) -> None:
        for lie, classic, meta in (
                (lies.Swapped, CLASSIC_HIT, META_HIT),
                (lies.AnotherKey, b"VALUE key:2 0 5\r\nworld\r\nEND\r\n", b"VA 5 f0 c1 kkey:1 O4\r\nhello\r\n"),
                (lies.AnotherOpaque, b"VALUE key:2 0 5\r\nworld\r\nEND\r\n", b"VA 5 f0 c1 O5\r\nhello\r\n"),
                (lies.Forged, b"VALUE key:2 0 5\r\nhello\r\nEND\r\n", b"VA 5 f0 c8 O4\r\nhello\r\n")):
            self.assertEqual(sent(lie(), *self.classic), CLASSIC_HIT + classic, lie)
            self.assertEqual(sent(lie(), *self.meta), META_HIT + meta, lie)

    def test_done_for_somebody_else(self) -> None:
        self.assertEqual(sent(lies.AnotherDone(), *self.meta), b"HD O4\r\nHD O5\r\n")

    def test_old_values(self) -> None:
        later, = talk(b"get key:1\r\n", CLASSIC_HIT.replace(b"hello", b"later"))
        self.assertEqual(sent(lies.Rewound(), self.classic[0], later), CLASSIC_HIT * 2)


class FiguresTest(unittest.TestCase):
    """A run of 3 s, its fault in the second one."""

    fault = Fault("any", "any", make=lies.Swapped)

    def figures(self, *, meanwhile: int, errors: int = 0, longest_us: int = 100, ended: str = "") -> Figures:
        """Of a run that was otherwise fine."""
        record = Record("c", self.fault, Plan(1, 1, 1), back_s=0.1, ended=ended)
        for index in range(30):
            in_fault = 10 <= index < 20
            longest = longest_us if in_fault else 100
            record.buckets.append(Bucket(index, 100, meanwhile if in_fault else 100, errors if in_fault else 0, 0, 0,
                                         longest, longest if longest > 50000 else 0))
        return sum_up(record)

    def test_a_calm_run_is_in_bounds(self) -> None:
        figures = self.figures(meanwhile=100)
        self.assertEqual((figures.share, figures.errors_percent, figures.longest_ms), (1.0, 0.0, 0.1))
        self.assertEqual(misses(figures, self.fault), [])
        self.assertEqual(failures(figures, self.fault, 200), [])

    def test_what_is_out_of_bounds_is_named(self) -> None:
        figures = self.figures(meanwhile=75, errors=25, longest_us=5000000, ended="SIGABRT")
        self.assertAlmostEqual(figures.share, 0.75)
        self.assertEqual(misses(figures, self.fault), ["SIGABRT", "share", "errors", "longest", "stalled"])
        self.assertEqual(failures(figures, self.fault, 200), ["ended by SIGABRT", "a call of 5000 ms"])

    def test_a_driver_must_see_what_is_there_to_be_seen(self) -> None:
        for fault in CHECKS:
            self.assertEqual(len(failures(self.figures(meanwhile=100), fault, 200)), 1, fault.name)

    def test_names_are_unique(self) -> None:
        names = [fault.name for fault in FAULTS + CHECKS]
        self.assertEqual(len(set(names)), len(names))


if __name__ == "__main__":
    unittest.main()
