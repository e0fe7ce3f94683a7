"""shpool detach: let go whoever is attached to sessions."""

from shpool.client.connect import ClientError
from shpool.client.here import where
from shpool.client.reach import ask
from shpool.errors import Verdict
from shpool.output import complain
from shpool.protocol.msgpack import WireError
from shpool.protocol.replies import Here, read_missed
from shpool.protocol.requests import DetachRequest, ListRequest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from shpool.client.context import Context
    from shpool.options import Parsed


def run(context: "Context", parsed: "Parsed") -> int:
    if parsed.arguments:
        request = DetachRequest(parsed.arguments)
    else:
        here = session_here(context, "detach")
        request = DetachRequest([here.name], here.pid)
    not_found, not_attached = read_missed(ask(context, request))
    return report(not_found, not_attached)


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
        complain(f"not found: {' '.join(not_found)}\n")
    if not_attached:
        complain(f"not attached: {' '.join(not_attached)}\n")
    return 1 if not_found or not_attached else 0
