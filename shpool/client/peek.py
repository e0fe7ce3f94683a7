"""shpool peek: a session's screen, without attaching to it."""

from shpool.client.screen import fetch
from shpool.client.shown import chosen, shown
from shpool.output import put
from shpool.protocol.outside import PeekRequest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from shpool.client.context import Context
    from shpool.options import Parsed


def run(context: "Context", parsed: "Parsed") -> int:
    how = chosen(parsed)
    screen = fetch(context, parsed.arguments[0], PeekRequest(""))
    screen.show_rows()
    put(shown(screen, how))
    return 0
