"""Pictures for terminals of another size: what they cost, and what the window shows."""

from __future__ import annotations

import re

import pytest

from shpool.terminal.drawn import Drawing, enter
from shpool.terminal.leave import asks
from shpool.terminal.model import Terminal

from .recorded import names, stream


def drawn(data: bytes = b"", size: tuple[int, int] = (10, 30)) -> tuple[Terminal, Drawing]:
    model = Terminal(24, 80, 100)
    model.feed(data)
    return model, Drawing(model, *size)


def test_nothing_is_drawn_while_nothing_changes() -> None:
    model, drawing = drawn(stream("vim").data)
    assert drawing.change() == b""
    model.feed(b"\x1b[31m\x1b[1m\x1b7\x1b[?1000h\x1b[?1006h\x1b[?1004h\x1b[3g\x1b]133;A\x07\x07")
    assert drawing.change() == b""


def test_what_is_outside_the_window_costs_nothing() -> None:
    model, drawing = drawn(b"\x1b[20;1H$ ")
    model.feed(b"\x1b7\x1b[1;1Hfar above\x1b[20;70Hfar right\x1b8")
    assert drawing.change() == b""


def test_a_key_that_is_echoed_costs_a_character_and_the_cursor() -> None:
    model, drawing = drawn(b"\x1b[5;1H\x1b[32m$\x1b[m make")
    model.feed(b"s")
    assert drawing.change() == (b"\x1b[?2026h\x1b[?25l\x1b[5;7Hs\x1b[5;8H\x1b[?25h\x1b[?2026l")


def test_a_moved_cursor_costs_no_more_than_that() -> None:
    model, drawing = drawn(b"text")
    model.feed(b"\x1b[3;3H")
    assert drawing.change() == b"\x1b[3;3H\x1b[?25h"
    model.feed(b"\x1b[?25l")
    assert drawing.change() == b"\x1b[?25l"
    model.feed(b"\x1b[9;9H")
    assert drawing.change() == b""


def test_of_a_plain_row_only_what_is_behind_the_first_change_is_drawn() -> None:
    model, drawing = drawn(b"count: 17 of 20")
    model.feed(b"\x1b[1;9H8\x1b[1;16H")
    assert drawing.change() == (
        b"\x1b[?2026h\x1b[?25l\x1b[1;9H\x1b[K8 of 20\x1b[1;16H\x1b[?25h\x1b[?2026l"
    )


def test_beside_a_smaller_session_erasing_spares_the_dots() -> None:
    model = Terminal(2, 10, 0)
    model.feed(b"12345678")
    drawing = Drawing(model, 3, 15)
    assert drawing.whole().count("·".encode()) == 2 * 5 + 15
    model.feed(b"\x1b[1;5H\x1b[K")
    change = drawing.change()
    assert b"\x1b[1;5H\x1b[6X" in change
    assert "·".encode() not in change
    assert b"\x1b[K" not in change


def test_nobody_is_sent_more_dots_than_a_terminal_shows() -> None:
    model = Terminal(24, 80, 0)
    model.feed(b"word")
    assert Drawing(model, 200, 600).whole().count("·".encode()) == 200 * 600 - 24 * 80
    assert len(Drawing(model, 65_535, 65_535).whole()) < 200


def test_the_last_picture_is_put_together_once() -> None:
    model, drawing = drawn(b"word")
    whole = drawing.whole()
    assert drawing.whole() is whole
    model.feed(b"\x1b[5;5H")
    drawing.change()
    assert drawing.whole() != whole


def window(drawing: Drawing) -> tuple[int, int]:
    drawing.change()
    return drawing.window.top, drawing.window.left


def test_the_window_moves_by_rows_as_little_as_the_cursor_needs() -> None:
    model, drawing = drawn()
    seen = []
    for row in (10, 11, 13, 5, 3, 24, 20):
        model.feed(b"\x1b[%d;1H" % row)
        seen.append(window(drawing)[0])
    assert seen == [0, 1, 3, 3, 2, 14, 14]


def test_the_window_moves_by_half_of_it_in_columns() -> None:
    model, drawing = drawn()
    seen = []
    for column in (30, 31, 45, 46, 20, 15, 80, 79, 1):
        model.feed(b"\x1b[1;%dH" % column)
        seen.append(window(drawing)[1])
    assert seen == [0, 15, 15, 30, 15, 0, 50, 50, 0]


def test_the_window_stays_where_it_is_while_the_cursor_is_hidden() -> None:
    model, drawing = drawn(b"\x1b[20;60H")
    before = window(drawing)
    model.feed(b"\x1b[?25l\x1b[1;1H")
    assert window(drawing) == before
    model.feed(b"\x1b[?25h")
    assert window(drawing) == (0, 0)


def test_on_another_screen_the_window_begins_in_its_corner() -> None:
    """Where htop, whose cursor is hidden, has its headings."""
    model, drawing = drawn(b"\x1b[24;79H")
    assert window(drawing) == (14, 50)
    model.feed(b"\x1b[?1049h\x1b[?25l\x1b[2Jheadings\x1b[24;80H")
    assert window(drawing) == (0, 0)
    model.feed(b"\x1b[?25h")
    assert window(drawing) == (14, 50)
    model.feed(b"\x1b[?25l\x1b[H")
    assert window(drawing) == (14, 50)
    model.feed(b"\x1b[?1049l\x1b[?25h\x1b[12;1H")
    assert window(drawing) == (2, 0)


def test_the_window_stays_on_a_session_that_becomes_smaller() -> None:
    model, drawing = drawn(b"\x1b[24;79H")
    model.feed(b"\x1b[?25l")
    assert window(drawing) == (14, 50)
    model.resize(12, 40)
    assert window(drawing) == (2, 10)
    model.resize(4, 20)
    assert window(drawing) == (0, 0)


REPORTS = re.compile(
    rb"\x1b\[\?(?:9|1000|1001|1002|1003|1004|1005|1006|1015|1016|2031|2048)h"
).search


@pytest.mark.parametrize("name", names())
def test_a_drawn_terminal_is_asked_nothing_and_told_to_report_nothing(name: str) -> None:
    program = stream(name)
    model = Terminal(program.rows, program.cols, 0)
    drawing = Drawing(model, 20, 70)
    sent = [enter(), drawing.whole()]
    for start in range(0, len(program.data), 2048):
        model.feed(program.data[start : start + 2048])
        sent += [drawing.change(), drawing.whole()]
    output = b"".join(sent)
    assert not asks(output)
    assert REPORTS(output) is None


def test_what_a_session_takes_back_is_taken_back() -> None:
    model, drawing = drawn(b"\x1b[?12h\x1b[?2027h\x1b[?8l\x1b[?1007l")
    model.feed(b"\x1bc")
    change = drawing.change()
    for sequence in (b"\x1b[?12l", b"\x1b[?2027l", b"\x1b[?8h"):
        assert sequence in change
    assert b"?1007" not in change  # whose default is the user's
