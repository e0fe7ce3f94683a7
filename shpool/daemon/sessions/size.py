"""The size of a session's pty, and the jiggle that makes programs redraw; see roles.py for whose
counts."""

from shpool.daemon.carried import Deadline
from shpool.daemon.loop.reactor import Owner, each_alone
from shpool.protocol.requests import TtySize

TYPE_CHECKING = False
if TYPE_CHECKING:
    from shpool.daemon.loop.reactor import Reactor, Timer
    from shpool.daemon.programs.pty import Pty
    from shpool.daemon.sessions.picture import Picture

# Seconds for which a pty is one row and column too large, so that programs redraw; the original's.
_JIGGLE = 0.05


class WindowSize(Owner):
    """Keeps the pty, once there is one, and the picture at the size that counts."""

    CARRIED = {
        "current": TtySize,
        "_position": (int, None),
        "_jiggle": Deadline("_end_jiggle"),
    }
    DERIVED = ("_reactor", "picture", "pty")

    def __init__(self, reactor: "Reactor", size: TtySize, picture: "Picture") -> None:
        self.taken_on(reactor, picture, None)
        self.current = size
        self._position: int | None = None
        self._jiggle: Timer | None = None

    def taken_on(self, reactor: "Reactor", picture: "Picture", pty: "Pty | None") -> None:
        self._reactor = reactor
        self.picture = picture
        self.pty = pty

    def set(self, size: TtySize) -> None:
        """Have this size; a jiggle that is under way ends in it."""
        self.current = size.usable()
        if self._jiggle is None:
            self._apply()

    def fit(self, size: TtySize) -> None:
        """A terminal of this size has come: have it, and have the program draw to it."""
        self.current = size.usable()
        if self.picture.remembers:
            self._apply()
            return
        larger = TtySize(min(self.current.rows + 1, 65_535), min(self.current.cols + 1, 65_535))
        if self.pty is not None:
            self.pty.resize(larger)
        if self._jiggle is None:
            self._jiggle = self._reactor.call_later(_JIGGLE, self._end_jiggle)

    def position_before(self) -> int:
        """The picture's position() before the size was changed, if that has not been told yet."""
        return self.picture.position() if self._position is None else self._position

    def told(self) -> None:
        """Whom it concerns knows of the present size."""
        self._position = None

    def close(self) -> None:
        if self._jiggle is not None:
            self._jiggle.cancel()
            self._jiggle = None

    def _end_jiggle(self) -> None:
        self._jiggle = None
        self._apply()

    def _apply(self) -> None:
        if self.pty is not None:
            self.pty.resize(self.current)
        self._position = self.position_before()
        each_alone((self.picture,), lambda picture: picture.resize(self.current))
