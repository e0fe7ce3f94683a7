"""Bindings typed on kitty's keyboard, at every level of its protocol, as kitty encodes them."""

from __future__ import annotations

from typing import Any

import pytest

from shpool.keys.bindings import CONTROL_CODES, PLAIN_KEYS, parse_binding
from shpool.keys.scanner import Scanner
from tests.terminal.judge.kitty import Kitty

PRESS, REPEAT, RELEASE = 1, 2, 0  # GLFW's
SHIFT, ALT, CONTROL, SUPER, HYPER, META, CAPS_LOCK, NUM_LOCK = (1 << n for n in range(8))
LEFT_SHIFT, LEFT_CONTROL = 57441, 57442
LEVELS = range(32)
ALTERNATES = 4

# What Shift makes of a key on a US keyboard, as far as it can be bound.
US_SHIFTED = {"@": "2", "^": "6", "_": "-", "?": "/"}


class Keyboard:
    """One on which keys are pressed and let go, at a level of the protocol."""

    def __init__(self, level: int, locks: int = 0) -> None:
        self._level = level
        self._locks = locks
        self.events: list[dict[str, Any]] = []

    def event(
        self, action: int, key: int, mods: int, shifted: int = 0, base: int = 0, text: str = ""
    ) -> None:
        produced = "" if action == RELEASE or mods & ~SHIFT else text
        self.events.append(
            {
                "key": key,
                "shifted_key": shifted,
                "alternate_key": base,
                "mods": mods | self._locks,
                "action": action,
                "key_encoding_flags": self._level,
                "text": produced,
                "cursor_key_mode": False,
            }
        )

    def stroke(self, key: int, mods: int, shifted: int = 0, base: int = 0, text: str = "") -> None:
        """Press the modifiers and the key, and let go."""
        held = [
            (code, bit)
            for code, bit in ((LEFT_CONTROL, CONTROL), (LEFT_SHIFT, SHIFT))
            if mods & bit
        ]
        for code, _ in held:
            self.event(PRESS, code, mods)
        self.event(PRESS, key, mods, shifted, base, text)
        self.event(RELEASE, key, mods, shifted, base, text)
        for code, bit in reversed(held):
            self.event(RELEASE, code, mods & ~bit)

    def type(self, name: str, more: int = 0) -> None:
        """Type what a binding calls `name` on a US keyboard, with `more` modifiers."""
        _, _, character = name.rpartition("Ctrl-")
        character = " " if character == "Space" else character
        mods = more | (CONTROL if name.startswith("Ctrl-") else 0)
        key = US_SHIFTED.get(character, character)
        shifted = character
        if key != character:
            mods |= SHIFT
        elif key.isalpha():
            shifted = key.upper()
        self.stroke(ord(key), mods, ord(shifted), 0, character)


def typed(kitty: Kitty, keyboard: Keyboard) -> list[bytes]:
    return kitty.type(keyboard.events)


def of_modifiers(kitty: Kitty, keyboard: Keyboard) -> bytes:
    events = [event for event in keyboard.events if event["key"] in (LEFT_CONTROL, LEFT_SHIFT)]
    return b"".join(kitty.type(events))


def fed(scanner: Scanner, pieces: list[bytes]) -> tuple[bytes, list[str]]:
    """What was passed on, and done, of what came a byte at a time."""
    items = [item for piece in pieces for byte in piece for item in scanner.feed(bytes([byte]))]
    passed = b"".join(item for item in items if isinstance(item, bytes))
    return passed, [item for item in items if isinstance(item, str)]


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("locks", [0, CAPS_LOCK | NUM_LOCK])
def test_the_default_binding_detaches_whatever_was_turned_on(
    kitty: Kitty, level: int, locks: int
) -> None:
    keyboard = Keyboard(level, locks)
    keyboard.type("Ctrl-Space")
    keyboard.type("Ctrl-q")
    scanner = Scanner([(parse_binding("Ctrl-Space Ctrl-q"), "detach")])
    passed, done = fed(scanner, typed(kitty, keyboard))
    assert done == ["detach"]
    assert passed == of_modifiers(kitty, keyboard)
    assert scanner.swallowed == () or not level & 2  # kitty tells what is let go


NAMES = [*PLAIN_KEYS, "Space", *(f"Ctrl-{key}" for key in CONTROL_CODES)]


@pytest.mark.parametrize("level", LEVELS)
def test_every_key_that_can_be_bound_is_known(kitty: Kitty, level: int) -> None:
    for name in NAMES:
        if name == "Ctrl-0":
            continue  # in legacy encoding it is a plain 0 to kitty
        keyboard = Keyboard(level)
        keyboard.type("Ctrl-a")
        keyboard.type(name)
        scanner = Scanner([(parse_binding(f"Ctrl-a {name}"), "detach")])
        pieces = typed(kitty, keyboard)
        passed, done = fed(scanner, pieces)
        if name in ("Ctrl-[", "Ctrl-3") and not done:
            # An escape alone, which a level that does not disambiguate has for it.
            assert not level & 9
            done = [item for item in scanner.flush() if isinstance(item, str)]
        assert (name, done) == (name, ["detach"])
        assert passed == of_modifiers(kitty, keyboard)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("more", [SHIFT, ALT, SUPER, HYPER, META, ALT | SHIFT])
def test_another_modifier_makes_another_key_where_it_is_told(
    kitty: Kitty, level: int, more: int
) -> None:
    keyboard = Keyboard(level)
    keyboard.type("Ctrl-Space")
    keyboard.type("Ctrl-q", more)
    pieces = typed(kitty, keyboard)
    scanner = Scanner([(parse_binding("Ctrl-Space Ctrl-q"), "detach")])
    passed, done = fed(scanner, pieces)
    if any(piece == b"\x11" for piece in pieces):
        assert done == ["detach"]  # Shift does not show in it
    else:
        assert (passed + scanner.held, done) == (b"".join(pieces), [])


@pytest.mark.parametrize("level", [level for level in LEVELS if level & ALTERNATES])
def test_a_key_of_another_layout_is_known_by_its_place_if_the_terminal_tells(
    kitty: Kitty, level: int
) -> None:
    keyboard = Keyboard(level)
    keyboard.type("Ctrl-Space")
    keyboard.stroke(ord("й"), CONTROL, ord("Й"), ord("q"))
    scanner = Scanner([(parse_binding("Ctrl-Space Ctrl-q"), "detach")])
    passed, done = fed(scanner, typed(kitty, keyboard))
    assert done == ["detach"]
    assert passed.startswith(of_modifiers(kitty, keyboard))


@pytest.mark.parametrize("level", LEVELS)
def test_text_is_passed_on_as_it_is(kitty: Kitty, level: int) -> None:
    keyboard = Keyboard(level)
    for character in "ls -l; q?":
        keyboard.type("Space" if character == " " else character)
    keyboard.type("Ctrl-Space")
    keyboard.type("q")
    pieces = typed(kitty, keyboard)
    scanner = Scanner([(parse_binding("Ctrl-Space Ctrl-q"), "detach")])
    assert fed(scanner, pieces) == (b"".join(pieces), [])
