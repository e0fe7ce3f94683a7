"""Run requests: a command at the prompt of a session's shell, as a person would give it.

waiting   for the shell to be at a prompt after which nothing was typed
typed     the command was pasted there, and the shell has not said that it runs
refused   it wants more of the command, it seems, and was sent ^C
running   what is written is passed on, until the shell says that the command has ended
over
"""

from math import inf
from time import monotonic

from shpool.daemon.carried import REQUEST, Deadline, Life, Reference, added
from shpool.daemon.clients import run_reasons
from shpool.daemon.clients.connection import STREAMS
from shpool.daemon.clients.patient_stream import CAP, PATIENCE, PatientStream
from shpool.daemon.life import State
from shpool.daemon.sessions.participant import Errand, Onlooker
from shpool.daemon.sessions.picture import no_screen
from shpool.daemon.sessions.typed_line import SETTLED
from shpool.daemon.sessions.typing import DONE as WAS_TYPED
from shpool.daemon.sessions.typing import ENDED, INTERRUPTED, Message, MessageUser
from shpool.keys.commands import command_line, pasted_command, same_command
from shpool.keys.pasting import CannotPaste
from shpool.protocol.running import DONE, FAILED, TAKEN, WAITS
from shpool.protocol.watching import MISSED, OUTPUT, TIMED_OUT, WatchHead, event

TYPE_CHECKING = False
if TYPE_CHECKING:
    from shpool.daemon.clients.connection import Connection
    from shpool.daemon.loop.reactor import Reactor, Timer
    from shpool.daemon.sessions.session import Session
    from shpool.protocol.running import RunRequest
    from shpool.terminal.marks import Mark

# Seconds until a prompt is looked at again which the terminal does not look like; at first, and at
# most.  Some shells write what makes it a prompt right behind the mark.
_SOON, _LATER = 0.02, 0.5

# Seconds after a prompt that a shell has to turn bracketed paste on.
_PASTE_COMES = 0.1

# Seconds since the request or a mark, after which who waits for the prompt is told why, and another
# shell is taken for one: for a moment a child looks like it that is to become a command.
_TOLD_AFTER = 1.0

# Seconds of quiet at the line editor of a shell that has not sent a mark yet; its files may take a
# while behind a prompt that is there already (the instant one of powerlevel10k).
_NO_MARKS_AFTER = 5.0

# Seconds of quiet, with the shell's line editor still there, after which it has not taken the
# command as it is; and how often it is sent ^C then, and after how many seconds again.
_NOT_TAKEN = 2.0
_CALLS_OFF = 5
_AGAIN = 1.0

WAITING, TYPED, REFUSED, RUNNING, OVER = "waiting", "typed", "refused", "running", "over"

LIFE = {
    WAITING: (TYPED, OVER),
    TYPED: (REFUSED, RUNNING, OVER),
    REFUSED: (RUNNING, OVER),
    RUNNING: (OVER,),
    OVER: (),
}


class RunErrand(PatientStream, Onlooker, Errand, MessageUser):
    CARRIED = {
        "_state": Life(LIFE, State),
        "_session": Reference("Session"),
        "_request": REQUEST,
        "_line": str,
        "_message": Reference("Message"),
        "_asked": bool,
        "_strict": bool,
        "_others": bool,
        "_calls_off": int,
        "_latest": float,
        "_pause": float,
        "_missed": int,
        "_skipping": bool,
        "_deadline": Deadline("_time_is_over"),
        "_next": Deadline("_look_again"),
        "_telling": added(Deadline("_tell_why")),
        "_told": added(str, ""),
        "_foreign": added(bool, False),
    }

    def __init__(
        self,
        reactor: "Reactor",
        connection: "Connection",
        session: "Session",
        request: "RunRequest",
    ) -> None:
        super().__init__(reactor, connection)
        self._session: Session | None = session
        self._request = request
        self._state = State(f"a command for session {session.name!r}", LIFE, WAITING)
        self._line = ""
        self._message: Message | None = None
        self._asked = False  # for the terminal model to catch up
        self._strict = False  # the shell may run something else first, that was typed ahead
        self._others = False  # it did
        self._calls_off = 0  # how often ^C was sent
        self._latest = 0.0  # of the last output; monotonic
        self._pause = _SOON  # until the next look at a prompt, in seconds
        self._missed = 0  # bytes, and not told yet
        self._skipping = False  # the reader took nothing for too long
        self._deadline: Timer | None = None
        self._next: Timer | None = None
        self._telling: Timer | None = None
        self._told = ""  # why it waits
        self._foreign = False  # another shell has sent marks while a command runs

    def begin(self) -> None:
        session = self._session
        if session is None:
            return
        reason = run_reasons.hopeless(session, self._connection.pid)
        if reason:
            self._connection.reply(WatchHead([], error=reason).to_wire())
            return
        request = self._request
        self._line = command_line(request.words, request.line, session.prompt.shell)
        self._connection.open_stream(WatchHead([session.name]).to_wire(), CAP, self)
        session.admit(self)
        if request.timeout_ms is not None:
            self._deadline = self.reactor.call_later(request.timeout_ms / 1000, self._time_is_over)
        self._latest = monotonic()
        self._look()
        self._tell_later()

    def session_changed(self) -> None:
        session = self._session
        if session is not None and not session.picture.remembers:  # since there was an error in it
            self._fail(no_screen(session.name))

    # ---- the prompt

    def _look(self) -> None:
        """Look whether the shell is at its prompt, or ever will be."""
        session = self._session
        if session is None or self._state.now != WAITING:
            return
        prompt = session.prompt
        rest = run_reasons.free_in(session)
        if not prompt.ours:
            self._look_for_marks(session)
        elif 0 < rest < inf:
            self._look_later(rest)
        elif rest <= 0 and not self._asked:
            self._asked = True
            session.when_caught_up(self)

    def _tell_later(self) -> None:
        if self._telling is not None:
            self._telling.cancel()
        if self._state.now == WAITING:
            self._telling = self.reactor.call_later(_TOLD_AFTER, self._tell_why)

    def _tell_why(self) -> None:
        """Tell who waits what it waits for, each thing once, or that it waits in vain."""
        self._telling = None
        session = self._session
        if session is None or self._state.now != WAITING:
            return
        below = self._foreign or run_reasons.in_another_shell(session)
        if session.prompt.running and below:
            self._fail(run_reasons.other_shell(session))
            return
        why = run_reasons.waiting(session)
        if why != self._told:
            self._told = why
            self._connection.stream(event(WAITS, 0, why))

    def _look_for_marks(self, session: "Session") -> None:
        """The shell has sent none of its own.  If it edits a line all the same, none will come."""
        typist = session.typist
        edits = typist is not None and not typist.canonical
        quiet = monotonic() - self._latest
        if edits and quiet >= _NO_MARKS_AFTER and session.foreground() == session.pid:
            self._fail(run_reasons.no_marks(session))
        else:
            self._look_later(SETTLED)

    def caught_up(self) -> None:
        """All that the shell has written is interpreted.  What is checked now holds when the
        command is typed: nobody else's turn is between."""
        self._asked = False
        session = self._session
        if session is None or self._state.now != WAITING:
            return
        if run_reasons.free_in(session) > 0:
            self._look()
            return
        typist = session.typist
        if typist is None:
            self.session_over()
            return
        stood = monotonic() - session.prompt.since
        bracketed = session.picture.pastes()
        comes = not bracketed and stood < _PASTE_COMES
        if typist.canonical or comes or not typist.turns.free:  # a key may have begun
            self._look_later(self._pause)
            self._pause = min(2 * self._pause, _LATER)
            return
        if typist.keeps(self._line.encode()):
            self._fail(run_reasons.kept(session))
            return
        try:
            data = pasted_command(self._line, bracketed=bracketed)
        except CannotPaste as error:
            self._fail(str(error))
            return
        self._strict = stood < SETTLED or not session.prompt.fresh or session.line.unread
        self._message = Message(data, PATIENCE, self, whole=True)
        if session.send(self._message):
            self._state.become(TYPED)
        else:
            self._fail(run_reasons.not_reading(session))

    def _look_later(self, seconds: float) -> None:
        self._stop_looking()
        self._next = self.reactor.call_later(seconds, self._look_again)

    def _look_again(self) -> None:
        self._next = None
        if self._state.now == WAITING:
            self._look()
        else:
            self._look_whether_taken()

    def _stop_looking(self) -> None:
        if self._next is not None:
            self._next.cancel()
            self._next = None

    # ---- the command

    def message_over(self, message: Message) -> None:
        session = self._session
        if self._state.now not in (TYPED, REFUSED) or session is None:
            return
        if message.outcome == WAS_TYPED:
            self._latest = monotonic()
            self._look_later(_AGAIN if self._state.now == REFUSED else _NOT_TAKEN)
        elif message.outcome == INTERRUPTED:
            self._fail("interrupted")
        elif message.outcome == ENDED:
            self.session_over()
        else:
            self._fail(run_reasons.not_reading(session))

    def _look_whether_taken(self) -> None:
        """The shell has not said that it runs the command.  If it edits a line, that is ours."""
        session = self._session
        if session is None or session.typist is None or self._state.now not in (TYPED, REFUSED):
            return
        typist = session.typist
        quiet = monotonic() - self._latest
        wait = _AGAIN if self._state.now == REFUSED else _NOT_TAKEN
        if typist.canonical or quiet < wait:
            self._look_later(wait if typist.canonical else wait - quiet)
        elif self._calls_off == _CALLS_OFF:
            self._fail(run_reasons.NOT_AS_IT_IS)
        else:
            self._calls_off += 1
            if self._state.now == TYPED:
                self._state.become(REFUSED)
            self._message = Message(typist.interrupt_character, PATIENCE, self)
            if not session.send(self._message):
                self._fail(run_reasons.NOT_AS_IT_IS)

    def marked(self, mark: "Mark") -> None:
        state = self._state.now
        if state == WAITING:
            self._look_at_mark(mark)
        elif not mark.ours:
            return
        elif state in (TYPED, REFUSED):
            self._look_for_our_command(mark)
        elif state == RUNNING and mark.kind == "D" and self._session is not None:
            self._finish(event(DONE, 0, mark.status, self._session.size.current.cols))

    def _look_at_mark(self, mark: "Mark") -> None:
        session = self._session
        running = session is not None and session.prompt.running
        self._foreign = running and (self._foreign or mark.kind in "AB")
        self._look()
        self._tell_later()

    def _look_for_our_command(self, mark: "Mark") -> None:
        if mark.kind == "C":
            told = mark.command
            self._others = self._strict and told is not None and not same_command(told, self._line)
            if not self._others:
                self._stop_looking()
                self._state.become(RUNNING)
                self._connection.stream(event(TAKEN, 0))
        elif mark.kind == "A" and mark.new:
            if not self._others:
                self._fail(
                    run_reasons.NOT_TAKEN if self._state.now == TYPED else run_reasons.NOT_AS_IT_IS
                )
                return
            self._others = False  # what was typed ahead is done, and ours is read now
            self._latest = monotonic()
            self._look_later(_NOT_TAKEN)

    def take_output(self, data: bytes) -> None:
        self._latest = monotonic()
        if self._state.now == WAITING:
            self._look_at_line()
        if self._state.now != RUNNING:
            return
        if self._skipping:
            self._missed += len(data)
        else:
            self._connection.stream(event(OUTPUT, 0, data))

    def _look_at_line(self) -> None:
        """What somebody types is echoed."""
        session = self._session
        if session is not None and session.prompt.at_prompt and self._next is None:
            self._look()
            if self._telling is None:
                self._tell_later()

    # ---- the end

    def session_over(self) -> None:
        self._fail("the session has ended")

    def shell_ended(self, status: int) -> None:
        self._fail("the session has ended")

    def _time_is_over(self) -> None:
        self._deadline = None
        session = self._session
        if session is None:
            return
        if self._state.now == RUNNING:
            self._stop()
            self._connection.end_stream(TIMED_OUT)
            return
        if self._state.now == WAITING:
            self._fail(run_reasons.not_yet(session))
        else:
            self._fail("the shell has not taken the command in time")

    def _fail(self, reason: str) -> None:
        self._finish(event(FAILED, 0, reason))

    def _finish(self, last: bytes) -> None:
        if self._state.now == OVER:
            return
        if self._missed:
            self._connection.stream(event(MISSED, 0, self._missed))
        self._stop()
        self._connection.stream(last)
        self._connection.end_stream(patient=True)

    def stream_gone(self) -> None:
        super().stream_gone()
        if self._state.now != OVER:
            self._stop()

    def _stop(self) -> None:
        """Nobody waits any more: what is not typed yet is not typed."""
        unread = self._state.now in (TYPED, REFUSED)
        self._state.become(OVER)
        for timer in (self._deadline, self._next, self._telling):
            if timer is not None:
                timer.cancel()
        self._deadline = self._next = self._telling = None
        self._stop_stall()
        session, self._session = self._session, None
        if session is None:
            return
        session.dismiss(self)
        if unread and session.typist is not None and self._message is not None:
            session.typist.call_off(self._message)

    def broken(self) -> None:
        self._connection.close()

    # ---- the reader

    @property
    def holds(self) -> bool:
        return self._state.now == RUNNING and self._connection.full and not self._skipping

    def stream_drained(self) -> None:
        self._skipping = False
        if self._missed:
            self._connection.stream(event(MISSED, 0, self._missed))
            self._missed = 0
        super().stream_drained()

    def reader_moves(self) -> None:
        if self._session is not None:
            self._session.check_output()

    def reader_stands_still(self) -> None:
        self._skipping = True
        self.reader_moves()


STREAMS.add("run", RunErrand)
