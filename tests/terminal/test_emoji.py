"""Emoji, of which no two terminals make the same: how wide they are, and how they come back.

A restore draws what terminals join in one go, then names the column, so that it is right in those
that take a cluster for one character and in those that do not.
"""

from __future__ import annotations

import pytest

from shpool.terminal.model import Terminal
from shpool.terminal.width import char_width

from .judge import Node, difference
from .judge.differ import screen_text
from .judge.kitty import Kitty
from .judge.vte import Vte
from .judge.xterm import Display

ROWS, COLS = 4, 24
CODER = "👩\u200d💻"
FAMILY = "👨\u200d👩\u200d👧"
RAINBOW = "🏳\ufe0f\u200d🌈"
HEART = "❤\ufe0f"
THUMB = "👍🏽"
FLAGS = "🇩🇪🇯🇵"
KEYCAP = "1\ufe0f\u20e3"
ON = "\x1b[?2027h"


def fed(text: str, rows: int = ROWS, cols: int = COLS) -> Terminal:
    model = Terminal(rows, cols, 10)
    model.feed(text.encode())
    return model


def drawn(model: Terminal) -> str:
    """What a restore has for the screen."""
    restore = model.restore(0, in_place=True).decode()
    return restore.partition("\x1b[J\x1b[H")[2].partition("\r\n")[0]


@pytest.mark.parametrize("char", ["\U0001fa77", "\U0001f6dc", "\U0001fac8", "\U0001f6d8"])
def test_an_emoji_that_this_python_may_not_know_is_wide(char: str) -> None:
    assert char_width(char) == 2


@pytest.mark.parametrize("char", ["\U0001fa5f", "\U0001f77f", "\U000ffffe", "\u0378"])
def test_what_else_is_unassigned_is_not(char: str) -> None:
    assert char_width(char) == 1


@pytest.mark.parametrize(
    ("cluster", "column"), [(CODER, 5), (FAMILY, 7), (RAINBOW, 4), (THUMB, 5), ("🇩🇪", 3)]
)
def test_a_cluster_is_drawn_in_one_and_then_the_column_named(cluster: str, column: int) -> None:
    assert drawn(fed(f"{cluster}x\r")) == f"{cluster}\x1b[{column}Gx"


def test_two_flags_are_two() -> None:
    assert drawn(fed(f"{FLAGS}x\r")) == "🇩🇪\x1b[3G🇯🇵\x1b[5Gx"


def test_emoji_that_nothing_joins_are_apart() -> None:
    assert drawn(fed("👩💻x\r")) == "👩\x1b[3G💻\x1b[5Gx"


@pytest.mark.parametrize("cluster", [HEART, KEYCAP, "🇩"])
def test_a_space_after_what_may_be_wide_does_not_blank_it(cluster: str) -> None:
    assert drawn(fed(f"{cluster} text\r")) == f"\x1b[2G \x1b[1G{cluster}\x1b[3Gtext"


def test_kitty_keeps_the_heart_before_a_space(kitty: Kitty) -> None:
    """There it is two columns wide, and would be gone if half of it were printed over."""
    judge = kitty.new(ROWS, COLS).write(fed(f"{HEART} text\r").restore(0))
    text = "".join(text for text, _ in judge.dump()["lines"][0])
    assert text.rstrip().replace(" ", "") == f"{HEART}text"
    judge.close()


@pytest.mark.parametrize("cluster", [CODER, FAMILY, THUMB, FLAGS, RAINBOW, HEART, KEYCAP])
@pytest.mark.parametrize("after", ["", " x", "x", "\r\ny"])
def test_a_terminal_that_does_not_join_shows_it_as_before(
    cluster: str, after: str, node: Node
) -> None:
    data = f"ab {cluster}{after}".encode()
    with node.new(ROWS, COLS) as whole, node.new(ROWS, COLS) as fresh:
        whole.write(data)
        fresh.write(fed(data.decode()).restore(0, in_place=True))
        assert difference(whole.dump(), fresh.dump()) == ""
        more = b"\x1b[2b|"
        assert difference(whole.write(more).dump(), fresh.write(more).dump()) == ""


@pytest.mark.parametrize("cluster", ["\U0001fa77", "\U0001f6dc", CODER, THUMB, FLAGS, HEART])
def test_xterm_has_the_text_behind_it_in_its_column(cluster: str, xterm: Display) -> None:
    model = fed(f"{cluster} text\x1b[2;3Hmore\r")
    real = xterm.new(ROWS, COLS).write(model.restore(0, in_place=True))
    column = model.lines[0].text.index("text")
    real.write(b"\x1b[1;%dHT" % (column + 1))
    assert real.screen()[0].endswith("Text")
    assert "tText" not in real.screen()[0]
    real.close()


@pytest.mark.parametrize(
    "cluster",
    ["\U0001fa77", "\U0001f6dc", CODER, FAMILY, RAINBOW, THUMB, FLAGS, HEART, KEYCAP, "e\u0301"],
)
@pytest.mark.parametrize("after", ["", " x", "x", "\r\ny"])
def test_vte_shows_it_as_before(cluster: str, after: str, vte: Vte) -> None:
    data = f"ab {cluster}{after}".encode()
    whole, fresh = vte.new(ROWS, COLS).write(data), vte.new(ROWS, COLS)
    model = fed(data.decode())
    fresh.write(model.restore(0, in_place=True))
    assert fresh.dump() == whole.dump()
    assert whole.dump()["cursor"] == [model.y, model.x]
    whole.close()
    fresh.close()


# Mode 2027: what is printed, and the columns it takes.
CLUSTERED = {
    CODER: 2,
    FAMILY: 2,
    RAINBOW: 2,
    THUMB: 2,
    "🇩🇪": 2,
    FLAGS: 4,
    "🇩": 1,
    HEART: 2,
    KEYCAP: 2,
    "❤": 1,
    "e\u0301": 1,
    "👩💻": 4,
    "漢\u0301": 2,
    "\U0001fa77\u200d🔥": 2,
}


@pytest.mark.parametrize("text", CLUSTERED)
def test_a_cluster_is_one_character_when_the_program_asks_for_that(text: str) -> None:
    width = CLUSTERED[text]
    for cut in range(len(text.encode()) + 1):  # and wherever the output was cut
        model = Terminal(ROWS, COLS, 0)
        for piece in (ON.encode() + text.encode()[:cut], text.encode()[cut:]):
            model.feed(piece)
        assert model.x == width, cut
        model.feed(b"x\r")
        shown = drawn(model).partition("\x1b[?2027h")[2]
        parts = [part for part in (text[:2], text[2:]) if part] if text == FLAGS else [text]
        assert "".join(parts) in shown.replace("\x1b[3G", "")
        assert shown.endswith("x")


def test_it_is_asked_for_before_anything_is_drawn() -> None:
    restore = fed(f"{ON}{CODER}x\r").restore(0).decode()
    assert restore.index(ON) < restore.index(f"{CODER}\x1b[3Gx")
    restore = fed(f"{ON}{CODER}x\x1b[?2027l\r").restore(0).decode()
    assert restore.index("\x1b[?2027l") < restore.index(CODER)


def test_a_selector_in_the_last_column_takes_the_heart_to_the_next_line() -> None:
    model = fed(f"{ON}{'x' * (COLS - 1)}❤")
    assert model.x == COLS
    model.feed("\ufe0f!".encode())
    assert (model.y, model.x) == (1, 3)
    assert model.lines[0].text.rstrip("\0") == "x" * (COLS - 1)


def test_off_again_they_are_characters_of_their_own() -> None:
    assert fed(f"{ON}\x1b[?2027l{CODER}").x == 4
    assert fed(f"{ON}\x1bc{CODER}").x == 4
    assert fed(f"\x1b[?2027s{ON}\x1b[?2027r{CODER}").x == 4


def test_reverse_wrap_that_was_never_set_is_so_again() -> None:
    assert fed("\x1b[?45s\x1b[?45h\x1b[?45r").reverse_wrap is False


@pytest.mark.parametrize("text", [CODER, FLAGS, THUMB, RAINBOW])
def test_the_cluster_printed_last_is_printed_again_whole(text: str) -> None:
    """It is printed once more to bring back a pending wrap, or what REP repeats."""
    restore = fed(f"ab {text}").restore(0, in_place=True).decode()
    assert restore.endswith(f"\x1b[1;4H{text}")


def test_screens_too_small_for_it(node: Node) -> None:
    for cols in (1, 2, 3):
        for text in (CODER, FLAGS, THUMB, HEART, KEYCAP):
            model = fed(f"{ON}{text}{text}", 2, cols)
            again = Terminal(2, cols, 10)
            again.feed(model.restore(10, in_place=True))
            with node.new(2, cols) as one, node.new(2, cols) as two:
                one.write(model.restore(0))
                two.write(again.restore(0))
                assert screen_text(one.dump()) == screen_text(two.dump())
