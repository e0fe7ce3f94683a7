"""stderr as the log's place: written without ever waiting for who reads it.

It may be a terminal under ^S, or a pipe or socket that nobody reads; the daemon has more to do than
to wait for them.  Its description is shared with whoever started the daemon, so O_NONBLOCK, which
is the description's, is not ours to set there.
"""

import os
import signal
import socket
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


def take(fd: int = 2) -> "tuple[int, Callable[[int, bytes], int]]":
    """Where to write for stderr, which is `fd`, and how: like os.write, but never waiting."""
    # A terminal with tostop would stop us, were we started in its background.
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    kind = os.fstat(fd).st_mode
    if stat.S_ISSOCK(kind):
        return fd, _Sender(fd).write
    if not stat.S_ISFIFO(kind) and not os.isatty(fd):
        return fd, os.write
    try:
        return _own_description(fd), os.write
    except OSError:
        return fd, _write_borrowed  # no /proc, or it belongs to another user (su, sudo)


def _own_description(fd: int) -> int:
    """The same pipe or terminal, opened anew and non-blocking.  Raises OSError."""
    flags = os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
    return os.open(f"/proc/self/fd/{fd}", flags)


class _Sender:
    def __init__(self, fd: int) -> None:
        self._sock = socket.socket(fileno=os.dup(fd))

    def write(self, fd: int, data: bytes) -> int:
        return self._sock.send(data, socket.MSG_DONTWAIT)


def _write_borrowed(fd: int, data: bytes) -> int:
    """Non-blocking for as long as the write takes, which is next to nothing."""
    before = os.get_blocking(fd)
    os.set_blocking(fd, False)
    try:
        return os.write(fd, data)
    finally:
        os.set_blocking(fd, before)
