"""Recorded programs, cut anywhere: a restore shows what an uninterrupted terminal shows, and the
live stream goes on in both alike."""

from __future__ import annotations

import pytest

from shpool.terminal.model import Terminal

from .judge import Node
from .recorded import names, stream
from .seamless import failures, report

CUTS = 20

# What a restore may come into. Nothing whose default is the user's own (cursor shape, ?1007): what
# the session never set is not touched.
DISORDER = {
    "an editor's screen": stream("vim").data[:6000],
    "a monitor's screen": stream("htop").data,
    "an installer's region": stream("apt").data[:3000],
    "an escape": b"some text\x1b",
    "half a CSI": b"some text\x1b[1;3",
    "half a private CSI": b"\x1b[?104",
    "half a title": b"\x1b]2;half a tit",
    "half a mark, its end begun": b"\x1b]133;half\x1b",
    "half a DCS": b"\x1bP1$r0",
    "half an APC": b"\x1b_Gf=100;AAAA",
    "half a character": b"abc\xe6\xbc",
    "everything on": (
        b"\x1b[3;7r\x1b[?6h\x1b[?1h\x1b=\x1b[?7l\x1b[?25l\x1b[?1003h\x1b[?1006h\x1b[?1004h"
        b"\x1b[?2004h\x1b[4h\x1b[20h\x1b(0\x1b)0\x0e\x1b[1;4:3;31;48;2;1;2;3m\x1b[3g"
        b"\x1b]8;id=x;https://example.org/\x1b\\\x1b[2;2H\x1b7\x1b[5;5Htext"
    ),
    "a synchronized update": b"\x1b[?1049h\x1b[?2026h\x1b[44mblue\x1b[2J",
    "pending wrap at the bottom": b"\x1b[99;1H\x1b[41m" + b"x" * 200,
}


@pytest.mark.parametrize("name", names())
def test_restored_at_any_cut_a_program_goes_on_as_if_never_left(name: str, node: Node) -> None:
    program = stream(name)
    cuts = [*program.cuts(CUTS), len(program.data)]
    told = failures(node, program.data, program.rows, program.cols, cuts)
    assert not told, report(told, len(cuts))


@pytest.mark.parametrize("before", DISORDER)
@pytest.mark.parametrize("name", ["bash", "vim", "unicode"])
def test_a_restore_takes_over_a_terminal_left_in_the_middle_of(
    before: str, name: str, node: Node
) -> None:
    program = stream(name)
    cuts = program.cuts(4)
    told = failures(
        node,
        program.data,
        program.rows,
        program.cols,
        cuts,
        before=DISORDER[before],
    )
    assert not told, report(told, len(cuts))


@pytest.mark.parametrize("name", ["bash", "less", "tmux", "unicode"])
def test_a_redraw_in_place_shows_the_same(name: str, node: Node) -> None:
    program = stream(name)
    cuts = program.cuts(6)
    told = failures(
        node,
        program.data,
        program.rows,
        program.cols,
        cuts,
        before=program.data[: len(program.data) // 3],
        in_place=True,
    )
    assert not told, report(told, len(cuts))


@pytest.mark.parametrize(
    "missed", [b"", b"\x1b[23;0t", b"\x1b]0;three\x07\x1b[22;0t", b"\x1b[23;2t\x1b[23;1t\x1b[22;2t"]
)
@pytest.mark.parametrize("set_first", [b"", b"\x1b]0;one\x07"])
def test_a_redraw_in_place_leaves_no_title_twice(
    missed: bytes, set_first: bytes, node: Node
) -> None:
    seen = set_first + b"\x1b[22;0t\x1b]2;two\x07\x1b[22;2t\x1b]1;icon\x07"
    model = Terminal(4, 10, 0)
    model.feed(seen + missed)
    with node.new(4, 10) as whole, node.new(4, 10) as judge:
        theirs = b"\x1b]0;the user's own\x07"
        whole.write(theirs + seen + missed)
        judge.write(theirs + seen + model.restore(0, in_place=True))
        for _ in range(3):
            one, two = whole.dump(), judge.dump()
            for key in ("title", "icon", "titles", "icons"):
                assert one[key] == two[key]
            whole.write(b"\x1b[23;0t")
            judge.write(b"\x1b[23;0t")


STRINGS = (
    "\x1b]2;title\x1b\\",
    "\x1b]2;title\x07",
    "\x1b]2;title\x18",
    "\x1bP1$r0m\x1b\\",
    "\x1bPq\x18",
    "\x1b_Gf\x1b\\",
    "\x1b_a\x1b[A",
    "\x1b^pm\x1b\\",
    "\x1bXsos\x1b\\",
    "\x1b[3漢",
    "\x1b_a漢",
    "\x1b[\x1b\\",
    "\u0090q1\u009c",
    "\u009d2;x\u009c",
)


@pytest.mark.parametrize("string", STRINGS)
def test_what_rep_repeats_is_known_at_every_cut_of_a_string(string: str, node: Node) -> None:
    told = []
    for before in ("abx", "\x1b[1;9Hxy", "漢", "\x1b[2;3H"):
        for after in ("\x1b[3bZ", "\\\x1b[3bZ"):
            data = f"{before}{string}{after}".encode()
            told += failures(node, data, 4, 10, range(len(data) + 1))
    assert not told, told


def test_a_restore_is_at_rest_only_where_the_program_is(node: Node) -> None:
    """A restore by itself asks nothing, rings nothing and changes no title that was never set."""
    program = stream("bash")
    with node.new(program.rows, program.cols) as judge:
        model = Terminal(program.rows, program.cols, 100)
        model.feed(b"\x07\x1b[c\x1b[6n\x1b[5n\x1b[?2026$p\x1bP$qm\x1b\\\x1b]11;?\x07text")
        judge.write(b"\x1b]2;the user's own\x07")
        judge.write(model.restore(100))
        state = judge.dump()
        assert (state["bells"], state["answers"], state["title"]) == (0, "", "the user's own")
