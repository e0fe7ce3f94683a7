"""A process that the daemon has forked: the fork itself, and who is told of its end."""

import fcntl
import os
import select
import signal

from shpool.daemon.loop.reactor import Owner

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, NoReturn

    from shpool.daemon.loop.reactor import Reactor, Timer

# Seconds between two looks at a process that is not our child, where no descriptor tells its end.
_LOOK = 1.0

# Asking for them makes an enum of each, which takes a tenth of a millisecond.
ALL_SIGNALS = tuple(int(number) for number in signal.valid_signals())


class Process(Owner):
    """`pid` leads a process group.  `status` is None until it has been waited for."""

    __slots__ = ("pid", "status")

    CARRIED: "dict[str, Any]" = {"pid": int, "status": (int, None)}

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
                os.kill(self.pid, 0)  # it is enough for the group if one of it could be signalled
            except ProcessLookupError:
                pass  # its end is about to be noticed
            except PermissionError:
                return False
        return True

    def tell_end(self) -> None:
        """Called by the loop when it has been waited for."""


class Adoption(Owner):
    """Learns of the end of a process that is not our child, of which no status is told.

    `fd` is its pidfd, ours to close, or -1: then it is looked at now and then.
    """

    __slots__ = ("_ended", "_fd", "_process", "_reactor", "_timer")

    def __init__(
        self,
        reactor: "Reactor",
        process: Process,
        fd: int,
        ended: "Callable[[Process], None]",
    ) -> None:
        self._reactor = reactor
        self._process = process
        self._fd = fd
        self._ended = ended
        self._timer: Timer | None = None
        if fd >= 0:
            reactor.on_readable(fd, self.look)
        else:
            reactor.soon(self.look)

    @property
    def fd(self) -> int:
        return self._fd

    def look(self) -> None:
        """Tell of the end, if it has come; harmless afterwards."""
        if self._process.status is not None:
            return
        if not self._has_ended():
            if self._fd < 0 and self._timer is None:
                self._timer = self._reactor.call_later(_LOOK, self._look_again)
            return
        if self._timer is not None:
            self._timer.cancel()
        if self._fd >= 0:
            self._reactor.drop(self._fd)
            os.close(self._fd)
            self._fd = -1
        self._ended(self._process)

    def _look_again(self) -> None:
        self._timer = None
        self.look()

    def _has_ended(self) -> bool:
        if self._fd >= 0:
            poll = select.poll()
            poll.register(self._fd, select.POLLIN)
            return bool(poll.poll(0))
        try:
            os.kill(self._process.pid, 0)
        except ProcessLookupError:
            return True
        except PermissionError:
            pass
        return False


def open_pidfd(pid: int) -> int:
    """A descriptor that becomes readable when the process ends; -1 where there is none.

    That is: before Linux 5.3, elsewhere, and of a process that is gone.
    """
    try:
        return os.pidfd_open(pid)
    except (AttributeError, OSError):
        return -1


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


def twin() -> int:
    """Fork, and return in the child too, with 0.  Raises OSError."""
    return os.fork()


def default_signals() -> None:
    """In a child: nothing is caught, and nothing ignored, as a program expects it."""
    signal.set_wakeup_fd(-1)
    for number in ALL_SIGNALS:
        try:
            signal.signal(number, signal.SIG_DFL)
        except (OSError, ValueError):
            # SIGKILL, SIGSTOP, and those that the C library keeps for itself.
            pass


def above_stdio(fd: int) -> int:
    """`fd`, or a copy of it, where it is in nobody's way while 0 to 3 are set up."""
    return fd if fd > 3 else fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 4)
