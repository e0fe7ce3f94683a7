"""A pty itself: opening one, its size and its modes."""

import fcntl
import os
import struct
import termios

from shpool.daemon.carried import Held
from shpool.daemon.loop import descriptors
from shpool.errors import ShpoolError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from shpool.protocol.requests import TtySize

# Linux and macOS agree on the bit, which termios does not name: the kernel's line editing erases
# whole UTF-8 characters.
_IUTF8 = 0x4000


class PtyError(ShpoolError):
    """There is no pty to be had; the message is for the user."""


class PtyEnds:
    """A pty: its master, non-blocking, and its slave, -1 unless that was to be kept.

    `device` is the slave: by it one knows who runs on this pty.
    """

    __slots__ = ("device", "master", "slave")

    CARRIED = {"master": Held("pty"), "slave": Held("pty's other end"), "device": (int, int)}

    def __init__(self, size: "TtySize", *, echo: bool) -> None:
        """Raises PtyError when there is none to be had."""
        try:
            self.master, self.slave = descriptors.open_pty()
        except OSError as error:
            raise PtyError(f"cannot open a pty: {error.strerror}") from None
        try:
            set_size(self.master, size)
            _set_modes(self.slave, echo)
            os.set_blocking(self.master, False)
            status = os.fstat(self.slave)
            self.device = (status.st_dev, status.st_rdev)
        except (OSError, termios.error) as error:
            self.close()
            raise PtyError(f"cannot set the pty up: {error.args[-1]}") from None

    def resize(self, size: "TtySize") -> None:
        """Raises OSError."""
        set_size(self.master, size)

    def close(self) -> None:
        """Whoever still has the pty open is hung up."""
        if self.master >= 0:
            os.close(self.master)
            self.master = -1
        self.close_slave()

    def close_slave(self) -> None:
        if self.slave >= 0:
            os.close(self.slave)
            self.slave = -1


def set_size(master: int, size: "TtySize") -> None:
    """Tell the pty its size; its foreground processes get a SIGWINCH if it is new."""
    packed = struct.pack("4H", size.rows, size.cols, size.xpixel, size.ypixel)
    fcntl.ioctl(master, termios.TIOCSWINSZ, packed)


def _set_modes(slave: int, echo: bool) -> None:
    modes = termios.tcgetattr(slave)
    modes[0] |= _IUTF8
    if not echo:
        modes[3] &= ~termios.ECHO
    termios.tcsetattr(slave, termios.TCSANOW, modes)
