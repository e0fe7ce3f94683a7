"""shpool wait: until something is so of sessions."""

from shpool.client.watching import Feed, sessions_meant
from shpool.durations import parse_span
from shpool.options import UsageError
from shpool.output import put
from shpool.protocol.watching import ENDED, HELD, WaitRequest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from shpool.client.context import Context
    from shpool.options import Parsed

# What may be waited for, as options; all but the first without a value.
_SWITCHES = ("exit", "exists", "attached", "detached")

# The exit status when a session has ended, and what was waited for can not be so any more.
_OVER = 3


def run(context: "Context", parsed: "Parsed") -> int:
    conditions = _conditions(parsed)
    given = parsed.text("timeout")
    timeout = None if given is None else parse_span(given)
    names = sessions_meant(context, parsed.arguments)
    feed = Feed(context, WaitRequest(names, conditions, timeout))
    tally = Tally(feed.names, [name for name, _ in conditions], every=bool(parsed.count("all")))
    while feed.status is None:
        for kind, number, said in feed.read():
            if kind == HELD:
                tally.held(number, said[0])
            elif kind == ENDED:
                tally.ended(number)
            if tally.status is not None:
                put(tally.found)
                return tally.status
    return feed.status


def _conditions(parsed: "Parsed") -> "list[tuple[str, str]]":
    found = [(name, "") for name in _SWITCHES if parsed.count(name)]
    quiet = parsed.text("quiet")
    if quiet is not None:
        found.append(("quiet", str(parse_span(quiet))))
    if not found:
        raise UsageError("wait needs something to wait for, for example --exit")
    return found


class Tally:
    """What has held so far, and whether it is enough: then, or never more, `status` is set."""

    def __init__(self, names: "list[str]", conditions: "list[str]", *, every: bool) -> None:
        self._names = names
        self._left = [set(conditions) for _ in names]
        self._every = every
        self._over: set[int] = set()  # sessions that have ended
        self.found = ""  # to be printed
        self.status: int | None = None

    def held(self, number: int, condition: str) -> None:
        self._left[number].discard(condition)
        self.found += f"{self._names[number]}\t{condition}\n"
        if not self._every or not any(self._left):
            self.status = 0

    def ended(self, number: int) -> None:
        """A session has ended: of that one nothing more will be so."""
        self._over.add(number)
        if self._left[number] and (self._every or len(self._over) == len(self._names)):
            self.found = ""
            self.status = _OVER
