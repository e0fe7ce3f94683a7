"""The picture of a session whose output is remembered, in a terminal model.

Output waits in a Backlog until there is time to interpret it, or until a picture is wanted.
"""

import re
from time import monotonic

from shpool import __version__
from shpool.daemon.carried import Deadline
from shpool.daemon.sessions.drawings import Drawings
from shpool.daemon.sessions.picture import Picture, PictureUser, Reports
from shpool.keys.encoding import KeyModes
from shpool.terminal.backlog import Backlog
from shpool.terminal.goodbye import farewell_drawn, untitled
from shpool.terminal.leave import LEAVE, LEAVE_MAIN
from shpool.terminal.model import Terminal
from shpool.terminal.past import PastLines
from shpool.terminal.screen_lines import ScreenLines
from shpool.terminal.snapshot import Snapshot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from shpool.config import Config
    from shpool.daemon.loop.reactor import Reactor, Timer
    from shpool.protocol.requests import TtySize

# Output is interpreted once none has come for so long, in seconds, or when there is a need.  In
# the midst of a flood the program and the client want the processor, and most of what they are
# busy with will be skipped.
_QUIET = 0.02

# Interpreted at a time, in seconds, and between two looks at the clock, in bytes or what makes as
# much work as those.
_SLICE = 0.002
_STEP = 2048

# What may be interpreted for a client that is let go, likewise.
_LAST_STEP = 32_768

# Of so many numbers that were told last it is known whether the screen was begun anew since.
_MOST_TOLD = 64

# What interrupts, quits or suspends a program, unless its terminal was told otherwise.
_STOPS = re.compile(rb"[\x03\x1a\x1c]").search


class ModelPicture(Picture):
    """Restore modes `screen` and `lines`: output is remembered now and interpreted when the loop
    has time, or when a picture is wanted.

    `history` is how many lines a client's scrollback is given.
    """

    remembers = True

    drawings: Drawings

    CARRIED = {
        "_backlog": Backlog,
        "_history": int,
        "_told": {int: (int, int)},
        "drawings": Drawings,
        "_wanted": bool,
        "_latest": float,
        "_timer": Deadline("_settle"),
    }
    DERIVED = ("_closed",)

    def __init__(
        self, reactor: "Reactor", user: PictureUser, backlog: Backlog, history: int
    ) -> None:
        self._backlog = backlog
        self._history = history
        self._told: dict[int, tuple[int, int]] = {}  # by note_line(): the terminal's mark, restarts
        self.drawings = Drawings(reactor, backlog, self)
        self._wanted = False
        self._latest = monotonic()  # when output came last
        self._timer: Timer | None = None
        super().__init__(reactor, user)

    def taken_on(self, reactor: "Reactor", user: PictureUser) -> None:
        super().taken_on(reactor, user)
        self._closed = False
        self._backlog.terminal.name = f"shpool({__version__})"
        self.drawings.taken_on(reactor, self._backlog, self)

    def lighten(self) -> None:
        self._backlog.lighten()

    def unpack(self) -> None:
        while self._backlog.terminal.packed:
            self._backlog.terminal.unpack()

    def watch_again(self) -> None:
        self._reactor.when_idle(self._advance)

    @property
    def must_hold(self) -> bool:  # type: ignore[override]
        # While a picture is wanted nothing new is read, so that the wait has an end.
        return self._wanted or self._backlog.must_hold

    def output(self, data: bytes, unanswered: bool = False) -> None:
        self._backlog.append(data, unanswered)
        self._latest = monotonic()
        self.drawings.changed()
        if self._backlog.must_hold or self._backlog.asked or self.drawings.due:
            self._reactor.when_idle(self._advance)
        elif self._timer is None:
            self._timer = self._reactor.call_later(_QUIET, self._settle)

    def typed(self, data: bytes) -> None:
        held = self.must_hold
        self._backlog.let_in(urgent=_STOPS(data) is not None)
        if held and not self.must_hold:
            self._reactor.soon(self._tell_relieved)

    def resize(self, size: "TtySize") -> None:
        self._backlog.resize(size.rows, size.cols)
        self.drawings.changed()
        self._reactor.when_idle(self._advance)

    def want(self) -> None:
        self._wanted = True
        if self._backlog.behind:
            self._reactor.when_idle(self._advance)
        else:
            self._reactor.soon(self._tell_ready)

    def draw(self, since: "int | None" = None, first_line: "int | None" = None) -> bytes:
        self._backlog.catch_up()
        self._reactor.soon(self._pass_answers)
        history = self._history
        if first_line is not None:
            history = self._lines_from(first_line)
        elif since is not None:
            # What left the screen before stands in the terminal's scrollback.
            history = min(self._lines_from(since), history)
        return self._backlog.restore(history, in_place=since is not None)

    def _lines_from(self, line: int) -> int:
        """How many lines of the history are drawn for who has had those before number `line`."""
        terminal = self._backlog.terminal
        return min(max(terminal.begun - line, 0), terminal.history_lines)

    def position(self) -> int:
        return self._backlog.mark

    def line(self) -> int:
        return self._backlog.line

    def key_modes(self) -> KeyModes:
        terminal = self._backlog.terminal
        return KeyModes(
            cursor=terminal.modes.get(1, False),
            backspace=terminal.modes.get(67, False),
            newline=terminal.newline_mode,
            modify_other=max(terminal.modify.get(4) or 0, 0),
            kitty=terminal.screen.keyboard[-1],
        )

    def reports(self) -> Reports:
        terminal = self._backlog.terminal
        return Reports(
            mouse=bool(terminal.tracking),
            mouse_utf8=terminal.encoding == 1005,
            focus=terminal.modes.get(1004, False),
        )

    def snapshot(
        self, *, history: bool, last: "int | None", since: "int | None"
    ) -> "Snapshot | None":
        terminal = self._backlog.terminal
        lines = last if history else 0
        if history and since is not None:
            final = max(terminal.begun - since, 0)
            lines = final if lines is None else min(lines + 1, final)
        return Snapshot(terminal, lines)

    def quiet(self) -> float:
        return monotonic() - self._latest

    def lines(self) -> "ScreenLines | None":
        self._backlog.catch_up()
        self._reactor.soon(self._pass_answers)
        return ScreenLines(self._backlog.terminal)

    def note_line(self) -> int:
        terminal = self._backlog.terminal
        number = terminal.line
        self._told.pop(number, None)
        self._told[number] = (terminal.mark, terminal.restarts)
        if len(self._told) > _MOST_TOLD:
            del self._told[next(iter(self._told))]
        return number

    def past(self, since: int) -> PastLines:
        terminal = self._backlog.terminal
        mark, restarts = self._told.get(since, (since, terminal.restarts))
        if restarts != terminal.restarts:
            since = min(since, mark)
        if since > terminal.line:
            since = min(since, terminal.mark)
        return PastLines(terminal, since)

    def pastes(self) -> bool:
        return self._backlog.terminal.modes.get(2004, False)

    def farewell(self) -> bytes:
        if self._backlog.pending > _LAST_STEP:
            return b""
        more = self._backlog.advance(_LAST_STEP)
        self._reactor.soon(self._pass_answers)
        if more:
            return b""
        terminal = self._backlog.terminal
        if terminal.clean:
            return b""
        words = terminal.leave()
        column = terminal.main.x
        if terminal.screen is terminal.main:
            words = words.replace(LEAVE, LEAVE_MAIN)
            column = terminal.x
        return words + (b"\r\n" if column else b"")

    def farewell_drawn(self) -> bytes:
        # What was drawn is what was interpreted.
        return farewell_drawn(self._backlog.terminal)

    def untitled(self) -> bytes:
        return untitled(self._backlog.terminal)

    def close(self) -> None:
        super().close()
        self._closed = True
        self.drawings.close()
        self._wanted = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _pass_answers(self) -> None:
        answers = self._backlog.take_answers()
        if answers:
            self._user.picture_answers(answers)

    def _tell_ready(self) -> None:
        """There is nothing to catch up with; tell who wanted that, if it was not done yet."""
        if self._wanted and not self._closed:
            self._wanted = False
            self._user.picture_ready()

    def _tell_relieved(self) -> None:
        if not self.must_hold:
            self._user.picture_relieved()

    def parts(self) -> "tuple[object, ...]":
        return (self.drawings,)

    def interpret(self) -> None:
        self._reactor.when_idle(self._advance)

    def _settle(self) -> None:
        """Interpret what has come, unless more is coming."""
        wait = self._latest + _QUIET - monotonic()
        if wait > 0:
            self._timer = self._reactor.call_later(wait, self._settle)
            self._user.picture_passed_on()
        else:
            self._timer = None
            self._reactor.when_idle(self._advance)

    def _advance(self) -> bool:
        """A slice of idle work; returns whether there is more."""
        if self._closed:
            return False
        held = self.must_hold
        drawings = self.drawings
        if not (held or self._backlog.asked or drawings.due) and self._timer is not None:
            return False  # output came again
        begun = monotonic()
        end = begun + _SLICE
        more = self._backlog.advance(_STEP)
        while more and monotonic() < end and not ((held and not self.must_hold) or drawings.ready):
            more = self._backlog.advance(_STEP)
        if drawings.due:
            drawings.interpreted(monotonic() - begun)
        self._pass_answers()
        if not more:
            self._user.picture_passed_on()
            self._tell_ready()
        if held:
            self._tell_relieved()
        return more


def picture_for(
    config: "Config", reactor: "Reactor", size: "TtySize", user: PictureUser
) -> Picture:
    """The picture of a new session, as session_restore_mode says."""
    mode = config.session_restore_mode
    if mode.name == "simple":
        return Picture(reactor, user)
    model = Terminal(size.rows, size.cols, config.output_spool_lines)
    return ModelPicture(reactor, user, Backlog(model), mode.lines)
