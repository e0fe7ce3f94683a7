"""Where xterm.js is no judge, or a bad one: what xterm, kitty and libvterm have to say."""

from __future__ import annotations

import pytest

from shpool.terminal.model import Terminal

from .judge import Node
from .judge.differ import history_text, screen_text
from .judge.kitty import Kitty
from .judge.vte import Vte
from .judge.xterm import Display

ROWS, COLS = 5, 12
FIVE = b"1\r\n2\r\n3\r\n4\r\n5"
FULL = b"\r\n".join(b"%d" % n * 12 for n in range(1, 6))
MARGINS = FULL + b"\x1b[?69h\x1b[2;5s\x1b[1;5r"

# What came before somebody attached, and what comes after.
SPOTS = {
    "a scroll takes lines into the scrollback": (FIVE + b"\x1b[2S", b"\x1b[H\x1b[Sx"),
    "of a region at the top too": (FIVE + b"\x1b[1;3r\x1b[2S", b"\x1b[Sx"),
    "of no more lines than there are": (FIVE + b"\x1b[1;3r\x1b[9S", b"x"),
    "but not of a region below the top": (FIVE + b"\x1b[2;4r\x1b[2S", b"\x1b[Sx"),
    "nor between side margins": (MARGINS + b"\x1b[2S", b"\x1b[Sx"),
    "nor of the alternate screen": (b"x\x1b[?1049h" + FIVE + b"\x1b[2S", b"\x1b[?1049l\r\ny"),
    "the alternate screen's saved cursor outlives its use": (
        b"\x1b[?1047h\x1b[3;4H\x1b7\x1b[H\x1b[?1047l",
        b"\x1b[2;2H\x1b7\x1b[?1047h\x1b8Y",
    ),
    "and is another than the main one's": (
        b"\x1b[2;2H\x1b7\x1b[?47h\x1b[3;4H\x1b7\x1b[H\x1b[?47l",
        b"\x1b8X\x1b[?47h\x1b8Y",
    ),
    "47 shows what was there": (b"main\x1b[?47h\x1b[2;2Halt\x1b[?47l", b"\x1b[?47h\x1b[3;1Hx"),
    "1047 too": (b"main\x1b[?47h\x1b[2;2Halt\x1b[?47l", b"\x1b[?1047h\x1b[3;1Hx"),
    "but not 1049": (b"main\x1b[?47h\x1b[2;2Halt\x1b[?47l", b"\x1b[?1049h\x1b[3;1Hx"),
    "nor after 1047": (b"main\x1b[?47h\x1b[2;2Halt\x1b[?1047l", b"\x1b[?47h\x1b[3;1Hx"),
    "and 47 leaves what 1049 came to": (b"m\x1b[?1049h\x1b[2;2Halt\x1b[?47l", b"\x1b[?47hx"),
    "a wrap is pending at the right margin": (MARGINS + b"\x1b[5;2Habcd", b"\nX"),
    "a line feed right of the right margin": (MARGINS + b"\x1b[5;6H", b"\nX"),
    "a line feed on the right margin": (MARGINS + b"\x1b[5;5H", b"\nX"),
    "a line feed left of the left margin": (MARGINS + b"\x1b[5;1H", b"\nX"),
    "an index right of the right margin": (MARGINS + b"\x1b[5;6H", b"\x1bDX"),
    "an index with a wrap pending": (MARGINS + b"\x1b[5;2Habcd", b"\x1bDX"),
    "a tab after a wrap that came to nothing": (MARGINS + b"\x1b[2;2Habcd\r", b"\tX"),
    "a wrap at the bottom": (MARGINS + b"\x1b[5;2Habcdefg", b"h"),
}


@pytest.mark.parametrize("what", SPOTS)
def test_as_in_xterm_from_the_start_and_from_a_restore(what: str, xterm: Display) -> None:
    before, after = SPOTS[what]
    model = Terminal(ROWS, COLS, 50)
    model.feed(before)
    whole, fresh = xterm.new(ROWS, COLS), xterm.new(ROWS, COLS)
    whole.write(before)
    fresh.write(model.restore(50, in_place=True))
    assert fresh.lines() == whole.lines()
    assert fresh.cursor() == whole.cursor()
    whole.write(after)
    fresh.write(after)
    assert fresh.lines() == whole.lines()
    assert fresh.cursor() == whole.cursor()
    model.feed(after)
    last = xterm.new(ROWS, COLS).write(model.restore(50, in_place=True))
    assert last.lines() == whole.lines()
    assert last.cursor() == whole.cursor()
    for real in (whole, fresh, last):
        real.close()


@pytest.mark.parametrize("what", [what for what in SPOTS if b"7h" in SPOTS[what][0]])
def test_vte_has_the_same_of_the_alternate_screen(what: str, vte: Vte) -> None:
    before, after = SPOTS[what]
    model = Terminal(ROWS, COLS, 50)
    model.feed(before)
    whole = vte.new(ROWS, COLS).write(before)
    fresh = vte.new(ROWS, COLS).write(model.restore(0, in_place=True))
    assert fresh.dump() == whole.dump()
    assert fresh.write(after).dump() == whole.write(after).dump()
    whole.close()
    fresh.close()


REPEATED = {
    "to the end of a row": b"ab\x1b[100b",
    "just full": b"\x1b[3;3H-\x1b[9b",
    "from the middle": b"\x1b[3;3H-\x1b[200b",
    "as often as can be": b"ab\x1b[65535b",
    "wide": "漢\x1b[77b".encode(),
    "between margins": b"\x1b[?69h\x1b[3;7s\x1b[3;3H-\x1b[203b",
    "in a region": b"\x1b[2;4r\x1b[2;1Ha\x1b[150b",
}


@pytest.mark.parametrize("what", REPEATED)
def test_a_character_repeated_past_the_screen_ends_in_its_column(what: str, xterm: Display) -> None:
    before, after = REPEATED[what], b"|"
    model = Terminal(ROWS, COLS, 50)
    model.feed(before)
    whole = xterm.new(ROWS, COLS).write(before + after)
    fresh = xterm.new(ROWS, COLS).write(model.restore(0, in_place=True) + after)
    assert fresh.screen() == whole.screen()
    assert fresh.cursor() == whole.cursor()
    whole.close()
    fresh.close()


def test_erasing_the_history_from_the_alternate_screen_keeps_it(node: Node) -> None:
    """As xterm.js, kitty and alacritty have it; in xterm it is gone."""
    before = FIVE + b"\r\n6\r\n7\x1b[?1049h\x1b[3Jalt"
    model = Terminal(ROWS, COLS, 50)
    model.feed(before)
    with node.new(ROWS, COLS, 50) as whole, node.new(ROWS, COLS, 50) as fresh:
        whole.write(before + b"\x1b[?1049l")
        fresh.write(model.restore(50, in_place=True) + b"\x1b[?1049l")
        seen = fresh.dump(history=True)
        assert history_text(seen) == history_text(whole.dump(history=True)) == ["1", "2"]
        assert screen_text(seen) == ["3", "4", "5", "6", "7"]


@pytest.mark.parametrize("end", [b"id=a;", b"id=a:x=y;", b";"])
def test_a_link_without_an_address_is_no_link(end: bytes, kitty: Kitty) -> None:
    """The OSC 8 specification: an empty URI ends the link, whatever stands before it."""
    before = b"\x1b]8;id=a;http://x/\x1b\\link\x1b]8;" + end + b"\x1b\\"
    model = Terminal(ROWS, COLS, 50)
    model.feed(before)
    whole = kitty.new(ROWS, COLS).write(before + b"after")
    fresh = kitty.new(ROWS, COLS).write(model.restore(0) + b"after")
    rows = whole.dump()["lines"]
    assert fresh.dump()["lines"] == rows
    assert [text.strip() for text, _ in rows[0][:2]] == ["link", "after"]
    whole.close()
    fresh.close()


def test_text_below_the_cursor_stays_when_a_line_above_it_wraps(node: Node) -> None:
    """As in kitty and alacritty, as far as the cursor stays on the screen with its character."""
    model = Terminal(5, 20, 50)
    model.feed(b"\x1b[H\x1b[Jabcdefghijklmnop\r\nqrstuvwxyzab\r\nprompt\r\nbelow\x1b[3;7H")
    model.resize(5, 6)
    with node.new(5, 6, 50) as fresh:
        fresh.write(model.restore(50, in_place=True))
        seen = fresh.dump(history=True)
        assert history_text(seen) == ["abcdefghijkl"]
        assert screen_text(seen) == ["mnop", "qrstuv", "wxyzab", "prompt", "below"]
        assert (seen["cursor"]["y"], model.y) == (3, 3)


def test_blank_rows_below_the_cursor_push_nothing_out(node: Node) -> None:
    model = Terminal(5, 20, 50)
    model.feed(b"abcdefghij\r\n$ ")
    model.resize(5, 6)
    with node.new(5, 6, 50) as fresh:
        seen = fresh.write(model.restore(50, in_place=True)).dump(history=True)
        assert (history_text(seen), screen_text(seen)) == ([], ["abcdef", "ghij", "$", "", ""])


@pytest.mark.parametrize("size", [(5, 6), (3, 12), (9, 20), (2, 3)])
def test_what_the_alternate_screen_keeps_is_cropped(size: tuple[int, int], node: Node) -> None:
    model = Terminal(ROWS, COLS, 50)
    model.feed(b"main\x1b[?47h\x1b[H" + FULL + b"\x1b[?47l")
    model.resize(*size)
    model.feed(b"\x1b[?47h")
    with node.new(*size) as fresh:
        seen = screen_text(fresh.write(model.restore(0)).dump())
    rows, cols = size
    expected = [str(n) * min(COLS, cols) for n in range(1, 6)] + [""] * 5
    assert seen == expected[:rows]
