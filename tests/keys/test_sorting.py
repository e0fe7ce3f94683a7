"""What comes from a terminal, told apart, wherever it is cut into reads."""

from __future__ import annotations

import pytest

from shpool.keys.scanner import KEY_PAUSE
from shpool.keys.sorting import (
    ANSWER,
    ANSWER_PAUSE,
    FOCUS,
    LET_GO,
    MORE,
    MOVE,
    PASTE_OVER,
    PASTED,
    PRESS,
    TYPED,
    UNFELT,
    Expected,
    Sorter,
)


class All(Expected):
    """Everything is on, and everything was asked, but what a test turns off."""

    def __init__(self, **off: bool) -> None:
        self._off = off

    def _on(self, name: str) -> bool:
        return self._off.get(name, True)

    @property
    def mouse(self) -> bool:
        return self._on("mouse")

    @property
    def mouse_utf8(self) -> bool:
        return self._on("mouse_utf8")

    @property
    def focus(self) -> bool:
        return self._on("focus")

    @property
    def owes(self) -> bool:
        return self._on("owes")

    @property
    def owes_place(self) -> bool:
        return self._on("owes_place")

    def asked(self, kind: str) -> bool:
        return self._on(kind)


ALL, NOTHING = All(mouse_utf8=False), Expected()


def sort(*reads: bytes, expected: Expected = ALL, final: bool = True) -> list[tuple[str, bytes]]:
    """Kinds, and `answer of what`, with adjacent ones of a kind joined as far as that says
    nothing."""
    sorter = Sorter()
    pieces = [piece for read in reads for piece in sorter.feed(read, expected)]
    if final:
        pieces += sorter.flush()
    found: list[tuple[str, bytes]] = []
    for piece in pieces:
        assert piece.data
        kind = f"{piece.kind} {piece.what}".rstrip()
        if found and found[-1][0] == kind and kind in (TYPED, PASTED, MORE):
            found[-1] = (kind, found[-1][1] + piece.data)
        elif found and kind == PASTE_OVER and found[-1][0] == PASTED:
            found[-1] = (PASTE_OVER, found[-1][1] + piece.data)
        else:
            found.append((kind, piece.data))
    return found


ANSWERS = {
    b"\x1b[?62;22c": "?c",
    b"\x1b[?1;2c": "?c",
    b"\x1b[?997;1n": "?n",
    b"\x1b[?1u": "?u",
    b"\x1b[?12;5R": "?R",
    b"\x1b[?1;0;256S": "?S",
    b"\x1b[?2026;2$y": "?$y",
    b"\x1b[4;2$y": "$y",
    b"\x1b[>1;276;0c": ">c",
    b"\x1b[>4;1m": ">m",
    b"\x1b[0n": "n",
    b"\x1b[3n": "n",
    b"\x1b[8;24;80t": "t",
    b"\x1b[48;24;80;0;0t": "t",
    b"\x1b[2;1;1;128;128;1;0x": "x",
    b"\x1b[24;80R": "R",
    b"\x1b[1;1R": "R",
    b"\x1b[1;17R": "R",
}

KEYS = [
    b"a",
    b"\x1ba",  # with Alt
    b"\x1b[A",
    b"\x1b[1;5A",
    b"\x1bOP",
    b"\x1bO",  # Alt and O
    b"\x1b[15~",
    b"\x1b[27;5;13~",
    b"\x1b[97;5u",
    b"\x1b\x1b[A",
    b"\x1b]",
    b"\x1bP",
    b"\x1b_",
    b"\x1b^",
    b"\x1bX",
    b"\x1b[",
    b"\x1b",
    b"\x1b[5n",
    b"\x1b[Z",
    b"\x1b[R",
    "é€𝄞".encode(),
    b"\x1b" + "é".encode(),
    b"\x1b[1;2P",
    b"\x1b[M",  # F1 somewhere
    b"\x1b[" + b"1" * 300,
]


@pytest.mark.parametrize("answer", ANSWERS, ids=repr)
def test_an_answer_is_known_by_how_it_ends(answer: bytes) -> None:
    assert sort(answer, expected=NOTHING) == [(f"answer {ANSWERS[answer]}", answer)]


@pytest.mark.parametrize("key", KEYS, ids=lambda key: repr(key[:12]))
def test_a_key_is_typed(key: bytes) -> None:
    expected = All(mouse=key != b"\x1b[M")
    assert sort(key, expected=expected) == [(TYPED, key)]


@pytest.mark.parametrize("modifiers", [2, 9, 10, 16])
def test_f3_with_modifiers_is_a_place_where_that_was_asked(modifiers: int) -> None:
    key = b"\x1b[1;%dR" % modifiers
    assert sort(key, expected=All(owes_place=False)) == [(TYPED, key)]
    assert sort(key) == [("answer R", key)]


MICE = {
    b"\x1b[<0;5;6M": PRESS,
    b"\x1b[<0;5;6m": LET_GO,
    b"\x1b[<35;5;6M": MOVE,
    b"\x1b[<32;5;6M": MOVE,
    b"\x1b[<64;5;6M": PRESS,
    b"\x1b[32;5;6M": PRESS,
    b"\x1b[67;5;6M": MOVE,
    b"\x1b[M !!": PRESS,
    b"\x1b[M#!!": LET_GO,
    b"\x1b[MC!!": MOVE,
    b"\x1b[M`!!": PRESS,
    b"\x1b[M \xff\xfe": PRESS,
}


@pytest.mark.parametrize("report", MICE, ids=repr)
def test_the_mouse_is_one_while_it_is_tracked(report: bytes) -> None:
    assert sort(report) == [(MICE[report], report)]
    assert sort(report, expected=NOTHING) == [(TYPED, report)]


def test_under_1005_the_mouse_is_told_in_characters() -> None:
    report = b"\x1b[M " + "ĀŘ".encode()
    assert sort(report + b"x", expected=All()) == [(PRESS, report), (TYPED, b"x")]
    assert sort(report + b"x")[0] == (PRESS, report[:6])


def test_focus_is_told_of_where_it_was_asked_for() -> None:
    assert sort(b"\x1b[I\x1b[O") == [(FOCUS, b"\x1b[I"), (FOCUS, b"\x1b[O")]
    assert sort(b"\x1b[I\x1b[O", expected=NOTHING) == [(TYPED, b"\x1b[I\x1b[O")]
    assert sort(b"\x1b[1I") == [(TYPED, b"\x1b[1I")]


def test_what_changes_nothing_by_itself_is_not_felt() -> None:
    released, shift = b"\x1b[97;1:3u", b"\x1b[57441;2u"
    assert sort(released) == [(UNFELT, released)]
    assert sort(shift) == [(UNFELT, shift)]
    assert sort(b"\x1b[1;1:3A") == [(UNFELT, b"\x1b[1;1:3A")]


STRINGS = [
    (b"\x1b]1", b"1;rgb:0000/0000/0000\x07", "osc"),
    (b"\x1b]4", b";1;rgb:00/00/00\x1b\\", "osc"),
    (b"\x1b]l", b"title\x1b\\", "osc"),
    (b"\x1b]L", b"icon\x1b\\", "osc"),
    (b"\x1bP1", b"$r0m\x1b\\", "dcs"),
    (b"\x1bP0", b"+r\x1b\\", "dcs"),
    (b"\x1bP>", b"|XTerm(379)\x1b\\", "dcs"),
    (b"\x1bP!", b"|00000000\x1b\\", "dcs"),
    (b"\x1b_G", b"i=31;OK\x1b\\", "apc"),
]


@pytest.mark.parametrize(("opening", "rest", "kind"), STRINGS, ids=lambda part: repr(part))
def test_a_string_is_an_answer_if_one_of_its_kind_was_asked_for(
    opening: bytes, rest: bytes, kind: str
) -> None:
    found = sort(opening + rest + b"x")
    assert found == [(f"answer {kind}", opening), (MORE, rest), (TYPED, b"x")]
    found = sort(opening + rest + b"x", expected=All(**{kind: False}))
    assert found == [(TYPED, opening + rest + b"x")]


@pytest.mark.parametrize("key", [b"\x1b]x", b"\x1b]]", b"\x1bPa", b"\x1b_a", b"\x1b^1", b"\x1bX1"])
def test_what_begins_as_no_answer_does_is_alt_and_a_key(key: bytes) -> None:
    assert sort(key) == [(TYPED, key)]


def test_a_string_ends_with_whatever_begins_next() -> None:
    found = sort(b"\x1b]11;rgb\x1b[Ax")
    assert found == [("answer osc", b"\x1b]1"), (MORE, b"1;rgb"), (TYPED, b"\x1b[Ax")]


def test_a_string_may_be_long_and_nothing_of_it_is_kept() -> None:
    sorter = Sorter()
    sorter.feed(b"\x1b]52;c;", ALL)
    for _ in range(50):
        (piece,) = sorter.feed(b"a" * 10_000, ALL)
        assert (piece.kind, len(piece.data), sorter.held) == (MORE, 10_000, b"")
    assert sorter.pending(NOTHING) == ANSWER_PAUSE
    assert sorter.flush() == []
    (piece,) = sorter.feed(b"a", ALL)
    assert piece.kind == TYPED


def test_what_is_pasted_is_typed_whatever_it_looks_like() -> None:
    pasted = b"\x1b[200~a\x1b[?1c\x1b]11;x\x07\x1b[201" + b"\x1b[201~"
    assert sort(pasted + b"\x1b[?1c") == [(PASTE_OVER, pasted), ("answer ?c", b"\x1b[?1c")]


def test_a_paste_goes_on_until_its_end_comes() -> None:
    sorter = Sorter()
    sorter.feed(b"\x1b[200~a\x1b[2", ALL)
    assert sorter.paste == b"\x1b[2"
    assert sorter.pending(ALL) == 0
    assert sorter.flush() == []
    assert [piece.kind for piece in sorter.feed(b"\x1b[?1c", ALL)] == [PASTED]
    kinds = [piece.kind for piece in sorter.feed(b"\x1b[201~\x1b[?1c", ALL)]
    assert kinds == [PASTE_OVER, ANSWER]


def everything() -> bytes:
    parts = [*ANSWERS, *(key for key in KEYS if key not in (b"\x1b", b"\x1b[M", b"\x1bO"))]
    parts = [part + b"." for part in parts if part not in (b"\x1b]", b"\x1bP", b"\x1b_", b"\x1b[")]
    parts += [*MICE, *(opening + rest for opening, rest, _ in STRINGS), b"\x1b[I"]
    parts += [b"\x1b[200~p\x1b[20\x1b[201~", b"\x1b[97;1:3u", b"\x1b]11;rgb\x1b[A", b"end"]
    return b"".join(parts)


@pytest.mark.parametrize("expected", [ALL, NOTHING, All()], ids=["all", "nothing", "utf8"])
def test_it_makes_no_difference_where_it_is_cut(expected: Expected) -> None:
    data = everything()
    whole = sort(data, expected=expected)
    assert b"".join(found for _, found in whole) == data
    for at in range(len(data) + 1):
        assert sort(data[:at], data[at:], expected=expected) == whole, data[max(at - 9, 0) : at]
    assert sort(*(data[at : at + 1] for at in range(len(data))), expected=expected) == whole


def test_what_is_held_and_passed_on_all_the_same_is_not_passed_twice() -> None:
    sorter = Sorter()
    assert sorter.feed(b"\x1b[", ALL) == []
    assert sorter.pass_held() == b"\x1b["
    assert sorter.pass_held() == b""
    assert sorter.feed(b"1;5", ALL) == []
    assert sorter.pass_held() == b"1;5"
    (piece,) = sorter.feed(b"A", ALL)
    assert (piece.kind, piece.data, piece.passed) == (TYPED, b"\x1b[1;5A", 5)
    sorter.feed(b"\x1b", ALL)
    sorter.pass_held()
    (piece,) = sorter.flush()
    assert (piece.data, piece.passed) == (b"\x1b", 1)


def test_how_long_a_part_is_held_depends_on_whether_an_answer_is_owed() -> None:
    sorter = Sorter()
    assert sorter.pending(ALL) == 0
    sorter.feed(b"\x1b", ALL)
    assert sorter.pending(ALL) == ANSWER_PAUSE
    assert sorter.pending(NOTHING) == KEY_PAUSE


def test_a_character_that_is_cut_misses_bytes() -> None:
    sorter = Sorter()
    for data, missing in (
        (b"a\xe2", 2),
        (b"\x82", 1),
        (b"\xac", 0),
        (b"long enough \xf0\x9d", 2),
        (b"\x84\x9e", 0),
        (b"\x1b\xc3", 1),
        (b"\xa9", 0),
        (b"\xc3", 1),
        (b"a", 0),
        (b"\xc3", 1),
    ):
        sorter.feed(data, ALL)
        assert sorter.missing == missing, data
    sorter.flush()
    assert sorter.missing == 0
