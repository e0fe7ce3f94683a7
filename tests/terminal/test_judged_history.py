"""Mode `{ lines = N }`: the scrollback a reattaching client is given, row for row."""

from __future__ import annotations

from typing import Any

import pytest

from shpool.terminal.model import Terminal

from .judge import Node, difference
from .judge.differ import row_text
from .recorded import names, stream

PLENTY = 5000
# With scrollback xterm.js lets a saved cursor move up with the text; xterm and the model do not.
IGNORE = frozenset({"saved"})


def _tail(rows: list[Any], count: int) -> list[Any]:
    return rows[len(rows) - count :]


@pytest.mark.parametrize("name", names())
def test_all_of_a_programs_history_comes_back(name: str, node: Node) -> None:
    program = stream(name)
    model = Terminal(program.rows, program.cols, PLENTY)
    model.feed(program.data)
    whole = node.new(program.rows, program.cols, PLENTY).write(program.data)
    fresh = node.new(program.rows, program.cols, PLENTY)
    fresh.write(model.restore(PLENTY, in_place=True))
    wrong = difference(whole.dump(history=True), fresh.dump(history=True), ignore=IGNORE)
    whole.close()
    fresh.close()
    assert wrong == ""


@pytest.mark.parametrize("count", [0, 1, 5, 30, 200])
def test_so_many_lines_as_asked_for_and_the_newest(count: int, node: Node) -> None:
    lines = [b"line %d " % n + b"=" * (n * 7 % 150) for n in range(150)]
    data = b"\r\n".join(lines) + b"\r\n$ "
    model = Terminal(24, 80, 1000)
    model.feed(data)
    with node.new(24, 80, 1000) as whole, node.new(24, 80, 1000) as fresh:
        whole.write(data)
        fresh.write(model.restore(count, in_place=True))
        history = whole.dump(history=True)["screens"][0]["history"]
        expected = [row_text(row) for row in history]
        state = fresh.dump(history=True)
        seen = [row_text(row) for row in state["screens"][0]["history"]]
        assert seen == _tail(expected, len(seen))
        starts = sum(1 for row in state["screens"][0]["history"] if not row[0])
        assert starts >= min(count, sum(1 for row in history if not row[0])) - 1
        assert len(seen) <= max(count * 3, 0)
        assert difference(whole.dump(), fresh.dump(), ignore=IGNORE) == ""


def test_what_stood_on_the_users_screen_goes_into_the_scrollback_once(node: Node) -> None:
    before = b"".join(b"before %d\r\n" % n for n in range(40)) + b"$ shpool attach x\r\n"
    model = Terminal(24, 80, 1000)
    model.feed(b"".join(b"session %d\r\n" % n for n in range(60)) + b"$ ")
    with node.new(24, 80, 1000) as judge:
        judge.write(before + model.restore(30))
        state = judge.dump(history=True)["screens"][0]
        text = [row_text(row) for row in state["history"] + state["lines"]]
    held = [line for line in text if line]
    assert [line for line in held if line.startswith("before")] == [
        f"before {n}" for n in range(40)
    ]
    session = [line for line in held if line.startswith("session")]
    assert session == [f"session {n}" for n in range(60 - len(session), 60)]
    assert len(session) == 30 + 23
    between = text[text.index("$ shpool attach x") : text.index(session[0])]
    assert len([line for line in between if not line]) < 24


def test_a_redraw_in_place_leaves_the_scrollback_alone(node: Node) -> None:
    data = b"".join(b"line %d\r\n" % n for n in range(60)) + b"$ "
    model = Terminal(24, 80, 1000)
    model.feed(data)
    with node.new(24, 80, 1000) as judge:
        judge.write(data)
        before = judge.dump(history=True)
        judge.write(model.restore(0, in_place=True))
        assert difference(before, judge.dump(history=True), ignore=IGNORE) == ""


@pytest.mark.parametrize("size", [(12, 40), (20, 40), (12, 60), (12, 25)])
def test_marks_of_prompts_stand_where_they_stood(size: tuple[int, int], node: Node) -> None:
    prompt = b"\x1b]133;A\x07dir \xe6\xbc\xa2 $ \x1b]133;B\x07"
    command = b"a command that is so long that it wraps " * 2 + b"\r\n\x1b]133;C\x07"
    data = (prompt + command + b"output\r\nmore\r\n\x1b]133;D;0\x07") * 9
    data += b"\r\n" + prompt + b"cmd\x1b[2D"
    model = Terminal(12, 40, 1000)
    model.feed(data)
    model.resize(*size)
    with node.new(12, 40, 1000) as whole, node.new(*size, 1000) as fresh:
        whole.write(data).resize(*size)
        fresh.write(model.restore(1000, in_place=True))
        one, two = whole.dump(history=True), fresh.dump(history=True)
        assert len(two["marks"]) == 38
        # Of marks the judge moves only the line when it wraps anew.
        same_width = size[1] == 40
        assert [mark if same_width else mark[::2] for mark in two["marks"]] == [
            mark if same_width else mark[::2] for mark in one["marks"]
        ]
