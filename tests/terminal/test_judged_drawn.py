"""Terminals of another size, beside one of the session's own: they show the same cells."""

from __future__ import annotations

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shpool.terminal.compact import compact_pens
from shpool.terminal.drawn import WIPE, Drawing, enter
from shpool.terminal.goodbye import farewell_drawn
from shpool.terminal.model import Terminal

from . import generated
from .drawing import Drawn, failures
from .judge import Node
from .judge.differ import history_text, screen_text
from .judge.kitty import Kitty
from .recorded import names, stream
from .test_judged_resize import listing
from .test_judged_streams import DISORDER

# Smaller both ways, larger both ways, each way alone, an odd width, and hardly anything.
SIZES = ((10, 40), (40, 132), (24, 61), (9, 100), (50, 80), (3, 7), (1, 1))

steady = settings(
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=120,
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.parametrize("name", names())
def test_a_window_on_a_program_shows_its_cells(name: str, node: Node) -> None:
    program = stream(name)
    cuts = [*program.cuts(16), *program.marks[-4:], len(program.data)]
    told = failures(node, program.data, (program.rows, program.cols), SIZES, cuts)
    assert told == []


@given(data=generated.JUDGED, cuts=st.lists(st.floats(0, 1), max_size=3))
@steady
def test_a_window_on_a_made_up_program_shows_its_cells(
    node: Node, data: bytes, cuts: list[float]
) -> None:
    places = [int(cut * len(data)) for cut in cuts]
    told = failures(node, data, (10, 30), ((5, 12), (12, 40), (10, 29)), [*places, len(data)])
    assert told == [], f"of {data!r}"


@pytest.mark.parametrize("before", DISORDER)
def test_whatever_a_terminal_is_in_the_middle_of_it_can_be_drawn_on(
    before: str, node: Node
) -> None:
    program = stream("vim")
    size = (program.rows, program.cols)
    data = program.data[: program.marks[3]]
    told = failures(node, data, size, ((12, 50), (30, 90)), [len(data)], before=DISORDER[before])
    assert told == []


def test_a_flood_is_followed_in_leaps(node: Node) -> None:
    pick = random.Random(3)
    lines = [f"{n} \x1b[{pick.randint(30, 37)}m{'word ' * pick.randint(0, 30)}" for n in range(900)]
    data = "\r\n".join(lines).encode()
    cuts = [pick.randrange(len(data)) for _ in range(12)]
    assert failures(node, data, (24, 80), SIZES, [*cuts, len(data)]) == []


@pytest.mark.parametrize("seed", range(4))
def test_a_session_that_changes_its_size_is_followed(seed: int, node: Node) -> None:
    """Between its program's sizes windows are smaller here and larger there."""
    pick = random.Random(seed)
    data = listing(seed, 30)
    model = Terminal(24, 80, 500)
    model.feed(data)
    with node.new(24, 80, 500) as program:
        program.write(data)
        drawn = [Drawn(node, Drawing(model, *size), b"") for size in ((24, 80), (15, 50))]
        for n in range(8):
            size = (pick.randint(5, 50), pick.randint(20, 140))
            more = f"\r\n{n} more\r\n$ ".encode()
            model.resize(*size)
            model.feed(more)
            program.resize(*size).write(more)
            for each in drawn:
                assert each.wrong(program.dump()) == ""
        for each in drawn:
            each.judge.close()


WIDE = "漢字かな交じり文👍🏽👩\u200d💻e\u0301❤\ufe0fx"


@pytest.mark.parametrize("cols", range(1, 14))
def test_half_a_wide_character_at_an_edge_is_a_blank(cols: int, node: Node) -> None:
    rows = [f"\x1b[{n + 1};{n + 1}H\x1b[4{n % 8};4m{WIDE}\x1b[m" for n in range(6)]
    data = "".join(rows).encode() + b"".join(b"\x1b[%dG" % n for n in range(1, 30))
    cuts = range(len(data) - 130, len(data) + 1, 3)
    assert failures(node, data, (6, 30), ((6, cols), (4, cols)), cuts) == []


def test_pens_that_are_numbered_anew_are_still_these_pens(node: Node) -> None:
    def colours(start: int, count: int) -> bytes:
        cells = [f"\x1b[48;2;{n % 256};{n // 256};7mx" for n in range(start, start + count)]
        return "".join(cells).encode()

    data = colours(0, 500) + b"\x1b[m\x1b[H" + colours(500, 40)
    end = data + b"\x1b[20;1H" + b"".join(colours(n, 40) + b"\r" for n in range(600, 12000, 40))
    cuts = [len(data), *range(len(data) + 1000, len(end), 9001), len(end)]
    assert failures(node, end, (24, 80), ((24, 81), (20, 30)), cuts) == []


def test_a_number_that_means_another_pen_is_another_pen(node: Node) -> None:
    model = Terminal(4, 20, 0)
    model.feed(b"\x1b[31mx")
    with node.new(4, 20) as program:
        program.write(b"\x1b[31mx")
        drawn = Drawn(node, Drawing(model, 3, 10), b"")
        rows = model.lines[0].text, model.lines[0].style
        again = b"\x1b[m\x1b[H\x1b[2J\x1b[34m"
        model.feed(again)
        compact_pens(model)
        model.feed(b"x")
        program.write(again + b"x")
        assert (model.lines[0].text, model.lines[0].style) == rows
        assert drawn.wrong(program.dump()) == ""
        drawn.judge.close()


def test_clusters_that_are_numbered_anew_are_still_these_clusters(node: Node) -> None:
    def clusters(start: int, count: int) -> bytes:
        made = (
            chr(0x4E00 + n % 5000) + "\u0301\u0302\u0303"[n // 5000]
            for n in range(start, start + count)
        )
        return "".join(made).encode()

    data = clusters(0, 300)
    end = data + b"".join(b"\x1b[20;1H" + clusters(n, 30) for n in range(300, 9000, 30))
    assert failures(node, end, (24, 80), ((24, 81),), [len(data), len(end)]) == []


def test_a_new_palette_is_set_before_the_cells_that_have_it(node: Node) -> None:
    data = (
        b"\x1b[31mred \x1b]4;1;#123456\x07\x1b]4;2;#000001;3;#000002\x07\x1b]11;#112233\x07"
        b"\x1b]104;2\x07\x1b]104\x07\x1b]4;7;#000003\x07\x1b]104\x07\x1b]111\x07"
    )
    assert failures(node, data, (4, 20), ((3, 10),), range(len(data) + 1)) == []


@pytest.mark.parametrize("missed_lines", [0, 3, 30])
@pytest.mark.parametrize("grown", [0, 6])
@pytest.mark.parametrize("screen", [b"", b"\x1b[?1049h", b"\x1b[?47h"])
def test_after_being_drawn_a_terminal_goes_on_live_with_all_that_it_missed(
    screen: bytes, grown: int, missed_lines: int, node: Node
) -> None:
    """Its scrollback is that of a terminal that was live all the time. One that has become larger
    meanwhile has taken lines out of it, which are drawn again."""
    before = b"".join(b"line %d\r\n" % n for n in range(40)) + b"$ "
    missed = b"".join(b"missed %d\r\n" % n for n in range(missed_lines)) + b"$ "
    after = b"\r\nlive again"
    model = Terminal(10, 40, 100)
    with node.new(10, 40, 100) as whole, node.new(10, 40, 100) as judge:
        whole.write(before + missed).resize(10 + grown, 40).write(screen)
        model.feed(before)
        judge.write(before)
        since = model.mark
        model.resize(20, 60)
        drawing = Drawing(model, 10, 40)
        judge.write(enter() + drawing.whole())
        for piece in (missed[:100], missed[100:]):
            model.feed(piece)
            judge.write(drawing.change())
        judge.resize(10 + grown, 40)
        model.resize(10 + grown, 40)
        model.feed(screen)
        drawing = Drawing(model, 10 + grown, 40)
        lines = max(model.begun - (since - grown), 0)
        judge.write(drawing.whole() + WIPE + model.restore(lines, in_place=True))
        model.feed(after)
        whole.write(after)
        judge.write(after)
        one, two = whole.dump(history=True), judge.dump(history=True)
        assert history_text(two) == history_text(one)
        assert screen_text(two) == screen_text(one)
        assert two["cursor"] == one["cursor"]
        assert two["modes"] == one["modes"]


@pytest.mark.parametrize("left_at", ["the prompt", "an editor"])
def test_a_drawn_terminal_that_is_left_shows_what_it_showed_before(
    left_at: str, node: Node
) -> None:
    mine = b"\x1b]2;mine\x07" + b"".join(b"my line %d\r\n" % n for n in range(5)) + b"$ attach\r\n"
    program = stream("vim")
    data = program.data if left_at == "the prompt" else program.data[: program.marks[4]]
    data += (
        b"\x1b]4;1;#123456\x07\x1b]11;#000001\x07\x1b[5 q\x1b[?1h\x1b=\x1b[?2004h\x1b[>4;2m\x1b[?5h"
        b"\x1b[20h\x1b[?2027h"
    )
    model = Terminal(program.rows, program.cols, 0)
    with node.new(12, 50, 100) as untouched, node.new(12, 50, 100) as judge:
        untouched.write(mine)
        drawing = Drawing(model, 12, 50)
        judge.write(mine + enter() + drawing.whole())
        for start in range(0, len(data), 997):
            model.feed(data[start : start + 997])
            judge.write(drawing.change())
        judge.write(WIPE + farewell_drawn(model))
        one, two = untouched.dump(history=True), judge.dump(history=True)
        assert not two["alternate"]
        assert screen_text(two) == screen_text(one)
        assert history_text(two) == history_text(one)
        for key in ("y", "x", "hidden", "style"):
            assert (two["cursor"][key] or None) == (one["cursor"][key] or None)
        for key in ("modes", "colours", "pen", "otherKeys", "charsets"):
            assert two[key] == one[key]
        assert not any(two["noted"].values())


def test_the_keyboard_protocol_is_that_of_the_screen_in_use(kitty: Kitty) -> None:
    """By kitty, which knows it: of the flags that the program has pushed, the last."""
    model = Terminal(10, 40, 0)
    drawing = Drawing(model, 8, 30)
    screen = kitty.new(8, 30)
    screen.write(b"\x1b[>3u" + enter() + drawing.whole())

    def after(data: bytes) -> int:
        model.feed(data)
        screen.write(drawing.change())
        return int(screen.dump()["keyboard"])

    assert [
        after(data)
        for data in (
            b"",
            b"\x1b[>1u",
            b"\x1b[>15u",
            b"\x1b[<u",
            b"\x1b[?1049h",
            b"\x1b[>5u",
            b"\x1b[?1049l",
        )
    ] == [0, 1, 15, 1, 0, 5, 1]
