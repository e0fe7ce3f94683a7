"""What a terminal sends for a key, and the names of bindings.py that a key pressed goes by.

Every encoding is taken at any time, since a terminal does not say which one it is in:

- legacy: a byte for a key, Shift, Alt and Ctrl as far as there are bytes for them
- ``CSI code ; modifiers u``: the kitty keyboard protocol at any of its levels, and xterm with
  formatOtherKeys 1
- ``CSI 27 ; modifiers ; code ~``: xterm's modifyOtherKeys
- ``SS3 p`` to ``SS3 y``: digits of the keypad in application mode

Sources: the kitty keyboard protocol, and xterm's ctlseqs ("Alt and Meta Keys") with what xterm 379
was seen to send.  In kitty's protocol the code is that of the key without Shift, in xterm's that of
the character typed: Ctrl-_ on a US keyboard is ``CSI 45;6u`` here and ``CSI 27;6;95~`` there.
"""

import re
from functools import lru_cache

from shpool.keys.bindings import CONTROL_CODES, PLAIN_KEYS

# Kinds of input.
KEY = "key"  # pressed, or repeated
RELEASE = "release"
MODIFIER = "modifier"  # the events of Ctrl, Shift, Caps Lock... as keys
PASTE = "paste"  # what follows is pasted, until PASTE_END
OTHER = "other"  # function keys, the mouse, a terminal's answers
UNFINISHED = "unfinished"  # may become any of these

PASTE_BEGIN, PASTE_END = b"\x1b[200~", b"\x1b[201~"

_ESC = 0x1B

# Bytes between CSI and the final byte.  kitty's longest for a key with one character of text has
# 34, of xterm's answers to questions the longest have about 100.
MAX_PARAMETERS = 200

_PATTERN = rb"\x1b(?:\[([0-?]{0,%d}[ -/]{0,2})([@-~])?%%s)?" % MAX_PARAMETERS
_SEQUENCE = re.compile(_PATTERN % b"")
_SEQUENCE_OR_KEYPAD = re.compile(_PATTERN % b"|O([p-y])?")

_KITTY = re.compile(
    rb"""
    (\d{1,7}) (?: :(\d{0,7}) (?: :(\d{0,7}) )? )?  # code, of the shifted key, in the base layout
    (?: ; (\d{0,3}) (?: :(\d) )?                   # modifiers, event
    (?: ; (\d{0,7}) [\d:]* )? )?                   # the first character of the text
    """,
    re.VERBOSE,
)
_XTERM = re.compile(rb"27;(\d{1,3});(\d{1,7})")
_FUNCTION_KEY_RELEASE = re.compile(rb"\d*;\d*:3")
_FUNCTION_KEYS = b"ABCDEFHPQRS~"

_SHIFT = 1
_CONTROL = 4
_LOCKS = 64 | 128  # Caps Lock, Num Lock
_RELEASED = 3

# Numbers that kitty has for keys without a character: the keypad as characters, and the keys that
# only change others.  Of Lock keys Scroll Lock is one too.
_KEYPAD = {57399 + n: ord(c) for n, c in enumerate("0123456789./*-+")} | {57415: ord("=")}
_MODIFIER_KEYS = frozenset([57358, 57359, 57360, *range(57441, 57455)])

# Where Shift puts characters that can be bound on a US keyboard, for want of the shifted key.
_US_SHIFTED = {ord("2"): ord("@"), ord("6"): ord("^"), ord("-"): ord("_"), ord("/"): ord("?")}

# Other keys that have always sent the control code that is called Ctrl-@, Ctrl-[..., which on many
# keyboards cannot be typed by that name.  The escape key is no such key: it is told apart.
_CODE_NAMES = {
    " ": "@",
    "2": "@",
    "3": "[",
    "4": "\\",
    "5": "]",
    "6": "^",
    "7": "_",
    "/": "_",
    "8": "?",
}

_PLAIN = {ord(key): (key,) for key in PLAIN_KEYS} | {0x20: ("Space",)}


def _control_names() -> dict[int, tuple[str, ...]]:
    names: dict[int, tuple[str, ...]] = {}
    for key in CONTROL_CODES:
        names[0x20 if key == "Space" else ord(key)] = (f"Ctrl-{key}",)
    for key, code_name in _CODE_NAMES.items():
        names[ord(key)] = (*names.get(ord(key), ()), f"Ctrl-{code_name}")
    return names


_WITH_CONTROL = _control_names()


# Kind, names and codes of an Input.
_Meaning = tuple[str, tuple[str, ...], tuple[int, ...]]

# Sequences whose meaning is remembered: what is typed in them is a few keys again and again.
_KNOWN = 256


class Input:
    """One key event, or another piece of input.

    It stands from `start` to `end` in what was read; `kind` is one of the above.  Of a key, `names`
    are what a binding may call it, none if it cannot be bound; `codes` are what its release may be
    called by.
    """

    __slots__ = ("codes", "end", "kind", "names", "start")

    def __init__(
        self,
        start: int,
        end: int,
        kind: str,
        names: tuple[str, ...] = (),
        codes: tuple[int, ...] = (),
    ) -> None:
        self.start = start
        self.end = end
        self.kind = kind
        self.names = names
        self.codes = codes


def _legacy_keys() -> "list[tuple[tuple[str, ...], tuple[int, ...]]]":
    """Names and codes of each byte."""
    named: dict[int, tuple[str, ...]] = {}
    for key, code in CONTROL_CODES.items():
        named[code] = (*named.get(code, ()), f"Ctrl-{key}")
    keys = []
    for byte in range(256):
        names = named.get(byte, ())
        codes = {byte}
        if names:
            codes |= {code for code, called in _WITH_CONTROL.items() if set(called) & set(names)}
        codes |= {code for code, shifted in _US_SHIFTED.items() if shifted in codes}
        keys.append((_PLAIN.get(byte, names), tuple(codes)))
    return keys


_LEGACY = _legacy_keys()


def legacy_bytes(name: str) -> bytes:
    """The byte that the key of this name sends where terminals know no other encoding."""
    return bytes(byte for byte, (names, _) in enumerate(_LEGACY) if name in names)


def read(data: bytes, at: int, keypad: bool, final: bool) -> Input:
    """The input at `at`, where `data` does not end.

    `keypad`: whether to look for the digits of the keypad, for which the letter ``O`` has to wait
    after an escape.  `final`: whether what is unfinished stays so, and is therefore keys of a byte.
    """
    byte = data[at]
    if byte != _ESC:
        return Input(at, at + 1, KEY, *_LEGACY[byte])
    match = (_SEQUENCE_OR_KEYPAD if keypad else _SEQUENCE).match(data, at)
    assert match is not None
    end = match.end()
    letter = match[2]
    if letter is not None:
        return Input(at, end, *meaning(match[1], letter))
    if keypad and match[3] is not None:
        digit = match[3][0] - 0x40
        return Input(at, end, KEY, _PLAIN[digit], (digit,))
    if end == len(data) and not final:
        return Input(at, end, UNFINISHED)
    return Input(at, at + 1, KEY, *_LEGACY[_ESC])


@lru_cache(_KNOWN)
def meaning(parameters: bytes, letter: bytes) -> _Meaning:
    """Kind, names and codes of CSI `parameters` `letter`."""
    if letter == b"u":
        match = _KITTY.fullmatch(parameters)
        if match is not None:
            return _kitty(*(int(number or 0) for number in match.groups()))
    elif letter == b"~":
        if parameters == b"200":
            return PASTE, (), ()
        match = _XTERM.fullmatch(parameters)
        if match is not None:
            return _xterm(int(match[1]), int(match[2]))
    if letter in _FUNCTION_KEYS and _FUNCTION_KEY_RELEASE.fullmatch(parameters):
        return RELEASE, (), ()
    return OTHER, (), ()


def _kitty(code: int, shifted: int, base: int, encoded: int, event: int, text: int) -> _Meaning:
    """A key of the kitty keyboard protocol; what was left out is 0."""
    if code in _MODIFIER_KEYS:
        return MODIFIER, (), ()
    code = _KEYPAD.get(code, code)
    if event == _RELEASED:
        return RELEASE, (), (code, shifted) if shifted else (code,)
    modifiers = _modifiers(encoded)
    # A Latin letter says itself which key it is, wherever it is on the keyboard.
    character = base if base and code > 0x7F else code
    names: tuple[str, ...] = ()
    if _is_symbol(code) and modifiers == _CONTROL:
        names = _names(base, modifiers)  # Greek and Hebrew keyboards have symbols in q's place
    if code == 0:  # text that no key is known of
        character = text
        if _is_capital(text):
            modifiers |= _SHIFT
    elif modifiers & _SHIFT:
        typed = text or shifted or _US_SHIFTED.get(character, 0)
        if _is_symbol(typed):
            character, modifiers = typed, modifiers - _SHIFT
        elif character in _US_SHIFTED.values():  # it is xterm that sends this
            modifiers -= _SHIFT
    elif _is_symbol(text):
        character = text  # that of the key and AltGr
    return KEY, (*_names(character, modifiers), *names), (code,)


def _xterm(encoded: int, code: int) -> _Meaning:
    modifiers = _modifiers(encoded)
    if _is_symbol(code):
        modifiers &= ~_SHIFT  # it has been used to type the symbol
    return KEY, _names(code, modifiers), (code,)


def _modifiers(encoded: int) -> int:
    return max(encoded - 1, 0) & ~_LOCKS


def _is_capital(character: int) -> bool:
    return 0x41 <= character <= 0x5A


def _is_symbol(character: int) -> bool:
    """Returns whether it is a printing character that Shift may be needed for, and no letter."""
    return 0x21 <= character <= 0x7E and not chr(character).isalpha()


def _names(character: int, modifiers: int) -> tuple[str, ...]:
    if _is_capital(character):  # without Shift among the modifiers it is Caps Lock's doing
        character += 0x20
    if modifiers == 0:
        return _PLAIN.get(character, ())
    if modifiers == _CONTROL:
        return _WITH_CONTROL.get(character, ())
    return ()
