"""A client's terminal while the session is drawn on it."""

from shpool.daemon.clients.channel import OUTPUT_CAP
from shpool.daemon.sessions.drawings import Viewer
from shpool.protocol.requests import TtySize
from shpool.terminal.drawn import enter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from shpool.daemon.clients.channel import Channel
    from shpool.daemon.sessions.drawings import Drawings
    from shpool.terminal.drawn import Drawing


class DrawnTerminal(Viewer):
    """`on`: something was drawn, so that it is in the alternate screen, also for a while after
    end().

    A client that is still busy with a picture is sent no other: the next one that it is sent is a
    whole one.  So nothing piles up on its way, and a slow one sees what is there now.
    """

    __slots__ = ("_channel", "_drawings", "_in_step", "_was_drawn", "on", "size")

    CARRIED = {"on": bool, "size": TtySize, "drawn": bool}
    DERIVED = ("_channel", "_drawings", "_in_step", "_was_drawn")

    def __init__(self, channel: "Channel", size: TtySize) -> None:
        self._channel = channel
        self._drawings: Drawings | None = None  # while it is to be drawn on
        self._was_drawn = False
        self._in_step = False
        self.on = False
        self.size = size

    def taken_on(self, channel: "Channel", drawings: "Drawings | None") -> None:
        self._channel = channel
        self._drawings = drawings if self._was_drawn else None
        self._in_step = False

    @property
    def drawn(self) -> bool:
        """It is to be drawn on."""
        return self._drawings is not None

    @drawn.setter
    def drawn(self, drawn: bool) -> None:
        self._was_drawn = drawn

    def watch_again(self) -> None:
        if self._drawings is not None:
            self._drawings.add(self)

    def begin(self, drawings: "Drawings", size: TtySize) -> None:
        """Draw on it, or go on with another size."""
        self.end()
        self.size = size
        self._in_step = False
        self._drawings = drawings
        self._channel.limit(0)
        drawings.add(self)

    def end(self) -> None:
        """Draw no more; it is left as it is."""
        if self._drawings is not None:
            self._drawings.remove(self)
            self._drawings = None
            self._channel.limit(OUTPUT_CAP)

    @property
    def takes(self) -> bool:
        return not self._channel.full and self._channel.look()

    def draw(self, drawing: "Drawing", change: bytes, news: bytes) -> None:
        if not self.takes:
            self._in_step = False
            return
        if not self._in_step:
            change = drawing.whole() if self.on else enter() + drawing.whole()
        self.on = self._in_step = True
        self._channel.show(change + news)

    def free(self) -> None:
        """It can be shown the next picture, if it has missed one."""
        if self._drawings is not None:
            if not self._in_step:
                self._drawings.changed()
            self._drawings.resume()

    def lost(self) -> None:
        """It may show anything."""
        self.on = self._in_step = False
        self.free()

    def broken(self) -> None:
        self._channel.broken()
