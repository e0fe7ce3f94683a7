"""shpool detach: let go whoever is attached to sessions."""

from shpool.client.connect import Call
from shpool.client.reach import ask, reach
from shpool.errors import Verdict
from shpool.output import complain
from shpool.protocol.replies import read_missed
from shpool.protocol.requests import DetachRequest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from shpool.client.context import Context
    from shpool.options import Parsed


def run(context: "Context", parsed: "Parsed") -> int:
    sessions = sessions_meant(context, parsed, "detach")
    not_found, not_attached = read_missed(ask(context, DetachRequest(sessions)))
    return report(not_found, not_attached)


def sessions_meant(context: "Context", parsed: "Parsed", verb: str) -> "list[str]":
    """The sessions named, or else the one this runs in; for kill too.

    Raises Verdict when there is neither, but not before a daemon was found to answer.
    """
    if parsed.arguments:
        return parsed.arguments
    inside = context.environ.get("SHPOOL_SESSION_NAME")
    if inside:
        return [inside]
    connection: Call = reach(context)
    connection.close()
    raise Verdict(f"no session to {verb}")


def report(not_found: "list[str]", not_attached: "list[str]") -> int:
    """Say what could not be done; the exit status."""
    if not_found:
        complain(f"not found: {' '.join(not_found)}\n")
    if not_attached:
        complain(f"not attached: {' '.join(not_attached)}\n")
    return 1 if not_found or not_attached else 0
