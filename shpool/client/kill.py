"""shpool kill: end sessions, and return when they are gone."""

from shpool.client.detach import report, sessions_meant
from shpool.client.reach import ask
from shpool.protocol.messages import KillRequest, read_missed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from shpool.client.context import Context
    from shpool.options import Parsed


def run(context: "Context", parsed: "Parsed") -> int:
    sessions = sessions_meant(context, parsed, "kill")
    not_found, _ = read_missed(ask(context, KillRequest(sessions)))
    return report(not_found, [])
