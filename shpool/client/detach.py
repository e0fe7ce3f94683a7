"""shpool detach: let go whoever is attached to sessions."""

from shpool.client.connect import ClientError
from shpool.client.here import where
from shpool.client.reach import ask
from shpool.errors import UsageError, Verdict
from shpool.names import shown
from shpool.output import complain
from shpool.protocol.msgpack import WireError
from shpool.protocol.replies import Here, read_list_reply, read_missed
from shpool.protocol.requests import DetachRequest, ListRequest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from shpool.client.context import Context
    from shpool.options import Parsed

_PID_MAX = (1 << 31) - 1


def run(context: "Context", parsed: "Parsed") -> int:
    request = _request(context, parsed)
    not_found, not_attached = read_missed(ask(context, request))
    return report(not_found, not_attached)


def _request(context: "Context", parsed: "Parsed") -> DetachRequest:
    pid, others = pid_given(parsed.text("pid")), bool(parsed.count("others"))
    if pid is not None and (others or parsed.arguments):
        raise UsageError("detach --pid takes neither a NAME nor --others")
    if others and parsed.arguments:
        raise UsageError("detach --others takes no NAME: it is about the session one is in")
    if pid is not None:
        return DetachRequest([_session_of(context, pid)], pid)
    if parsed.arguments:
        return DetachRequest(parsed.arguments, watchers=True)
    here = session_here(context, "detach")
    if not others:
        return DetachRequest([here.name], here.pid, watchers=True)
    if here.pid is None:
        raise Verdict("detach --others is to be typed in a terminal that is attached")
    return DetachRequest([here.name], except_pid=here.pid, watchers=True)


def _session_of(context: "Context", pid: int) -> str:
    """The session that a client is attached to.  Raises Verdict."""
    try:
        rows = read_list_reply(ask(context, ListRequest()))
    except WireError as error:
        raise ClientError(f"cannot make sense of the daemon's answer: {error}") from None
    for row in rows:
        if any(client.pid == pid for client in row.attachments + row.watchers):
            return row.name
    raise Verdict(f"no client with pid {pid} is attached to any session")


def pid_given(given: "str | None") -> "int | None":
    """What --pid says; for switch too.  Raises UsageError."""
    if given is None:
        return None
    if not (given.isascii() and given.isdigit()) or not 0 < int(given[:11]) <= _PID_MAX:
        raise UsageError(f"--pid {given}: a pid is a number, as list --json has it")
    return int(given)


def session_here(context: "Context", verb: str) -> Here:
    """The session that this runs in, or else the one that the environment names; for kill too.

    Raises Verdict when there is neither.
    """
    try:
        here = where(context, ask(context, ListRequest()))
    except WireError as error:
        raise ClientError(f"cannot make sense of the daemon's answer: {error}") from None
    if here is not None:
        return here
    named = context.environ.get("SHPOOL_SESSION_NAME")
    if not named:
        raise Verdict(f"no session to {verb}")
    return Here(named, None)


def report(not_found: "list[str]", not_attached: "list[str]") -> int:
    """Say what could not be done; the exit status."""
    if not_found:
        complain(f"not found: {' '.join(map(shown, not_found))}\n")
    if not_attached:
        complain(f"not attached: {' '.join(map(shown, not_attached))}\n")
    return 1 if not_found or not_attached else 0
