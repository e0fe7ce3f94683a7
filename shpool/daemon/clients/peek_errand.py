"""Peek requests: a session's screen and history for who is not attached to it."""

import os
from time import monotonic

from shpool.daemon.carried import REQUEST, Deadline, Reference
from shpool.daemon.clients.connection import STREAMS, StreamUser
from shpool.daemon.sessions.participant import Errand
from shpool.daemon.sessions.picture import no_screen
from shpool.protocol.screens import PeekHead, pack_part
from shpool.terminal.snapshot import Snapshot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from shpool.daemon.clients.connection import Connection
    from shpool.daemon.loop.reactor import Reactor, Timer
    from shpool.daemon.sessions.session import Session
    from shpool.protocol.outside import PeekRequest

# Bytes of a picture that may wait to be read.
_CAP = 262_144

# Seconds for which they may; what the picture needs is kept in memory until then.
_PATIENCE = 30.0


class PeekErrand(Errand, StreamUser):
    """From the request to the end of the picture, which is the one of the moment when all that
    the program had written was interpreted, and is sent a part at a time."""

    CARRIED = {
        "_session": Reference("Session"),
        "_name": str,
        "_request": REQUEST,
        "_picture": (Snapshot, None),
        "_patience": Deadline("_not_read"),
    }
    DERIVED = ("_connection", "_reactor")

    def __init__(
        self,
        reactor: "Reactor",
        connection: "Connection",
        session: "Session",
        request: "PeekRequest",
    ) -> None:
        self._reactor = reactor
        self._connection = connection
        self._session: Session | None = session  # until its picture is there
        self._name = session.name
        self._request = request
        self._picture: Snapshot | None = None
        self._patience: Timer | None = None
        connection.notice_end(self)

    def taken_on(self, reactor: "Reactor", connection: "Connection") -> None:
        self._reactor = reactor
        self._connection = connection

    def watch_again(self) -> None:
        if self._picture is not None and not self._connection.full:
            self._reactor.when_idle(self._send_part)

    def begin(self) -> None:
        session = self._session
        if session is None or not session.picture.remembers:
            self._refuse(no_screen(self._name))
        else:
            session.when_caught_up(self)

    def caught_up(self) -> None:
        session, self._session = self._session, None
        if session is None or not self._connection.alive:
            return
        request = self._request
        picture = session.picture.snapshot(
            history=request.history, last=request.last, since=request.since
        )
        if picture is None:  # since there was an error in it
            self._refuse(no_screen(self._name))
            return
        self._picture = picture
        head = _head(session, picture)
        self._connection.open_stream(head.to_wire(), _CAP, self)
        if self._send_part():
            self._reactor.when_idle(self._send_part)

    def _send_part(self) -> bool:
        """Send the next part; returns whether there is more that can be sent now."""
        picture = self._picture
        if picture is None or self._connection.full:
            return False
        part = picture.part()
        if part is not None:
            self._connection.stream(
                pack_part(part.texts, part.styles, part.wrapped, part.pens, part.clusters)
            )
        if picture.over:
            self._picture = None
            self._connection.end_stream()
            return False
        return True

    def stream_full(self) -> None:
        self._patience = self._reactor.call_later(_PATIENCE, self._not_read)

    def _not_read(self) -> None:
        self._connection.close()

    def stream_drained(self) -> None:
        self._stop_waiting()
        self._reactor.when_idle(self._send_part)

    def stream_gone(self) -> None:
        self._stop_waiting()
        self._picture = None

    def session_over(self) -> None:
        self._refuse(f"session '{self._name}' has ended")

    def broken(self) -> None:
        self._connection.close()

    def _stop_waiting(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _refuse(self, reason: str) -> None:
        if self._connection.alive:
            head = PeekHead(self._name)
            head.error = reason
            self._connection.reply(head.to_wire())


def _head(session: "Session", picture: "Snapshot") -> PeekHead:
    head = PeekHead(session.name)
    head.rows, head.cols = picture.rows, picture.cols
    head.x, head.y = picture.x, picture.y
    head.visible, head.shape = picture.visible, picture.shape
    head.alternate, head.reverse = picture.alternate, picture.reverse
    head.mark, head.begun = picture.mark, picture.begun
    head.title, head.directory = picture.title, picture.directory
    head.palette = {index: each for index, each in picture.palette.items() if each is not None}
    head.dynamic = {index: each for index, each in picture.dynamic.items() if each is not None}
    head.prompt = session.prompt.describe(monotonic())
    head.quiet_ms = int(session.picture.quiet() * 1000)
    head.cwd = _working_directory(session.foreground()) or _working_directory(session.pid)
    return head


def _working_directory(pid: int) -> "str | None":
    """Where a process is, by proc(5); None if that cannot be known."""
    try:
        return (
            os.readlink(f"/proc/{pid}/cwd")
            .encode(errors="surrogateescape")
            .decode(errors="replace")
        )
    except OSError:
        return None


STREAMS.add("peek", PeekErrand)
