"""A listening Unix socket: binding it, accepting from it, and leaving nothing behind."""

import errno
import os
import socket
import stat

from shpool import logs, peer
from shpool.daemon.loop import descriptors
from shpool.daemon.loop.reactor import Owner
from shpool.errors import ALREADY_RUNNING, ShpoolError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from shpool.daemon.loop.reactor import Reactor

# Connections that may wait to be accepted; a burst beyond it makes connect() fail with EAGAIN.
# The kernel's own bound (net.core.somaxconn) is 4096 today, 128 on old systems.
_BACKLOG = 1024

# Accepted in one turn of the loop, so that a flood of connections does not starve the shells.
_ACCEPTS_A_TURN = 64

# When nothing can be accepted, for want of descriptors or memory, seconds until the next try.
_PAUSE = 0.2


class ListenError(ShpoolError):
    """The socket cannot be had; the message says why."""


class Taken(ListenError):
    """The socket is another daemon's; `pid` is 0 if that is not known."""

    def __init__(self, message: str, pid: int = 0) -> None:
        super().__init__(message)
        self.pid = pid


def bind(path: str) -> socket.socket:
    """Listen at `path`, 0600, in place of a leftover socket of ours that nobody answers at.

    Two at once could remove each other's new socket: the caller holds a lock (places.py).
    Raises Taken if somebody answers there or it is another user's, ListenError if something else
    stands there, or if it cannot be made.
    """
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        _bind_in_place_of_stale(sock, path)
        sock.listen(_BACKLOG)
    except OSError as error:
        sock.close()
        raise ListenError(f"cannot listen at {path}: {error.strerror or error}") from None
    except ListenError:
        sock.close()
        raise
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
        owner = os.lstat(path).st_uid
        if owner != os.geteuid():
            raise Taken(f"cannot listen at {path}: it belongs to uid {owner}")
        if not stat.S_ISSOCK(os.stat(path).st_mode):
            # Connecting to a file is refused just as to a socket that nobody listens at.
            raise ListenError(f"cannot listen at {path}: it exists and is no socket")
    except FileNotFoundError:
        return
    pid = 0
    probe = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    probe.setblocking(False)
    try:
        probe.connect(path)
        pid, _ = peer.credentials(probe)
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
    raise Taken(ALREADY_RUNNING, pid)


class Listener(Owner):
    """Hands every accepted connection, non-blocking, to `accepted`.

    What goes wrong with one of them costs that one, which then sees an end.
    """

    def __init__(
        self,
        reactor: "Reactor",
        sock: socket.socket,
        accepted: "Callable[[socket.socket], None]",
    ) -> None:
        self._reactor = reactor
        self.sock = sock
        self._accepted = accepted
        self._trouble = ""  # what was said of it last, until it is over
        self._listen()

    def watch_again(self) -> None:
        self._listen()

    def close(self) -> None:
        self._reactor.drop(self.sock.fileno())
        self.sock.close()

    def _listen(self) -> None:
        self._reactor.on_readable(self.sock.fileno(), self._accept)

    def _accept(self) -> None:
        for _ in range(_ACCEPTS_A_TURN):
            try:
                connection, _address = self.sock.accept()
            except (BlockingIOError, ConnectionAbortedError, InterruptedError):
                return
            except OSError as error:
                self._pause(error)
                return
            fd = connection.fileno()
            self._hand_on(connection)
            if not descriptors.suits_answer(fd):
                self._pause(descriptors.shortage())
                return
            self._trouble = ""

    def _hand_on(self, connection: socket.socket) -> None:
        fd = connection.fileno()
        try:
            connection.setblocking(False)
            self._accepted(connection)
        except Exception as error:
            if isinstance(error, OSError):
                logs.warn(f"a connection is closed that could not be taken: {error.strerror}")
            else:
                logs.defect(error)
            self._reactor.drop(fd)
            connection.close()

    def broken(self) -> None:
        """A daemon that nobody can reach is of no use, so this one tries again."""
        self._wait("there is an error in the daemon")

    def _pause(self, error: OSError) -> None:
        self._wait(error.strerror or str(error))

    def _wait(self, trouble: str) -> None:
        """Those who connect wait; they stay readable, so the loop would spin on them."""
        if self._trouble != trouble:
            self._trouble = trouble
            logs.warn(f"cannot accept connections for now: {trouble}")
        self._reactor.on_readable(self.sock.fileno(), None)
        self._reactor.call_later(_PAUSE, self._resume)

    def _resume(self) -> None:
        if self.sock.fileno() < 0:
            return
        try:
            probe = os.dup(self.sock.fileno())
            os.close(probe)
        except OSError as error:
            self._pause(error)
            return
        if not descriptors.suits_answer(probe):
            self._pause(descriptors.shortage())
        else:
            self._listen()
