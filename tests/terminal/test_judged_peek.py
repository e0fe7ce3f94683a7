"""What peek and history print with --ansi is the same in another terminal, cell by cell."""

from __future__ import annotations

from typing import Any

import pytest

from shpool.client.as_text import coloured
from shpool.terminal.model import Terminal
from tests.client.test_screen import screen_of

from .judge import Node, State
from .judge.differ import cells
from .recorded import names, stream

CUTS = 8
PLENTY = 5000


def screen_cells(state: State, blank: dict[str, Any]) -> list[list[Any]]:
    """Each row's cells, those of the scrollback first if it was asked for; a blank one as a space,
    and no blanks without a look at the end."""
    found = []
    screen = state["screens"][state["alternate"]]
    for row in [*screen.get("history", ()), *screen["lines"]]:
        shown = [
            (" " if text == "\0" else text, width, look(attributes))
            for text, width, attributes in cells(row, state["attributes"])
        ]
        while shown and shown[-1] == (" ", 1, look(blank)):
            shown.pop()
        found.append(shown)
    return found


def look(attributes: dict[str, Any]) -> dict[str, Any]:
    """All but the id of a link, which the model invents where there was none."""
    link = attributes.get("link")
    return {**attributes, "link": link and link[0]}


@pytest.mark.parametrize("name", names())
def test_a_program_at_any_cut(name: str, node: Node) -> None:
    program = stream(name)
    with node.new(1, 1) as empty:
        state = empty.dump()
        _, _, blank = next(cells(state["screens"][0]["lines"][0], state["attributes"]))
    for cut in [*program.cuts(CUTS), len(program.data)]:
        terminal = Terminal(program.rows, program.cols, 0)
        terminal.feed(program.data[:cut])
        screen = screen_of(terminal, 0)
        screen.show_rows()
        text = coloured(screen).removesuffix("\n").replace("\n", "\r\n")
        with (
            node.new(program.rows, program.cols) as real,
            node.new(program.rows, program.cols) as other,
        ):
            expected = screen_cells(real.write(program.data[:cut]).dump(), blank)
            seen = screen_cells(other.write(text.encode()).dump(), blank)
            for y, (one, two) in enumerate(zip(expected, seen)):
                assert one == two, (cut, y)


@pytest.mark.parametrize("name", names())
def test_a_programs_history(name: str, node: Node) -> None:
    program = stream(name)
    terminal = Terminal(program.rows, program.cols, PLENTY)
    terminal.feed(program.data)
    screen = screen_of(terminal, PLENTY)
    screen.show_lines(None, None)
    text = coloured(screen).removesuffix("\n").replace("\n", "\r\n")
    with (
        node.new(1, 1) as empty,
        node.new(program.rows, program.cols, PLENTY) as real,
        node.new(program.rows, program.cols, PLENTY) as other,
    ):
        state = empty.dump()
        _, _, blank = next(cells(state["screens"][0]["lines"][0], state["attributes"]))
        expected = screen_cells(real.write(program.data).dump(history=True), blank)
        seen = screen_cells(other.write(text.encode()).dump(history=True), blank)
    while expected and not expected[-1]:
        expected.pop()
    while seen and not seen[-1]:
        seen.pop()
    assert len(expected) == len(seen)
    for y, (one, two) in enumerate(zip(expected, seen)):
        assert one == two, y
