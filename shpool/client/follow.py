"""shpool follow: what a session's program prints, as it prints it."""

import os
import select
from time import monotonic, time

from shpool.client.outside import session_meant
from shpool.client.watching import Feed
from shpool.errors import ShpoolError
from shpool.output import complain, put
from shpool.protocol.watching import ENDED, MISSED, OUTPUT, SIZE, FollowRequest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from shpool.client.context import Context
    from shpool.options import Parsed

_STDIN, _STDOUT = 0, 1


def run(context: "Context", parsed: "Parsed") -> int:
    text, cast = bool(parsed.count("text")), bool(parsed.count("cast"))
    from_screen = bool(parsed.count("from-screen"))
    for other in ("cast", "from-screen"):
        parsed.one_of("text", other)
    name = session_meant(context, parsed.arguments[0])
    request = FollowRequest(name, from_screen=from_screen, restores=not text)
    feed = Feed(context, request)
    try:
        if text:
            _follow(feed, Text())
        elif cast:
            _follow(feed, Cast(feed.names[0]))
        else:
            _follow_on_terminal(feed)
    except BrokenPipeError:
        pass  # whoever read it has seen enough
    return 0


class Raw:
    """Every byte as it comes."""

    def output(self, data: bytes) -> None:
        put(data)

    def resized(self, rows: int, cols: int) -> None:
        pass

    def missed(self, note: str) -> None:
        pass

    def ended(self, status: int) -> None:
        pass


class Text(Raw):
    """Lines, as they are completed."""

    def __init__(self) -> None:
        from shpool.client.lines import Lines

        self._lines = Lines()

    def output(self, data: bytes) -> None:
        lines = [each for each in self._lines.feed(data) if each.complete]
        text = "".join([each.text + ("" if each.cut else "\n") for each in lines])
        if text:
            put(text.encode("utf-8", "replace"))

    def ended(self, status: int) -> None:
        if self._lines.text.strip():
            put(f"{self._lines.text}\n".encode("utf-8", "replace"))


class Cast(Raw):
    """A recording for asciinema, in version 3 of its format: see docs.asciinema.org."""

    def __init__(self, name: str) -> None:
        from codecs import getincrementaldecoder
        from json import dumps

        self._name = name
        self._dumps = dumps
        self._decoder = getincrementaldecoder("utf-8")("replace")
        self._begun = False
        self._told = 0.0  # up to when intervals were told

    def output(self, data: bytes) -> None:
        text = self._decoder.decode(data)
        if text:
            self._event("o", text)

    def resized(self, rows: int, cols: int) -> None:
        if self._begun:
            self._event("r", f"{cols}x{rows}")
            return
        self._begun = True
        self._told = monotonic()
        term = {"cols": cols, "rows": rows}
        head = {"version": 3, "term": term, "timestamp": int(time()), "title": self._name}
        put(self._dumps(head) + "\n")

    def missed(self, note: str) -> None:
        self._event("m", note)

    def ended(self, status: int) -> None:
        self._event("x", str(status))

    def _event(self, code: str, data: str) -> None:
        interval = round(monotonic() - self._told, 6)
        self._told += interval
        put(self._dumps([interval, code, data]) + "\n")


def _follow(feed: Feed, form: Raw) -> None:
    while feed.status is None:
        _await(feed)
        for kind, _, said in feed.read():
            if kind == OUTPUT:
                form.output(said[0])
            elif kind == SIZE:
                form.resized(said[0], said[1])
            elif kind == MISSED:
                note = f"{said[0]} bytes were missed"
                complain(f"shpool: {note}\n")
                form.missed(note)
            elif kind == ENDED:
                form.ended(said[0])


def _await(feed: Feed) -> None:
    """Return when something has come.  Raises BrokenPipeError when nobody reads the output."""
    if feed.waits:
        return
    poll = select.poll()
    poll.register(feed.sock, select.POLLIN)
    poll.register(_STDOUT, 0)
    for fd, _ in poll.poll():
        if fd == _STDOUT:
            raise BrokenPipeError


def _follow_on_terminal(feed: Feed) -> None:
    """Raw output asks the terminal for answers, and leaves it as the program has it."""
    if not (os.isatty(_STDOUT) and os.isatty(_STDIN)):
        _follow(feed, Raw())
        return
    import signal
    import termios

    from shpool.terminal.leave import LEAVE

    before = termios.tcgetattr(_STDIN)
    foreground = os.tcgetpgrp(_STDIN) == os.getpgrp()
    if foreground:
        quiet = termios.tcgetattr(_STDIN)
        quiet[3] &= ~(termios.ECHO | termios.ICANON)
        termios.tcsetattr(_STDIN, termios.TCSADRAIN, quiet)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _end)
    try:
        _follow(feed, Raw())
    finally:
        try:
            put(LEAVE + b"\r\n")
        except (OSError, ShpoolError):
            pass  # the terminal is gone
        if foreground:
            termios.tcsetattr(_STDIN, termios.TCSAFLUSH, before)


def _end(number: int, frame: object) -> None:
    raise SystemExit(128 + number)
