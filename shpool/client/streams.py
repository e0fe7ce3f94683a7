"""Bytes that wait for the daemon, or for the terminal, to take them."""

import os
from time import monotonic

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket

    from shpool.client.tty import UserTerminal

# Bytes waiting in one direction before nothing more is read for it.
_CAP = 65_536


class _Waiting:
    """What somebody has not taken yet."""

    _waiting = b""

    @property
    def full(self) -> bool:
        return len(self._waiting) >= _CAP

    @property
    def waits(self) -> bool:
        return bool(self._waiting)


class Upstream(_Waiting):
    """To the daemon: what it has not taken yet."""

    def __init__(self, sock: "socket.socket") -> None:
        sock.setblocking(False)
        self._sock = sock

    def send(self, data: bytes) -> None:
        self._waiting += data
        self.flush()

    def flush(self) -> None:
        if not self._waiting:
            return
        try:
            taken = self._sock.send(self._waiting)
        except BlockingIOError:
            return
        except OSError:
            self._waiting = b""  # reading the socket will tell why
            return
        self._waiting = self._waiting[taken:]


class Downstream(_Waiting):
    """To the terminal, or whatever stdout is: what it has not taken yet."""

    def __init__(self, terminal: "UserTerminal") -> None:
        self.fd = terminal.output()
        self._watch = terminal.watch

    def send(self, data: bytes) -> None:
        """Raises OSError when it can never be written; what waits is dropped then."""
        self._waiting += data
        self.flush()

    def flush(self) -> None:
        """Raises OSError, as send()."""
        try:
            taken = os.write(self.fd, self._waiting)
        except BlockingIOError:
            return
        except OSError:
            self._waiting = b""
            raise
        self._watch.output(self._waiting[:taken], monotonic())
        self._waiting = self._waiting[taken:]
