"""The terminal model: what the daemon talks to."""

from .answers import Answers
from .compact import FIRST_LIMIT, compact_clusters, compact_pens
from .goodbye import goodbye, is_clean
from .reflow import resize
from .restore import restore


class Terminal(Answers):
    """A terminal of the xterm kind, of which only the state exists.

    rows and cols: its size in cells. history_lines bounds the rows kept that scrolled off the main
    screen. Nothing here raises on any input.
    """

    __slots__ = ("_cluster_limit", "_pen_limit")

    CARRIED = {"_pen_limit": int, "_cluster_limit": int}

    def __init__(self, rows: int, cols: int, history_lines: int) -> None:
        super().__init__(max(rows, 1), max(cols, 1), max(history_lines, 0))
        self._pen_limit = FIRST_LIMIT
        self._cluster_limit = FIRST_LIMIT

    def resize(self, rows: int, cols: int) -> None:
        """Give the terminal another size in cells, as the pty's. Lines of the main screen and
        history wrap anew; the alternate screen is cropped."""
        resize(self, rows, cols)

    def restore(self, history: int, in_place: bool = False) -> bytes:
        """The bytes that bring any terminal of this size to this state; the live stream goes on
        right after them.

        history: how many lines that scrolled off are drawn before the screen, to end up in the
        client's scrollback (0 for none). in_place: draw over what is there, for a client that
        shows this session already and missed some output; else what stands on its screen is
        pushed into its scrollback first.
        """
        return restore(self, history, in_place=in_place)

    @property
    def history_lines(self) -> int:
        """How many rows that scrolled off are kept at most."""
        return self.history.maxlen or 0

    @property
    def scrolls_plainly(self) -> bool:
        """Returns whether text and line ends can only scroll the main screen into the history."""
        return (
            self.screen is self.main
            and self.top == 0
            and self.bottom == self.rows - 1
            and not self.side_margins
            and not self.translation
            and not self.paused
            and not self.unfinished
        )

    def pass_lines(self, lines: int) -> None:
        """Go on as if so many lines had scrolled by, and the last of them ended just now; what
        stood on the screen and in the history is forgotten. Lines keep the numbers that they would
        have had."""
        above = self.lines[: self.y + 1]
        self.begun += sum([not row.wrapped for row in above]) - 1 + lines - self.bottom
        self.history.clear()
        for row in self.lines:
            row.clear()
        self.x = 0
        self.y = self.bottom
        self.after_print = False

    def leave(self) -> bytes:
        """The bytes that make the client's terminal usable for the shell outside."""
        return goodbye(self)

    @property
    def clean(self) -> bool:
        """Returns whether there is nothing that leave() would have to turn off or take back."""
        return is_clean(self)

    def compact(self) -> None:
        """Forget pens and clusters that no cell has any more, once there are many."""
        if self.pens.live > self._pen_limit:
            compact_pens(self)
            self._pen_limit = max(2 * self.pens.live, FIRST_LIMIT)
        if len(self.clusters.clusters) > self._cluster_limit:
            compact_clusters(self)
            self._cluster_limit = max(2 * len(self.clusters.clusters), FIRST_LIMIT)
