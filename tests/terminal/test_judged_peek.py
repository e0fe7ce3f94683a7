"""What peek --ansi prints, printed in another terminal, is the screen cell by cell."""

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


def screen_cells(state: State, blank: dict[str, Any]) -> list[list[Any]]:
    """Each row's cells, a blank one as a space, and no blanks without a look at the end."""
    found = []
    for row in state["screens"][state["alternate"]]["lines"]:
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
