"""shpool wait: until something is so of sessions."""

from shpool.client.counts import count
from shpool.client.watching import Feed, sessions_meant
from shpool.durations import parse_span
from shpool.errors import UsageError
from shpool.output import put
from shpool.protocol.watching import ENDED, HELD, TIMED_OUT, WaitRequest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from shpool.client.context import Context
    from shpool.client.search import Search
    from shpool.options import Parsed

# What may be waited for, as options without a value.
_SWITCHES = ("exit", "exists", "attached", "detached", "prompt")

# The exit status when a session has ended, and what was waited for can not be so any more.
_OVER = 3

# Seconds without output, after which a line that is being written is searched as it is.
_PAUSE = 0.05

# Seconds that the daemon has to end the wait before the client does, which may be in the midst of
# a search without end.
_GRACE = 0.1

# The longest alarm that every system takes, in seconds.
_LONGEST_ALARM = 100_000_000


class _TimeIsOver(Exception):
    pass


def run(context: "Context", parsed: "Parsed") -> int:
    conditions = _conditions(parsed)
    given = parsed.text("timeout")
    timeout = None if given is None else parse_span(given)
    text = parsed.text("text")
    since = _since(parsed)
    for option in ("new", "since"):
        if text is None and option in parsed.values:
            raise UsageError(f"--{option} is for --text")
    names = [name for name, _ in conditions]
    if text is None:
        if not conditions:
            raise UsageError("wait needs something to wait for, for example --exit")
    else:
        from shpool.client.search import Search, pattern

        wanted = pattern(text)
        names.append("text")
    sessions = sessions_meant(context, parsed.arguments)
    if since is not None and len(sessions) > 1:
        raise UsageError("--since is for one NAME, for each session has lines of its own")
    request = WaitRequest(sessions, conditions, timeout, text=text is not None, since=since)
    feed = Feed(context, request)
    tally = Tally(feed.names, names, every=bool(parsed.count("all")))
    if text is None:
        status = _wait(feed, tally, [])
        put(tally.printed)
        return status
    new = bool(parsed.count("new"))
    searches = [Search(wanted, new=new, since=since is not None) for _ in feed.names]
    try:
        if timeout is not None:
            _set_alarm(timeout / 1000 + _GRACE)
        status = _wait(feed, tally, searches)
        _set_alarm(0)
    except _TimeIsOver:
        return TIMED_OUT
    put(tally.printed)
    return status


def _conditions(parsed: "Parsed") -> "list[tuple[str, str]]":
    found = [(name, "") for name in _SWITCHES if parsed.count(name)]
    quiet = parsed.text("quiet")
    if quiet is not None:
        found.append(("quiet", str(parse_span(quiet))))
    return found


def _since(parsed: "Parsed") -> "int | None":
    """Raises UsageError."""
    parsed.one_of("since", "new")
    return count(parsed, "since", "--since")


def _set_alarm(seconds: float) -> None:
    """Have _TimeIsOver raised, wherever we are then; 0 to call that off."""
    import signal

    signal.signal(signal.SIGALRM, _ring)
    signal.setitimer(signal.ITIMER_REAL, min(seconds, _LONGEST_ALARM))


def _ring(number: int, frame: object) -> None:
    raise _TimeIsOver


def _wait(feed: Feed, tally: "Tally", searches: "list[Search]") -> int:
    """Follow the events until it is known how the wait ends; the exit status."""
    while tally.status is None and feed.status is None:
        pausing = any(search.waits for search in searches)
        events = feed.read(_PAUSE if pausing else None)
        for each in events:
            _take(each, tally, searches)
            if tally.status is not None:
                break
        if not events or feed.status is not None:
            for number, search in enumerate(searches):
                search.pause()
                _tell(number, tally, search)
    if tally.status is None:
        tally.printed = ""
        return feed.status or 0
    return tally.status


def _take(event: "tuple[str, int, list[Any]]", tally: "Tally", searches: "list[Search]") -> None:
    kind, number, said = event
    if searches:
        searches[number].take(kind, said)
        _tell(number, tally, searches[number])
    if kind == HELD:
        tally.held(number, said[0])
    elif kind == ENDED:
        tally.ended(number)


def _tell(number: int, tally: "Tally", search: "Search") -> None:
    if search.found:
        tally.held(number, "text")


class Tally:
    """What has held so far, and whether it is enough: then, or never more, `status` is set."""

    def __init__(self, names: "list[str]", conditions: "list[str]", *, every: bool) -> None:
        self._names = names
        self._left = [set(conditions) for _ in names]
        self._every = every
        self._over: set[int] = set()  # sessions that have ended
        self.printed = ""
        self.status: int | None = None

    def held(self, number: int, condition: str) -> None:
        if self.status is not None or condition not in self._left[number]:
            return
        self._left[number].discard(condition)
        self.printed += f"{self._names[number]}\t{condition}\n"
        if not self._every or not any(self._left):
            self.status = 0

    def ended(self, number: int) -> None:
        """A session has ended: of that one nothing more will be so."""
        self._over.add(number)
        if self.status is not None or not self._left[number]:
            return
        if self._every or len(self._over) == len(self._names):
            self.printed = ""
            self.status = _OVER
