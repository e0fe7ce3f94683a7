"""What printing does to cells: wrapping, wide characters, marks, character sets, insert mode."""

from __future__ import annotations

import pytest

from shpool.terminal.clusters import MAX_CLUSTER
from shpool.terminal.model import Terminal
from shpool.terminal.width import UNSURE, char_width


def terminal(data: bytes | str, rows: int = 4, cols: int = 10, history: int = 10) -> Terminal:
    made = Terminal(rows, cols, history)
    made.feed(data.encode() if isinstance(data, str) else data)
    return made


def screen(model: Terminal) -> list[str]:
    """The rows as text, blank cells as spaces, without blank tails."""
    return [
        "".join(model.clusters.text(cell) or " " for cell in row.text if cell != "\x01").rstrip()
        for row in model.lines
    ]


def test_text_wraps_and_the_row_says_so() -> None:
    model = terminal("0123456789abc")
    assert screen(model)[:2] == ["0123456789", "abc"]
    assert [row.wrapped for row in model.lines[:2]] == [False, True]
    assert (model.x, model.y) == (3, 1)


def test_the_last_column_leaves_a_wrap_pending() -> None:
    model = terminal("0123456789")
    assert (model.x, model.y) == (10, 0)
    model.feed(b"\r\nx")
    assert screen(model)[:2] == ["0123456789", "x"]
    assert not model.lines[1].wrapped


def test_without_autowrap_the_last_column_is_overprinted() -> None:
    assert screen(terminal("\x1b[?7l0123456789abc"))[0] == "012345678c"


def test_without_autowrap_a_wide_character_that_does_not_fit_is_not_printed() -> None:
    assert screen(terminal("\x1b[?7l012345678漢"))[0] == "012345678"


def test_a_wide_character_that_does_not_fit_wraps_early() -> None:
    model = terminal("012345678漢x")
    assert screen(model)[:2] == ["012345678", "漢x"]
    assert model.x == 3


@pytest.mark.parametrize(
    ("after", "row"),
    [
        ("\x1b[1;1Hx", "x 字"),  # the right half is left
        ("\x1b[1;2Hx", " x字"),  # the left half is left
        ("\x1b[1;2Hxy", " xy"),
        ("\x1b[1;2H\x1b[X", "  字"),
        ("\x1b[1;2H\x1b[P", " 字"),
        ("\x1b[1;2H\x1b[@", "   字"),
        ("\x1b[1;3H\x1b[1K", ""),
    ],
)
def test_half_a_wide_character_becomes_a_blank(after: str, row: str) -> None:
    assert screen(terminal("漢字" + after))[0] == row


def test_marks_join_the_character_before_also_across_pieces() -> None:
    model = Terminal(2, 10, 0)
    for byte in "e\u0301x漢\ufe0f".encode():
        model.feed(bytes([byte]))
    assert screen(model)[0] == "e\u0301x漢\ufe0f"
    assert model.x == 4


def test_marks_are_bounded_for_each_cell() -> None:
    model = terminal("e" + "\u0301" * 1000)
    assert screen(model)[0] == "e" + "\u0301" * (MAX_CLUSTER - 1)


def test_a_mark_with_nothing_before_it_is_dropped() -> None:
    assert screen(terminal("\u0301x"))[0] == "x"


def test_a_private_character_of_plane_16_is_a_character_like_any_other() -> None:
    model = terminal("\U00100000\U0010fffd")
    assert screen(model)[0] == "\U00100000\U0010fffd"
    assert model.x == 2


def test_invalid_utf_8_is_one_replacement_for_each_maximal_subpart() -> None:
    assert screen(terminal(b"a\xf0\x9f\x92b\xc0\xafc"))[0] == "a\ufffdb\ufffd\ufffdc"


def test_line_drawing_and_uk_sets() -> None:
    assert screen(terminal("\x1b(0lqk\x1b(B q"))[0] == "┌─┐ q"
    assert screen(terminal("\x1b)0\x0eq\x0fq"))[0] == "─q"
    assert screen(terminal("\x1b(A#"))[0] == "£"
    assert screen(terminal("\x1b*0\x1bnq"))[0] == "─"


def test_insert_mode_shifts_what_stands_there() -> None:
    assert screen(terminal("abcdefghij\x1b[1;2H\x1b[4hXY"))[0] == "aXYbcdefgh"


def test_repeat_only_follows_a_print() -> None:
    assert screen(terminal("ab\x1b[3b"))[0] == "abbbb"
    assert screen(terminal("ab\x1b[m\x1b[3b"))[0] == "ab"
    assert screen(terminal("漢\x1b[b"))[0] == "漢漢"
    assert screen(terminal("e\u0301\x1b[b"))[0] == "e\u0301e\u0301"


def test_a_huge_repeat_is_no_more_than_a_screen() -> None:
    model = terminal("x\x1b[2147483647b")
    assert screen(model)[:3] == ["x" * 10] * 3


def test_reverse_wrap_goes_back_over_a_wrapped_line_only() -> None:
    assert terminal("\x1b[?45h0123456789a\b\b").y == 0
    assert terminal("\x1b[?45h0\r\na\b\b").y == 1
    assert terminal("0123456789a\b\b").y == 1


def test_widths() -> None:
    narrow = ["a", "\xad", "─", "\U000e0fff", "\ue0b0", "\U0003fffd"]
    assert [char_width(char) for char in narrow] == [1] * len(narrow)
    assert [char_width(char) for char in "漢가😀"] == [2, 2, 2]
    assert [char_width(char) for char in "\u0301\u200d\ufe0f\u1160\u200b"] == [0] * 5


def test_what_is_surely_narrow_is_one_column_wide() -> None:
    wrong = [
        chr(code)
        for code in range(0x20, 0x110000)
        if not 0xD800 <= code < 0xE000
        and not UNSURE.match(chr(code))
        and char_width(chr(code)) != 1
    ]
    assert wrong == []


def test_lines_printed_at_once_are_as_lines_printed_one_by_one() -> None:
    data = b"".join(b"line %d\r\n" % n * (n % 7 > 2) for n in range(100))
    data += b"".join(b"line %d " % n * (n % 9) + b"\r\n" for n in range(100)) + b"\x1b[mend"
    at_once, one_by_one = Terminal(4, 20, 30), Terminal(4, 20, 30)
    at_once.feed(b"some\x1b[3;5H" + data)
    one_by_one.feed(b"some\x1b[3;5H")
    for line in data.splitlines(keepends=True):
        one_by_one.feed(line)
    assert at_once.restore(30) == one_by_one.restore(30)
    assert at_once.begun == one_by_one.begun > 150
    assert list(at_once.history) == list(one_by_one.history)
    assert len(at_once.history) == 30
