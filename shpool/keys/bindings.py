"""The notation of key bindings: a key has a name, and a binding is a tuple of names.

Which bytes a terminal sends for a key is decoding.py's, what an action does is left to whoever
feeds the scanner.
"""

ACTIONS = ("detach", "noop", "switch-last")

PLAIN_KEYS = "abcdefghijklmnopqrstuvwxyz0123456789\\[]@^_?"

# What terminals send for Ctrl and a key, as in xterm and the VT220: the key's code without the
# bits above the fifth, and for the digits what the VT220 put on them.
CONTROL_CODES = {letter: ord(letter) & 0x1F for letter in "abcdefghijklmnopqrstuvwxyz@[\\]^_"} | {
    "Space": 0,
    "?": 0x7F,
    "2": 0x00,
    "3": 0x1B,
    "4": 0x1C,
    "5": 0x1D,
    "6": 0x1E,
    "7": 0x1F,
    "8": 0x7F,
    "0": 0x7F,
}


class KeyBindingError(ValueError):
    """A binding that is not written in the notation; the text is meant for the user."""


def parse_binding(text: str) -> tuple[str, ...]:
    """The names of the keys in `text`, for example ``Ctrl-Space Ctrl-q``.

    Keys are separated by white space. A key is one of ``a``-``z``, ``0``-``9``, ``Space`` and
    ``\\ [ ] @ ^ _ ?``, or ``Ctrl-`` and one of these that has a control code. Raises
    KeyBindingError.
    """
    keys = tuple(text.split())
    if not keys:
        raise KeyBindingError("a key binding needs at least one key")
    try:
        for key in keys:
            _check_key(key)
    except KeyBindingError as error:
        raise KeyBindingError(f"key binding {text!r}: {error}") from None
    return keys


def _check_key(key: str) -> None:
    modifier, dash, name = key.partition("-")
    if not dash:
        if key == "Space" or (len(key) == 1 and key in PLAIN_KEYS):
            return
        raise KeyBindingError(_unknown_key(key))
    if modifier != "Ctrl":
        raise KeyBindingError(f"{key!r}: Ctrl is the only modifier")
    if name in CONTROL_CODES:
        return
    if len(name) == 1 and name in PLAIN_KEYS:
        raise KeyBindingError(f"no terminal has a control code for {key!r}")
    raise KeyBindingError(_unknown_key(name))


def _unknown_key(key: str) -> str:
    if len(key) == 1 and key.isupper():
        return f"{key!r} is no key, letters are written in lower case"
    return f"{key!r} is no key, use a-z, 0-9, Space or one of \\ [ ] @ ^ _ ?, separated by spaces"
