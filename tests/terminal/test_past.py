"""Lines from a number on, whatever wraps, scrolls off, is lost, or is on the screen."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from shpool.terminal.model import Terminal
from shpool.terminal.past import PastLines
from shpool.terminal.screen_lines import ScreenLines

from . import generated
from .test_snapshot import line, numbered


def past(terminal: Terminal, since: int) -> tuple[list[str], int]:
    """The lines, and how many are lost; the terminal goes on meanwhile."""
    lines = PastLines(terminal, since)
    terminal.feed(b"\x1b[Hxxx" + b"\r\n" * 50)
    found = []
    while not lines.over:
        found += lines.part()
    return found, lines.lost


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_each_line_from_there_on_is_given_once(data: st.DataObject) -> None:
    size = st.tuples(st.integers(1, 12), st.integers(2, 50))
    terminal = Terminal(*data.draw(size), data.draw(st.integers(0, 40)))
    lengths = data.draw(st.lists(st.integers(0, 120), max_size=60))
    terminal.feed("".join(f"{line(n, size)}\r\n" for n, size in enumerate(lengths)).encode())
    terminal.resize(*data.draw(size))
    expected = numbered(terminal)
    last = max(expected, default=-1)
    since = data.draw(st.integers(0, last + 2))
    found, lost = past(terminal, since)
    first = min(expected, default=last + 1)
    assert lost == max(first - since, 0)
    wanted = [expected[number] for number in range(max(since, first), last + 1)]
    assert [each.rstrip() for each in found] == wanted


@settings(max_examples=80, deadline=None)
@given(generated.stream(), st.integers(1, 12), st.integers(1, 30))
def test_on_the_screen_it_is_as_the_screens_lines_are(data: bytes, rows: int, cols: int) -> None:
    terminal = Terminal(5, 20, 30)
    terminal.feed(data)
    terminal.resize(rows, cols)
    screen = ScreenLines(terminal).texts
    if terminal.main.lines[0].wrapped and not screen_is_alternate(terminal):
        screen = screen[1:]  # it began in the history
    assert past(terminal, terminal.begun)[0] == screen


def screen_is_alternate(terminal: Terminal) -> bool:
    return terminal.screen is terminal.alternate


def test_the_cursors_line_goes_up_to_the_cursor() -> None:
    terminal = Terminal(4, 20, 10)
    terminal.feed(b"one \r\n$ \x1b[20G*\x1b[3G")
    assert past(terminal, 0) == (["one ", "$ ", "", ""], 0)


def test_a_wide_character_follows_where_the_cursor_stands_in_the_row_before() -> None:
    terminal = Terminal(2, 2, 10)
    terminal.feed("漢字\x1b[H".encode())
    assert ScreenLines(terminal).texts == past(terminal, 0)[0] == ["  字"]


def test_the_cursors_line_has_a_number_on_either_screen() -> None:
    terminal = Terminal(4, 10, 10)
    terminal.feed(b"0\r\n1\r\n2\r\n3\r\n" + b"x" * 30)  # goes on from row 0 or 1
    assert terminal.line == 4
    terminal.feed(b"\x1b[?1049h\r\n\r\n")
    assert terminal.line == 4
    terminal.feed(b"\x1b[?1049l\r\n")
    assert terminal.line == 5


def test_a_screen_is_begun_anew_by_what_blanks_it_from_its_top() -> None:
    terminal = Terminal(4, 10, 10)
    begun = terminal.restarts
    for data, times in (
        (b"x\x1b[J\x1b[2;2H\x1b[J\x1b[1J\x1b[K", 1),  # the first J stands in the first row
        (b"\x1b[2J", 1),
        (b"\x1bc", 1),
        (b"\x1b[?1049h\x1b[2J\x1b[H\x1b[J\x1b[?1049l", 0),
    ):
        terminal.feed(data)
        begun += times
        assert terminal.restarts == begun, data
