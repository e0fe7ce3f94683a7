"""The backlog: order, slices, the cap, and when a flood may be skipped."""

from __future__ import annotations

import subprocess
import sys

import pytest

from shpool.terminal.backlog import Backlog
from shpool.terminal.model import Terminal

LINES = b"".join(b"line %d \x1b[3%dmcoloured\x1b[m\r\n" % (n, n % 8) for n in range(20_000))


def backlog(rows: int = 10, cols: int = 40, history: int = 50, cap: int | None = None) -> Backlog:
    return Backlog(Terminal(rows, cols, history), cap)


def test_nothing_is_interpreted_before_somebody_asks() -> None:
    waiting = backlog()
    waiting.append(b"text")
    assert waiting.pending == 4
    assert waiting.terminal.x == 0
    assert not waiting.advance(100)
    assert (waiting.pending, waiting.terminal.x) == (0, 4)


def test_it_is_interpreted_in_slices() -> None:
    waiting = backlog()
    waiting.append(b"0123456789")
    waiting.append(b"abc")
    assert waiting.advance(4)
    assert (waiting.pending, waiting.terminal.x) == (9, 4)
    assert waiting.advance(7)
    assert not waiting.advance(7)
    assert waiting.terminal.x == 13


def test_a_flood_past_the_cap_is_skipped_and_ends_as_one_that_was_read() -> None:
    read = Terminal(10, 40, 50)
    read.feed(LINES)
    waiting = backlog(cap=64 * 1024)
    for start in range(0, len(LINES), 10_000):
        waiting.append(LINES[start : start + 10_000])
        assert not waiting.must_hold
    assert waiting.pending < 64 * 1024
    assert waiting.restore(50) == read.restore(50)
    assert waiting.terminal.begun == read.begun


def test_the_pen_of_what_is_skipped_goes_on() -> None:
    waiting = backlog(cap=10_000)
    waiting.append(b"\x1b[31m" + b"red line\r\n" * 5000)
    waiting.catch_up()
    assert waiting.terminal.current_pen[0] == "31"
    assert waiting.terminal.lines[0].style


@pytest.mark.parametrize(
    "before",
    [b"\x1b[?1049h", b"\x1b[2;5r", b"\x1b(0", b"\x1b]2;title\x07", b"\x0e", b"\xc2\x9bH"],
)
def test_what_may_not_be_skipped_holds_the_pty(before: bytes) -> None:
    read = Terminal(10, 40, 50)
    read.feed(before + LINES)
    waiting = backlog(cap=64 * 1024)
    if before in (b"\x1b[?1049h", b"\x1b[2;5r", b"\x1b(0"):
        waiting.terminal.feed(before)
    else:
        waiting.append(before)
    waiting.append(LINES)
    assert waiting.must_hold
    while waiting.advance(16 * 1024):
        pass
    assert not waiting.must_hold
    assert waiting.restore(50) == read.restore(50)


def test_what_may_not_be_skipped_counts_until_it_is_interpreted() -> None:
    odd = b"\x1b]2;title\x07"
    read = Terminal(10, 40, 50)
    waiting = backlog(cap=128 * 1024)
    for start in range(0, len(LINES), 4000):
        piece = LINES[start : start + 4000]
        if start == 40_000:
            piece = odd + piece
        read.feed(piece)
        waiting.append(piece)
        while waiting.must_hold:
            waiting.advance(16 * 1024)
            assert waiting.terminal.title == "" or not waiting.must_hold
    before = waiting.terminal.begun
    for start in range(0, len(LINES), 4000):
        read.feed(LINES[start : start + 4000])
        waiting.append(LINES[start : start + 4000])
        assert not waiting.must_hold  # so it is skipped: nobody interprets it
    assert waiting.terminal.begun > before
    assert waiting.restore(50) == read.restore(50)


def test_a_flood_that_begins_inside_a_sequence_is_skipped_too() -> None:
    waiting = backlog(cap=64 * 1024)
    waiting.terminal.feed(b"\x1b[3")
    waiting.append(b"1m" + LINES)
    assert not waiting.must_hold


def test_sizes_keep_their_place() -> None:
    one, two = backlog(), Terminal(10, 40, 50)
    data = b"0123456789" * 30_000
    one.append(data)
    one.resize(10, 20)
    one.append(b"\r\nend")
    two.feed(data)
    two.resize(10, 20)
    two.feed(b"\r\nend")
    assert one.restore(50) == two.restore(50)


def test_the_cap_follows_the_history() -> None:
    assert backlog().cap == 1 << 20
    assert backlog(cols=100, history=10_000).cap == 4_000_000


def test_leaving_needs_no_model_and_no_imports() -> None:
    code = (
        "import sys; before = set(sys.modules); from shpool.terminal.leave import LEAVE;"
        "print(*sorted(set(sys.modules) - before))"
    )
    seen = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert seen.stdout.split() == ["shpool", "shpool.terminal", "shpool.terminal.leave"]


def test_the_model_is_pure() -> None:
    code = (
        "import sys; from shpool.terminal import backlog, model, reflow, restore;"
        "print(*[name for name in sys.modules if name.startswith('shpool.')],"
        "*{'socket', 'select', 'subprocess', 'dataclasses', 'typing'} & set(sys.modules))"
    )
    seen = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"import sys; sys.path[:0] = {sys.path!r}; {code}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert [name for name in seen.stdout.split() if not name.startswith("shpool.terminal")] == []


@pytest.mark.parametrize(
    ("data", "plain"),
    [
        (b"text\x1b[31mred\x1b[m\r\n", True),
        (b"\x1b[1;38:5:9mred\x1b[0m", True),
        (b"text\x1b", True),
        (b"text\x1b[", True),
        (b"text\x1b[3", True),
        (b"text\x1b[31", True),
        (b"\x1b7[m", False),
        (b"\x1b[?25l", False),
        (b"\x1b[31m\x1b[2J", False),
        (b"\x1b[>4;2m", False),
        (b"\x1b[31;\x1b[m", False),
        (b"\x1b[3\n1m", False),
        (b"\x1b]0;m\x07", False),
        (b"\x1b\x1b[m", False),
        (b"\x1bm\x1b[", False),
        (b"a\x0eb", False),
        (b"\xc2\x9b31m", False),
    ],
)
def test_plain_is_what_moves_nothing_but_the_pen_along_lines(data: bytes, plain: bool) -> None:
    for first in range(len(data) + 1):
        for second in range(first, len(data) + 1):
            backlog = Backlog(Terminal(24, 80, 0))
            for piece in (data[:first], data[first:second], data[second:]):
                backlog.append(piece)
                backlog._look()
            assert (backlog._odd == 0) is plain, (first, second)


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_lines_that_begin_nowhere_are_not_tried_again_and_again(end: bytes) -> None:
    flood = (b"\x1b[31ma line\x1b[m" + end) * 5000
    backlog = Backlog(Terminal(24, 80, 100), cap=300_000)
    backlog.append(flood[:100_000])
    assert backlog.must_hold is (end == b"\n")
    read = Terminal(24, 80, 100)
    read.feed(flood[:100_000])
    backlog.catch_up()
    assert backlog.terminal.restore(100) == read.restore(100)
