"""The judges themselves: a judge that overlooks something would let everything pass."""

from __future__ import annotations

import pytest

from .judge import Node, difference
from .judge import kitty as kitty_judge
from .judge.kitty import Kitty
from .judge.vte import Vte
from .judge.vterm import Vterm
from .judge.vterm import difference as vterm_difference
from .judge.xterm import Display

BASE = b"\x1b[2;3Hsome \x1b[1mtext\x1b[m and a link\x1b[4;5H"

# What must not go unnoticed, and a word of how it is told.
CHANGES = {
    b"x": "row 3",
    b" ": "row 3, column 4",
    b"\x1b[2;3HS\x1b[4;5H": "column 2",
    b"\x1b[2;8H\x1b[22mt\x1b[4;5H": "bold",
    b"\x1b[44m\x1b[K\x1b[m": "bg 4",
    b"\x1b[C": "cursor",
    b"\x1b[4;80Hx\x1b[4;5H": "row 3, column 79",
    b"\x1b[31m": "pen",
    b"\x1b[4:3m": "underline",
    b"\x1b[58;5;9m": "underlineColour",
    b"\x1b[53m": "overline",
    b'\x1b[1"q': "protected",
    b"\x1b]8;;http://x/\x07": "link",
    b"\x1b[3;7r\x1b[4;5H": "margins",
    b"\x1b[3g": "tab stops",
    b"\x1b7": "saved cursor",
    b"\x1b[?25l": "hidden",
    b"\x1b[4 q": "style",
    b"\x1b[?1h": "applicationCursor",
    b"\x1b=": "applicationKeypad",
    b"\x1b[?6h\x1b[4;5H": "origin",
    b"\x1b[?7l": "autowrap",
    b"\x1b[4h": "insert",
    b"\x1b[20h": "newLine",
    b"\x1b[?1003h": "mouse",
    b"\x1b[?1006h": "mouseEncoding",
    b"\x1b[?1004h": "focusEvents",
    b"\x1b[?2004h": "bracketedPaste",
    b"\x1b[?45h": "reverseWrap",
    b"\x1b[?1007l": "noted",
    b"\x1b[?2031h": "noted",
    b"\x1b[>4;2m": "otherKeys",
    b"\x1b)0": "charsets",
    b"\x1b(A": "charsets",
    b"\x0e": "charsets",
    b"\x1b]2;t\x07": "title",
    b"\x1b]1;i\x07": "icon",
    b"\x1b]2;t\x07\x1b[22;2t\x1b]2;\x07": "titles",
    b"\x1b]4;5;#010203\x07": "colours",
    b"\x1b]11;#010203\x07": "colours",
    b"\x1b]7;file://box/\x07": "directory",
    b"\x1b[?1049h\x1b[4;5H": "alternate",
    b"\x1b[1;3": "parser",
    b"\x1b]2;": "parser",
    b"\xe6\xbc": "unfinishedBytes",
}


@pytest.mark.parametrize("change", CHANGES)
def test_the_judge_notices(change: bytes, node: Node) -> None:
    with node.new(24, 80) as one, node.new(24, 80) as two:
        told = difference(two.write(BASE + change).dump(), one.write(BASE).dump())
        assert CHANGES[change] in told
        assert difference(one.dump(), one.dump()) == ""


def test_the_judge_notices_a_wrap_that_only_a_reflow_would_show(node: Node) -> None:
    with node.new(5, 10) as one, node.new(5, 10) as two:
        one.write(b"x" * 10 + b"y")
        two.write(b"x" * 10 + b"\r\ny")
        assert difference(one.dump(), two.dump()) == "main screen, row 1: wrapped expected " + (
            "True, seen False"
        )


def test_the_judge_notices_a_line_of_history(node: Node) -> None:
    with node.new(2, 10, 50) as one, node.new(2, 10, 50) as two:
        one.write(b"a\r\nb\r\nc\r\nd")
        two.write(b"a\r\nB\r\nc\r\nd")
        told = difference(one.dump(history=True), two.dump(history=True))
        assert told.startswith("main screen, row 1 of the scrollback, column 0")


def test_the_judge_notices_what_the_alternate_screen_covers(node: Node) -> None:
    with node.new(5, 10) as one, node.new(5, 10) as two:
        told = difference(
            one.write(b"under\x1b[?1049h\x1b[Hover").dump(),
            two.write(b"Under\x1b[?1049h\x1b[Hover").dump(),
        )
        assert told.startswith("main screen, row 0, column 0")


KEYBOARDS = [
    b"\x1b[>1u",
    b"\x1b[>1u\x1b[<u\x1b[=2u",
    b"\x1b[>1u\x1b[>0u",
    b"\x1b[31mx",
    b"\x1b[?1000h",
]


@pytest.mark.parametrize("change", KEYBOARDS)
def test_kitty_notices(change: bytes, kitty: Kitty) -> None:
    one, two = kitty.new(10, 40), kitty.new(10, 40).write(change)
    told = kitty_judge.difference(one.dump(), two.dump())
    assert told or kitty_judge.difference(one.probe(), two.probe())
    one.close()
    two.close()


@pytest.mark.parametrize("change", [b"x", b"\x1b[31m \x1b[D", b"\x1b[7m \x1b[D", b"\x1b[C"])
def test_libvterm_notices(change: bytes, vterm: type[Vterm]) -> None:
    one, two = vterm(10, 40), vterm(10, 40).write(change)
    assert vterm_difference(one.dump(), two.dump())
    one.close()
    two.close()


SHOWN = [b"x", b"\x1b[2;3HS\x1b[4;5H", b"\x1b[2;3H\x1b[X\x1b[4;5H", b"\x1b[C", b"\x1b[B"]


@pytest.mark.parametrize("change", SHOWN)
def test_xterm_notices(change: bytes, xterm: Display) -> None:
    one, two = xterm.new(24, 80).write(BASE), xterm.new(24, 80).write(BASE + change)
    assert (one.screen(), one.cursor()) != (two.screen(), two.cursor())
    one.close()
    two.close()


def test_xterm_notices_a_line_of_its_scrollback(xterm: Display) -> None:
    one, two = xterm.new(2, 10), xterm.new(2, 10)
    one.write(b"a\r\nb\r\nc\r\nd")
    two.write(b"a\r\nB\r\nc\r\nd")
    assert (one.lines(), two.lines()) == (["a", "b", "c", "d"], ["a", "B", "c", "d"])
    one.close()
    two.close()


@pytest.mark.parametrize("change", SHOWN)
def test_vte_notices(change: bytes, vte: Vte) -> None:
    one, two = vte.new(24, 80).write(BASE), vte.new(24, 80).write(BASE + change)
    assert one.dump() != two.dump()
    one.close()
    two.close()
