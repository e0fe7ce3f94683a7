"""What an end means, and how long to wait."""

from __future__ import annotations

import signal
import tracemalloc
from itertools import islice

import pytest

from shpool.client.ssh.complaints import Complaints
from shpool.client.ssh.retries import (
    FAILED,
    LEFT,
    LOST,
    OVER,
    Ended,
    elsewhere_line,
    lost_line,
    may_be_ours,
    meaning,
    password_line,
    pauses,
)

CLOSED = b"Connection to h closed.\r\n"


def ended(
    status: int = 255,
    *,
    said: bytes = b"",
    seen: bool = True,
    end: int | None = None,
    number: int = 0,
    without_master: bool = False,
) -> Ended:
    complaints = Complaints("info")
    complaints.feed(said)
    made = Ended(status, complaints)
    made.seen, made.end, made.signal = seen, end, number
    made.without_master = without_master
    return made


@pytest.mark.parametrize(
    ("how", "means"),
    [
        (ended(255, end=0, said=CLOSED), (OVER, 0)),
        (ended(0, end=255), (OVER, 255)),  # a shell's 255 is 255
        (ended(255, end=3, said=b"Timeout, server h not responding.\r\n"), (OVER, 3)),
        (ended(255, number=signal.SIGTERM), (LEFT, 143)),
        (ended(255, number=signal.SIGHUP, said=CLOSED), (LEFT, 129)),
        (ended(255, said=CLOSED), (LEFT, 255)),
        (ended(255, said=b"Shared c" + CLOSED[1:]), (LEFT, 255)),
        (ended(255, said=b"Shared c" + CLOSED[1:], without_master=True), (LOST, 255)),
        (ended(255, said=b"Connection to h closed by remote host.\r\n" + CLOSED), (LOST, 255)),
        (ended(255, said=b"Timeout, server h not responding.\r\n"), (LOST, 255)),
        (ended(255, said=b"client_loop: send disconnect: Broken pipe\r\n"), (LOST, 255)),
        (ended(137), (LOST, 255)),
        (ended(255, seen=False), (FAILED, 255)),
        (ended(127, seen=False, said=CLOSED), (FAILED, 127)),
    ],
)
def test_what_it_means(how: Ended, means: tuple[str, int]) -> None:
    assert meaning(how) == means


def test_the_last_of_what_was_told_instead_of_an_end_counts() -> None:
    how = ended()
    assert (how.said, how.told, how.attached) == ("", False, False)
    for word in ("line;3", "gone", "busy;original", "name;6d"):
        how.take(word)
    assert (how.said, how.told, how.attached) == ("busy;original", True, True)


def test_what_is_told_for_every_line_is_not_kept() -> None:
    how = ended()
    tracemalloc.start()
    try:
        for number in range(100):
            how.take(f"line;{number}")
        before = tracemalloc.get_traced_memory()[0]
        for number in range(100, 10_000):
            how.take(f"line;{number}")
        assert tracemalloc.get_traced_memory()[0] - before < 10_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("said", "seconds", "ours"),
    [("busy;original", 29.0, True), ("busy;original", 31.0, False), ("busy", 1.0, False)],
)
def test_who_is_attached_to_an_original_daemon_may_be_ours_for_a_while(
    said: str, seconds: float, ours: bool
) -> None:
    assert may_be_ours(said, seconds) is ours


def test_pauses_grow_to_half_a_minute() -> None:
    assert list(islice(pauses(0), 9)) == [0, 1, 2, 4, 8, 16, 30, 30, 30]
    assert list(islice(pauses(0, steady=False), 3)) == [1, 2, 4]
    for chance in (0.0, 0.5, 1.0):
        assert all(
            usual <= each <= usual * 1.2
            for usual, each in zip((0, 1, 2, 4, 8, 16, 30), pauses(chance))
        )


@pytest.mark.parametrize(("seconds", "shown"), [(3.0, 3), (2.1, 3), (2.0, 2), (0.4, 1), (0.0, 0)])
def test_a_second_that_has_begun_counts(seconds: float, shown: int) -> None:
    assert lost_line("h", seconds) == (
        f"connection to h lost; trying again in {shown} s (Enter: now, Ctrl-C: give up)"
    )


def test_what_is_asked() -> None:
    assert password_line("h") == "h wants a password; Enter: log in, Ctrl-C: give up"
    assert elsewhere_line("main") == (
        "session 'main' is attached elsewhere; Enter: take it, Ctrl-C: leave it"
    )
