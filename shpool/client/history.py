"""shpool history: what has scrolled off a session's screen, and the screen."""

from shpool.client.screen import fetch
from shpool.client.shown import chosen, shown
from shpool.options import UsageError
from shpool.output import put
from shpool.protocol.outside import PeekRequest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from shpool.client.context import Context
    from shpool.options import Parsed

# More than any session has had lines, and no more than a message can say.
_MOST = 1 << 62


def run(context: "Context", parsed: "Parsed") -> int:
    how = chosen(parsed)
    last, since = _number(parsed, "lines", "-n"), _number(parsed, "since", "--since")
    request = PeekRequest("", history=True, last=last, since=since)
    screen = fetch(context, parsed.arguments[0], request)
    screen.show_lines(last, since)
    put(shown(screen, how, lost=screen.lost))
    return 0


def _number(parsed: "Parsed", option: str, called: str) -> "int | None":
    """Raises UsageError."""
    value = parsed.text(option)
    if value is None:
        return None
    if not (value.isascii() and value.isdigit()) or len(value) > 18:
        raise UsageError(f"the option '{called}' takes a number, not '{value}'")
    return min(int(value), _MOST)
