"""What a terminal is sent for once: that it rings, what its clipboard is to hold, notifications.

No state of a screen has this in it, so for terminals that are drawn on it is gathered from picture
to picture, as far as no answer comes of it. However much there is, little is kept: one ring, the
last clipboard, and the last notifications.
"""

import re

_MAX_NOTICES = 4
_MAX_NOTICE = 4096  # characters

# OSC 52: which clipboard, and what is to be in it in base64, or nothing; `?` asks.
_CLIPBOARD = re.compile(r"[a-z0-7]*;[A-Za-z0-9+/=]*").fullmatch

# OSC 9: all text but a number and what follows it is a notification, the rest ConEmu's.
_CONEMU = re.compile(r"\d+(;|\Z)").match


class News:
    __slots__ = ("_clipboard", "_notices", "_rings")

    DERIVED = __slots__  # who takes a daemon's place begins without

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self._rings = False
        self._clipboard = ""
        self._notices: list[str] = []

    def ring(self) -> None:
        self._rings = True

    def hear(self, command: str, value: str) -> None:
        """An OSC that has no lasting effect on the terminal itself."""
        if command == "52":
            if _CLIPBOARD(value):
                self._clipboard = f"\x1b]52;{value}\x1b\\"
        elif command == "9":
            if not _CONEMU(value):
                self._notice(command, value)
        elif command == "777" and value.startswith("notify;"):
            self._notice(command, value)

    def _notice(self, command: str, value: str) -> None:
        if len(value) <= _MAX_NOTICE:
            self._notices = [*self._notices, f"\x1b]{command};{value}\x1b\\"][-_MAX_NOTICES:]

    def take(self) -> bytes:
        """What a terminal is to be sent for all this; then it is no news any more."""
        words = self._clipboard + "".join(self._notices) + ("\a" if self._rings else "")
        self._begin()
        return words.encode()
