"""Reports that a terminal sends on its own: mouse, focus, colour scheme, size.

When a session is left they are switched off, but some may be under way; they must not end up as
garbage in the prompt of the shell outside.
"""

import os
import select
from time import monotonic

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
    """Notes whether a session's output ever switched reports on.

    Only a hint is needed, so a sequence with several modes in it counts by the first, whatever
    it does to them, and the state is never reset: asking a terminal in vain costs one round trip.
    A terminal that never answers costs more, so switching them off is no hint.
    """

    _STARTS = tuple(b"\x1b[?%d%c" % (mode, end) for mode in _MODES for end in b"h;")
    _LONGEST = max(len(start) for start in _STARTS)

    def __init__(self) -> None:
        self.seen = False
        self._tail = b""

    def output(self, data: bytes) -> None:
        if self.seen:
            return
        if b"\x1b" not in data and b"\x1b" not in self._tail:
            return
        text = self._tail + data
        self.seen = b"\x1b[?" in text and any(start in text for start in self._STARTS)
        self._tail = text[1 - self._LONGEST :]


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
