"""What to know of a session's output to leave a terminal well, for who has no model of it."""

from .leave import LEAVE, LEAVE_END, LEAVE_MAIN

_SWITCHES = tuple((b"\x1b[?%dh" % mode, b"\x1b[?%dl" % mode) for mode in (1049, 1047, 47))

# Private modes that make a terminal send what nobody typed, or say in which form: programs
# begin with either (terminfo's XM has ?1006;1000).
_REPORTS = (9, 1000, 1001, 1002, 1003, 1004, 1005, 1006, 1015, 1016, 2031, 2048)

_STARTS = tuple(b"\x1b[?%d%c" % (mode, end) for mode in _REPORTS for end in b"h;")

# The longest of all these, less one, may end in the next piece of output.
_OVERLAP = 7

_KEPT = len(LEAVE_END) + 2

# Watch.state
ALTERNATE = 1
REPORTS = 2


class Watch:
    """Takes all output that a terminal is sent, in order.

    Whether the alternate screen is on decides how to leave: on the main screen `?1049l` is not
    harmless everywhere, since tmux moves the cursor to where it was when that screen was last
    left.  Only a sequence with several modes in it escapes notice.

    `reports`: whether reports were ever switched on.  Only a hint is needed, so a sequence with
    several modes in it counts by the first, whatever it does to them, and the hint is never taken
    back: asking a terminal in vain costs one round trip.  A terminal that never answers costs
    more, so switching them off is no hint.
    """

    __slots__ = ("_alternate", "_tail", "reports")

    def __init__(self) -> None:
        self.reports = False
        self._alternate = False
        self._tail = b""

    def output(self, data: bytes) -> None:
        # Looking for one byte is a hundred times faster than for several, and colours have none.
        tail = self._tail[-_OVERLAP:]
        if b"?" in data or b"?" in tail:
            self._look(tail + data)
        self._tail = (self._tail + data)[-_KEPT:] if len(data) < _KEPT else data[-_KEPT:]

    def _look(self, data: bytes) -> None:
        if b"\x1b[?" not in data:
            return
        latest = -1
        for on, off in _SWITCHES:
            set_at, reset_at = data.rfind(on), data.rfind(off)
            if max(set_at, reset_at) > latest:
                latest = max(set_at, reset_at)
                self._alternate = set_at > reset_at
        if not self.reports:
            self.reports = any(start in data for start in _STARTS)

    @property
    def state(self) -> int:
        """ALTERNATE, if that screen is on, and REPORTS: for a watch that sees other output."""
        return (ALTERNATE if self._alternate else 0) | (REPORTS if self.reports else 0)

    def unseen(self, state: int) -> None:
        """Output that passed this watch by has left the terminal like this."""
        self._alternate = bool(state & ALTERNATE)
        self.reports = bool(state & REPORTS)
        self._tail = b"?"  # it may have ended anywhere

    def words(self) -> bytes:
        """What turns off whatever is on, as far as that is safe."""
        return LEAVE if self._alternate else LEAVE_MAIN

    def farewell(self) -> bytes:
        """What to write after the output, so that nothing is on; then it counts as left."""
        tail, self._tail = self._tail, b""
        # A daemon of ours has said all this already.
        said = tail.endswith((LEAVE_END, LEAVE_END + b"\r\n")) and not self._alternate
        words = b"" if said else self.words()
        self._alternate = False
        # A prompt would be missed at the end of somebody else's line.
        return words + (b"\r\n" if tail and not tail.endswith((b"\n", LEAVE_END)) else b"")
