"""shpool set-log-level: change what the daemon logs."""

from shpool.client.reach import ask
from shpool.errors import UsageError
from shpool.protocol.requests import LOG_LEVELS, SetLogLevel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from shpool.client.context import Context
    from shpool.options import Parsed


def run(context: "Context", parsed: "Parsed") -> int:
    level = parsed.arguments[0].capitalize()
    if level not in LOG_LEVELS or parsed.arguments[0] != level.lower():
        raise UsageError(f"unknown log level '{parsed.arguments[0]}'")
    ask(context, SetLogLevel(level))
    return 0
