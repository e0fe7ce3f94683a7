"""Keys as an xterm sends them (ctlseqs), and as kitty's own encoder does."""

from __future__ import annotations

from typing import Any

import pytest

from shpool.keys.encoding import NAMES, Key, KeyModes, UnknownKey, encode_key, parse_key
from tests.terminal.judge.kitty import Kitty

PLAIN = KeyModes()
CURSOR = KeyModes(cursor=True)

XTERM: list[tuple[str, KeyModes, bytes]] = [
    ("a", PLAIN, b"a"),
    ("é", PLAIN, "é".encode()),
    ("S-a", PLAIN, b"A"),
    ("C-a", PLAIN, b"\x01"),
    ("C-Space", PLAIN, b"\x00"),
    ("C-@", PLAIN, b"\x00"),
    ("C-2", PLAIN, b"\x00"),
    ("C-/", PLAIN, b"\x1f"),
    ("C-?", PLAIN, b"\x7f"),
    ("C-1", PLAIN, b"1"),
    ("M-x", PLAIN, b"\x1bx"),
    ("C-M-x", PLAIN, b"\x1b\x18"),
    ("Enter", PLAIN, b"\r"),
    ("Enter", KeyModes(newline=True), b"\r\n"),
    ("M-Enter", PLAIN, b"\x1b\r"),
    ("Tab", PLAIN, b"\t"),
    ("S-Tab", PLAIN, b"\x1b[Z"),
    ("Escape", PLAIN, b"\x1b"),
    ("Space", PLAIN, b" "),
    ("Backspace", PLAIN, b"\x7f"),
    ("C-Backspace", PLAIN, b"\x08"),
    ("Backspace", KeyModes(backspace=True), b"\x08"),
    ("C-Backspace", KeyModes(backspace=True), b"\x7f"),
    ("M-Backspace", PLAIN, b"\x1b\x7f"),
    ("Up", PLAIN, b"\x1b[A"),
    ("Up", CURSOR, b"\x1bOA"),
    ("C-Up", PLAIN, b"\x1b[1;5A"),
    ("C-Up", CURSOR, b"\x1b[1;5A"),
    ("Home", PLAIN, b"\x1b[H"),
    ("End", CURSOR, b"\x1bOF"),
    ("Insert", PLAIN, b"\x1b[2~"),
    ("S-Delete", PLAIN, b"\x1b[3;2~"),
    ("PageUp", PLAIN, b"\x1b[5~"),
    ("C-M-PageDown", PLAIN, b"\x1b[6;7~"),
    ("F1", PLAIN, b"\x1bOP"),
    ("F4", CURSOR, b"\x1bOS"),
    ("S-F1", PLAIN, b"\x1b[1;2P"),
    ("F5", PLAIN, b"\x1b[15~"),
    ("F12", PLAIN, b"\x1b[24~"),
    ("F13", PLAIN, b"\x1b[1;2P"),
    ("F24", PLAIN, b"\x1b[24;2~"),
    ("C-F20", PLAIN, b"\x1b[19;6~"),
    # modifyOtherKeys
    ("C-a", KeyModes(modify_other=1), b"\x01"),
    ("C-1", KeyModes(modify_other=1), b"\x1b[27;5;49~"),
    ("C-S-a", KeyModes(modify_other=1), b"\x1b[27;6;65~"),
    ("M-a", KeyModes(modify_other=1), b"\x1ba"),
    ("C-Enter", KeyModes(modify_other=1), b"\x1b[27;5;13~"),
    ("C-a", KeyModes(modify_other=2), b"\x1b[27;5;97~"),
    ("M-a", KeyModes(modify_other=2), b"\x1b[27;3;97~"),
    ("S-a", KeyModes(modify_other=2), b"A"),
    ("C-Tab", KeyModes(modify_other=2), b"\x1b[27;5;9~"),
    ("S-Tab", KeyModes(modify_other=2), b"\x1b[Z"),
]


@pytest.mark.parametrize(("key", "modes", "sent"), XTERM, ids=[key for key, _, _ in XTERM])
def test_keys_are_sent_as_an_xterm_sends_them(key: str, modes: KeyModes, sent: bytes) -> None:
    assert encode_key(parse_key(key), modes) == sent


@pytest.mark.parametrize("text", ["", "Foo", "F25", "C-", "X-a", "ab", "enter", "\x07"])
def test_an_unknown_key_is_an_error_that_lists_the_known_ones(text: str) -> None:
    end = "F1 to F24 and single characters, each with C-, M- or S- before it"
    with pytest.raises(UnknownKey, match=f"there are Enter Tab .*, {end}"):
        parse_key(text)


# kitty's numbers for keys without a character.
FUNCTIONAL = {
    "Escape": 57344,
    "Enter": 57345,
    "Tab": 57346,
    "Backspace": 57347,
    "Insert": 57348,
    "Delete": 57349,
    "Left": 57350,
    "Right": 57351,
    "Up": 57352,
    "Down": 57353,
    "PageUp": 57354,
    "PageDown": 57355,
    "Home": 57356,
    "End": 57357,
    **{f"F{n}": 57363 + n for n in range(1, 25)},
}
CHARACTERS = {"a": "A", "z": "Z", "1": "!", " ": " "}
# kitty's bits on its keyboard: Shift 1, Alt 2, Ctrl 4, as ours.
MODIFIERS = range(8)


def event(key: str, modifiers: int, flags: int) -> dict[str, Any]:
    text = ""
    shifted = 0
    if key in CHARACTERS:
        shifted = ord(CHARACTERS[key]) if CHARACTERS[key] != key else 0
        if not modifiers & ~1:
            text = CHARACTERS[key] if modifiers else key
    return {
        "key": FUNCTIONAL.get(key) or ord(key),
        "shifted_key": shifted if modifiers & 1 else 0,
        "alternate_key": 0,
        "mods": modifiers,
        "action": 1,
        "key_encoding_flags": flags,
        "text": text,
        "cursor_key_mode": False,
    }


@pytest.mark.parametrize("flags", range(1, 32, 2))
def test_keys_are_sent_as_kitty_sends_them_once_they_are_told_apart(
    kitty: Kitty, flags: int
) -> None:
    """At every level with the flag to disambiguate, without which no program sets any other.

    Of F3 the kitty of Debian 12 sends what is a terminal's answer too, and no longer is right.
    """
    keys = [*FUNCTIONAL, "a", "z", "1", " "]
    cases = [(key, modifiers) for key in keys for modifiers in MODIFIERS]
    # Without a keyboard one names the character, not the key and Shift.
    cases = [(key, modifiers) for key, modifiers in cases if not (key == "1" and modifiers & 1)]
    theirs = kitty.type([event(key, modifiers, flags) for key, modifiers in cases])
    modes = KeyModes(kitty=flags)
    ours = [encode_key(Key("Space" if k == " " else k, m), modes) for k, m in cases]
    assert [
        (key, modifiers, sent, expected)
        for (key, modifiers), sent, expected in zip(cases, ours, theirs)
        if sent != expected and key != "F3"
    ] == []


def test_every_name_is_a_key() -> None:
    for name in NAMES:
        assert encode_key(parse_key(name), PLAIN)
        assert encode_key(parse_key(name), KeyModes(kitty=31))
