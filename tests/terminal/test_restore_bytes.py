"""The bytes of a restore: their order, and what they must never hold."""

from __future__ import annotations

import re

import pytest

from shpool.terminal.leave import LEAVE
from shpool.terminal.model import Terminal

from .test_interpreter_printing import screen, terminal


def order(restore: bytes, *parts: bytes) -> bool:
    """Whether the parts stand in the bytes one after the other."""
    at = 0
    for part in parts:
        at = restore.find(part, at)
        if at < 0:
            return False
        at += len(part)
    return True


def test_the_steps_come_in_order() -> None:
    model = terminal("main\x1b[?1049h\x1b[2;3r\x1b[?6halt\x1b[?2004h\x1b[4h\x1b[1")
    restore = model.restore(0)
    assert order(
        restore,
        b"\x18\x1b\\",
        b"\x1b[?1049l",
        b"\x1b[r",
        b"\n\n\n\n",
        b"\x1b[2H\x1b[J",
        b"main",
        b"\x1b[3g",
        b"\x1b[?1049h",
        b"alt",
        b"\x1b[?2004h",
        b"\x1b[2;3r",
        b"\x1b[?6h",
        b"\x1b[4h",
        b"\x1b[1",
    )


def test_in_place_nothing_is_pushed_into_the_scrollback() -> None:
    model = terminal("text")
    assert b"\n\n" in model.restore(0).replace(b"\r\n", b"")
    in_place = model.restore(0, in_place=True)
    assert b"\n" not in in_place.replace(b"\r\n", b"")
    assert b"\x1b[H\x1b[J" not in in_place, "tmux pushes a screen that is erased as a whole"


def test_nothing_dangerous_is_ever_sent() -> None:
    model = terminal("a\r\n" * 30 + "\x1b[2J\x1b[3J\x1b#8\x1b[!p\x1bc\x1b[5;5Hx\x1b[44m\x1b[J")
    restore = model.restore(10)
    for unwanted in (b"\x1b[2J", b"\x1b[3J", b"\x1bc", b"\x1b[!p", b"\x1b#8", b"\x1b[?2026h"):
        assert unwanted not in restore
    assert not re.search(rb"\x1b\[\d*d", restore)


def test_private_modes_are_sequences_of_their_own() -> None:
    model = terminal("\x1b[?1;1000;1006;2004;1004h")
    assert not re.search(rb"\x1b\[\?\d+;", model.restore(0))


@pytest.mark.parametrize("mode", [47, 1047, 1049])
def test_the_alternate_screen_is_entered_as_the_program_did(mode: int) -> None:
    model = terminal(f"\x1b7\x1b[3;3Htext\x1b[?{mode}h")
    assert b"\x1b[?%dh" % mode in model.restore(0)
    model = terminal(f"\x1b[3;3H\x1b7\x1b[?{mode}h")
    assert b"\x1b[?1049h" in model.restore(0)


def test_wrapped_rows_are_joined() -> None:
    model = terminal("0123456789abc")
    assert b"0123456789abc" in model.restore(0)


def test_lines_of_history_come_before_the_screen_and_are_counted_in_lines() -> None:
    model = terminal("".join(f"line {n} is long\r\n" for n in range(6)), history=100)
    restore = model.restore(2)
    # The screen begins in the middle of line 4.
    assert b"line 2" not in restore
    assert order(restore, b"line 3 is long\r\nline 4 is long\r\nline 5 is long")


def test_a_restore_of_a_restore_is_the_same() -> None:
    model = terminal("漢字e\u0301\x1b[1mbold\x1b[44m\r\n\x1b[K\x1b[?1049h\x1b[4:3mx\x1b[2;2H\x1b[@")
    again = terminal(model.restore(10))
    assert again.restore(0) == model.restore(0)
    assert screen(again) == screen(model)


def test_drawing_changes_nothing() -> None:
    model = terminal("text\x1b[1")
    assert model.restore(0) == model.restore(0)


def test_leave_is_clean_by_its_own_measure() -> None:
    model = terminal(
        "\x1b[?1049h\x1b[?1h\x1b=\x1b[?25l\x1b[?7l\x1b[?1003h\x1b[?1006h\x1b[?1004h\x1b[?2004h"
        "\x1b[4h\x1b[20h\x1b[?5h\x1b[2;3r\x1b[?69h\x1b[2;5s\x1b(0\x1b)0\x0e\x1b[1;31m\x1b[>1u\x1b[?2026h"
        "\x1b]8;;http://x/\x07\x1b]2;half"
    )
    model.feed(LEAVE)
    fresh = Terminal(4, 10, 10)
    assert model.screen is model.main
    assert not any(on for mode, on in model.modes.items() if mode != 25)
    assert model.modes[25]
    assert (model.tracking, model.encoding, model.autowrap) == (0, 0, True)
    assert (model.insert_mode, model.newline_mode, model.side_margins) == (False, False, False)
    assert (model.top, model.bottom) == (fresh.top, fresh.bottom)
    assert (model.charsets[:2], model.shift) == (["B", "B"], 0)
    assert model.current_pen == fresh.current_pen
    assert model.alternate.keyboard == model.main.keyboard == [0]


def test_leave_disturbs_nothing_that_is_clean() -> None:
    model = terminal("some text\r\nprompt$ ")
    before = model.restore(10)
    model.feed(LEAVE)
    assert screen(model) == ["some text", "prompt$", "", ""]
    assert (model.x, model.y) == (8, 1)
    for step in (b"some text", b"\x1b[?25h", b"\x1b[?1l"):
        assert step in before
        assert step in model.restore(10)


def test_who_has_the_model_takes_back_what_the_session_changed() -> None:
    model = terminal(
        "\x1b[3 q\x1b]4;1;#123456\x07\x1b]11;#000000\x07\x1b[>1;2m\x1b]9;4;1;5\x07\x1b[?45h"
    )
    leave = model.leave()
    for wanted in (
        b"\x1b[0 q",
        b"\x1b]104\x1b\\",
        b"\x1b]111\x1b\\",
        b"\x1b[>1m",
        b"\x1b]9;4;0;",
        b"?45l",
    ):
        assert wanted in leave
    clean = terminal("text").leave()
    for unwanted in (b" q", b"]104", b"]11", b"]9;4", b"?45", b"?12", b"?1007"):
        assert unwanted not in clean


def test_leaving_under_origin_mode_ends_it_where_the_cursor_stands() -> None:
    model = terminal("\x1b[2;3r\x1b[?6h\x1b[2;4H")
    other = terminal(model.restore(0))
    other.feed(model.leave())
    assert not other.origin
    assert (other.x, other.y) == (3, 2)


def test_origin_mode_of_an_alternate_screen_ends_before_that_is_left() -> None:
    # tmux has one origin mode for both screens, which ESC 8 brings back if it was on at ESC 7.
    leave = terminal("\x1b[?1049h\x1b[?6h").leave()
    assert b"\x1b[?6l" in leave.partition(b"\x1b[?1049l")[0]


def test_marks_of_prompts_come_back_with_their_lines() -> None:
    prompt = "\x1b]133;D;0\x07\x1b]133;A\x07$ \x1b]133;B\x07"
    model = terminal((prompt + "cmd\r\n\x1b]133;C\x07output\r\n") * 3 + prompt, history=20)
    restore = model.restore(20)
    assert restore.count(b"\x1b]133;A\x1b\\") == 4
    assert restore.count(b"\x1b]133;C\x1b\\output") == 3
    assert b"\x1b]133;D;0\x1b\\\x1b]133;A\x1b\\$ \x1b]133;B\x1b\\cmd" in restore
    in_place = model.restore(20, in_place=True)
    assert terminal(in_place, history=20).restore(20, in_place=True) == in_place
    model.resize(4, 5)
    model.resize(3, 10)
    assert model.restore(20).count(b"\x1b]133;A") == 4
    model.feed(b"\x1b[2J")
    assert b"133" not in model.restore(0)


def test_a_mark_that_is_too_long_comes_back_without_what_makes_it_so() -> None:
    long = "x" * 300
    model = terminal(f"\x1b]133;C;aid=1;cmdline_url={long}\x07a\r\n\x1b]133;A{long}\x07b")
    assert b"\x1b]133;C;aid=1\x1b\\a\r\n\x1b]133;A\x1b\\b" in model.restore(0)


@pytest.mark.parametrize("column", range(1, 10))
def test_half_a_wide_character_keeps_its_pen(column: int) -> None:
    model = terminal(f"\x1b[4m\x1b[1;{column}H漢\x1b[1;{column + 1}Hx\x1b[m")
    again = terminal(model.restore(0))
    assert again.lines[0].text == model.lines[0].text
    for one, two in zip(model.lines[0].style, again.lines[0].style):
        assert model.pens.pens[ord(one)] == again.pens.pens[ord(two)]


@pytest.mark.parametrize("mode", [1, 6, 7, 25, 1000, 1003, 1006, 2004, 1007, 2026, 1049])
@pytest.mark.parametrize("saved", "hl")
@pytest.mark.parametrize("now", "hl")
def test_what_a_program_saved_of_a_mode_comes_back(mode: int, saved: str, now: str) -> None:
    model = terminal(f"\x1b[2;3r\x1b[?{mode}{saved}\x1b[?{mode}s\x1b[?{mode}{now}\x1b[2;2H")
    again = terminal(model.restore(0))
    assert again.private_mode(mode) == (model.private_mode(mode) if mode != 2026 else False)
    assert (again.x, again.y, again.top, again.bottom) == (model.x, model.y, 1, 2)
    if mode not in (2026, 1049):
        again.feed(b"\x1b[?%dr" % mode)
        assert again.private_mode(mode) == (saved == "h")
