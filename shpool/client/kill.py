"""shpool kill: end sessions, and return when they are gone."""

from shpool.client.detach import report, session_here
from shpool.client.reach import ask
from shpool.errors import UsageError
from shpool.protocol.replies import read_list_reply, read_missed
from shpool.protocol.requests import KillRequest, ListRequest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from shpool.client.context import Context
    from shpool.options import Parsed


def run(context: "Context", parsed: "Parsed") -> int:
    if parsed.count("all"):
        return _kill_all(context, parsed)
    sessions = parsed.arguments or [session_here(context, "kill").name]
    not_found, _ = read_missed(ask(context, KillRequest(sessions)))
    return report(not_found, [])


def _kill_all(context: "Context", parsed: "Parsed") -> int:
    if parsed.arguments:
        raise UsageError("kill --all takes no NAME")
    sessions = [session.name for session in read_list_reply(ask(context, ListRequest()))]
    if sessions:
        # One that has ended since is gone, which is what was asked for.
        read_missed(ask(context, KillRequest(sessions)))
    return 0
