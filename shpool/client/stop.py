"""shpool stop: end the daemon, and return when it has ended."""

import os
import select
import signal
import time

from shpool.client.connect import Call, ClientError
from shpool.client.running import connect_running, pid_of
from shpool.errors import Verdict
from shpool.output import complain
from shpool.protocol.msgpack import WireError
from shpool.protocol.replies import read_list_reply
from shpool.protocol.requests import ListRequest

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket

    from shpool.client.context import Context
    from shpool.options import Parsed

_STDIN, _STDERR = 0, 2

# Seconds for it to end: it gives its shells half a second.
_PATIENCE = 10.0

# Seconds between looks, where nothing tells when a process ends that is not our child.
_LOOK = 0.02


def run(context: "Context", parsed: "Parsed") -> int:
    sock = connect_running(context.paths)
    try:
        # Without a question there is no wait for the answer of a daemon that may be stuck.
        if not parsed.count("yes") and not _may_end(sock):
            return 1
        _end(pid_of(sock, context.paths))
    finally:
        sock.close()
    return 0


def _may_end(sock: "socket.socket") -> bool:
    """Returns whether nothing is lost with the daemon, or the user says that it may be."""
    call = Call(sock)
    if call.warning:
        complain(f"warning: {call.warning}, try restarting your daemon\n")
    try:
        call.send(ListRequest())
        count = len(read_list_reply(call.receive()))
    except WireError as error:
        raise ClientError(f"cannot make sense of the daemon's answer: {error}") from None
    if not count:
        return True
    alive = "1 session is alive" if count == 1 else f"{count} sessions are alive"
    them = "it" if count == 1 else "them"
    if not (os.isatty(_STDIN) and os.isatty(_STDERR)):
        raise Verdict(f"{alive}; --yes ends {them}")
    complain(f"{alive}; end {them}? [y/N] ")
    answer = os.read(_STDIN, 1024)
    if not answer.endswith(b"\n"):
        complain("\n")
    return answer.strip().lower() in (b"y", b"yes")


def _end(pid: int) -> None:
    """Raises ClientError if the process goes on."""
    try:
        pidfd = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    except (AttributeError, OSError):  # before Linux 5.3, or another system
        pidfd = -1
    try:
        os.kill(pid, signal.SIGTERM)
        ended = _has_ended(pid, pidfd)
    except ProcessLookupError:
        return
    finally:
        if pidfd >= 0:
            os.close(pidfd)
    if not ended:
        raise ClientError(f"the daemon (pid {pid}) was told to end, and has not yet")


def _has_ended(pid: int, pidfd: int) -> bool:
    if pidfd >= 0:
        poll = select.poll()
        poll.register(pidfd, select.POLLIN)
        return bool(poll.poll(_PATIENCE * 1000))
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(_LOOK)
    return False
