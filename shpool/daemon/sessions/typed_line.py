"""What was typed of a shell's line: nothing that is left of it, something, or who knows.

Only of keys that do the same for everybody anything is made: letters and the like, Backspace, and
what drops or ends a line.  A quote may have put another one behind the cursor, and after an escape
letters may be commands.
"""

import re

# What a shell inserts as it is, and what takes that back.  After ^C most shells show the next
# prompt, and fish 4 the same one.
_PLAIN = re.compile(rb"[A-Za-z0-9 _./=,:@+\x03\x08\x15\x7f-]*").fullmatch
_DROPS = re.compile(rb"[\x03\x15]")
_BACKSPACES = b"\x08\x7f"

# What ends a line: Enter, and what quits or suspends.
_END = re.compile(rb"[\r\n\x1a\x1c]")

# Seconds for which a prompt has stood when the shell has read what was typed before it.  fish 4
# puts what is pasted before then in front of it.
SETTLED = 1.0

# After this it is not known what keys do.
ESCAPE = b"\x1b"

# What stands before a blank may have been expanded: nobody knows how often Backspace it takes.
_MANY = 1 << 20

_ENTER = re.compile(rb"[\r\n]")

# Of more that is typed at once nothing is made, in bytes.
_LONGEST = 4096


class TypedLine:
    """`at`: when something was typed last; monotonic.  `ahead`: how many lines were typed that the
    shell has not been seen to take, be it that it has yet to read them, or that a program has.
    `unread`: it may have to read something yet."""

    CARRIED = {
        "_length": (int, None),
        "_over": bool,
        "_taken": bool,
        "_since": bool,
        "ahead": int,
        "at": float,
    }

    __slots__ = ("_length", "_over", "_since", "_taken", "ahead", "at")

    def __init__(self) -> None:
        self._length: int | None = 0  # in characters; None if it is not known
        self._over = True  # it was ended, or may have been, and no prompt has come since
        self._taken = True  # of those a command has come since the prompt before
        self._since = False  # the last command began something was typed
        self.ahead = 0
        self.at = 0.0

    def typed(self, keys: bytes, now: float) -> None:
        """Somebody typed `keys` to the shell, or to a program that reads lines, and then they may
        be left for the shell."""
        self.at = now
        left = keys[keys.rfind(b"\x03") + 1 :]  # which drops what was typed before it
        self.ahead = len(_ENTER.findall(left)) + (self.ahead if len(left) == len(keys) else 0)
        self._since = bool(left)
        ended = _behind_last(_END, keys)
        if ended:
            self._length, self._over = 0, True
        keys = keys[ended:]
        if len(keys) > _LONGEST or not _PLAIN(keys):
            self._length, self._over = None, True
            return
        dropped = _behind_last(_DROPS, keys)
        if dropped and self._length is not None:
            self._length = 0
        for byte in keys[dropped:]:
            self._add(byte)

    def _add(self, byte: int) -> None:
        if self._length is None:
            return
        if byte in _BACKSPACES:
            self._length = max(self._length - 1, 0)
        else:
            self._length += _MANY if byte == ord(" ") else 1

    def entered(self) -> None:
        """A command begins."""
        self._take_one()
        self._taken = True
        self._since = False

    def settled(self) -> None:
        """The prompt has stood for so long that all was read."""
        self.ahead = 0
        self._since = False

    @property
    def unread(self) -> bool:
        return self._since or self.ahead > 0

    def _take_one(self) -> None:
        self.ahead = max(self.ahead - 1, 0)

    def prompted(self) -> bool:
        """The shell shows a prompt; returns whether something was typed ahead that it takes for
        the beginning of the next line."""
        if not self._taken:  # a line that is empty, or no command
            self._take_one()
        self._over = self._taken = False
        self._length = self._length or 0
        return self._length > 0

    @property
    def empty(self) -> bool:
        """Nothing stands on the prompt's line, for certain."""
        return self._length == 0 and not self._over


def _behind_last(pattern: "re.Pattern[bytes]", keys: bytes) -> int:
    """Where the last of those ends; 0 if there is none."""
    return max([found.end() for found in pattern.finditer(keys)], default=0)
