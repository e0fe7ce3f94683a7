"""shpool events: copy the event stream to stdout, a line at a time."""

from shpool.client.connect import ClientError, connect
from shpool.client.reach import reach
from shpool.errors import Verdict
from shpool.output import put

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket

    from shpool.client.context import Context
    from shpool.options import Parsed

_READ = 65_536


def run(context: "Context", parsed: "Parsed") -> int:
    sock = _subscribe(context) or _subscribe(context)
    if sock is None:
        raise Verdict("could not connect to daemon")
    partial = b""
    while True:
        try:
            data = sock.recv(_READ)
        except OSError as error:
            raise ClientError(f"the event stream broke off: {error.strerror}") from None
        if not data:
            return 0
        lines, newline, partial = (partial + data).rpartition(b"\n")
        if not newline:
            continue
        put(lines + newline)  # whole lines only


def _subscribe(context: "Context") -> "socket.socket | None":
    # Only to start a daemon if there is none; its events socket is bound before the other one, and
    # may be gone again: a daemon that ends listens to the end.
    reach(context).close()
    return connect(context.paths.events)
