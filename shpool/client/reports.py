"""What is noted of a session's output, and reports: mouse, focus, colour scheme, size.

A terminal sends reports on its own.  When a session is left they are switched off, but some may
be under way; they must not end up as garbage in the prompt of the shell outside.
"""

import os
import select
from time import monotonic

from shpool.terminal.alternate import LEAVE_END, AlternateWatch

# Private modes that make a terminal send what nobody typed, or say in which form: programs
# begin with either (terminfo's XM has ?1006;1000).
_MODES = (9, 1000, 1001, 1002, 1003, 1004, 1005, 1006, 1015, 1016, 2031, 2048)

# A question that every terminal answers at once (DSR 5), and its answer: what was sent before the
# answer was sent before the terminal had read the question.
_QUESTION = b"\x1b[5n"
_ANSWER = b"\x1b[0n"

# Seconds to wait for the answer over a slow connection.  Nothing else is waiting meanwhile.
_PATIENCE = 1.0

# One read, in bytes.
_READ = 4096


class Watch:
    """What a client has to know of a session's output to leave it well.

    `reports`: whether reports were ever switched on.  Only a hint is needed, so a sequence with
    several modes in it counts by the first, whatever it does to them, and the state is never
    reset: asking a terminal in vain costs one round trip.  A terminal that never answers costs
    more, so switching them off is no hint.
    """

    _STARTS = tuple(b"\x1b[?%d%c" % (mode, end) for mode in _MODES for end in b"h;")
    _KEPT = len(LEAVE_END) + 2

    def __init__(self) -> None:
        self.reports = False
        self._alternate = AlternateWatch()
        self._tail = b""

    def output(self, data: bytes) -> None:
        self._alternate.output(data)
        if not self.reports and (b"\x1b" in self._tail[-8:] or b"\x1b[?" in data):
            text = self._tail[-8:] + data
            self.reports = any(start in text for start in self._STARTS)
        self._tail = (
            (self._tail + data)[-self._KEPT :] if len(data) < self._KEPT else data[-self._KEPT :]
        )

    def farewell(self) -> bytes:
        """What to write after the output, so that nothing is on; then it counts as left."""
        tail, self._tail = self._tail, b""
        # A daemon of ours has said all this already.
        said = tail.endswith((LEAVE_END, LEAVE_END + b"\r\n")) and not self._alternate.on
        words = b"" if said else self._alternate.leave()
        self._alternate = AlternateWatch()
        # A prompt would be missed at the end of somebody else's line.
        return words + (b"\r\n" if tail and not tail.endswith((b"\n", LEAVE_END)) else b"")


def drain(read_fd: int, write_fd: int) -> None:
    """Wait until no report is under way any more, and throw away what came; never raises."""
    try:
        os.write(write_fd, _QUESTION)
        poll = select.poll()
        poll.register(read_fd, select.POLLIN)
        came = b""
        deadline = monotonic() + _PATIENCE
        while _ANSWER not in came:
            left = deadline - monotonic()
            if left <= 0 or not poll.poll(left * 1000):
                return
            data = os.read(read_fd, _READ)
            if not data:
                return
            came = came[-len(_ANSWER) :] + data
    except OSError:
        return  # the terminal is gone, and its reports with it
