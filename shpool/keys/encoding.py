"""What a terminal sends for a key that is named, in the state that a program has brought it to.

Without more an xterm's: ctlseqs, "PC-Style Function Keys", and terminfo's xterm-256color for F13 to
F24, which are Shift with F1 to F12 there.  With modifyOtherKeys as xterm's "Modified keys" has it,
and with flags of the kitty keyboard protocol as that says; a flag of that wins.
"""

import re

from shpool.errors import UsageError

SHIFT, ALT, CONTROL = 1, 2, 4
_MODIFIERS = {"S": SHIFT, "M": ALT, "C": CONTROL}

# The kitty keyboard protocol's flags that matter to a key that is pressed and let go unseen.
DISAMBIGUATE, ALTERNATES, ALL_AS_ESCAPES, TEXT = 1, 4, 8, 16

# With a letter: CSI letter, or SS3 letter in application cursor mode, or CSI 1 ; modifiers letter.
_CURSOR = {"Up": "A", "Down": "B", "Right": "C", "Left": "D", "Home": "H", "End": "F"}
_FIRST_FOUR = {"F1": "P", "F2": "Q", "F3": "R", "F4": "S"}
# With a number: CSI number ~, or CSI number ; modifiers ~.
_NUMBERED = {"Insert": 2, "Delete": 3, "PageUp": 5, "PageDown": 6} | {
    f"F{n}": number for n, number in zip(range(5, 13), (15, 17, 18, 19, 20, 21, 23, 24))
}
# With a character, and the number that kitty has for it.
_CHARACTERS = {"Enter": 13, "Tab": 9, "Escape": 27, "Backspace": 127, "Space": 32}
_KITTY_F13 = 57376

NAMES = (
    *("Enter", "Tab", "Escape", "Space", "Backspace", "Delete", "Insert"),
    *_CURSOR,
    *("PageUp", "PageDown"),
    *(_FUNCTION_KEYS := tuple(f"F{n}" for n in range(1, 25))),
)

# Ctrl with what has no control code of its own sends these on an xterm.
_CONTROL_CODES = {
    " ": 0,
    "@": 0,
    "2": 0,
    "3": 27,
    "4": 28,
    "5": 29,
    "6": 30,
    "7": 31,
    "/": 31,
    "8": 127,
    "?": 127,
    "[": 27,
    "\\": 28,
    "]": 29,
    "^": 30,
    "_": 31,
}

_PREFIX = re.compile(r"((?:[SMC]-)*)(.+)", re.DOTALL)


class UnknownKey(UsageError):
    """There is no such key; the message lists those there are."""


class KeyModes:
    """What a program has made of the keyboard; everything off is a terminal as it starts.

    `modify_other` is modifyOtherKeys (0, 1 or 2); `kitty` the flags in force.
    """

    __slots__ = ("backspace", "cursor", "kitty", "modify_other", "newline")

    def __init__(
        self,
        *,
        cursor: bool = False,
        backspace: bool = False,
        newline: bool = False,
        modify_other: int = 0,
        kitty: int = 0,
    ) -> None:
        self.cursor = cursor  # DECCKM
        self.backspace = backspace  # DECBKM
        self.newline = newline  # LNM
        self.modify_other = modify_other
        self.kitty = kitty


class Key:
    """`name` is one of NAMES, or a character; `modifiers` are added up."""

    __slots__ = ("modifiers", "name")

    def __init__(self, name: str, modifiers: int) -> None:
        self.name = name
        self.modifiers = modifiers


def parse_key(text: str) -> Key:
    """`C-a`, `M-Enter`, `S-F5`, `x`.  Raises UnknownKey."""
    found = _PREFIX.fullmatch(text)
    if found is not None:
        prefixes, name = found.groups()
        if name in NAMES or (len(name) == 1 and name.isprintable()):
            modifiers = 0
            for letter in prefixes[::2]:
                modifiers |= _MODIFIERS[letter]
            return Key(name, modifiers)
    known = " ".join(name for name in NAMES if name not in _FUNCTION_KEYS)
    raise UnknownKey(
        f"there is no key {text!r}; there are {known}, F1 to F24 and single characters,"
        " each with C-, M- or S- before it"
    )


def encode_key(key: Key, modes: KeyModes) -> bytes:
    """What is sent for it, pressed once."""
    if modes.kitty:
        return _kitty(key, modes.kitty).encode()
    name, modifiers = key.name, key.modifiers
    if name in _CHARACTERS and name != "Space":
        return _editing_key(name, modifiers, modes).encode()
    if len(name) > 1 and name != "Space":
        return _function_key(name, modifiers, cursor=modes.cursor).encode()
    return _character(" " if name == "Space" else name, modifiers, modes)


def _parameter(modifiers: int) -> int:
    return modifiers + 1


def _function_key(name: str, modifiers: int, *, cursor: bool) -> str:
    number = int(name[1:]) if name[0] == "F" and name[1:].isdigit() else 0
    if number > 12:
        return _function_key(f"F{number - 12}", modifiers | SHIFT, cursor=cursor)
    parameter = _parameter(modifiers)
    if name in _NUMBERED:
        return f"\x1b[{_NUMBERED[name]}" + (f";{parameter}~" if modifiers else "~")
    letter = _CURSOR.get(name) or _FIRST_FOUR[name]
    if modifiers:
        return f"\x1b[1;{parameter}{letter}"
    return ("\x1bO" if cursor or name in _FIRST_FOUR else "\x1b[") + letter


def _editing_key(name: str, modifiers: int, modes: KeyModes) -> str:
    """Enter, Tab, Escape, Backspace, which are characters as well."""
    other = modifiers & ~ALT if modes.modify_other < 2 else modifiers
    if modes.modify_other and other and not (name == "Tab" and modifiers == SHIFT):
        return f"\x1b[27;{_parameter(modifiers)};{_CHARACTERS[name]}~"
    if name == "Tab" and modifiers & SHIFT:
        sent = "\x1b[Z"
    elif name == "Backspace":
        # Ctrl has the other one of the two sent.
        sent = "\x08" if modes.backspace != bool(modifiers & CONTROL) else "\x7f"
    elif name == "Enter" and modes.newline:
        sent = "\r\n"
    else:
        sent = chr(_CHARACTERS[name])
    return "\x1b" + sent if modifiers & ALT else sent


def _character(name: str, modifiers: int, modes: KeyModes) -> bytes:
    if modifiers & SHIFT:
        name = name.upper() if len(name.upper()) == 1 else name
    code = _control_code(name) if modifiers & CONTROL else None
    if modes.modify_other and _is_other(name, modifiers, code, modes.modify_other):
        return f"\x1b[27;{_parameter(modifiers)};{ord(name)}~".encode()
    sent = name.encode() if code is None else bytes([code])
    return b"\x1b" + sent if modifiers & ALT else sent


def _control_code(name: str) -> "int | None":
    if name.isascii() and name.isalpha():
        return ord(name) & 0x1F
    return _CONTROL_CODES.get(name)


def _is_other(name: str, modifiers: int, code: "int | None", level: int) -> bool:
    """Returns whether the key is sent as one that is modified: at level 1 where nothing else tells
    it from another key, at level 2 wherever Ctrl or Alt is held."""
    if level >= 2:
        return bool(modifiers & (CONTROL | ALT))
    if not modifiers & CONTROL:
        return False
    return code is None or (bool(modifiers & SHIFT) and name.isalpha())


# ---- kitty


def _kitty(key: Key, flags: int) -> str:
    name, modifiers = key.name, key.modifiers
    if len(name) > 1 and name not in _CHARACTERS:
        return _kitty_function_key(name, modifiers)
    if name in _CHARACTERS and name != "Space":
        return _kitty_editing_key(name, modifiers, flags)
    return _kitty_character(" " if name == "Space" else name, modifiers, flags)


def _kitty_function_key(name: str, modifiers: int) -> str:
    number = int(name[1:]) if name[0] == "F" and name[1:].isdigit() else 0
    tail = f";{_parameter(modifiers)}" if modifiers else ""
    if number > 12:
        return f"\x1b[{_KITTY_F13 + number - 13}{tail}u"
    if name == "F3":  # CSI R is a terminal's answer
        return f"\x1b[13{tail}~"
    if name in _NUMBERED:
        return f"\x1b[{_NUMBERED[name]}{tail}~"
    letter = _CURSOR.get(name) or _FIRST_FOUR[name]
    return f"\x1b[1{tail}{letter}" if modifiers else f"\x1b[{letter}"


def _kitty_editing_key(name: str, modifiers: int, flags: int) -> str:
    code = _CHARACTERS[name]
    if not modifiers and not flags & ALL_AS_ESCAPES and name != "Escape":
        return chr(code)
    if not flags & (DISAMBIGUATE | ALL_AS_ESCAPES):
        return _editing_key(name, modifiers, KeyModes())
    return f"\x1b[{code};{_parameter(modifiers)}u" if modifiers else f"\x1b[{code}u"


def _kitty_character(name: str, modifiers: int, flags: int) -> str:
    lower = name.lower() if len(name.lower()) == 1 else name
    if lower != name:
        modifiers |= SHIFT
    shown = name.upper() if modifiers & SHIFT and len(name.upper()) == 1 else name
    if not flags & ALL_AS_ESCAPES:
        if not modifiers & (CONTROL | ALT):
            return shown
        if not flags & DISAMBIGUATE:
            return _character(shown, modifiers & ~SHIFT, KeyModes()).decode()
    code = str(ord(lower))
    if flags & ALTERNATES and modifiers & SHIFT and shown != lower:
        code += f":{ord(shown)}"
    sent = f"\x1b[{code}"
    text = shown if flags & TEXT and flags & ALL_AS_ESCAPES and not modifiers & ~SHIFT else ""
    if modifiers or text:
        sent += f";{_parameter(modifiers) if modifiers else ''}"
    if text:
        sent += f";{ord(text)}"
    return sent + "u"
