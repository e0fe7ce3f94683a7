"""shpool events: copy the event stream to stdout, a line at a time."""

import os

from shpool.client.connect import ClientError, connect
from shpool.client.reach import reach
from shpool.errors import Verdict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from shpool.client.context import Context
    from shpool.options import Parsed

_READ = 65_536


def run(context: "Context", parsed: "Parsed") -> int:
    # Only to start a daemon if there is none; its events socket is bound before the other one.
    reach(context).close()
    sock = connect(context.paths.events)
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
        _write(lines + newline)


def _write(lines: bytes) -> None:
    # Whole lines only, straight to the descriptor: a reader never waits for a buffer to fill.
    while lines:
        lines = lines[os.write(1, lines) :]
