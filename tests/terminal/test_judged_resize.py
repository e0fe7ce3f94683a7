"""Changes of size, beside the judge's own reflow.

xterm.js does not reflow the line that holds the cursor, so that line stays short here.
"""

from __future__ import annotations

import random

import pytest

from shpool.terminal.model import Terminal

from .judge import Node, State, difference
from .judge.differ import cells, history_text, row_text, screen_text
from .recorded import stream

SIZES = ((24, 60), (24, 100), (30, 80), (12, 80), (10, 40), (40, 132), (24, 79), (8, 20))
# xterm.js moves a saved cursor with the text.
IGNORE = frozenset({"saved"})
PLENTY = 2000


def listing(seed: int, lines: int) -> bytes:
    """Lines of all lengths, some wrapped, some coloured, some wide, and a short prompt."""
    pick = random.Random(seed)
    out = []
    for n in range(lines):
        words = [
            pick.choice(["alpha", "be", "漢字", "gamma-delta", "e\u0301", "zeta"])
        ] * pick.randint(0, 30)
        text = f"{n} " + " ".join(words)
        out.append(f"\x1b[{pick.choice([0, 31, 1, 44])}m{text}\x1b[m".encode())
    return b"\r\n".join([*out, b"$ "])


def logical(state: State) -> list[str]:
    """History and main screen as lines that no width has cut."""
    lines: list[str] = []
    screen = state["screens"][0]
    for row in screen["history"] + screen["lines"]:
        if row[0] and lines:
            lines[-1] += row_text(row)
        else:
            lines.append(row_text(row))
    while lines and not lines[-1]:
        lines.pop()
    return [line.replace(" ", "") for line in lines]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("lines", [5, 20, 60])
def test_a_resized_screen_is_the_judges_own(size: tuple[int, int], lines: int, node: Node) -> None:
    data = listing(lines, lines)
    model = Terminal(24, 80, PLENTY)
    model.feed(data)
    model.resize(*size)
    with node.new(24, 80, PLENTY) as whole, node.new(*size, PLENTY) as fresh:
        whole.write(data).resize(*size)
        fresh.write(model.restore(PLENTY, in_place=True))
        # See test_a_background_behind_a_line_goes_when_it_wraps_anew.
        ignore = IGNORE | {"tails"} if size[1] < 80 else IGNORE
        wrong = difference(whole.dump(history=True), fresh.dump(history=True), ignore=ignore)
    assert wrong == ""


@pytest.mark.parametrize("cols", [7, 8, 9, 11, 16])
def test_a_background_behind_a_line_goes_when_it_wraps_anew(cols: int, node: Node) -> None:
    """The judge wraps only what was printed, too. But on a narrower screen it overwrites no more
    than the first cell behind a line whose last row stays the same row, and what was there before
    remains behind that: a hole, then the background. No terminal has a reason to show that."""
    data = b"\x1b[44m" + b"x" * 15 + b"\x1b[K\x1b[m\r\n$ "
    model = Terminal(4, 10, 0)
    model.feed(data)
    model.resize(4, cols)
    with node.new(4, 10) as whole, node.new(4, cols) as fresh:
        whole.write(data).resize(4, cols)
        fresh.write(model.restore(0))
        one, two = whole.dump(), fresh.dump()
    assert difference(one, two, ignore=IGNORE | {"tails"}) == ""
    for row in two["screens"][0]["lines"]:
        assert all(text.strip("\0") or not look for text, _, look in cells(row, two["attributes"]))
    left = [look for _, _, look in cells(one["screens"][0]["lines"][1], one["attributes"])]
    if cols == 9:
        assert left == [{"bg": 4}] * 6 + [{}] + [{"bg": 4}] * 2
    else:
        assert difference(one, two, ignore=IGNORE) == ""


@pytest.mark.parametrize("cols", [79, 81, 82, 100, 101])
@pytest.mark.parametrize(
    "line",
    [
        "x" * 100,
        "x" * 240,
        "x" * 79 + "漢" * 90,
        "x漢" * 80,
        "x" + "漢" * 50 + "\x1b[A\x1b[5G\x1b[K\x1b[B",
        "x" * 100 + "\x1b[A\x1b[5G\x1b[K\x1b[B",
    ],
)
def test_history_is_joined_and_wrapped_anew(line: str, cols: int, node: Node) -> None:
    data = line.encode() + b"\r\n" * 40 + b"$ "
    model = Terminal(24, 80, PLENTY)
    model.feed(data)
    model.resize(24, cols)
    with node.new(24, 80, PLENTY) as whole, node.new(24, cols, PLENTY) as fresh:
        whole.write(data).resize(24, cols)
        fresh.write(model.restore(PLENTY, in_place=True))
        wrong = difference(whole.dump(history=True), fresh.dump(history=True), ignore=IGNORE)
    assert wrong == ""


@pytest.mark.parametrize(
    "sizes", [[(3, 6)], [(3, 6), (4, 6)], [(4, 20), (12, 20)], [(3, 40), (9, 41)]]
)
def test_lines_that_are_only_a_background_stay_one_row(
    sizes: list[tuple[int, int]], node: Node
) -> None:
    bar = b"\x1b[44m\x1b[K\x1b[m\r\n"
    data = (bar + b"ab\x1b[42m\x1b[K\x1b[m\r\n" + b"\r\n") * 8 + b"$ "
    model = Terminal(10, 30, PLENTY)
    model.feed(data)
    with node.new(10, 30, PLENTY) as whole:
        whole.write(data)
        for size in sizes:
            model.resize(*size)
            whole.resize(*size)
        with node.new(*sizes[-1], PLENTY) as fresh:
            fresh.write(model.restore(PLENTY, in_place=True))
            wrong = difference(whole.dump(history=True), fresh.dump(history=True), ignore=IGNORE)
    assert wrong == ""


@pytest.mark.parametrize("seed", range(6))
def test_no_line_is_lost_over_many_sizes(seed: int, node: Node) -> None:
    pick = random.Random(seed)
    data = listing(seed, 40)
    model = Terminal(24, 80, PLENTY)
    model.feed(data)
    rows, cols = 24, 80
    for _ in range(8):
        rows, cols = pick.randint(5, 50), pick.randint(20, 140)
        model.resize(rows, cols)
    with node.new(24, 200, PLENTY) as whole, node.new(rows, cols, PLENTY) as fresh:
        whole.write(data)
        fresh.write(model.restore(PLENTY, in_place=True))
        state = fresh.dump(history=True)
        assert logical(state) == logical(whole.dump(history=True))
        assert screen_text(state)[state["cursor"]["y"]] == "$"
        assert state["cursor"]["x"] == 2


@pytest.mark.parametrize("name", ["vim", "htop", "tmux", "nvim"])
@pytest.mark.parametrize("size", [(24, 60), (30, 100), (12, 80)])
def test_the_alternate_screen_is_cropped(name: str, size: tuple[int, int], node: Node) -> None:
    program = stream(name)
    data = program.data[: program.marks[3]]
    model = Terminal(program.rows, program.cols, 0)
    model.feed(data)
    model.resize(*size)
    with node.new(program.rows, program.cols) as whole, node.new(*size) as fresh:
        whole.write(data).resize(*size)
        fresh.write(model.restore(0))
        ignore = IGNORE | {"main"}
        assert difference(whole.dump(), fresh.dump(), ignore=ignore) == ""


def test_a_later_resize_of_the_users_terminal_reflows_what_was_restored(node: Node) -> None:
    data = listing(3, 40)
    model = Terminal(24, 80, PLENTY)
    model.feed(data)
    with node.new(24, 80, PLENTY) as whole, node.new(24, 80, PLENTY) as fresh:
        whole.write(data)
        fresh.write(model.restore(PLENTY, in_place=True))
        for size in ((24, 50), (24, 120), (24, 80)):
            one, two = (
                whole.resize(*size).dump(history=True),
                fresh.resize(*size).dump(history=True),
            )
            assert history_text(one) == history_text(two)
            assert difference(one, two, ignore=IGNORE) == ""


@pytest.mark.parametrize(
    "stops", [b"", b"\x1b[g", b"\x1b[3g", b"\x1b[3g\x1b[50G\x1bH\x1b[13G\x1bH"]
)
@pytest.mark.parametrize(
    "sizes", [[100], [40], [6], [6, 80], [40, 80], [40, 81, 57, 58], [104, 100, 120], [50, 49, 51]]
)
def test_tab_stops_are_the_judges_own(stops: bytes, sizes: list[int], node: Node) -> None:
    model = Terminal(24, 80, 0)
    model.feed(stops + b"\r")
    with node.new(24, 80) as whole:
        whole.write(stops + b"\r")
        for cols in sizes:
            model.resize(24, cols)
            whole.resize(24, cols)
            with node.new(24, cols) as fresh:
                fresh.write(model.restore(0))
                assert difference(whole.dump(), fresh.dump()) == ""


# Not where half a wide character is cut off: the judge keeps the other half.
@pytest.mark.parametrize(
    ("text", "cols"),
    [("かな交じり", 6), ("かな交じり", 8), ("xかな交", 5), ("abcdefghi", 5)],
)
def test_a_cursor_cropped_with_its_line_stays_where_it_was_put(
    text: str, cols: int, node: Node
) -> None:
    data = b"\x1b[?1049h" + text.encode()
    model = Terminal(6, 10, 0)
    model.feed(data)
    model.resize(6, cols)
    with node.new(6, 10) as whole, node.new(6, cols) as fresh:
        whole.write(data).resize(6, cols)
        fresh.write(model.restore(0))
        # REP cannot be brought back where the cursor stands on half a character.
        assert difference(whole.dump(), fresh.dump(), ignore=IGNORE | {"repeats"}) == ""
