"""Who may have a descriptor when they run short: subscribers least, sessions less than answers.

The system gives out the lowest number that is free.  So the number of a descriptor that was just
opened tells how many are left at most, and nobody has to count.
"""

import errno
import os
import resource

# Kept from subscribers, for sessions and their clients; at most a quarter of all.
_FOR_SESSIONS = 256

# Kept from sessions too, for connections that ask and are answered; at most a quarter of all.
_FOR_ANSWERS = 32

# Kept from everybody, for what is opened for a moment: a configuration, a session's files, and for
# a process that is being started a pipe and the far end of its pty.
_FOR_MOMENTS = 6


def suits_subscriber(fd: int) -> bool:
    """Returns whether `fd`, which was just opened, may be a subscriber's."""
    limit = _limit()
    return fd < limit - _for_answers(limit) - min(_FOR_SESSIONS, limit // 4)


def suits_session(fd: int) -> bool:
    """Returns whether `fd`, which was just opened, may be a session's or its client's."""
    limit = _limit()
    return fd < limit - _for_answers(limit)


def suits_answer(fd: int) -> bool:
    """Returns whether `fd`, which was just opened, may be that of somebody who asks."""
    return fd < _limit() - _FOR_MOMENTS


def shortage() -> OSError:
    """What the system says when there is none at all."""
    return OSError(errno.EMFILE, os.strerror(errno.EMFILE))


def open_pty() -> "tuple[int, int]":
    """(master, slave) of a new pty that a session may have.  Raises OSError."""
    master, slave = os.openpty()
    if not suits_session(master):
        os.close(master)
        os.close(slave)
        raise shortage()
    return master, slave


def _for_answers(limit: int) -> int:
    return min(_FOR_ANSWERS, limit // 4)


def _limit() -> int:
    # Asked each time, for it can be changed from outside (prlimit).
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return 1 << 30 if soft == resource.RLIM_INFINITY else soft
