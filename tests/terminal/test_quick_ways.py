"""What is done in a quicker way when there is much of it ends as it does one by one."""

from __future__ import annotations

import random

import pytest

from shpool.terminal.model import Terminal
from shpool.terminal.parser import _MAX_SEEN, MAX_MEMO, Parser


def one_by_one(data: bytes, rows: int, cols: int, history: int) -> Terminal:
    terminal = Terminal(rows, cols, history)
    for at in range(len(data)):
        terminal.feed(data[at : at + 1])
    return terminal


REGIONS = {
    "the screen": b"",
    "the top": b"\x1b[1;6r",
    "the bottom": b"\x1b[3;10r",
    "the middle": b"\x1b[3;6r",
    "a region of the alternate screen": b"\x1b[?1049h\x1b[2;7r",
}


@pytest.mark.parametrize("line", [b"y", b"", b"a line that wraps into another one", b"x" * 20])
@pytest.mark.parametrize("place", [b"\x1b[H", b"\x1b[4H", b"\x1b[6H", b"\x1b[10H"])
@pytest.mark.parametrize("region", REGIONS)
def test_many_lines_scroll_through_a_region(region: str, place: bytes, line: bytes) -> None:
    before = b"".join(b"\x1b[4%dm\x1b[%d;3Hrow %d\x1b[m" % (n % 8, n, n) for n in range(1, 11))
    before += REGIONS[region] + place
    lines = b"".join(line + b"%d\r\n" % n for n in range(120)) + b"end"
    at_once = Terminal(10, 20, 50)
    at_once.feed(before)
    at_once.feed(lines)
    expected = one_by_one(before + lines, 10, 20, 50)
    assert at_once.restore(50) == expected.restore(50)
    assert at_once.begun == expected.begun


@pytest.mark.parametrize(
    ("quick", "other"),
    [
        ("38;2;1;20;255", "38;2;01;20;255"),
        ("48;2;0;0;9", "48;2;0;0;09"),
        ("38;2;1;2;3;48;2;4;5;6", "38;2;1;2;3;48;2;4;5;06"),
        ("38;2;256;1;2", "38;2;0256;1;2"),
        ("38;2;1;2", "38;2;1;02"),
    ],
)
@pytest.mark.parametrize("before", ["", "\x1b[1;4:3;48;5;7m", "\x1b]8;;http://x/\x07\x1b[31m"])
def test_a_colour_seen_for_the_first_time_is_that_colour(
    quick: str, other: str, before: str
) -> None:
    pens = []
    for body in (quick, quick, other):
        Parser._memo.pop(f"\x1b[{body}m", None)
        if body is not quick:
            Parser._seen.clear()
        terminal = Terminal(3, 20, 0)
        terminal.feed(f"{before}\x1b[{body}mtext\x1b[K".encode())
        pens.append((terminal.current_pen, terminal.pens.pens[ord(terminal.fill)]))
    assert pens[0] == pens[1]
    assert pens[0][0][:1] + pens[0][0][2:5] == pens[2][0][:1] + pens[2][0][2:5]
    assert pens[0][1] == pens[2][1]


def test_more_colours_than_are_remembered_stay_what_they_are() -> None:
    pick = random.Random(5)
    terminal = Terminal(40, 200, 100)
    expected: list[str] = []
    for _ in range(3):
        terminal.feed(b"\x1b[H")
        expected.clear()
        for _ in range(40 * 200):
            colour = tuple(pick.randbytes(3))
            terminal.feed(b"\x1b[38;2;%d;%d;%dmx" % colour)
            expected.append("38;2;" + ";".join(map(str, colour)))
    pens = terminal.pens.pens
    assert [pens[ord(pen)][0] for row in terminal.lines for pen in row.style] == expected
    assert len(pens) < 3 * 40 * 200
    assert len(Parser._memo) <= MAX_MEMO
    assert len(Parser._seen) <= _MAX_SEEN


def test_every_cell_of_a_large_screen_can_be_addressed_again_and_again() -> None:
    rows, cols = 70, 280
    assert rows * cols > 2 * MAX_MEMO
    terminal = Terminal(rows, cols, 0)
    cells = [(y, x) for y in range(rows) for x in range(cols)]
    pick = random.Random(6)
    for _ in range(2):
        pick.shuffle(cells)
        for y, x in cells[: 2 * MAX_MEMO]:
            terminal.feed(b"\x1b[%d;%dH" % (y + 1, x + 1))
            assert (terminal.y, terminal.x) == (y, x)
        terminal.feed(b"\x1b[999;9999H")
        assert (terminal.y, terminal.x) == (rows - 1, cols - 1)
        assert len(Parser._memo) <= MAX_MEMO


def test_what_is_remembered_makes_room_by_halves() -> None:
    terminal = Terminal(24, 80, 0)
    last = b""
    for number in range(2 * MAX_MEMO):
        last = b"\x1b[%dC" % number
        terminal.feed(last)
        assert len(Parser._memo) <= MAX_MEMO
    assert last.decode() in Parser._memo
    assert len(Parser._memo) >= MAX_MEMO // 2


def test_a_position_is_of_the_margins_in_origin_mode_however_it_is_read() -> None:
    terminal = Terminal(24, 80, 0)
    for number in range(MAX_MEMO + 1):
        terminal.feed(b"\x1b[%dC" % (number + 100))
    for row in range(1, MAX_MEMO // 80 + 2):
        for column in range(1, 81):
            terminal.feed(b"\x1b[%d;%dH" % (row, column))
    terminal.feed(b"\x1b[5;10r\x1b[?6h\x1b[3;7H")
    assert (terminal.y, terminal.x) == (6, 6)
