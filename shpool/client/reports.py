"""Reports: what a terminal sends on its own, about mouse, focus, colour scheme, size.

When a session is left they are switched off, but some may be under way; they must not end up as
garbage in the prompt of the shell outside.
"""

import os
import select
from time import monotonic

# A question that every terminal answers at once (DSR 5), and its answer: what was sent before the
# answer was sent before the terminal had read the question.
_QUESTION = b"\x1b[5n"
_ANSWER = b"\x1b[0n"

# Seconds to wait for the answer over a slow connection.  Nothing else is waiting meanwhile.
_PATIENCE = 1.0

# One read, in bytes.
_READ = 4096


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
