"""What keys terminals mean, in every encoding they have for them."""

from __future__ import annotations

import pytest

from shpool.keys import decoding
from shpool.keys.bindings import CONTROL_CODES, PLAIN_KEYS
from shpool.keys.decoding import Input, read


def decoded(data: bytes) -> Input:
    """The one input that `data` is."""
    found = read(data, 0, keypad=True, final=False)
    assert (found.start, found.end) == (0, len(data))
    return found


def names(data: bytes) -> tuple[str, ...]:
    found = decoded(data)
    assert found.kind == decoding.KEY
    return found.names


@pytest.mark.parametrize(
    "data",
    [
        b"\x11",
        b"\x1b[113;5u",
        b"\x1b[113;5:1u",
        b"\x1b[113;5:2u",  # repeated
        b"\x1b[113;69u",  # with Caps Lock, Num Lock, both
        b"\x1b[113;133u",
        b"\x1b[113;197:1u",
        b"\x1b[113:81;5u",
        b"\x1b[113::113;5u",
        b"\x1b[113:81:113;5u",
        b"\x1b[1081::113;5u",  # Cyrillic: the key is in q's place
        b"\x1b[1081:1049:113;5u",
        b"\x1b[0113;05u",
        b"\x1b[27;5;113~",
        b"\x1b[27;5;81~",  # xterm with Caps Lock
        b"\x1b[81;5u",
    ],
)
def test_control_q_is_known_in_every_encoding(data: bytes) -> None:
    assert names(data) == ("Ctrl-q",)


@pytest.mark.parametrize(
    "data",
    [
        *(b"\x1b[113;%du" % encoded for encoded in (1, 2, 3, 6, 7, 8, 9, 13, 21, 37, 64)),
        b"\x1b[113u",
        b"\x1b[113:81;6u",
        b"\x1b[1081:1049:113;6u",
        b"\x1b[1081;5u",  # in q's place, but the terminal was not asked to tell
        b"\x1b[97::113;5u",  # French: an a is in q's place, and is an a
        b"\x1b[59:58:113;6u",
        b"\x1b[59::113;1u",
        b"\x1b[27;6;113~",
        b"\x1b[27;6;81~",
        b"\x1b[27;7;113~",
        b"\x1b[1;5q",
        b"\x1b[113;5~",
    ],
)
def test_what_is_another_key_is_not_taken_for_control_q(data: bytes) -> None:
    assert "Ctrl-q" not in decoded(data).names


@pytest.mark.parametrize(
    ("data", "key"),
    [
        (b"d", "d"),
        (b"\x1b[100u", "d"),
        (b"\x1b[100;1u", "d"),
        (b"\x1b[100;1:2;100u", "d"),
        (b"\x1b[100;;100u", "d"),
        (b"\x1b[100;65;68u", "d"),  # Caps Lock
        (b"\x1b[1074::100;;1074u", "d"),
        (b"\x1b[0;;100u", "d"),  # by an input method
        (b"\x1b[27;1;100~", "d"),
        (b" ", "Space"),
        (b"\x1b[32;;32u", "Space"),
        (b"?", "?"),
        (b"\x1b[47;2u", "?"),
        (b"\x1b[47:63;2u", "?"),
        (b"\x1b[47;2;63u", "?"),
        (b"\x1b[223:63;2;63u", "?"),  # German
        (b"\x1b[27;2;63~", "?"),
        (b"\x1b[113;;64u", "@"),  # German: AltGr and q
        (b"\x1b[50:64;2;64u", "@"),
        (b"\x1b[45:95;2;95u", "_"),
        (b"\x1b[94;;94u", "^"),
        (b"\x1b[233:50:50;2;50u", "2"),  # French: Shift is what makes it a digit
        (b"\x1b[57400;129;49u", "1"),  # keypad
        (b"\x1b[57399u", "0"),
        (b"\x1b[57408;129:2u", "9"),
        (b"\x1bOp", "0"),
        (b"\x1bOy", "9"),
    ],
)
def test_plain_keys(data: bytes, key: str) -> None:
    assert names(data) == (key,)


@pytest.mark.parametrize(
    "data",
    [
        b"D",
        b"\x1b[100:68;2;68u",
        b"\x1b[100;2u",
        b"\x1b[0;;68u",
        b"\x1b[27;2;68~",
        b"\x1b[32;2;32u",
        b"\x1b[27;2;32~",
        b"\x1b[100;3u",
        b"\x1b[100;9u",
        b"\x1b[228;;228u",
        b"\x1b[57414u",  # Enter of the keypad
        b"\x1b[57425;1u",  # its 0 without Num Lock is Insert
        b"\x1b[27u",
        b"\x1b[9;1u",
        b"\x1b[13u",
        b"\x1b[127;5u",
        b"\x1b[9;5u",
        b"\x1b[9999999;5u",
        b"\x1b[0;;9999999u",
        b"\xc3",
        b"\xff",
    ],
)
def test_keys_that_cannot_be_bound_have_no_name(data: bytes) -> None:
    assert names(data) == ()


# Columns: modifyOtherKeys 2 with formatOtherKeys 0 and 1.  As sent by xterm 379.
XTERM = {
    "Ctrl-Space": (b"\x1b[27;5;32~", b"\x1b[32;5u"),
    "Ctrl-q": (b"\x1b[27;5;113~", b"\x1b[113;5u"),
    "Ctrl-2": (b"\x1b[27;5;50~", b"\x1b[50;5u"),
    "Ctrl-@": (b"\x1b[27;6;64~", b"\x1b[64;6u"),
    "Ctrl-_": (b"\x1b[27;6;95~", b"\x1b[95;6u"),
    "Ctrl-^": (b"\x1b[27;6;94~", b"\x1b[94;6u"),
    "Ctrl-?": (b"\x1b[27;6;63~", b"\x1b[63;6u"),
    "Ctrl-[": (b"\x1b[27;5;91~", b"\x1b[91;5u"),
    "Ctrl-]": (b"\x1b[27;5;93~", b"\x1b[93;5u"),
    "Ctrl-\\": (b"\x1b[27;5;92~", b"\x1b[92;5u"),
    "Ctrl-3": (b"\x1b[27;5;51~", b"\x1b[51;5u"),
    "Ctrl-8": (b"\x1b[27;5;56~", b"\x1b[56;5u"),
    "Ctrl-0": (b"\x1b[27;5;48~", b"\x1b[48;5u"),
    "Ctrl-i": (b"\x1b[27;5;105~", b"\x1b[105;5u"),
    "Ctrl-m": (b"\x1b[27;5;109~", b"\x1b[109;5u"),
}


@pytest.mark.parametrize("key", XTERM)
def test_what_xterm_sends_when_it_modifies_other_keys(key: str) -> None:
    for data in XTERM[key]:
        assert names(data)[0] == key


@pytest.mark.parametrize(
    "data",
    [
        *(b"\x1b[27;6;81~", b"\x1b[81;6u", b"\x1b[27;6;113~", b"\x1b[113;6u"),  # Ctrl-Shift-q
        *(b"\x1b[27;6;32~", b"\x1b[32;6u", b"\x1b[27;5;27~", b"\x1b[27;5u"),
        *(b"\x1b[27;3;113~", b"\x1b[113;7u"),
    ],
)
def test_what_xterm_sends_for_keys_that_cannot_be_bound(data: bytes) -> None:
    assert names(data) == ()


@pytest.mark.parametrize(
    ("data", "key"),
    [
        (b"\x1b[50:64;6u", "Ctrl-@"),
        (b"\x1b[50;6u", "Ctrl-@"),
        (b"\x1b[45:95;6u", "Ctrl-_"),
        (b"\x1b[45;6u", "Ctrl-_"),
        (b"\x1b[54:94;6u", "Ctrl-^"),
        (b"\x1b[47:63;6u", "Ctrl-?"),
        (b"\x1b[1093::91;5u", "Ctrl-["),
        (b"\x1b[57402;5u", "Ctrl-3"),  # keypad
    ],
)
def test_kitty_tells_the_key_and_shift_where_a_binding_has_the_character(
    data: bytes, key: str
) -> None:
    assert key in names(data)


def test_a_symbol_in_the_place_of_a_letter_is_either() -> None:
    assert names(b"\x1b[59::113;5u") == ("Ctrl-q",)  # Greek
    assert set(names(b"\x1b[47::113;5u")) == {"Ctrl-_", "Ctrl-q"}  # Hebrew


def test_shift_makes_another_key_of_a_symbol_that_does_not_need_it() -> None:
    for data in (b"\x1b[91;6u", b"\x1b[91:123;6u", b"\x1b[92:124;6u", b"\x1b[93;2u"):
        assert names(data) == ()


@pytest.mark.parametrize(
    ("data", "both"),
    [
        (b"\x1b[32;5u", {"Ctrl-Space", "Ctrl-@"}),
        (b"\x1b[50;5u", {"Ctrl-2", "Ctrl-@"}),
        (b"\x1b[51;5u", {"Ctrl-3", "Ctrl-["}),
        (b"\x1b[55;5u", {"Ctrl-7", "Ctrl-_"}),
        (b"\x1b[47;5u", {"Ctrl-_"}),
        (b"\x1b[56;5u", {"Ctrl-8", "Ctrl-?"}),
        (b"\x1b[64;6u", {"Ctrl-@"}),
        (b"\x1b[27u", set()),
        (b"\x1b[9;1u", set()),
    ],
)
def test_a_control_code_of_a_symbol_is_sent_by_the_keys_that_always_sent_it(
    data: bytes, both: set[str]
) -> None:
    assert set(names(data)) == both


def test_every_key_of_the_notation_is_known_in_each_encoding() -> None:
    for key in [*PLAIN_KEYS, "Space"]:
        code = 32 if key == "Space" else ord(key)
        for data in (b"%c" % code, b"\x1b[%du" % code, b"\x1b[27;1;%d~" % code):
            assert key in names(data)
    for key, byte in CONTROL_CODES.items():
        code = 32 if key == "Space" else ord(key)
        for data in (b"%c" % byte, b"\x1b[%d;5u" % code, b"\x1b[27;5;%d~" % code):
            assert f"Ctrl-{key}" in read(data, 0, keypad=False, final=True).names


@pytest.mark.parametrize("code", [57358, 57359, 57360, 57441, 57442, 57448, 57452, 57454])
def test_modifiers_are_told_from_other_keys(code: int) -> None:
    for data in (b"\x1b[%d;5u", b"\x1b[%d;5:2u", b"\x1b[%d;1:3u", b"\x1b[%du"):
        assert decoded(data % code).kind == decoding.MODIFIER


@pytest.mark.parametrize(
    ("data", "codes"),
    [
        (b"\x1b[113;5:3u", (113,)),
        (b"\x1b[1081::113;1:3u", (1081,)),
        (b"\x1b[223:63;2:3u", (223, 63)),
        (b"\x1b[57400;129:3u", (49,)),
        (b"\x1b[1;1:3A", ()),
        (b"\x1b[3;1:3~", ()),
    ],
)
def test_keys_let_go(data: bytes, codes: tuple[int, ...]) -> None:
    assert (decoded(data).kind, decoded(data).codes) == (decoding.RELEASE, codes)


@pytest.mark.parametrize(
    "data",
    [
        *(b"\x1b[A", b"\x1b[1;5A", b"\x1b[3~", b"\x1b[15;5~", b"\x1b[201~", b"\x1b[1;2R"),
        *(b"\x1b[<35;10;10M", b"\x1b[I", b"\x1b[?1u", b"\x1b[?62;c", b"\x1b[?2026;2$y", b"\x1b[u"),
        *(b"\x1b[;5u", b"\x1b[1:2:3:4;5u", b"\x1b[113;5u"[:-1] + b" u", b"\x1b[27;5~"),
        *(b"\x1b[12345678u", b"\x1b[27;5;113;1~"),
    ],
)
def test_what_is_not_such_a_key_is_something_else_as_a_whole(data: bytes) -> None:
    assert decoded(data).kind == decoding.OTHER


def test_a_paste_is_announced() -> None:
    assert decoded(b"\x1b[200~").kind == decoding.PASTE


def test_all_beginnings_of_a_sequence_are_unfinished_unless_no_more_comes() -> None:
    for data in (b"\x1b[1081::113;5:1;113u", b"\x1b[27;5;113~", b"\x1b[200~", b"\x1bOp"):
        for end in range(1, len(data)):
            assert read(data[:end], 0, True, False).kind == decoding.UNFINISHED
            escape = read(data[:end], 0, True, True)
            assert (escape.kind, escape.end, escape.names) == ("key", 1, ("Ctrl-[", "Ctrl-3"))


def test_an_escape_before_anything_else_is_a_key() -> None:
    for data in (b"\x1bx", b"\x1b\x1b[113;5u", b"\x1b[\x11", b"\x1b[113;5\x1b", b"\x1b]11;?\x07"):
        assert read(data, 0, False, False).end == 1
    assert read(b"\x1bO", 0, False, False).end == 1
    assert read(b"\x1bOq", 0, False, False).end == 1


def test_a_sequence_without_end_is_none() -> None:
    assert read(b"\x1b[" + b"1" * 201, 0, False, False).end == 1
