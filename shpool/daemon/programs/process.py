"""A process that the daemon has forked: the fork itself, and who is told of its end."""

import fcntl
import os
import signal

from shpool.daemon.loop.reactor import Owner

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn

# Asking for them makes an enum of each, which takes a tenth of a millisecond.
ALL_SIGNALS = tuple(int(number) for number in signal.valid_signals())


class Process(Owner):
    """`pid` leads a process group.  `status` is None until it has been waited for."""

    __slots__ = ("pid", "status")

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.status: int | None = None

    def signal_group(self, number: int) -> bool:
        """Signal its process group; nothing once it has ended.

        Returns whether that could be: the program may be of another user now (su).
        """
        if self.status is None:
            try:
                os.killpg(self.pid, number)
            except ProcessLookupError:
                pass  # its end is about to be noticed
            except PermissionError:
                return False
        return True

    def tell_end(self) -> None:
        """Called by the loop when it has been waited for."""


def fork(become: "Callable[[], NoReturn]") -> int:
    """Fork, and have the child be what `become` makes of it.  Raises OSError.

    In the child all signals are blocked: a handler would write to the daemon's wake-up pipe.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ALL_SIGNALS)
    try:
        pid = os.fork()
        if pid == 0:
            try:
                become()
            finally:
                os._exit(127)
        return pid
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def default_signals() -> None:
    """In a child: nothing is caught, and nothing ignored, as a program expects it."""
    signal.set_wakeup_fd(-1)
    for number in ALL_SIGNALS:
        try:
            signal.signal(number, signal.SIG_DFL)
        except (OSError, ValueError):
            # SIGKILL, SIGSTOP, and those that the C library keeps for itself.
            pass


def close_from(first: int) -> None:
    """In a child: close every descriptor from `first` on."""
    try:
        most = os.sysconf("SC_OPEN_MAX")
    except (OSError, ValueError):
        most = 65_536
    os.closerange(first, most)


def above_stdio(fd: int) -> int:
    """`fd`, or a copy of it, where it is in nobody's way while 0 to 3 are set up."""
    return fd if fd > 3 else fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 4)
