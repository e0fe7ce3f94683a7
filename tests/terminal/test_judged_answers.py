"""The model's answers beside those of terminals: xterm's, and kitty's for its keyboard protocol."""

from __future__ import annotations

import re

import pytest

from shpool.terminal.model import Terminal
from shpool.terminal.modes import ALTERNATE, ENCODING, THREE_VALUED, TRACKING, TWO_VALUED

from .judge import Node
from .judge.kitty import Kitty
from .judge.xterm import Display

ROWS, COLS = 10, 40


def asked(model: Terminal, data: bytes) -> bytes:
    model.answering = True
    model.feed(data)
    return model.take_answers()


# Asked of both, one after the other, in the same two terminals.
CONVERSATION = [
    b"\x1b[5n",
    b"\x1b[6n",
    b"some text\r\nand more\x1b[6n",
    b"x" * 40 + b"\x1b[6n",
    b"\x1b[3;8r\x1b[?6h\x1b[6n",
    b"\x1b[4;5H\x1b[6n",
    b"\x1b[?69h\x1b[5;20s\x1b[6n",
    b"\x1b[2;3H\x1b[6n",
    b"\x1b[?6l\x1b[2;3H\x1b[6n",
    b"\x1b[1;5Habcdefghijklmnop\x1b[6n",
    b"q\x1b[6n",
    b"\x1b[?69l\x1b[r\x1b[6n",
    b"\x1b]4;1;#123456\x1b\\\x1b]4;1;?\x1b\\",
    b"\x1b]4;1;#123\x1b\\\x1b]4;1;?\x07",
    b"\x1b]4;1;#123456789\x1b\\\x1b]4;1;?\x1b\\",
    b"\x1b]4;1;#123456789abc\x1b\\\x1b]4;1;?\x1b\\",
    b"\x1b]4;1;rgb:1/2/3\x1b\\\x1b]4;1;?\x1b\\",
    b"\x1b]4;1;rgb:12/3/456\x1b\\\x1b]4;1;?\x1b\\",
    b"\x1b]4;1;rgb:f/ff/fff;2;rgb:fffe/8000/0001\x1b\\\x1b]4;1;?;2;?\x1b\\",
    b"\x1b]10;#a0b0c0;#010203\x1b\\\x1b]10;?;?\x1b\\",
    b"\x1b]12;#445566\x07\x1b]12;?\x07",
]


def test_place_status_and_colours_are_answered_as_by_xterm(xterm: Display) -> None:
    model, real = Terminal(ROWS, COLS, 0), xterm.new(ROWS, COLS)
    for data in CONVERSATION:
        assert asked(model, data) == real.ask(data), data
    real.close()


# Not 8 and 67: what xterm says of them without having been told is its own user's. Nor 80, which
# this one, built without sixels, leaves off.
MODES = sorted(
    {*TWO_VALUED, *THREE_VALUED, *TRACKING, *ENCODING, *ALTERNATE, 6, 7, 69} - {8, 67, 80}
)
UNKNOWN_THERE = {1038, 2026, 2027, 2031, 2048}


@pytest.mark.parametrize("mode", MODES)
def test_a_mode_is_answered_as_by_xterm(mode: int, xterm: Display) -> None:
    """Never set, on, off, and on again."""
    model, real = Terminal(ROWS, COLS, 0), xterm.new(ROWS, COLS)
    for change in (b"", b"\x1b[?%dh" % mode, b"\x1b[?%dl" % mode, b"\x1b[?%dh" % mode):
        data = change + b"\x1b[?%d$p" % mode
        answer = asked(model, data)
        if mode in UNKNOWN_THERE:
            assert real.ask(data) == b"\x1b[?%d;0$y" % mode
        else:
            assert answer == real.ask(data), data
    real.close()


@pytest.mark.parametrize("mode", [b"4", b"20", b"77"])
def test_a_mode_of_ansi_is_answered_as_by_xterm(mode: bytes, xterm: Display) -> None:
    model, real = Terminal(ROWS, COLS, 0), xterm.new(ROWS, COLS)
    for change in (b"", b"\x1b[" + mode + b"h", b"\x1b[" + mode + b"l"):
        data = change + b"\x1b[" + mode + b"$p"
        assert asked(model, data) == real.ask(data), data
    real.close()


def test_what_a_terminal_is_has_the_form_of_xterms_answer(xterm: Display) -> None:
    model, real = Terminal(ROWS, COLS, 0), xterm.new(ROWS, COLS)
    forms = {
        b"\x1b[c": rb"\x1b\[\?6[0-9](?:;[0-9]+)*c",
        b"\x1bZ": rb"\x1b\[\?6[0-9](?:;[0-9]+)*c",
        b"\x1b[>c": rb"\x1b\[>[0-9]+;[0-9]{3};0c",
        b"\x1b[>q": rb"\x1bP>\|[A-Za-z]+(?:\([^)]*\))?\x1b\\",
        b"\x1b[?6n": rb"\x1b\[\?1;1(?:;1)?R",
    }
    for question, form in forms.items():
        for answer in (asked(model, question), real.ask(question)):
            assert re.fullmatch(form, answer), (question, answer)
    # It claims no more than xterm does, of the kind and of what goes with it.
    ours = asked(model, b"\x1b[c")[3:-1].split(b";")
    theirs = real.ask(b"\x1b[c")[3:-1].split(b";")
    assert ours[0] <= theirs[0]
    assert set(ours[1:]) <= set(theirs[1:])
    real.close()


def test_xterm_js_says_the_same(node: Node) -> None:
    questions = (
        b"\x1b[5n",
        b"some text\r\nand more\x1b[6n",
        b"x" * 40 + b"\x1b[6n\x1b[?6n",
        b"\x1b[?2004$p\x1b[?2004h\x1b[?2004$p",
        b"\x1b[?1049h\x1b[?1049$p\x1b[?2026$p\x1b[?25$p\x1b[?7$p",
        b"\x1b[4$p\x1b[4h\x1b[4$p\x1b[20$p",
    )
    model = Terminal(ROWS, COLS, 0)
    with node.new(ROWS, COLS) as judge:
        told = ""
        for question in questions:
            answers = judge.write(question).answers()
            assert asked(model, question).decode() == answers[len(told) :], question
            told = answers


def test_the_keyboards_flags_are_answered_as_by_kitty(kitty: Kitty) -> None:
    data = (
        b"\x1b[?u\x1b[>1u\x1b[?u\x1b[=4;2u\x1b[?u\x1b[?1049h\x1b[?u\x1b[>31u\x1b[?u\x1b[<9u\x1b[?u"
    )
    judge = kitty.new(ROWS, COLS).write(data)
    assert asked(Terminal(ROWS, COLS, 0), data).decode() == judge.answers()
    judge.close()
