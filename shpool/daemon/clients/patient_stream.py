"""A stream of what a program writes, for whose reader the program waits, but not for ever."""

from time import monotonic

from shpool.daemon.carried import Deadline
from shpool.daemon.clients.connection import StreamUser

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from shpool.daemon.clients.connection import Connection
    from shpool.daemon.loop.reactor import Reactor, Timer

# Bytes that may wait to be read before the program is to wait.
CAP = 8 * 1024 * 1024

# Seconds for which it does, if nothing is read at all; as for attached clients.
PATIENCE = 2.0


class PatientStream(StreamUser):
    """Who fills it says whether the program is to wait, and asks that again when told."""

    CARRIED: "dict[str, Any]" = {"_stall": Deadline("_look_at_reader")}
    DERIVED: "tuple[str, ...]" = ("_connection", "reactor")

    def __init__(self, reactor: "Reactor", connection: "Connection") -> None:
        self.reactor = reactor
        self._connection = connection
        self._stall: Timer | None = None

    def taken_on(self, reactor: "Reactor", connection: "Connection") -> None:
        self.reactor = reactor
        self._connection = connection

    def reader_moves(self) -> None:
        """The reader takes what is sent, or more than it takes is waiting."""

    def reader_stands_still(self) -> None:
        """It has taken nothing for so long that the program is to wait no more."""

    def stream_full(self) -> None:
        if self._stall is None:
            self._stall = self.reactor.call_later(PATIENCE, self._look_at_reader)
        self.reader_moves()

    def stream_drained(self) -> None:
        self._stop_stall()
        self.reader_moves()

    def stream_gone(self) -> None:
        self._stop_stall()

    def _look_at_reader(self) -> None:
        self._stall = None
        if not self._connection.full:
            return
        rest = self._connection.progress + PATIENCE - monotonic()
        if rest > 0:
            self._stall = self.reactor.call_later(rest, self._look_at_reader)
        else:
            self.reader_stands_still()

    def _stop_stall(self) -> None:
        if self._stall is not None:
            self._stall.cancel()
            self._stall = None
