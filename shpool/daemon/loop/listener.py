"""A listening Unix socket: binding it, accepting from it, and leaving nothing behind."""

import errno
import fcntl
import os
import socket
import stat

from shpool import logs
from shpool.errors import ShpoolError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from shpool.daemon.loop.reactor import Reactor

# Connections that may wait to be accepted; a burst beyond it makes connect() fail with EAGAIN.
# The kernel's own bound (net.core.somaxconn) is 4096 today, 128 on old systems.
_BACKLOG = 1024

# Accepted in one turn of the loop, so that a flood of connections does not starve the shells.
_ACCEPTS_A_TURN = 64

# When the process is out of descriptors, seconds until the next try.
_PAUSE = 0.2

_OUT_OF_RESOURCES = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


class ListenError(ShpoolError):
    """The socket cannot be had; the message says why."""


def bind(path: str) -> socket.socket:
    """Listen at `path`, 0600, in place of a leftover socket that nobody answers at.

    Raises ListenError if somebody does, if something else stands there, or if it cannot be made.
    """
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        directory = os.open(os.path.dirname(path) or ".", os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        sock.close()
        raise ListenError(f"cannot listen at {path}: {error.strerror}") from None
    try:
        # Two daemons that find the same leftover would otherwise remove each other's new socket.
        # The lock goes with the descriptor and leaves no file behind.
        fcntl.flock(directory, fcntl.LOCK_EX)
        _bind_in_place_of_stale(sock, path)
        sock.listen(_BACKLOG)
    except OSError as error:
        sock.close()
        raise ListenError(f"cannot listen at {path}: {error.strerror or error}") from None
    except ListenError:
        sock.close()
        raise
    finally:
        os.close(directory)
    sock.setblocking(False)
    return sock


def _bind_in_place_of_stale(sock: socket.socket, path: str) -> None:
    # By umask, so that the socket is never open to others, not even until a chmod.
    before = os.umask(0o177)
    try:
        try:
            sock.bind(path)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            _remove_stale(path)
            sock.bind(path)
    finally:
        os.umask(before)


def _remove_stale(path: str) -> None:
    try:
        if not stat.S_ISSOCK(os.stat(path).st_mode):
            # Connecting to a file is refused just as to a socket that nobody listens at.
            raise ListenError(f"cannot listen at {path}: it exists and is no socket")
    except FileNotFoundError:
        return
    probe = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    probe.setblocking(False)
    try:
        probe.connect(path)
    except BlockingIOError:
        pass  # it listens, with a full backlog
    except ConnectionRefusedError:
        try:
            os.unlink(path)
        except FileNotFoundError:
            pass
        return
    except FileNotFoundError:
        return
    finally:
        probe.close()
    raise ListenError("another daemon is already running")


class Listener:
    """Hands every accepted connection, non-blocking, to `accepted`."""

    def __init__(
        self,
        reactor: "Reactor",
        sock: socket.socket,
        accepted: "Callable[[socket.socket], None]",
    ) -> None:
        self._reactor = reactor
        self._sock = sock
        self._accepted = accepted
        self._resume()

    def close(self) -> None:
        self._reactor.drop(self._sock.fileno())
        self._sock.close()

    def _resume(self) -> None:
        if self._sock.fileno() >= 0:
            self._reactor.on_readable(self._sock.fileno(), self._accept)

    def _accept(self) -> None:
        for _ in range(_ACCEPTS_A_TURN):
            try:
                connection, _address = self._sock.accept()
            except (BlockingIOError, ConnectionAbortedError, InterruptedError):
                return
            except OSError as error:
                if error.errno not in _OUT_OF_RESOURCES:
                    raise
                # The backlog stays readable; without a pause the loop would spin on it.
                logs.warn(f"cannot accept a connection for now: {error.strerror}")
                self._reactor.on_readable(self._sock.fileno(), None)
                self._reactor.call_later(_PAUSE, self._resume)
                return
            connection.setblocking(False)
            self._accepted(connection)
