"""Lines of text from a number on: of the history and of the screen in use."""

from .cells import BLANK, TAIL
from .snapshot import Snapshot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .properties import Properties


class PastLines:
    """The lines from number since on as they were, kept while the terminal goes on, and given in
    parts; with the blanks that were written, and the cursor's up to the cursor.

    Of the alternate screen, whose lines have no numbers, all count. lost: how many lines from
    since on are gone, once all was given.
    """

    __slots__ = ("_before", "_cursor", "_length", "_open", "_shown", "_snapshot", "lost")

    CARRIED = {
        "lost": int,
        "_snapshot": Snapshot,
        "_before": int,
        "_cursor": (int, int),
        "_open": (str, None),
        "_length": int,
        "_shown": {int: str},
    }

    def __init__(self, terminal: "Properties", since: int) -> None:
        # Lines from since on that begin in the history, and lines of the screen before since.
        self.lost = max(terminal.begun - since, 0)
        self._snapshot = Snapshot(terminal, self.lost)
        self._before = 0 if self._snapshot.alternate else max(since - terminal.begun, 0)
        self._cursor = (terminal.y, terminal.x)
        self._open: str | None = None  # the line that may go on in the next row
        self._length = 0  # which it has then
        self._shown = {ord(BLANK): " ", ord(TAIL): ""}

    @property
    def over(self) -> bool:
        """All was given."""
        return self._snapshot.over

    def part(self) -> list[str]:
        """The next lines; there may be none although more are to come."""
        snapshot = self._snapshot
        first = snapshot.screen_row
        part = snapshot.part()
        if part is None:
            return []
        for cell, cluster in part.clusters:
            self._shown[ord(cell)] = cluster
        lines: list[str] = []
        wrapped = set(part.wrapped)
        y, x = self._cursor
        for number, text in enumerate(part.texts):
            row = first + number
            if number not in wrapped:
                self._close(lines)
                self._open = ""
                self.lost -= row < 0
            elif self._open is None:
                continue  # its beginning is lost
            assert self._open is not None
            before = self._open.ljust(self._length, BLANK) if number in wrapped else ""
            self._length = len(before) + len(text)
            self._open = before + (text[:x].ljust(x, BLANK) if row == y else text)
        if snapshot.over:
            self._close(lines)
        return lines

    def _close(self, lines: list[str]) -> None:
        if self._open is not None:
            if self._before:
                self._before -= 1
            else:
                lines.append(self._open.translate(self._shown))
        self._open = None
        self._length = 0
