"""shpool history: what has scrolled off a session's screen, and the screen."""

from shpool.client.counts import count
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
    last, since = count(parsed, "lines", "-n"), count(parsed, "since", "--since")
    request = PeekRequest("", history=True, last=last, since=since)
    screen = fetch(context, parsed.arguments[0], request)
    screen.show_lines(last, since)
    # It goes back when the screen grows, and who has read up to there has that already.
    screen.head.mark = max(screen.head.mark, since or 0)
    put(shown(screen, how, lost=screen.lost))
    return 0
