"""The backlog: what is interpreted later, or skipped, ends as what is interpreted at once."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shpool.terminal.backlog import Backlog
from shpool.terminal.model import Terminal

from . import generated
from .judge import Node, difference
from .judge.differ import row_text
from .recorded import names, stream
from .test_judged_generated import steady

MIB = 1 << 20


def flood(kind: str, size: int) -> bytes:
    """Output of the kind that a compiler or a log makes, of about this many bytes."""
    pick = random.Random(kind)
    out = bytearray()
    n = 0
    while len(out) < size:
        n += 1
        text = f"{n:08d} " + "some output of a build " * pick.randint(0, 5)
        if kind == "coloured":
            text = f"\x1b[{pick.choice(['31', '1;32', '0', '38;5;99', '48;2;1;2;3'])}m{text}\x1b[m"
        elif kind == "a pen that stays":
            text += f"\x1b[{pick.randint(30, 37)}m" if n % 50 == 0 else ""
        elif kind == "wide":
            text += "漢字" * pick.randint(0, 40)
        elif kind == "line drawing":
            text = f"\x1b(0lqqk\x1b(B {text}" if n % 3 else f"\x0e{text}\x0f"
        elif kind == "a long line":
            text = text.replace("\n", "") + "x" * 5000
        out += text.encode() + (b"\r\n" if kind != "bare line feeds" else b"\n")
    return bytes(out)


KINDS = [
    "plain",
    "coloured",
    "a pen that stays",
    "wide",
    "line drawing",
    "a long line",
    "bare line feeds",
]


@pytest.mark.parametrize("kind", KINDS)
def test_a_flood_that_is_skipped_ends_as_one_that_was_read(kind: str, node: Node) -> None:
    data = b"\x1b[?2004h$ make\r\n" + flood(kind, 2 * MIB) + b"\x1b[1m$ "
    model = Terminal(24, 80, 200)
    backlog = Backlog(model)
    for start in range(0, len(data), 65536):
        backlog.append(data[start : start + 65536])
    backlog.catch_up()
    assert backlog.pending == 0
    with node.new(24, 80, 200) as whole, node.new(24, 80, 200) as fresh:
        whole.write(data)
        fresh.write(backlog.restore(200, in_place=True))
        expected, seen = whole.dump(history=True), fresh.dump(history=True)
        ignore = frozenset({"saved"})
        assert difference(expected, seen, ignore=ignore) == ""
        assert len(seen["screens"][0]["history"]) == 200


@pytest.mark.parametrize("name", names())
def test_a_program_read_in_slices_ends_as_one_read_at_once(name: str) -> None:
    program = stream(name)
    at_once = Terminal(program.rows, program.cols, 100)
    at_once.feed(program.data)
    backlog = Backlog(Terminal(program.rows, program.cols, 100))
    pick = random.Random(name)
    position = 0
    while position < len(program.data):
        step = pick.randint(1, 3000)
        backlog.append(program.data[position : position + step])
        position += step
        if pick.random() < 0.5:
            backlog.advance(1000)
    while backlog.advance(1000):
        pass
    assert backlog.pending == 0
    assert backlog.restore(100) == at_once.restore(100)


@given(data=generated.WILD, sizes=st.lists(st.integers(1, 40), min_size=1))
@steady
def test_made_up_streams_too(data: bytes, sizes: list[int]) -> None:
    at_once = Terminal(10, 30, 20)
    at_once.feed(data)
    backlog = Backlog(Terminal(10, 30, 20))
    position = 0
    for n in range(len(data)):
        step = sizes[n % len(sizes)]
        backlog.append(data[position : position + step])
        position += step
        if n % 3 == 0:
            backlog.advance(10)
    backlog.catch_up()
    assert backlog.restore(20) == at_once.restore(20)


@given(
    data=generated.JOINING,
    rows=st.integers(1, 4),
    cols=st.integers(1, 6),
    sizes=st.lists(st.integers(1, 9), min_size=1),
)
@steady
def test_what_joins_is_cut_anywhere_in_a_terminal_that_it_hardly_fits(
    data: bytes, rows: int, cols: int, sizes: list[int]
) -> None:
    at_once = Terminal(rows, cols, 20)
    at_once.feed(data)
    backlog = Backlog(Terminal(rows, cols, 20))
    position = 0
    for n in range(len(data)):
        step = sizes[n % len(sizes)]
        backlog.append(data[position : position + step])
        position += step
        if n % 2 == 0:
            backlog.advance(sizes[-1])
    backlog.catch_up()
    assert backlog.restore(20) == at_once.restore(20)


@pytest.mark.parametrize("where", ["a title", "a region", "the alternate screen", "origin mode"])
def test_a_flood_that_may_not_be_skipped_is_read(where: str, node: Node) -> None:
    state = {
        "a title": b"\x1b]2;new title\x07",
        "a region": b"\x1b[5;15r",
        "the alternate screen": b"\x1b[?1049h",
        "origin mode": b"\x1b[3;9r\x1b[?6h",
    }[where]
    data = b"before\r\n" + state + flood("coloured", MIB // 2)
    backlog = Backlog(Terminal(24, 80, 50))
    backlog.append(data)
    backlog.catch_up()
    with node.new(24, 80) as whole, node.new(24, 80) as fresh:
        whole.write(data)
        fresh.write(backlog.restore(0))
        assert difference(whole.dump(), fresh.dump()) == ""


def test_a_backlog_never_grows_past_its_cap() -> None:
    backlog = Backlog(Terminal(24, 80, 200))
    data = flood("plain", MIB)
    for _ in range(12):
        backlog.append(data)
    assert backlog.pending <= 3 * MIB
    backlog.catch_up()
    assert backlog.pending == 0


def test_the_newest_lines_survive_a_flood_in_order(node: Node) -> None:
    data = b"".join(b"%07d\r\n" % n for n in range(300_000))
    backlog = Backlog(Terminal(24, 80, 1000))
    for start in range(0, len(data), 100_000):
        backlog.append(data[start : start + 100_000])
    with node.new(24, 80, 5000) as fresh:
        fresh.write(backlog.restore(1000, in_place=True))
        state = fresh.dump(history=True)["screens"][0]
        lines = [row_text(row) for row in state["history"] + state["lines"]]
    assert lines[:-1] == [f"{n:07d}" for n in range(300_001 - len(lines), 300_000)]
    assert len(lines) >= 1000
