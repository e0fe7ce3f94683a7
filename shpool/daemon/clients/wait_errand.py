"""Wait requests: telling when what was asked for comes true, for some sessions.

Each condition is told of once for each session, when it first holds; which of them are enough,
and so when the wait is over, is the client's business, and so is the search for text.  Nothing is
done while nothing happens.
"""

from time import monotonic

from shpool.daemon.carried import REQUEST, Deadline, Reference, added
from shpool.daemon.clients.connection import STREAMS
from shpool.daemon.clients.patient_stream import CAP, PatientStream
from shpool.daemon.clients.text_watch import TextUser, TextWatch
from shpool.daemon.sessions.participant import Onlooker
from shpool.daemon.sessions.picture import no_screen
from shpool.protocol.watching import ENDED, HELD, TIMED_OUT, WatchHead, event

TYPE_CHECKING = False
if TYPE_CHECKING:
    from shpool.daemon.clients.connection import Connection
    from shpool.daemon.loop.reactor import Reactor, Timer
    from shpool.daemon.sessions.session import Session
    from shpool.protocol.watching import WaitRequest
    from shpool.terminal.marks import Mark

# Seconds for which a prompt has to stand: a shell that has the next command already, typed ahead,
# shows one all the same, and goes on.
_SETTLED = 0.05

# Conditions that may come true for a session that is not there.
_OF_ABSENT = ("exit", "exists")


class Awaited(Onlooker, TextUser):
    """One session of a wait, there or not, and which conditions have not held yet."""

    CARRIED = {
        "_number": int,
        "name": str,
        "session": Reference("Session"),
        "ended": bool,
        "left": {str: str},
        "_latest": float,
        "_quiet": Deadline("_look_whether_quiet"),
        "_prompt": added(Deadline("_look_at_prompt")),
        "text": (TextWatch, None),
        "_status": (int, None),
    }
    DERIVED = ("_errand",)

    def __init__(self, errand: "WaitErrand", number: int, name: str) -> None:
        self._errand = errand
        self._number = number
        self.name = name
        self.session: Session | None = None
        self.ended = False
        self.left = dict(errand.request.conditions)
        self._latest = 0.0  # of the last output and when the session was there; monotonic
        self._quiet: Timer | None = None
        self._prompt: Timer | None = None
        self.text: TextWatch | None = None
        self._status: int | None = None  # the shell's, which is to be told when the text is shown

    def taken_on(self, reactor: "Reactor", connection: "Connection", errand: "WaitErrand") -> None:
        self._errand = errand
        if self.text is not None:
            self.text.taken_on(reactor, connection, self)

    def begin(self, session: "Session", since: "int | None" = None) -> None:
        """It is there; `since`: the number of the first line that is wanted."""
        self.session = session
        self._latest = monotonic()
        self.text = self._errand.watch_text(session, self._number, self, since)
        session.admit(self)
        self._held("exists")
        self.session_changed()
        self._look_at_prompt()
        if "quiet" in self.left:
            self._await_quiet(self._span)

    @property
    def _span(self) -> float:
        return int(self.left["quiet"]) / 1000

    def absent(self) -> None:
        """It is not there, and that was asked for or is to be waited for."""
        self._held("exit")

    def take_output(self, data: bytes) -> None:
        self._latest = monotonic()

    def marked(self, mark: "Mark") -> None:
        if self._prompt is None:
            self._look_at_prompt()

    def session_changed(self) -> None:
        if self.session is not None:
            self._held("attached" if self.session.typing else "detached")

    def shell_ended(self, status: int) -> None:
        self.ended = True
        self.session = None
        self._stop_timers()
        self._status = status
        if self.text is None or self.text.shown:
            self._tell_end(status)

    def text_shown(self) -> None:
        self._errand.text_shown()
        if self._status is not None:
            self._tell_end(self._status)

    def _tell_end(self, status: int) -> None:
        self._held("exit")
        self._errand.tell(event(ENDED, self._number, status))

    def stop(self) -> None:
        """Nobody waits any more."""
        self._stop_timers()
        session, self.session = self.session, None
        if session is not None:
            session.dismiss(self)
        if self.text is not None:
            self.text.stop()

    def parts(self) -> "tuple[object, ...]":
        return (self.text,)

    def broken(self) -> None:
        self._errand.broken()

    def _held(self, condition: str) -> None:
        if condition in self.left:
            del self.left[condition]
            self._errand.tell(event(HELD, self._number, condition))

    def _await_quiet(self, delay: float) -> None:
        self._quiet = self._errand.reactor.call_later(delay, self._look_whether_quiet)

    def _look_whether_quiet(self) -> None:
        self._quiet = None
        rest = self._latest + self._span - monotonic()
        if rest > 0:
            self._await_quiet(rest)
        else:
            self._held("quiet")

    def _look_at_prompt(self) -> None:
        self._prompt = None
        if self.session is None or "prompt" not in self.left or not self.session.prompt.stands:
            return
        rest = self.session.prompt.since + _SETTLED - monotonic()
        if rest > 0:
            self._prompt = self._errand.reactor.call_later(rest, self._look_at_prompt)
        else:
            self._held("prompt")

    def _stop_timers(self) -> None:
        for timer in (self._quiet, self._prompt):
            if timer is not None:
                timer.cancel()
        self._quiet = self._prompt = None


class WaitErrand(PatientStream):
    """A wait that goes on: `awaited` are its sessions."""

    CARRIED = {
        "request": REQUEST,
        "awaited": [Awaited],
        "_timer": Deadline("_time_is_over"),
        "_deadline": float,
        "_unseen": int,
    }

    def __init__(
        self, reactor: "Reactor", connection: "Connection", request: "WaitRequest"
    ) -> None:
        super().__init__(reactor, connection)
        self.request = request
        self.awaited: list[Awaited] = []
        self._timer: Timer | None = None
        self._deadline = 0.0  # monotonic
        self._unseen = 0  # sessions of which that is not so yet

    def taken_on(self, reactor: "Reactor", connection: "Connection") -> None:
        super().taken_on(reactor, connection)
        for awaited in self.awaited:
            awaited.taken_on(reactor, connection, self)

    def begin(self, sessions: "dict[str, Session | None]") -> bool:
        """Take up the wait for `sessions`, by name; False if there is nothing to wait for."""
        missing = [name for name, session in sessions.items() if session is None]
        names = {condition for condition, _ in self.request.conditions}
        if missing and not names.intersection(_OF_ABSENT):
            self._connection.reply(WatchHead([], missing).to_wire())
            return False
        needs_screen = self.request.text or "prompt" in names
        for session in sessions.values():
            if needs_screen and session is not None and not session.picture.remembers:
                reason = no_screen(session.name)
                self._connection.reply(WatchHead([], error=reason).to_wire())
                return False
        self._connection.open_stream(WatchHead(list(sessions)).to_wire(), CAP, self)
        if self.request.timeout_ms is not None:
            self._deadline = monotonic() + self.request.timeout_ms / 1000
        for number, (name, session) in enumerate(sessions.items()):
            awaited = Awaited(self, number, name)
            self.awaited.append(awaited)
            if session is None:
                awaited.absent()
            else:
                awaited.begin(session, self.request.since)
        self._check_time()
        return True

    def watch_text(
        self, session: "Session", number: int, user: TextUser, since: "int | None"
    ) -> "TextWatch | None":
        """What tells of its text, if that is wanted and there is any."""
        if not self.request.text or not session.picture.remembers:
            return None
        self._unseen += 1
        return TextWatch(self.reactor, self._connection, number, session, user, since)

    def text_shown(self) -> None:
        """All that there is to see at once of one session was sent."""
        self._unseen -= 1
        self._check_time()

    def _check_time(self) -> None:
        """Set the time's end, but what there is to see at once is told before."""
        if self.request.timeout_ms is not None and self._timer is None and self._unseen <= 0:
            rest = max(self._deadline - monotonic(), 0)
            self._timer = self.reactor.call_later(rest, self._time_is_over)

    def came(self, session: "Session") -> None:
        """A session runs that did not before."""
        for awaited in self.awaited:
            if awaited.name == session.name and awaited.session is None and not awaited.ended:
                awaited.begin(session)

    def tell(self, message: bytes) -> None:
        self._connection.stream(message)

    def reader_moves(self) -> None:
        for text in self._texts():
            text.check()

    def reader_stands_still(self) -> None:
        for text in self._texts():
            text.skipping = True
        self.reader_moves()

    def _texts(self) -> "list[TextWatch]":
        return [awaited.text for awaited in self.awaited if awaited.text is not None]

    def stream_gone(self) -> None:
        self._stop()

    def broken(self) -> None:
        self._connection.close()

    def parts(self) -> "tuple[object, ...]":
        return tuple(self.awaited)

    def _time_is_over(self) -> None:
        self._timer = None
        self._stop()
        self._connection.end_stream(TIMED_OUT)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._stop_stall()
        stopped, self.awaited = self.awaited, []
        for awaited in stopped:
            awaited.stop()


STREAMS.add("wait", WaitErrand)
