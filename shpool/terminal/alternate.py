"""Whether a program's output has the alternate screen on, for who has no model of the terminal.

Leaving a terminal well depends on it: on the main screen `?1049l` is not harmless everywhere, since
tmux moves the cursor to where it was when that screen was last left.
"""

from .leave import LEAVE

_OFF = b"\x1b[?1049l"

# LEAVE for a terminal that shows the main screen.
LEAVE_MAIN = LEAVE.replace(_OFF, b"")

# The end that both have in common.
LEAVE_END = LEAVE.rpartition(_OFF)[2]

_SWITCHES = tuple((b"\x1b[?%dh" % mode, b"\x1b[?%dl" % mode) for mode in (1049, 1047, 47))

# The longest of these, less one, may end in the next piece of output.
_OVERLAP = len(_OFF) - 1


class AlternateWatch:
    """`on` after all output so far; only a sequence with several modes in it escapes notice."""

    __slots__ = ("_tail", "on")

    def __init__(self) -> None:
        self.on = False
        self._tail = b""

    def output(self, data: bytes) -> None:
        if b"\x1b" in self._tail or b"\x1b[?" in data:
            self._look(self._tail + data)
        self._tail = data[-_OVERLAP:] if len(data) >= _OVERLAP else (self._tail + data)[-_OVERLAP:]

    def _look(self, data: bytes) -> None:
        latest = -1
        for on, off in _SWITCHES:
            set_at, reset_at = data.rfind(on), data.rfind(off)
            if max(set_at, reset_at) > latest:
                latest = max(set_at, reset_at)
                self.on = set_at > reset_at

    def leave(self) -> bytes:
        """LEAVE, as far as it is safe."""
        return LEAVE if self.on else LEAVE_MAIN
