"""Follow requests: what a session's program writes from now on, as it writes it.

Who follows is waited for by nobody.  One who is too far behind is skipped, and told so when it has
caught up; then it is sent the screen as it is, or else the end of what it missed.
"""

from shpool.daemon.carried import REQUEST, Reference
from shpool.daemon.clients.connection import STREAMS, StreamUser
from shpool.daemon.sessions.participant import Errand, Onlooker
from shpool.daemon.sessions.picture import no_screen
from shpool.protocol.watching import ENDED, MISSED, OUTPUT, SIZE, WatchHead, event

TYPE_CHECKING = False
if TYPE_CHECKING:
    from shpool.daemon.clients.connection import Connection
    from shpool.daemon.loop.reactor import Reactor
    from shpool.daemon.sessions.session import Session
    from shpool.protocol.watching import FollowRequest

# Bytes that may wait to be read.
CAP = 8 * 1024 * 1024

# Of what one without a screen has missed, the last so many bytes are sent all the same.
TAIL = 65_536


class FollowErrand(Onlooker, Errand, StreamUser):
    """From the request to the session's end."""

    CARRIED = {
        "_session": Reference("Session"),
        "_request": REQUEST,
        "_size": (int, int),
        "_missed": int,
        "_tail": bytes,
        "_drawing": bool,
    }
    DERIVED = ("_connection",)

    def __init__(
        self, connection: "Connection", session: "Session", request: "FollowRequest"
    ) -> None:
        self._connection = connection
        self._session: Session | None = session
        self._request = request
        self._size = (0, 0)
        self._missed = 0  # bytes, and not told yet
        self._tail = b""  # of them
        self._drawing = False  # the screen is asked for, and output is in it

    def taken_on(self, reactor: "Reactor", connection: "Connection") -> None:
        self._connection = connection

    def begin(self) -> None:
        session = self._session
        if session is None:
            return
        if self._request.from_screen and not session.picture.remembers:
            reason = no_screen(session.name)
            self._connection.reply(WatchHead([], error=reason).to_wire())
            return
        self._connection.open_stream(WatchHead([session.name]).to_wire(), CAP, self)
        session.admit(self)
        self.session_changed()
        if self._request.from_screen:
            self._ask_for_screen(session)

    # ---- what happens at the session

    def take_output(self, data: bytes) -> None:
        if self._drawing:
            return
        if self._missed or self._connection.full:
            self._missed += len(data)
            if not self._request.restores:
                self._tail = (self._tail + data)[-TAIL:]
            return
        self._send(data)

    def session_changed(self) -> None:
        session = self._session
        if session is None:
            return
        size = (session.size.current.rows, session.size.current.cols)
        if size != self._size:
            self._size = size
            self._connection.stream(event(SIZE, 0, *size))

    def shell_ended(self, status: int) -> None:
        if self._missed:
            self._tell_missed()
            self._drawing = self._request.restores
        if self._drawing:
            self._draw()
        self._session = None
        self._connection.stream(event(ENDED, 0, status))
        self._connection.end_stream(patient=True)

    # ---- what becomes of the reader

    def stream_drained(self) -> None:
        session = self._session
        if session is None or not self._missed:
            return
        self._tell_missed()
        if self._request.restores:
            self._ask_for_screen(session)

    def stream_gone(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.dismiss(self)

    def broken(self) -> None:
        self._connection.close()

    def _tell_missed(self) -> None:
        _, _, tail = self._tail.partition(b"\n")
        self._connection.stream(event(MISSED, 0, self._missed - len(tail)))
        self._missed = 0
        self._tail = b""
        self._send(tail)

    # ---- the screen

    def _ask_for_screen(self, session: "Session") -> None:
        self._drawing = True
        session.when_caught_up(self)

    def caught_up(self) -> None:
        if self._session is not None and self._drawing:
            self._draw()

    def _draw(self) -> None:
        self._drawing = False
        if self._session is not None:
            self._send(self._session.picture.draw())

    def _send(self, data: bytes) -> None:
        if data:
            self._connection.stream(event(OUTPUT, 0, data))


STREAMS.add("follow", FollowErrand)
