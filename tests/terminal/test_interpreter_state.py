"""Modes, pens, saved cursors, titles and the like, as the model keeps them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shpool.daemon.plain import Reading, Writing
from shpool.terminal import compact
from shpool.terminal import model as model_module
from shpool.terminal.model import Terminal
from shpool.terminal.pen import DEFAULT, PROTECTED, apply, select_graphic_rendition, sgr
from shpool.terminal.pens import Pens

from .test_interpreter_printing import screen, terminal


@pytest.mark.parametrize(
    ("body", "pen"),
    [
        ("", DEFAULT),
        ("1;31;48;5;7", ("31", "48;5;7", 1, 0, "", "")),
        ("01;031", ("31", "", 1, 0, "", "")),
        ("38;2;1;2;300", ("38;2;1;2;44", "", 0, 0, "", "")),
        ("38:2:1:2:3", ("38;2;1;2;3", "", 0, 0, "", "")),
        ("38:2::1:2:3", ("38;2;1;2;3", "", 0, 0, "", "")),
        ("38:5:9;4", ("38;5;9", "", 0, 1, "", "")),
        ("4:3;58;5;9", ("", "", 0, 3, "58:5:9", "")),
        ("58:2::9:8:7", ("", "", 0, 0, "58:2::9:8:7", "")),
        ("58;2;9;8;7", ("", "", 0, 0, "58:2::9:8:7", "")),
        ("4:9", ("", "", 0, 1, "", "")),
        ("1;2;22;3", ("", "", 4, 0, "", "")),
        ("31;39;41;49;4;24", DEFAULT),
        ("31;0", DEFAULT),
        ("38", DEFAULT),
        ("38;5", ("38;5;0", "", 0, 0, "", "")),
        ("38;7;31", ("31", "", 0, 0, "", "")),
        (":", DEFAULT),
    ],
)
def test_sgr(body: str, pen: object) -> None:
    assert apply(DEFAULT, select_graphic_rendition(body)) == pen


def test_sgr_keeps_what_it_does_not_name() -> None:
    before = ("31", "42", 1 | 4, 2, "58:5:1", "id=x;http://x/")
    assert apply(before, select_graphic_rendition("22;44")) == (
        "31",
        "44",
        4,
        2,
        "58:5:1",
        before[5],
    )
    assert apply(before, select_graphic_rendition("0")) == (*DEFAULT[:5], before[5])


@pytest.mark.parametrize(
    "body", ["1;2;3;5;7;8;9;53", "4:4;58:2::1:2:3", "38;5;200;48;2;0;0;0", "21"]
)
def test_a_pen_comes_back_from_its_own_sequences(body: str) -> None:
    model = terminal(f"\x1b[{body}m")
    again = terminal("\x1b[31;41;1;4m" + sgr(model.current_pen))
    assert again.current_pen == model.current_pen


def test_saved_cursors_are_one_for_each_screen() -> None:
    model = terminal("\x1b[2;3H\x1b[31m\x1b[?1049h\x1b[m\x1b[4;4H\x1b7\x1b[H\x1b[?1049l")
    assert (model.x, model.y) == (2, 1)
    assert model.current_pen[0] == "31"


@pytest.mark.parametrize("mode", [47, 1047])
def test_the_older_switches_save_no_cursor(mode: int) -> None:
    model = terminal(f"\x1b[2;2H\x1b7\x1b[3;5H\x1b[?{mode}h\x1b[1;4H\x1b[?{mode}l")
    assert (model.x, model.y) == (3, 0)
    assert (model.main.saved.x, model.main.saved.y) == (1, 1)


def test_restoring_the_cursor_restores_origin_mode() -> None:
    model = terminal("\x1b[2;3r\x1b[?6h\x1b7\x1b[?6l\x1b8")
    assert model.origin


def test_mouse_modes_are_one_value_and_one_encoding() -> None:
    model = terminal("\x1b[?1000h\x1b[?1003h\x1b[?1006h\x1b[?1015h")
    assert (model.tracking, model.encoding) == (1003, 1015)
    model.feed(b"\x1b[?1000l\x1b[?1006l")
    assert (model.tracking, model.encoding) == (0, 0)


def test_the_keypad_has_two_names() -> None:
    assert terminal("\x1b=").modes[66]
    assert not terminal("\x1b[?66h\x1b>").modes[66]


def test_what_was_never_set_is_not_touched() -> None:
    restore = terminal("text").restore(0)
    for unwanted in (
        b"?12",
        b"?1007",
        b"?45",
        b"?103",
        b" q",
        b"]4;",
        b"]10",
        b"]11",
        b"]2;",
        b"]104",
    ):
        assert unwanted not in restore


@pytest.mark.parametrize(
    ("data", "sequence"),
    [
        ("\x1b[?12l", b"\x1b[?12l"),
        ("\x1b[?1007l", b"\x1b[?1007l"),
        ("\x1b[3 q\x1b[0 q", b"\x1b[0 q"),
        ("\x1b[>4;2m\x1b[>4m", b"\x1b[>4m\x1b"),
        ("\x1b[>4;2m", b"\x1b[>4;2m"),
        ("\x1b]4;1;#123456\x07\x1b]104;1\x07", b"\x1b]104;1\x1b\\"),
        ("\x1b]4;1;#123456\x07\x1b]104\x07", b"\x1b]104\x1b\\"),
        ("\x1b]11;rgb:1/2/3\x07", b"\x1b]11;rgb:1/2/3\x1b\\"),
        ("\x1b]10;red;blue\x07", b"\x1b]11;blue\x1b\\"),
        ("\x1b]11;red\x07\x1b]111\x07", b"\x1b]111\x1b\\"),
        ("\x1b]0;both\x07", b"\x1b]1;both\x1b\\"),
        ("\x1b]7;file://host/dir\x07", b"\x1b]7;file://host/dir\x1b\\"),
        ("\x1b]22;pointer\x07", b"\x1b]22;pointer\x1b\\"),
        ("\x1b]9;4;1;50\x07", b"\x1b]9;4;1;50\x1b\\"),
        ("\x1b[?2027h", b"\x1b[?2027h"),
        ("\x1b[?1h\x1b[?1s\x1b[?1l", b"\x1b[?1h\x1b[?1s"),
    ],
)
def test_what_was_set_or_taken_back_is_restored(data: str, sequence: bytes) -> None:
    assert sequence in terminal(data).restore(0)


def test_queries_and_passing_things_are_not_replayed() -> None:
    restore = terminal(
        "\x07\x1b[c\x1b[6n\x1b]11;?\x07\x1b]52;c;aGVsbG8=\x07\x1b]9;note\x07"
    ).restore(0)
    for unwanted in (b"\x07", b"\x1b[c", b"\x1b[6n", b"?\x1b\\", b"]52", b"note"):
        assert unwanted not in restore


def test_titles_are_pushed_and_popped() -> None:
    model = terminal("\x1b]2;one\x07\x1b[22;2t\x1b]2;two\x07")
    assert model.title == "two"
    model.feed(b"\x1b[23;2t\x1b[23;2t")
    assert model.title == "one"


def test_of_titles_and_icon_names_ten_are_kept() -> None:
    model = terminal(b"".join(b"\x1b]0;%d\x07\x1b[22t" % n for n in range(12)))
    for n in range(11, 1, -1):
        model.feed(b"\x1b[23t")
        assert (model.title, model.icon) == (str(n), str(n))
    model.feed(b"\x1b[23t")
    assert (model.title, model.icon) == ("2", "2")


def test_a_link_without_an_id_gets_one_and_keeps_one() -> None:
    model = terminal("\x1b]8;;http://x/\x07a")
    assert model.current_pen[5] == "id=shpool-1;http://x/"
    again = terminal(model.restore(0))
    assert again.current_pen == model.current_pen
    assert terminal("\x1b]8;id=q;http://x/\x07").current_pen[5] == "id=q;http://x/"
    assert terminal("\x1b]8;;http://x/\x07\x1b[0m\x1b]8;;\x07").current_pen == DEFAULT


def test_the_keyboard_stack_has_a_depth_and_a_bottom() -> None:
    model = terminal("".join(f"\x1b[>{n}u" for n in range(1, 13)))
    assert model.screen.keyboard == list(range(5, 13))
    model.feed(b"\x1b[<99u\x1b[=5u\x1b[=2;2u\x1b[=1;3u")
    assert model.screen.keyboard == [6]


def test_modes_saved_and_restored() -> None:
    model = terminal("\x1b[?2004h\x1b[?2004;12s\x1b[?2004l\x1b[?12h\x1b[?2004;12r")
    assert model.modes[2004]
    assert 12 not in model.modes


def test_ris_resets_but_keeps_the_title() -> None:
    model = terminal("\r\n" * 9 + "\x1b]2;t\x07\x1b[31m\x1b[?1049h\x1b[?1h\x1b[2;3r\x1b[4h\x1bc")
    assert screen(model) == [""] * 4
    assert (model.x, model.y, model.title, len(model.history)) == (0, 0, "t", 0)
    assert model.screen is model.main
    assert model.modes == {}


def test_decaln_keeps_margins() -> None:
    model = terminal("\x1b[2;3r\x1b#8")
    assert screen(model) == ["E" * 10] * 4
    assert (model.top, model.bottom) == (1, 2)


def test_tab_stops() -> None:
    assert terminal("\t").x == 8
    assert terminal("\x1b[3g\t").x == 9
    assert terminal("\x1b[3g\x1b[1;4H\x1bH\r\t").x == 3
    assert terminal("\x1b[1;10H\x1b[2Z").x == 0
    model = terminal("\x1b[3g")
    model.resize(4, 40)
    model.feed(b"\r\t")
    assert model.x == 8


def test_rectangles() -> None:
    model = terminal("abcdef\r\nghijkl\r\nmnopqr")
    model.feed(b"\x1b[46;2;2;3;3$x")
    assert screen(model)[:3] == ["abcdef", "g..jkl", "m..pqr"]
    model.feed(b"\x1b[1;1;2;2;1;2;5;1$v")
    assert screen(model)[:3] == ["abcdef", "g..jab", "m..pg."]
    model.feed(b"\x1b[1;1;9;2$z")
    assert screen(model)[:3] == ["  cdef", "  .jab", "  .pg."]


def test_erased_cells_take_the_background() -> None:
    model = terminal("abc\x1b[44m\x1b[1;2H\x1b[K")
    pens = [model.pens.pens[ord(pen)][1] for pen in model.lines[0].style]
    assert pens == [""] + ["44"] * 9


def test_many_pens_are_forgotten_with_their_cells() -> None:
    model = Terminal(4, 10, 10)
    for n in range(60_000):
        model.feed(b"\x1b[38;2;%d;%d;1mx" % (n & 255, n >> 8))
    assert len(model.pens.pens) < 10_000
    assert model.current_pen[0] == f"38;2;{59_999 & 255};{59_999 >> 8};1"
    look = model.pens.pens[ord(model.lines[3].style[0])][0]
    assert look == f"38;2;{59_990 & 255};{59_990 >> 8};1"


def test_many_clusters_are_forgotten_with_their_cells() -> None:
    model = Terminal(4, 10, 10)
    for n in range(300, 70_000, 3):
        if not 0xD000 < n < 0xE100:
            model.feed(
                ("x" + "\u0301" * (n % 7) + "\u0302" * (n % 5) + chr(0x300 + n % 100)).encode()
            )
    assert len(model.clusters.clusters) <= 8192


def looks(model: Terminal) -> list[list[tuple[str, object]]]:
    """What stands in each cell of history and screens, and with which pen."""
    pens = model.pens.pens
    pieces = [(each, "") if isinstance(each, str) else each[:2] for each in model.history]
    pieces += [(row.text, row.style) for row in model.main.lines + model.alternate.lines]
    return [
        [(cell, pens[ord(pen)]) for cell, pen in zip(text, style.ljust(len(text), "\0"))]
        for text, style in pieces
    ]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_numbers_of_pens_are_given_away_again_only_when_no_cell_has_them(
    data: st.DataObject,
) -> None:
    few = data.draw(st.sampled_from([0, 3, 1000]))
    model, reference = Terminal(4, 12, 20), Terminal(4, 12, 20)
    reference._pen_limit = 1 << 60
    colour = st.integers(0, 40).map(lambda n: f"\x1b[{'48' if n % 3 else '38'};5;{n}m")
    other = st.sampled_from(
        ["\x1b[m", "\x1b[1\"q", "\x1b[0\"q", "\x1b[?2J", "\x1b[2J", "\x1b[K", "\r\n", "\x1b[H",
         "\x1b[?1049h", "\x1b[?1049l", "\x1b[3X", "\x1b[L", "\x1b7", "\x1b8", "\x1b[3b", "xyz"]
    )  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compact, "_FEW", few)
        patch.setattr(model_module, "FIRST_LIMIT", 4)
        for piece in data.draw(st.lists(st.lists(colour | other, max_size=12), max_size=20)):
            stream = "".join(f"{each}x" for each in piece).encode()
            for terminal in (model, reference):
                terminal.feed(stream)
            model._pen_limit = min(model._pen_limit, data.draw(st.integers(2, 12)))
            assert looks(model) == looks(reference)
            assert model.current_pen == reference.current_pen
            assert model.pens.pens[ord(model.fill)] == reference.pens.pens[ord(reference.fill)]
            protected = {n for n, pen in enumerate(model.pens.pens) if pen[2] & PROTECTED}
            assert set(map(ord, model.pens.protected)) == protected
            model.pens = Reading(None).part(Pens, Writing([]).part(model.pens))


def test_a_screen_in_true_colour_is_looked_through_without_numbering_it_anew() -> None:
    model = Terminal(20, 100, 10)
    for turn in range(20):
        cells = "".join(
            f"\x1b[38;2;{turn};{n >> 8};{n & 255}mx" for n in range(turn * 2000, turn * 2000 + 2000)
        )
        model.feed(b"\x1b[H" + cells.encode())
        styles = "".join(row.style for row in model.lines)
        assert len(set(styles)) == 2000
        assert [model.pens.pens[ord(pen)][0] for pen in styles] == [
            f"38;2;{turn};{n >> 8};{n & 255}" for n in range(turn * 2000, turn * 2000 + 2000)
        ]
    assert len(model.pens.pens) < 10_000
    assert model.generation < 20
