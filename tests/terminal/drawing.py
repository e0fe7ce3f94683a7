"""Judged tests of drawn terminals: one judge sees the program, others its pictures."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from shpool.terminal.drawn import Drawing, enter
from shpool.terminal.model import Terminal
from shpool.terminal.window import Window

from .judge import Node, State
from .judge.differ import Cell, same_pen

DOT: Cell = ("·", 1, {"dim": True})

# Of the state beside the cells what a drawn terminal is kept in step with.
MODES = ("applicationCursor", "applicationKeypad", "bracketedPaste", "newLine")
NOTED = ("5", "67", "1007", "1034", "1035", "1036", "1037", "1039")


class Drawn:
    """A terminal of another size, and the pictures for it."""

    def __init__(self, node: Node, drawing: Drawing, before: bytes) -> None:
        self.drawing = drawing
        self.name = f"{drawing.window.rows}x{drawing.window.cols}"
        self.judge = node.new(drawing.window.rows, drawing.window.cols).write(before)
        self._answers = self.judge.answers()
        self.judge.write(enter() + self.drawing.whole())

    def wrong(self, program: State, shown: list[list[Cell]] | None = None) -> str:
        """The first difference to what the program's terminal shows, in words; `shown` are the
        cells on that, if they are known."""
        self.judge.write(self.drawing.change())
        seen = self.judge.dump()
        told = wrong_cells(
            screen(program) if shown is None else shown, seen, self.drawing.window
        ) or _wrong_state(program, seen, self.drawing)
        if not told and seen["answers"] != self._answers:
            told = f"it answered {seen['answers']!r}"
        return told


def failures(
    node: Node,
    data: bytes,
    size: tuple[int, int],
    sizes: Iterable[tuple[int, int]],
    cuts: Iterable[int],
    *,
    before: bytes = b"",
) -> list[str]:
    """What goes wrong on terminals of these sizes when a picture is drawn at each cut of the data,
    a line for each; at the last one a new terminal shows the same."""
    model = Terminal(*size, 0)
    told = []
    done = 0
    with node.new(*size) as program:
        drawn = [Drawn(node, Drawing(model, *each), before) for each in sizes]
        for cut in sorted(cuts):
            model.feed(data[done:cut])
            program.write(data[done:cut])
            done = cut
            state = program.dump()
            shown = screen(state)
            for each in drawn:
                wrong = each.wrong(state, shown)
                if wrong:
                    told.append(f"{each.name} at {cut}: {wrong}")
        for each in drawn:
            fresh = Drawn(node, each.drawing, before)
            wrong = fresh.wrong(program.dump())
            if wrong:
                told.append(f"{each.name}, the whole of it: {wrong}")
            each.judge.close()
            fresh.judge.close()
    return told


def wrong_cells(shown: list[list[Cell]], seen: State, window: Window) -> str:
    """Where what is seen is not what is in this window on the program's screen, in words."""
    rows = shown[window.top : window.top + window.rows]
    rows += [[]] * (window.rows - len(rows))
    for y, (row, other) in enumerate(zip(rows, screen(seen))):
        expected = cut(row, window.left, window.cols)
        if expected == other:
            continue  # as nearly always, and quickly
        for x, (one, two) in enumerate(zip(expected, other)):
            if one[:2] != two[:2] or not same_pen(one[2], two[2]):
                return f"row {y}, column {x}: expected {one}, seen {two}"
    return ""


def screen(state: State) -> list[list[Cell]]:
    """The cells of the screen in use, as they look: what was erased is a space."""
    table = state["attributes"]
    rows = []
    for _, runs in state["screens"][state["alternate"]]["lines"]:
        row: list[Cell] = []
        for number, width, text in runs:
            look = table[number]
            row += [(" " if cluster == "\0" else cluster, width, look) for cluster in text]
        rows.append(row)
    return rows


def cut(row: list[Cell], left: int, cols: int) -> list[Cell]:
    """What of a row is to be seen from column left on: half a wide character is a blank."""
    seen = row[left : left + cols]
    if seen and seen[0][1] == 0:
        seen[0] = (" ", 1, seen[0][2])
    if len(seen) == cols and seen[-1][1] == 2:
        seen[-1] = (" ", 1, seen[-1][2])
    return seen + [DOT] * (cols - len(seen))


def _wrong_state(program: State, seen: State, drawing: Drawing) -> str:
    cursor, other = program["cursor"], seen["cursor"]
    place = [(cursor["hidden"], cursor["style"], cursor["y"], cursor["x"])]
    window = drawing.window
    place += [(other["hidden"], other["style"], other["y"] + window.top, other["x"] + window.left)]
    if place[0][: 2 if cursor["hidden"] else 4] != place[1][: 2 if cursor["hidden"] else 4]:
        return f"cursor: expected {place[0]}, seen {place[1]}"
    expected: dict[str, Any] = {mode: program["modes"][mode] for mode in MODES}
    for mode in ("focusEvents", "synchronized", "autowrap"):
        expected[mode] = False
    expected |= {"mouse": "NONE", "mouseEncoding": "DEFAULT"}
    told = _first(expected, seen["modes"])
    # What the session never set, or took back, has a default of the user's own.
    noted = {mode: program["noted"][mode] for mode in NOTED if mode in program["noted"]}
    told = told or _first(noted, seen["noted"])
    if told:
        return f"mode {told}"
    for key in ("title", "icon"):
        if program[key] and program[key] != seen[key]:
            return f"{key}: expected {program[key]!r}, seen {seen[key]!r}"
    for key in ("colours", "otherKeys"):
        if program[key] != seen[key]:
            return f"{key}: expected {program[key]!r}, seen {seen[key]!r}"
    return "" if seen["alternate"] else "not in the alternate screen"


def _first(expected: dict[str, Any], seen: dict[str, Any]) -> str:
    for key, value in expected.items():
        if seen.get(key) != value:
            return f"{key}: expected {value}, seen {seen.get(key)}"
    return ""
