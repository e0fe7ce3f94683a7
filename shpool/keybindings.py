"""Key bindings: the notation of the config file, and the scan of a client's input for them.

A terminal sends bytes, not keys, so a binding is a byte string and the scan never asks what the
bytes around it mean. What an action does is left to whoever feeds the scanner.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

ACTIONS = ("detach", "noop")

_PLAIN_KEYS = "abcdefghijklmnopqrstuvwxyz0123456789\\[]@^_?"

# What terminals send for Ctrl and a key, as in xterm and the VT220: the key's code without the
# bits above the fifth, and for the digits what the VT220 put on them.
_CONTROL_CODES = {letter: ord(letter) & 0x1F for letter in "abcdefghijklmnopqrstuvwxyz@[\\]^_"} | {
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


def parse_binding(text: str) -> bytes:
    """The bytes that the keys named in `text` send, for example ``Ctrl-Space Ctrl-q``.

    Keys are separated by white space. A key is one of ``a``-``z``, ``0``-``9``, ``Space`` and
    ``\\ [ ] @ ^ _ ?``, or ``Ctrl-`` and one of these that has a control code. Raises
    KeyBindingError.
    """
    keys = text.split()
    if not keys:
        raise KeyBindingError("a key binding needs at least one key")
    try:
        return bytes([_key_code(key) for key in keys])
    except KeyBindingError as error:
        raise KeyBindingError(f"key binding {text!r}: {error}") from None


def _key_code(key: str) -> int:
    modifier, dash, name = key.partition("-")
    if not dash:
        if key == "Space":
            return 0x20
        if len(key) == 1 and key in _PLAIN_KEYS:
            return ord(key)
        raise KeyBindingError(_unknown_key(key))
    if modifier != "Ctrl":
        raise KeyBindingError(f"{key!r}: Ctrl is the only modifier")
    code = _CONTROL_CODES.get(name)
    if code is not None:
        return code
    if len(name) == 1 and name in _PLAIN_KEYS:
        raise KeyBindingError(f"no terminal has a control code for {key!r}")
    raise KeyBindingError(_unknown_key(name))


def _unknown_key(key: str) -> str:
    if len(key) == 1 and key.isupper():
        return f"{key!r} is no key, letters are written in lower case"
    return f"{key!r} is no key, use a-z, 0-9, Space or one of \\ [ ] @ ^ _ ?, separated by spaces"


class Scanner:
    """Finds bindings in a stream of input that arrives in pieces of any size.

    `bindings` are pairs of a byte string (see parse_binding) and an action. Of two that begin
    alike the shorter one wins, since the longer one can never be completed before it; of two
    that are the same, the later one.

    `held` has the keys of a sequence that is not complete, which are neither passed on nor
    dropped yet. It is the whole state: another scanner that is given the same `held` goes on
    from there.
    """

    def __init__(self, bindings: "Iterable[tuple[bytes, str]]") -> None:
        self.held = b""
        # A node maps the next byte to a node, or to the action that this byte completes.
        self._root: dict[int, Any] = {}
        for sequence, action in bindings:
            self._insert(sequence, action)
        firsts = bytes(self._root)
        if len(firsts) == 1:
            self._find_one = firsts
            self._find_any = None
        else:
            import re

            self._find_one = b""
            self._find_any = re.compile(b"[" + re.escape(firsts) + b"]" if firsts else b"(?!)")

    def _insert(self, sequence: bytes, action: str) -> None:
        if not sequence:
            raise ValueError("an empty sequence cannot be bound")
        node = self._root
        for byte in sequence[:-1]:
            node = node.setdefault(byte, {})
            if type(node) is str:
                return
        node[sequence[-1]] = action

    def _first(self, data: bytes, start: int) -> int:
        """Where the next byte that can begin a binding stands, or -1."""
        if self._find_any is None:
            return data.find(self._find_one, start)
        match = self._find_any.search(data, start)
        return match.start() if match else -1

    def feed(self, data: bytes) -> "list[bytes | str]":
        """Take the next bytes of input and return what they amount to, in order.

        A bytes item is to be passed on to the shell, a str item is an action to perform. A
        ``noop`` is swallowed here. Keys of a sequence that turns out not to be one are passed
        on, all of them, and the key that broke it can begin the next one.
        """
        if self.held:
            data = self.held + data
            self.held = b""
            position = 0
        else:
            position = self._first(data, 0)
            if position < 0:
                return [data] if data else []

        items: list[bytes | str] = []
        passed = 0  # everything before this is in `items` or swallowed
        end = len(data)
        while position >= 0:
            node: Any = self._root
            cursor = position
            while cursor < end and type(node) is dict:
                following = node.get(data[cursor])
                if following is None:
                    break
                node = following
                cursor += 1
            else:
                if position > passed:
                    items.append(data[passed:position])
                if type(node) is dict:
                    self.held = data[position:]
                    return items
                if node != "noop":
                    items.append(node)
                passed = cursor
            position = self._first(data, cursor)
        if passed < end:
            items.append(data[passed:])
        return items
