"""Changes of size: lines wrap anew, nothing that fits is lost, the cursor keeps its character."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shpool.terminal.model import Terminal
from shpool.terminal.reflow import MAX_SIDE

from .test_interpreter_printing import screen, terminal


def lines(model: Terminal) -> list[str]:
    """History and main screen as the lines that were written."""
    made: list[str] = []
    pieces: list[tuple[str, bool]] = [
        (piece, False) if isinstance(piece, str) else (piece[0], piece[2])
        for piece in model.history
    ]
    pieces += [(row.text, row.wrapped) for row in model.main.lines]
    for text, wrapped in pieces:
        text = text.replace("\x01", "")
        if wrapped and made:
            made[-1] += text.rstrip("\0")
        else:
            made.append(text.rstrip("\0"))
    while made and not made[-1]:
        made.pop()
    return made


def test_a_line_wraps_and_unwraps() -> None:
    model = terminal("0123456789\r\nx", cols=20)
    model.resize(4, 4)
    assert screen(model) == ["0123", "4567", "89", "x"]
    model.resize(4, 20)
    assert screen(model) == ["0123456789", "x", "", ""]
    assert (model.x, model.y) == (1, 1)


def test_the_cursors_line_takes_part_and_the_cursor_keeps_its_character() -> None:
    model = terminal("0123456789abcdef\x1b[1;13H", cols=20)
    model.resize(4, 5)
    assert screen(model) == ["01234", "56789", "abcde", "f"]
    assert (model.x, model.y) == (2, 2)
    model.resize(4, 20)
    assert (model.x, model.y) == (12, 0)


def test_a_wide_character_is_not_cut() -> None:
    model = terminal("漢字漢字\r\n", cols=10)
    model.resize(6, 5)
    assert screen(model)[:2] == ["漢字", "漢字"]
    model.resize(6, 8)
    assert screen(model)[0] == "漢字漢字"


def test_fewer_rows_push_the_top_into_the_history_and_more_bring_it_back() -> None:
    model = terminal("1\r\n2\r\n3\r\n4")
    model.resize(2, 10)
    assert screen(model) == ["3", "4"]
    assert list(model.history) == ["1", "2"]
    model.resize(4, 10)
    assert screen(model) == ["1", "2", "3", "4"]


def test_fewer_rows_take_blank_ones_below_the_cursor_first() -> None:
    model = terminal("1\r\n2")
    model.resize(2, 10)
    assert screen(model) == ["1", "2"]
    assert not model.history


def test_the_alternate_screen_is_cropped_and_main_reflows_behind_it() -> None:
    model = terminal("0123456789\r\nx\x1b[?1049h\x1b[Habcdefghij")
    model.resize(4, 5)
    assert screen(model)[0] == "abcde"
    model.feed(b"\x1b[?1049l")
    assert screen(model)[:3] == ["01234", "56789", "x"]
    assert (model.x, model.y) == (1, 2)


def test_margins_are_reset() -> None:
    model = terminal("\x1b[2;3r\x1b[?69h\x1b[2;4s")
    model.resize(6, 12)
    assert (model.top, model.bottom, model.left, model.right) == (0, 5, 0, 11)


@pytest.mark.parametrize("size", [(0, 0), (1, 1), (-3, 5), (1_000_000, 1_000_000)])
def test_any_size_is_survived(size: tuple[int, int]) -> None:
    model = terminal("漢字 text\r\n" * 9)
    model.resize(*size)
    assert 1 <= model.rows <= MAX_SIDE
    assert 1 <= model.cols <= MAX_SIDE
    model.feed("漢x\x1b[5;5Hy\x1b[@\x1b[P\x1b[L\x1b[2b".encode())
    model.restore(10)


def test_a_line_of_a_megabyte_is_bounded_by_the_history() -> None:
    model = terminal(b"x" * 1_000_000, history=50)
    assert len(model.history) == 50
    model.resize(4, 7)
    model.resize(9, 100)
    assert len(model.history) <= 50


@given(
    sizes=st.lists(st.tuples(st.integers(1, 12), st.integers(2, 30)), max_size=6),
    texts=st.lists(st.text("ab 漢", max_size=40), max_size=12),
)
@settings(deadline=None, derandomize=True, database=None)
def test_no_line_is_lost(sizes: list[tuple[int, int]], texts: list[str]) -> None:
    model = terminal("\r\n".join([*texts, "$"]), rows=6, cols=20, history=5000)
    before = lines(model)
    for size in sizes:
        model.resize(*size)
        row = model.lines[model.y]
        assert row.text[model.x - 1 : model.x] == "$"
    assert lines(model) == before


def test_a_mark_stays_between_its_characters() -> None:
    model = terminal("\x1b]133;A\x07a long prompt \x1b]133;B\x07cmd\r\n\x1b]133;C\x07", rows=6)
    expected = b"\x1b]133;A\x1b\\a long prompt \x1b]133;B\x1b\\cmd\r\n\x1b]133;C\x1b\\"
    for rows, cols in ((6, 10), (6, 7), (2, 7), (3, 30), (4, 14), (6, 5), (2, 40)):
        model.resize(rows, cols)
        assert expected in model.restore(10)
