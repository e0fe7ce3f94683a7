"""What a session remembers of its terminal, and what a client is shown of it.

This is the seam between the session and the terminal model.  A Screen takes every byte of output
and every change of size, and, when asked to paint, hands over the bytes that bring a terminal to
the session's state; output that comes after them is live.
"""

from time import monotonic

from shpool.terminal.backlog import Backlog
from shpool.terminal.leave import LEAVE, LEAVE_MAIN
from shpool.terminal.model import Terminal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from shpool.config import Config
    from shpool.daemon.loop.reactor import Reactor, Timer
    from shpool.protocol.messages import TtySize

# Output is interpreted once none has come for so long, in seconds, or when there is a need.  In
# the midst of a flood the program and the client want the processor, and most of what they are
# busy with will be skipped.
_QUIET = 0.02

# Interpreted at a time, in bytes: a millisecond or two of plain text, some ten of the worst.
_SLICE = 32_768


class Screen:
    """Restore mode `simple`: nothing is remembered, the program is made to draw itself."""

    # Whether a client that comes gets its picture from the program, which the pty being resized
    # back and forth makes draw it.
    jiggles = True

    # Whether the pty must be read more slowly for now, because remembering cannot keep up.
    must_hold = False

    def output(self, data: bytes) -> None:
        """The pty produced `data`, which is not empty."""

    def resize(self, size: "TtySize") -> None:
        """The pty has a new size."""

    def paint(self, show: "Callable[[bytes], None]", since: "int | None" = None) -> None:
        """Call `show`, once, soon, with what a terminal in an unknown state has to be sent.

        With `since` the terminal shows this session already, as it was at that position().
        """
        show(b"")

    def position(self) -> int:
        """How many lines have left the screen at its top."""
        return 0

    def settle(self) -> None:
        """The program has ended: show whoever waits for a picture the last one, now."""

    def leave(self) -> bytes:
        """What a client that is let go is sent last: it turns off what the session turned on.

        Nothing where nothing is on, or where that is not known.  Clients of ours clean a terminal
        up themselves, without knowing as much; others do not.
        """
        return b""

    def close(self) -> None:
        """The session has ended."""


class ModelScreen(Screen):
    """Restore modes `screen` and `lines`: output is remembered now and interpreted when the loop
    has time, or when somebody asks for a picture.

    `history` is how many lines a client's scrollback is given.  `relieved` is called when
    must_hold may have become false.
    """

    jiggles = False

    def __init__(
        self,
        reactor: "Reactor",
        backlog: "Backlog",
        history: int,
        relieved: "Callable[[], None]",
    ) -> None:
        self._reactor = reactor
        self._backlog = backlog
        self._history = history
        self._relieved = relieved
        self._waiting: list[tuple[Callable[[bytes], None], int | None]] = []
        self._closed = False
        self._latest = 0.0  # when output came last, monotonic
        self._timer: Timer | None = None

    @property
    def must_hold(self) -> bool:  # type: ignore[override]
        # While somebody waits for a picture nothing new is read, so that the wait has an end.
        return bool(self._waiting) or self._backlog.must_hold

    def output(self, data: bytes) -> None:
        self._backlog.append(data)
        self._latest = monotonic()
        if self._backlog.must_hold:
            self._reactor.when_idle(self._advance)
        elif self._timer is None:
            self._timer = self._reactor.call_later(_QUIET, self._settle)

    def resize(self, size: "TtySize") -> None:
        self._backlog.resize(size.rows, size.cols)
        self._reactor.when_idle(self._advance)

    def paint(self, show: "Callable[[bytes], None]", since: "int | None" = None) -> None:
        self._waiting.append((show, since))
        if self._backlog.pending:
            self._reactor.when_idle(self._advance)
        else:
            self._show_all()

    def position(self) -> int:
        return self._backlog.scrolled

    def leave(self) -> bytes:
        if self._backlog.pending > _SLICE:
            return b""
        self._backlog.catch_up()
        terminal = self._backlog.terminal
        if terminal.clean:
            return b""
        words = terminal.leave()
        column = terminal.main.x
        if terminal.screen is terminal.main:
            words = words.replace(LEAVE, LEAVE_MAIN)
            column = terminal.x
        return words + (b"\r\n" if column else b"")

    def settle(self) -> None:
        if self._waiting:
            self._show_all()

    def close(self) -> None:
        self._closed = True
        self._waiting.clear()
        if self._timer is not None:
            self._timer.cancel()

    def _settle(self) -> None:
        """Interpret what has come, unless more is coming."""
        wait = self._latest + _QUIET - monotonic()
        if wait > 0:
            self._timer = self._reactor.call_later(wait, self._settle)
        else:
            self._timer = None
            self._reactor.when_idle(self._advance)

    def _advance(self) -> bool:
        """A slice of idle work; whether there is more."""
        if self._closed:
            return False
        held = self.must_hold
        if not held and self._timer is not None:
            return False  # output came again
        more = self._backlog.advance(_SLICE)
        if not more:
            self._show_all()
        if held and not self.must_hold:
            self._relieved()
        return more

    def _show_all(self) -> None:
        waiting, self._waiting = self._waiting, []
        if waiting:
            self._backlog.catch_up()
        for show, since in waiting:
            if since is None:
                show(self._backlog.restore(self._history))
            else:
                # What left the screen before stands in the terminal's scrollback.
                missed = max(0, self._backlog.scrolled - since)
                show(self._backlog.restore(min(missed, self._history), in_place=True))


def screen_for(
    config: "Config", reactor: "Reactor", size: "TtySize", relieved: "Callable[[], None]"
) -> Screen:
    """The screen of a new session, as session_restore_mode says."""
    mode = config.session_restore_mode
    if mode.name == "simple":
        return Screen()
    model = Terminal(size.rows, size.cols, config.output_spool_lines)
    return ModelScreen(reactor, Backlog(model), mode.lines, relieved)
