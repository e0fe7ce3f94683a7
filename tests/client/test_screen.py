"""Screens as text, coloured text and JSON, made of what a terminal model gives away."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shpool.client.as_json import as_json
from shpool.client.as_text import coloured, plain
from shpool.client.screen import Screen
from shpool.protocol.screens import PeekHead, Rows, pack_part
from shpool.terminal.model import Terminal
from shpool.terminal.snapshot import Snapshot
from tests.terminal import generated


def screen_of(terminal: Terminal, history: int | None = None) -> Screen:
    """What a client has of it; `history` as for a Snapshot."""
    snapshot = Snapshot(terminal, history)
    head = PeekHead("one")
    for slot in (
        "rows",
        "cols",
        "x",
        "y",
        "mark",
        "begun",
        "title",
        "shape",
        "visible",
        "alternate",
    ):
        setattr(head, slot, getattr(snapshot, slot))
    rows = Rows()
    while not snapshot.over:
        part = snapshot.part()
        if part is not None:
            rows.feed(pack_part(part.texts, part.styles, part.wrapped, part.pens, part.clusters))
    return Screen(head, rows)


def printed(text: str, rows: int = 5, cols: int = 20, history: int = 100) -> Terminal:
    terminal = Terminal(rows, cols, history)
    terminal.feed(text.encode())
    return terminal


def peeked(text: str, rows: int = 5, cols: int = 20) -> Screen:
    screen = screen_of(printed(text, rows, cols), 0)
    screen.show_rows()
    return screen


def lines_of(
    terminal: Terminal, last: int | None = None, since: int | None = None
) -> tuple[list[str], int]:
    screen = screen_of(terminal)
    screen.show_lines(last, since)
    return plain(screen).split("\n")[:-1], screen.lost


NUMBERS = "".join(f"{number}\r\n" for number in range(10))


def test_a_screen_is_printed_without_blanks_at_the_end() -> None:
    assert plain(peeked("one  \r\n\r\n two\x1b[44m   \x1b[m\r\n   ")) == "one\n\n two\n"
    assert plain(peeked("")) == ""


def test_wide_characters_and_clusters_come_as_they_were_written() -> None:
    assert plain(peeked("漢字e\u0301|\u00a0\r\n👩\u200d💻")) == "漢字e\u0301|\u00a0\n👩\u200d💻\n"


def test_peek_has_rows_and_history_lines() -> None:
    text = "x" * 30 + "\r\nend"
    assert plain(peeked(text)) == "x" * 20 + "\n" + "x" * 10 + "\nend\n"
    assert lines_of(printed(text)) == (["x" * 30, "end"], 0)


def test_a_line_that_begins_in_the_history_is_joined_to_its_rest() -> None:
    assert lines_of(printed("ab" + " " * 30 + "c", rows=1)) == (["ab" + " " * 30 + "c"], 0)


def test_the_last_lines_are_counted_from_the_last_one_that_is_not_blank() -> None:
    terminal = printed(NUMBERS)
    assert lines_of(terminal, last=3)[0] == ["7", "8", "9"]
    assert lines_of(terminal, last=0)[0] == []
    assert lines_of(terminal, last=100)[0] == [str(number) for number in range(10)]


def test_since_a_mark_there_are_only_lines_that_are_final() -> None:
    terminal = printed(NUMBERS)
    assert terminal.mark == 6
    assert lines_of(terminal, since=4) == (["4", "5"], 0)
    assert lines_of(terminal, since=6) == ([], 0)
    assert lines_of(terminal, since=60) == ([], 0)
    assert lines_of(terminal, last=1, since=2) == (["5"], 0)


def test_a_line_in_part_on_the_screen_is_not_final() -> None:
    terminal = printed("one\r\ntwo\r\n" + "x" * 30, rows=1)
    assert lines_of(terminal, since=0) == (["one", "two"], 0)


def test_blank_lines_are_lines_too() -> None:
    screen = screen_of(printed("\r\n\r\n" + NUMBERS))
    screen.show_lines(None, 0)
    assert [screen.text(line) for line in screen.lines][:3] == ["", "", "0"]


@pytest.mark.parametrize(
    ("terminal", "lost"),
    [
        (printed(NUMBERS, history=2), 4),
        (printed(NUMBERS + "\x1b[3J"), 6),
        (printed(NUMBERS + "\x1bc"), 6),
    ],
)
def test_what_is_lost_is_counted(terminal: Terminal, lost: int) -> None:
    assert lines_of(terminal, since=0)[1] == lost
    assert lines_of(terminal)[1] == lost
    assert lines_of(terminal, since=3)[1] == lost - 3
    assert lines_of(terminal, since=lost)[1] == 0


def test_a_line_without_its_start_is_lost() -> None:
    terminal = printed("x" * 50 + "\r\nend" * 2 + "\r\n", rows=1, history=3)
    assert lines_of(terminal, since=0) == (["end", "end"], 1)
    assert lines_of(terminal)[0] == ["x" * 10, "end", "end"]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 70), max_size=40), st.integers(1, 8), st.integers(2, 40), st.data())
def test_nobody_misses_a_line_from_one_mark_to_the_next(
    lengths: list[int], rows: int, cols: int, data: st.DataObject
) -> None:
    terminal = Terminal(rows, cols, 1000)
    mark = 0
    seen: list[str] = []
    for number, length in enumerate(lengths):
        terminal.feed((f"<{number}>".ljust(length, "=") + "\r\n").encode())
        if data.draw(st.booleans()):
            terminal.resize(rows, data.draw(st.integers(2, 40)))
            assert terminal.mark <= number + 1
            screen = screen_of(terminal, max(terminal.begun - mark, 0))
            screen.show_lines(None, mark)
            assert screen.lost == 0
            del seen[mark:]
            seen += [screen.text(line) for line in screen.lines]
            mark = min(screen.head.mark, len(seen))
    assert seen == [f"<{n}>".ljust(lengths[n], "=") for n in range(len(seen))]


def test_colours_come_as_they_were_set_and_end_with_the_line() -> None:
    screen = peeked("\x1b[1;31mred\x1b[m and\x1b[48;5;17m  \r\nmore\x1b[4:3m!")
    assert coloured(screen) == (
        "\x1b[0;1;31mred\x1b[m and\x1b[0;48;5;17m  \x1b[m\n"
        "\x1b[0;48;5;17mmore\x1b[0;48;5;17m\x1b[4:3m!\x1b[m\n"
    )


def test_a_link_is_ended_with_its_line() -> None:
    screen = peeked("\x1b]8;id=a;http://x/\x1b\\link\r\nit\x1b]8;;\x1b\\ no")
    assert coloured(screen) == (
        "\x1b]8;id=a;http://x/\x1b\\link\x1b]8;;\x1b\\\n"
        "\x1b]8;id=a;http://x/\x1b\\it\x1b]8;;\x1b\\ no\n"
    )


# Of what coloured text may have, the ends; all else has to be text.
SEQUENCES = re.compile("\x1b\\[[0-9;:]*m|\x1b\\]8;[^\x00-\x1f\x7f-\x9f]*\x1b\\\\")


@settings(max_examples=150, deadline=None)
@given(st.one_of(generated.stream(), st.binary(max_size=200)))
def test_nothing_but_text_colours_and_links_is_ever_printed(data: bytes) -> None:
    terminal = Terminal(6, 30, 50)
    terminal.feed(data)
    screen = screen_of(terminal)
    screen.show_lines(None, None)
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f]", plain(screen))
    text = coloured(screen)
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f]", SEQUENCES.sub("", text))
    for line in text.split("\n"):
        assert not line or _ends_plain(line)
    for form in (plain(screen), text, as_json(screen)):
        form.encode()


def _ends_plain(line: str) -> bool:
    looks = [each for each in SEQUENCES.findall(line) if each[1] == "["]
    links = [each for each in SEQUENCES.findall(line) if each[1] == "]"]
    return (not looks or looks[-1] == "\x1b[m") and (not links or links[-1] == "\x1b]8;;\x1b\\")


def test_json_is_one_line_of_which_no_character_turns_anything_around() -> None:
    screen = peeked("a\u202eb \u2067c\x1b]2;<script>\u202e\x07\x1b[3 q\x1b[?25l")
    written = as_json(screen, lost=0)
    assert written.count("\n") == 1
    assert "\u202e" not in written
    found = json.loads(written)
    assert found["lines"] == ["a\u202eb \u2067c"]
    assert found["title"] == "<script>\u202e"
    assert found["cursor"] == {"row": 0, "col": 4, "visible": False, "shape": "underline"}
    assert (found["rows"], found["cols"], found["mark"], found["lost"]) == (5, 20, 0, 0)


def test_the_directory_is_the_one_that_the_program_names() -> None:
    screen = peeked("")
    screen.head.cwd = "/proc"
    assert json.loads(as_json(screen))["cwd"] == "/proc"
    screen.head.directory = "file://box/home/a%20b"
    assert json.loads(as_json(screen))["cwd"] == "/home/a b"
    screen.head.directory = "http://box/home"
    assert json.loads(as_json(screen))["cwd"] == "/proc"
