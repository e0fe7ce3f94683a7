"""Few bytes that mean much: the interpreter pauses among them, and ends as if it had not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shpool.terminal.backlog import Backlog
from shpool.terminal.model import Terminal
from tests.bench.streams import DEAR

from . import generated
from .test_judged_generated import steady

ROWS, COLS = 50, 200
STEP = 2048

# Between side margins, where a line feed costs most.
MARGINS = [b"\x1b[?69h", b"\x1b[2;9s", b"\x1b[4;5s", b"\x1b[?69l", b"\x1b[2;7r", b"\x1b[9;5H"]
LONG = [
    b"x" * 60,
    b"text of some length " * 9,
    "漢x".encode() * 30,
    b"y\x1b[300b",
    b"\x1b[\n\n\n3L",
]
STREAM = st.lists(st.one_of(generated.WILD, st.sampled_from(MARGINS + LONG)), max_size=12)


@given(pieces=STREAM, steps=st.lists(st.integers(1, 60), min_size=1))
@steady
def test_how_often_it_pauses_makes_no_difference(pieces: list[bytes], steps: list[int]) -> None:
    data = b"".join(pieces)
    at_once = Terminal(10, 30, 20)
    at_once.feed(data)
    backlog = Backlog(Terminal(10, 30, 20))
    backlog.append(data)
    number = 0
    while backlog.advance(steps[number % len(steps)]):
        number += 1
    assert not backlog.behind
    assert backlog.restore(20) == at_once.restore(20)


def dear(kind: str, size: int) -> tuple[Backlog, int]:
    """A backlog that has come to where the kind's endless part begins; bytes appended since."""
    start = DEAR[kind](ROWS, COLS, 0)
    data = DEAR[kind](ROWS, COLS, len(start) + size)
    backlog = Backlog(Terminal(ROWS, COLS, 100))
    backlog.append(data[: len(start)])
    backlog.catch_up()
    backlog.append(data[len(start) :])
    return backlog, len(data) - len(start)


@pytest.mark.parametrize("kind", DEAR)
def test_a_step_ends_soon_after_its_work_is_done(kind: str) -> None:
    backlog, _ = dear(kind, 4000)
    terminal = backlog.terminal
    more = True
    while more:
        more = backlog.advance(STEP)
        # No more than one sequence over, which changes each row once or twice.
        assert terminal.work > -30 * ROWS


@pytest.mark.parametrize("kind", ["line feeds under side margins", "SL and SR", "DECFRA"])
def test_what_is_dear_takes_more_steps_than_text(kind: str) -> None:
    backlog, size = dear(kind, 4000)
    steps = 1
    while backlog.advance(STEP):
        steps += 1
    assert steps > 10 * (size / STEP + 1)


def test_text_takes_as_many_steps_as_it_has_bytes() -> None:
    backlog = Backlog(Terminal(ROWS, COLS, 100))
    backlog.append(b"some text\r\n" * 2000)
    steps = 1
    while backlog.advance(STEP):
        steps += 1
    assert steps <= 22_000 // STEP + 1


def test_of_what_is_dear_little_may_wait() -> None:
    backlog, _ = dear("line feeds under side margins", 0)
    most = 0
    for _ in range(200):
        if backlog.must_hold:
            backlog.advance(STEP)
        else:
            backlog.append(b"\n" * 8192)
        most = max(most, backlog.pending)
    assert most < 100_000
    while backlog.must_hold:
        backlog.advance(STEP)
    assert 0 < backlog.pending < 20_000


def test_of_what_is_not_more_may_wait_and_of_what_may_be_skipped_most() -> None:
    moves = b"\x1b[5;9Htext" * 800
    backlog = Backlog(Terminal(ROWS, COLS, 100))
    while not backlog.must_hold:
        backlog.append(moves)
    assert 50_000 < backlog.pending < 100_000
    backlog.catch_up()
    for _ in range(50):
        backlog.append(b"a line\r\n" * 1000)
        assert not backlog.must_hold


def test_a_new_size_waits_for_what_is_dear() -> None:
    backlog, _ = dear("line feeds under side margins", 20_000)
    backlog.resize(10, 40)
    assert backlog.terminal.rows == ROWS
    backlog.append(b"\x1b[2;1Hend")
    backlog.catch_up()
    assert (backlog.terminal.rows, backlog.terminal.cols) == (10, 40)
    assert backlog.terminal.lines[1].text.startswith("end")


@pytest.mark.parametrize("count", [1, 79, 80, 1919, 1920, 2000, 2001, 65_535, 65_536, 123_457])
@pytest.mark.parametrize("cluster", ["x", "漢"])
def test_however_long_rep_ends_in_the_right_column(count: int, cluster: str) -> None:
    terminal = Terminal(24, 81, 100)
    terminal.feed(f"12345\r\nab{cluster}\x1b[{count}b".encode())
    width = 2 if cluster == "漢" else 1
    a_row = 81 // width
    end = 2 // width + 1 + count  # clusters from the first column on, "ab" as that many
    expected = (end - 1) % a_row + 1
    x = terminal.x
    if width == 2:
        assert x in (2 * expected, 81)
    else:
        assert x == (2 + 1 + count - 1) % 81 + 1
    assert len(terminal.history) <= 100


def test_while_somebody_types_a_little_more_may_wait() -> None:
    backlog, _ = dear("line feeds under side margins", 60_000)
    assert backlog.must_hold
    backlog.let_in()
    assert not backlog.must_hold
    for _ in range(10):
        backlog.let_in()
        backlog.append(b"\n" * 50_000)
    assert backlog.must_hold  # there is an end to it, too
    while backlog.must_hold:
        backlog.advance(STEP)
    assert backlog.pending > 100_000  # and more is read once there is room again
    backlog.catch_up()
    backlog.append(b"\n" * 60_000)
    assert backlog.must_hold  # it was let in for what was typed then


def test_what_an_interrupt_brings_is_read_however_much_waits_but_no_more_than_the_cap() -> None:
    backlog, _ = dear("line feeds under side margins", 60_000)
    for _ in range(100):
        backlog.let_in()
        backlog.append(b"\n" * 12_000)
        backlog.let_in(urgent=True)
        if backlog.must_hold:
            break
        backlog.append(b"\n" * 5000)  # what the program had written before
    assert backlog.must_hold
    assert backlog.pending > backlog.cap
