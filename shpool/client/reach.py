"""Reaching a daemon, which is started if none answers, and asking it something."""

import sys

from shpool.client.connect import ClientError, Connection, connect, dial
from shpool.errors import Verdict
from shpool.protocol.msgpack import WireError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from shpool.client.context import Context
    from shpool.protocol.messages import Request


def reach(context: "Context") -> Connection:
    """Connect, to a daemon that is started first if none answers and one may be started.

    Raises ClientError, ConfigError.
    """
    path = context.paths.socket
    sock = connect(path)
    if sock is None:
        if not _may_daemonize(context):
            raise Verdict("could not connect to daemon")
        # Not loaded by every command that finds a daemon.
        from shpool.client.daemonize import start_daemon

        start_daemon(context)
        return dial(path)
    return Connection(sock)


def _may_daemonize(context: "Context") -> bool:
    if context.no_daemonize:
        return False
    # The configuration is read even if -d makes nodaemonize moot: a bad one must be said here,
    # not found in the log of a daemon that did not start.
    config = context.config()
    return context.daemonize or not config.nodaemonize


def ask(context: "Context", request: "Request") -> "Any":
    """One request, one reply; a version mismatch is warned of.  Raises ClientError."""
    connection = reach(context)
    try:
        if connection.warning:
            sys.stderr.write(f"warning: {connection.warning}, try restarting your daemon\n")
        connection.send(request)
        return connection.receive()
    except WireError as error:
        raise ClientError(f"cannot make sense of the daemon's answer: {error}") from None
    finally:
        connection.close()
