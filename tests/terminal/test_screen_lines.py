"""The screen as lines of text."""

from __future__ import annotations

from shpool.terminal.model import Terminal
from shpool.terminal.screen_lines import ScreenLines


def lines(data: bytes, rows: int = 4, cols: int = 10) -> ScreenLines:
    terminal = Terminal(rows, cols, 100)
    terminal.feed(data)
    return ScreenLines(terminal)


def test_blanks_that_were_written_stay_and_no_others_are_added() -> None:
    found = lines(b"a  \r\n\x1b[2Cb\r\n$ ")
    assert found.texts == ["a  ", "  b", "$ ", ""]
    assert (found.cursor, found.rows, found.alternate) == (2, [0, 1, 2, 3], False)


def test_the_cursors_line_goes_up_to_the_cursor() -> None:
    assert lines(b"abcdef\x1b[3D").texts[0] == "abc"
    assert lines(b"ab\x1b[3C").texts[0] == "ab   "


def test_rows_that_wrap_are_one_line() -> None:
    found = lines(b"0123456789012345678901\r\nx")
    assert found.texts == ["0123456789012345678901", "x"]
    assert (found.rows, found.cursor) == ([0, 3], 1)


def test_wide_characters_and_clusters_are_what_was_written() -> None:
    assert lines("日本e\u0301".encode()).texts[0] == "日本e\u0301"


def test_a_wide_character_that_did_not_fit_leaves_no_blank_in_the_line() -> None:
    assert lines("012345678日x\r\n".encode()).texts[0] == "012345678日x"


def test_the_alternate_screen_is_the_one_in_use() -> None:
    found = lines(b"main\x1b[?1049h\x1b[Hother")
    assert (found.texts[0], found.alternate) == ("other", True)
