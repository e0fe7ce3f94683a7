"""The search for text in what a session shows."""

from __future__ import annotations

import warnings
from typing import Any

import pytest

from shpool.client.search import Search, pattern
from shpool.errors import UsageError
from shpool.protocol.watching import ENDED, LINES, LOST, MISSED, OUTPUT, ROWS, SCREEN


def search(text: str, *, new: bool = False, screen: list[str] | None = None) -> Search:
    """One that was sent the screen, with the cursor at the end of its last line."""
    made = Search(pattern(text), new=new)
    lines = screen or [""]
    made.take(SCREEN, [lines, len(lines) - 1, False, len(lines) - 1])
    return made


def told(made: Search, *events: tuple[str, list[Any]]) -> bool:
    for kind, said in events:
        made.take(kind, said)
    return made.found


def test_a_line_of_the_screen_counts_unless_only_new_ones_do() -> None:
    screen = ["build ok", "$ "]
    assert search("^build ok$", screen=screen).found
    assert not search("^build ok$", screen=screen, new=True).found
    assert told(search("ok", screen=screen, new=True), (OUTPUT, [b"\r\nok\r\n"]))


def test_the_echo_of_what_was_typed_is_not_new() -> None:
    made = search("make", new=True, screen=["$ "])
    assert not told(made, (OUTPUT, [b"make"]))
    made.pause()
    assert not told(made, (OUTPUT, [b" test\r\n"]))
    assert told(made, (OUTPUT, [b"make: done\r\n"]))


def test_what_is_added_to_the_row_of_the_cursor_is_one_line_with_it() -> None:
    assert told(search(r"^\$ ls$", screen=["$ "]), (OUTPUT, [b"ls\r\n"]))


def test_each_version_of_a_line_is_tried_when_the_next_begins() -> None:
    for wanted in ("^10%$", "^55%$"):
        assert told(search(wanted), (OUTPUT, [b"10%\r55%\r"]), (OUTPUT, [b"100%\r\n"]))
    assert not told(search("^0%$"), (OUTPUT, [b"10%\r20%\r100%\r\n"]))


def test_a_line_that_is_not_complete_is_tried_when_the_output_pauses() -> None:
    made = search(r"^Password: $")
    assert not told(made, (OUTPUT, [b"Password: "]))
    assert made.waits
    made.pause()
    assert made.found
    assert not made.waits


def test_a_line_that_is_not_complete_is_tried_at_the_end() -> None:
    assert told(search("^last$"), (OUTPUT, [b"la"]), (OUTPUT, [b"st"]), (ENDED, [0]))


def test_on_the_alternate_screen_rows_count_and_output_does_not() -> None:
    made = search("^two$")
    assert not told(made, (OUTPUT, [b"\x1b[?1049h\x1b[Hone\r\ntwo\r\n"]))
    assert told(made, (ROWS, [[(0, "one"), (1, "two")], 2]))


def test_what_is_put_somewhere_counts_by_rows() -> None:
    made = search("^two$")
    assert not told(made, (OUTPUT, [b"\x1b[5;3Htwo\x1b[6;1H"]))
    assert told(made, (ROWS, [[(4, "two")], 5]))


def test_of_new_rows_that_of_the_cursor_counts_once_it_was_left() -> None:
    made = search("x", new=True)
    assert not told(made, (ROWS, [[(0, "x")], 0]))
    assert told(made, (ROWS, [[(0, "xy")], 1]))


def test_after_a_clear_output_counts_at_once() -> None:
    assert told(search("^one$"), (OUTPUT, [b"\x1b[H\x1b[2J\x1b[3Jone\r\n"]))


def test_what_was_missed_is_said(capfd: pytest.CaptureFixture[str]) -> None:
    made = search("on the screen")
    assert not told(made, (OUTPUT, [b"cut"]), (MISSED, [12_345]))
    assert capfd.readouterr().err == "shpool: 12345 bytes were missed\n"
    assert told(made, (SCREEN, [["on the screen", ""], 1, False, 1]))


def test_a_pattern_is_not_warned_of() -> None:
    with warnings.catch_warnings(record=True) as said:
        assert pattern("[[a]").search("[")
    assert said == []


def test_what_is_no_regular_expression_is_refused() -> None:
    with pytest.raises(UsageError, match=r"^cannot read 'x\(' as a regular expression: missing \)"):
        pattern("x(")


def test_of_lines_that_were_there_those_count_that_are_sent(
    capfd: pytest.CaptureFixture[str],
) -> None:
    made = Search(pattern("^ok$"), new=False, since=True)
    assert not told(made, (SCREEN, [["ok", "$ "], 1, False, 1]), (LINES, [["no", "$ "]]))
    assert told(made, (LINES, [["$ ", "ok"]]), (LOST, [3]))
    assert capfd.readouterr().err == "shpool: 3 lines from MARK on are gone\n"


def test_after_a_gap_all_of_the_screen_counts() -> None:
    made = Search(pattern("^ok$"), new=False, since=True)
    screen = (SCREEN, [["ok", "$ "], 1, False, 1])
    assert not told(made, screen)
    assert told(made, screen)
