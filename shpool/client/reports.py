"""What a terminal is about to send by itself when it is left: reports, and answers.

Reports are about mouse, focus, colour scheme and size; they are switched off by then, but some may
be under way, as may answers to what the session's program asked last.  Neither may end up in the
prompt of the shell outside, and what is typed meanwhile must.
"""

import os
import select
from time import monotonic

from shpool.client.sieve import Sieve

# A question that every terminal answers at once (DSR 5).  It answers in order: what was sent
# before this answer was sent before the terminal had read the question.
_QUESTION = b"\x1b[5n"

# Seconds to wait for the answer over a slow connection.  Nothing else is waiting meanwhile.
_PATIENCE = 1.0

# One read of what is typed behind all that, in bytes.
_READ = 4096


def drain(read_fd: int, write_fd: int, *, reports: bool) -> bytes:
    """Wait until nothing is under way any more; what was typed meanwhile.

    That is nothing, or all there is to be read.  `reports`: whether mouse and focus were reported.
    Never raises.
    """
    sieve = Sieve(reports=reports)
    typed = b""
    deadline = monotonic() + _PATIENCE
    try:
        os.write(write_fd, _QUESTION)
        poll = select.poll()
        poll.register(read_fd, select.POLLIN)
        while not sieve.answered:
            # What is there counts, however late we are ourselves.
            if not poll.poll(max(deadline - monotonic(), 0) * 1000):
                break
            # A byte at a time: what is typed behind the answer stays where it is.
            byte = os.read(read_fd, 1)
            if not byte:
                return b""
            typed += sieve.feed(byte)
        typed += sieve.flush()
        while typed and poll.poll(0):
            rest = os.read(read_fd, _READ)
            if not rest:
                break
            typed += rest
    except OSError:
        return b""  # the terminal is gone, and what it sent with it
    return typed
