"""Reaching a daemon, which is started if none answers, and asking it something.

A daemon that is about to end still listens for a moment, and then hangs up on whoever came in it.
So a connection that is lost before there was an answer is worth a second try, which meets nobody,
or the next daemon.
"""

from shpool.client.connect import Call, ClientError, LostDaemon, connect, dial
from shpool.errors import Verdict
from shpool.output import complain
from shpool.protocol.msgpack import WireError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from shpool.client.context import Context
    from shpool.protocol.all_requests import Request


class Nobody(Verdict):
    """No daemon answers, and none was started."""


def reach(context: "Context", *, start: bool = True) -> Call:
    """Connect, to a daemon that is started first if none answers and one may be started.

    Raises Nobody, ClientError, ConfigError.
    """
    connection = _reach(context, start)
    if connection.lost:
        connection.close()
        connection = _reach(context, start)
    return connection


def _reach(context: "Context", start: bool) -> Call:
    path = context.paths.socket
    sock = connect(path)
    if sock is not None:
        return Call(sock)
    # Neither is loaded by every command that finds a daemon.
    from shpool.client.lost import bring_back, hint

    if not bring_back(path):
        may = start and _may_daemonize(context)
        if warning := hint(context.paths):
            complain(f"shpool: warn: {warning}\n")
        if not may:
            raise Nobody("could not connect to daemon")
        from shpool.client.daemonize import start_daemon

        start_daemon(context)
    return dial(path)


def _may_daemonize(context: "Context") -> bool:
    if context.no_daemonize:
        return False
    # The configuration is read even if -d makes nodaemonize moot: a bad one must be said here,
    # not found in the log of a daemon that did not start.
    config = context.config()
    return context.daemonize or not config.nodaemonize


def ask(context: "Context", request: "Request") -> "Any":
    """One request, which may be repeated, and one reply.  Raises ClientError."""
    try:
        return ask_once(context, request)
    except LostDaemon:
        return ask_once(context, request)


def begin(context: "Context", request: "Request") -> Call:
    """A connection on which `request` was sent; a version mismatch is warned of.

    Raises ClientError.
    """
    connection = reach(context)
    try:
        if connection.warning:
            complain(f"warning: {connection.warning}, try restarting your daemon\n")
        connection.send(request)
    except BaseException:
        connection.close()
        raise
    return connection


def ask_once(context: "Context", request: "Request") -> "Any":
    """One request, one reply.  Raises ClientError."""
    connection = begin(context, request)
    try:
        return connection.receive()
    except WireError as error:
        raise ClientError(f"cannot make sense of the daemon's answer: {error}") from None
    finally:
        connection.close()
