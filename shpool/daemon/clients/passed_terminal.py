"""A client's terminal in the daemon's own hands: whether it may be used, and how it is left.

The client offers a descriptor of its terminal with the attach request.  The daemon opens a
description of its own of it, so that O_NONBLOCK is its own too.  Nothing of job control protects a
process that is not of the terminal's session, so two things can be looked at: whether the modes
are those that the client set, and whether the client runs, in the foreground.
"""

import fcntl
import os
import termios

from shpool.daemon.carried import Deadline, Held
from shpool.daemon.loop import peer
from shpool.daemon.loop.reactor import Owner
from shpool.protocol.chunks import MODES_MAX

TYPE_CHECKING = False
if TYPE_CHECKING:
    from shpool.daemon.loop.reactor import Reactor, Timer

_MODES = bytes(MODES_MAX)

# Major device number of what is another terminal for everybody who opens it, by minor number:
# /dev/tty, and the multiplexer of ptys.  Source: Linux's list of devices.
_AUXILIARY = 5
_ALIASES = (0, 2)

# Seconds after a client's death until its terminal's modes are restored, unless somebody else has
# seen to them: the shell it was started from sees it die at about the same time as we do.
_MOURNING = 0.1


class Refused(Exception):
    """The terminal cannot be used like this; the message says why, for the log."""


class PassedTerminal:
    """Our own description `fd` of a terminal that the client `pid` has made raw, or is about to.

    The client makes it raw when `before` has been sent, so that the modes can be restored whenever
    it is killed.
    """

    __slots__ = ("_device", "_ours", "_raw", "_stat", "before", "fd", "ready")

    CARRIED = {
        "before": bytes,
        "_raw": bytes,
        "ready": bool,
        "fd": Held("terminal"),
        "_stat": Held("process"),
        "_ours": bytes,
        "_device": int,
    }

    def __init__(self, offered: int, pid: int) -> None:
        """`offered` stays the caller's.  Raises Refused.

        Without /proc it could not be told whether the client is stopped, so there the terminal is
        left to the client.  By its path it must not be opened: in another mount namespace that
        may be somebody else's terminal.
        """
        self.before = b""  # the modes to restore, where they are known
        self._raw = b""
        self.ready = False  # whether the client has made it raw, as far as we know
        self.fd = self._stat = -1
        self._ours = b"?"  # how the client's state begins when all is well
        try:
            there = os.fstat(offered)
            self._device = there.st_rdev
            if not os.isatty(offered):
                raise Refused("no terminal")
            if os.major(self._device) == _AUXILIARY and os.minor(self._device) in _ALIASES:
                raise Refused("not a terminal's own device")
            own = peer.controlling_terminal(os.getpid())
            if peer.same_terminal(own, (there.st_dev, self._device)):
                # Job control is not for us, except there: in its background we would be stopped.
                raise Refused("it is the daemon's own")
            flags = os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC
            self.fd = os.open(f"/proc/self/fd/{offered}", flags)
            if not os.path.samestat(there, os.fstat(self.fd)):
                raise Refused("another one was opened")
            self._stat = os.open(f"/proc/{pid}/stat", os.O_RDONLY | os.O_CLOEXEC)
            if not self.renew():
                raise Refused("its client does not run in the foreground")
            self.ready = self.looks_raw()
        except OSError as error:
            self.close()
            raise Refused(error.strerror) from None
        except Refused:
            self.close()
            raise

    def renew(self) -> bool:
        """The client has just made it raw, it says; returns whether it could.

        Raises OSError.
        """
        known, self._raw = self._raw, fcntl.ioctl(self.fd, termios.TCGETS, _MODES)
        if self.is_ours():
            self.ready = True
            return True
        self._raw = known
        return False

    def is_ours(self) -> bool:
        """Returns whether the client could read and write the terminal now.

        By fields 3, 5, 7 and 8 of Linux's /proc/PID/stat: state, process group, controlling
        terminal, and the process group in that one's foreground.  See proc(5).
        """
        try:
            if not self._is_raw():
                return False
            stat = os.pread(self._stat, 1024, 0)
        except OSError:
            return False
        if stat.startswith(self._ours):
            return True
        name, _, rest = stat.rpartition(b")")
        fields = rest.split(None, 6)[:6]
        state, _, group, _, device, foreground = fields
        if state in (b"T", b"Z"):  # stopped, or dead and not yet waited for
            return False
        if group != foreground and peer.terminal_device(int(device)) == self._device:
            return False
        self._ours = name + b") " + b" ".join(fields) + b" "
        return True

    def _is_raw(self) -> bool:
        return fcntl.ioctl(self.fd, termios.TCGETS, _MODES) == self._raw

    def restore(self) -> None:
        """Bring back the modes from before, if they are still those that the client set."""
        try:
            # It may not have come to telling us what it has set.
            if self.before and (self._is_raw() or (not self.ready and self.looks_raw())):
                # At once, as nobody's to wait for and without losing what was typed.
                fcntl.ioctl(self.fd, termios.TCSETS, self.before)
        except OSError:
            pass  # it was hung up

    def looks_raw(self) -> bool:
        """Returns whether it is as a client sets it, and hardly anybody else.  Raises OSError."""
        try:
            _, oflag, _, lflag, *_ = termios.tcgetattr(self.fd)
        except termios.error as error:
            raise OSError(*error.args) from None
        cooked = termios.ECHO | termios.ICANON | termios.ISIG | termios.IEXTEN
        return not lflag & cooked and not oflag & termios.OPOST

    def close(self) -> None:
        for fd in (self.fd, self._stat):
            if fd >= 0:
                os.close(fd)
        self.fd = self._stat = -1


class MournerUser(Owner):
    """Whose killed client it was."""

    __slots__ = ()

    def mourned(self) -> None:
        """The terminal is left."""


class Mourner(Owner):
    """Leaves the terminal of a client that was killed as the client would have left it.

    `words` clean it up; the modes are restored a little later.  The end of the client's socket
    and its shell's wait for it come in no order, and the shell may restore them itself.
    """

    CARRIED = {"_terminal": PassedTerminal, "_words": bytes, "_timer": Deadline("_end")}
    DERIVED = ("_user",)

    def __init__(
        self, reactor: "Reactor", terminal: PassedTerminal, words: bytes, user: MournerUser
    ) -> None:
        self._terminal = terminal
        self._words = words
        self._user = user
        self._write()
        self._timer: Timer | None = reactor.call_later(_MOURNING, self._end)

    def taken_on(self, user: MournerUser) -> None:
        self._user = user

    @property
    def fd(self) -> int:
        return self._terminal.fd

    def close(self) -> None:
        """The daemon ends: do now what is still to be done."""
        if self._timer is not None:
            self._timer.cancel()
            self._finish()

    def _write(self) -> None:
        try:
            self._words = self._words[os.write(self._terminal.fd, self._words) :]
        except OSError:
            pass  # it takes nothing now, or is gone

    def _end(self) -> None:
        self._finish()
        self._user.mourned()

    def _finish(self) -> None:
        self._timer = None
        if self._words:
            self._write()
        self._terminal.restore()
        self._terminal.close()

    def parts(self) -> "tuple[object, ...]":
        return (self._terminal,)

    def broken(self) -> None:
        self._terminal.close()
        self._user.mourned()
