"""When a session is drawn for clients whose terminals have another size than its pty.

A picture is due a while after something has changed, whether more comes or not.  What had come by
then is interpreted, without holding the pty, and drawn once for all terminals of one size.  While
the program is inside a synchronized update its end is waited for.  With nobody to be drawn for,
nobody who takes a picture, or nothing that changes, nothing is done.
"""

from time import monotonic

from shpool.daemon.loop.reactor import Owner, each_alone
from shpool.terminal.drawn import Drawing
from shpool.terminal.modes import SYNCHRONIZED
from shpool.terminal.news import News

TYPE_CHECKING = False
if TYPE_CHECKING:
    from shpool.daemon.loop.reactor import Reactor, Timer
    from shpool.protocol.requests import TtySize
    from shpool.terminal.backlog import Backlog

# Seconds from a change to its picture at least, in which most programs have written the rest.
_GATHER = 0.01

# Seconds between two pictures at least: nobody sees more.
_PICTURE = 1 / 30

# The next picture is not due before so many times as long has passed as the last one took, what it
# took to interpret included: a tenth of the time.
_SHARE = 9

# Seconds for which the end of a synchronized update is waited for.
_UPDATE = 0.15


class DrawingsUser(Owner):
    """Who interprets what the program writes."""

    __slots__ = ()

    def interpret(self) -> None:
        """Interpret in idle moments, and call interpreted(), until `due` is false."""


# So that what is closed does not keep its user in memory.
_NOBODY = DrawingsUser()


class Viewer(Owner):
    """Whose terminal, of `size`, is drawn on."""

    __slots__ = ()

    size: "TtySize"

    @property
    def takes(self) -> bool:
        """It can be shown a picture now; if not, it calls Drawings.resume() when it can."""
        return True

    def draw(self, drawing: Drawing, change: bytes, news: bytes) -> None:
        """There is a new picture; `change` brings the last one up to date, if it is not empty.
        `news` is to be shown beside either: bells and the like."""


class _Group:
    """Terminals of one size."""

    __slots__ = ("drawing", "viewers")

    def __init__(self, drawing: Drawing) -> None:
        self.drawing = drawing
        self.viewers: list[Viewer] = []

    @property
    def takes(self) -> bool:
        return any(viewer.takes for viewer in self.viewers)

    def draw(self, news: bytes) -> None:
        """Draw once, and show it to each."""
        drawing = self.drawing
        change = drawing.change()
        each_alone(self.viewers, lambda viewer: viewer.draw(drawing, change, news))


class Drawings(Owner):
    """`due`: a picture is to be drawn as soon as what had come before is interpreted."""

    __slots__ = (
        "_backlog",
        "_groups",
        "_missed",
        "_not_before",
        "_reactor",
        "_spent",
        "_timer",
        "_up_to",
        "_user",
        "_waits",
        "_windows",
        "due",
    )

    # Viewers add themselves again, and are sent whole pictures, of the same windows.
    CARRIED = {"windows": [(int, int, int, int)], "_not_before": float}
    DERIVED = (
        *("_backlog", "_groups", "_missed", "_reactor", "_spent", "_timer", "_up_to", "_user"),
        *("_waits", "_windows", "due"),
    )

    def __init__(self, reactor: "Reactor", backlog: "Backlog", user: DrawingsUser) -> None:
        self._groups: dict[tuple[int, int], _Group] = {}
        self._not_before = 0.0
        self.windows = []
        self.taken_on(reactor, backlog, user)

    def taken_on(self, reactor: "Reactor", backlog: "Backlog", user: DrawingsUser) -> None:
        self._reactor = reactor
        self._backlog = backlog
        self._user = user
        self._groups = {}
        self._timer: Timer | None = None  # until a picture is due, or an update waited for
        self.due = False
        self._up_to = 0  # as Backlog.received: where the next picture is of
        self._waits = False  # for the end of an update
        self._spent = 0.0  # seconds on interpreting for the next picture
        self._missed = False  # nothing was drawn where nobody would have taken it

    @property
    def windows(self) -> "list[tuple[int, int, int, int]]":
        """What is drawn of the screen: rows, columns, the first row, the first column."""
        shown = [group.drawing.window for group in self._groups.values()]
        now = {(each.rows, each.cols): (each.top, each.left) for each in shown}
        return sorted((*size, *place) for size, place in {**self._windows, **now}.items())

    @windows.setter
    def windows(self, windows: "list[tuple[int, int, int, int]]") -> None:
        self._groups = {}
        self._windows = {(rows, cols): (top, left) for rows, cols, top, left in windows}

    def add(self, viewer: Viewer) -> None:
        """Draw for it, soon, until remove() with its size as it is now."""
        size = viewer.size.cells
        group = self._groups.get(size)
        if group is None:
            place = self._windows.pop(size, (0, 0))
            terminal = self._backlog.terminal
            terminal.news = terminal.news or News()
            drawing = Drawing(terminal, *size, *place)
            group = self._groups[size] = _Group(drawing)
        group.viewers.append(viewer)
        self.changed()

    def remove(self, viewer: Viewer) -> None:
        """Harmless if it is not here."""
        for size, group in self._groups.items():
            if viewer in group.viewers:
                group.viewers.remove(viewer)
                if not group.viewers:
                    del self._groups[size]
                break
        if not self._groups:
            self._backlog.terminal.news = None
            self._rest()

    def changed(self) -> None:
        """Something is to be drawn, or to be interpreted and then drawn."""
        if self._groups and self._timer is None and not self.due:
            wait = max(self._not_before - monotonic(), _GATHER)
            self._timer = self._reactor.call_later(wait, self._begin)

    def resume(self) -> None:
        """Somebody takes pictures again."""
        if self._missed:
            self._missed = False
            self.changed()

    def close(self) -> None:
        self._groups.clear()
        self._rest()
        self._user = _NOBODY

    def _rest(self) -> None:
        self.due = self._waits = False
        self._spent = 0.0
        self._stop_timer()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _begin(self) -> None:
        self._timer = None
        if not any(group.takes for group in self._groups.values()):
            self._missed = True
            return
        self.due = True
        self._up_to = self._backlog.received
        self._user.interpret()

    @property
    def ready(self) -> bool:
        """Enough is interpreted to draw now."""
        if not self.due or self._backlog.terminal.modes.get(SYNCHRONIZED):
            return False
        return self._waits or self._reached

    @property
    def _reached(self) -> bool:
        backlog = self._backlog
        return backlog.received - backlog.pending >= self._up_to

    def interpreted(self, seconds: float) -> None:
        """Something was, which took so long; a picture may be due."""
        if not self.due:
            return
        self._spent += seconds
        if self.ready:
            self._draw()
        elif self._reached and not self._waits:
            self._waits = True
            self._timer = self._reactor.call_later(_UPDATE, self._draw)

    def _draw(self) -> None:
        begun = monotonic()
        self._stop_timer()
        news = self._backlog.terminal.news
        heard = news.take() if news is not None else b""
        for group in tuple(self._groups.values()):
            if group.takes:
                group.draw(heard)
            else:
                self._missed = True
        now = monotonic()
        self._not_before = max(begun + _PICTURE, now + _SHARE * (self._spent + now - begun))
        self._rest()
        if self._backlog.behind:
            self.changed()

    def broken(self) -> None:
        self.close()
        self._user.broken()
