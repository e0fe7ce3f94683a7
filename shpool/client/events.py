"""shpool events: copy the event stream to stdout, a line at a time."""

import os
import select

from shpool import peer
from shpool.client.connect import ClientError, connect, listening
from shpool.client.reach import reach
from shpool.errors import Verdict
from shpool.output import put

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket

    from shpool.client.context import Context
    from shpool.options import Parsed

_READ = 65_536

_STDOUT = 1


def run(context: "Context", parsed: "Parsed") -> int:
    sock = _subscribe(context) or _subscribe(context)
    if sock is None:
        raise Verdict("could not connect to daemon")
    if parsed.count("begin"):
        put(b"\n")
    partial = b""
    while True:
        _await(sock)
        try:
            data = sock.recv(_READ)
        except OSError as error:
            raise ClientError(f"the event stream broke off: {error.strerror}") from None
        if not data:
            return _ended(context)
        lines, newline, partial = (partial + data).rpartition(b"\n")
        if not newline:
            continue
        put(lines + newline)  # whole lines only


def _await(sock: "socket.socket") -> None:
    """Return when something has come.  Raises BrokenPipeError when nobody reads the output any
    more, so that what a status bar has started does not stay behind until the next event."""
    poll = select.poll()
    poll.register(sock, select.POLLIN)
    poll.register(_STDOUT, 0)
    if any(fd == _STDOUT for fd, _ in poll.poll()):
        raise BrokenPipeError


def _ended(context: "Context") -> int:
    if not listening(context.paths.events):
        return 0  # the daemon has ended
    raise ClientError(
        "the event stream was ended by the daemon, which goes on: "
        "too many files are open there, or this reader was too slow"
    )


def _subscribe(context: "Context") -> "socket.socket | None":
    # To start a daemon if there is none, and to know it; its events socket is bound before the
    # other one, and may be gone again: a daemon that ends listens to the end.
    connection = reach(context)
    daemon = _pid(connection.sock)
    connection.close()
    path = context.paths.events
    sock = connect(path)
    if sock is None:
        from shpool.client.lost import bring_back

        if bring_back(context.paths.socket, path):
            sock = connect(path)
    if sock is not None:
        _check_whose(context, sock, daemon)
    return sock


def _check_whose(context: "Context", sock: "socket.socket", daemon: int) -> None:
    """Of several daemons in a directory, one has the events socket.  Raises ClientError."""
    whose = _pid(sock)
    if whose == daemon or not (whose and daemon):
        return
    # A socket that systemd made is systemd's to the kernel, so that the daemon has to tell.
    if context.paths.locked_by() in (whose, 0):
        return
    sock.close()
    directory = os.path.dirname(context.paths.events)
    raise ClientError(f"the events socket in {directory} is another daemon's (pid {whose})")


def _pid(sock: "socket.socket") -> int:
    """Of who listens, 0 if the system does not tell."""
    try:
        return peer.credentials(sock)[0]
    except OSError:
        return 0
