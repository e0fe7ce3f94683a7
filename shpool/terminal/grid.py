"""The grid: scrolling, margins, and the history behind the main screen.

Rows and columns count from 0 here. x may be one beyond the last column: the cursor then stands on
that column with a wrap pending (DEC STD 070 calls it the last column flag), as in xterm.js.
"""

from collections import deque

from .cells import BLANK, PLAIN, TAIL, Row, spliced
from .clusters import Clusters
from .columns import HISTORY, blocks_of, rows_of
from .parser import Parser
from .pens import Pens
from .screen import Screen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .cells import Piece


class Grid(Parser):
    """Screens and cursor."""

    __slots__ = (
        "_fill",
        "alternate",
        "autowrap",
        "begun",
        "bottom",
        "charsets",
        "clusters",
        "cols",
        "generation",
        "history",
        "insert_mode",
        "left",
        "limit",
        "lines",
        "linked",
        "main",
        "margin_wrap",
        "newline_mode",
        "origin",
        "packed",
        "pen",
        "pens",
        "restarts",
        "right",
        "rows",
        "screen",
        "shift",
        "side_margins",
        "top",
        "translation",
        "x",
        "y",
    )

    CARRIED = {
        "rows": int,
        "cols": int,
        "begun": int,
        "restarts": int,
        "generation": int,
        "pens": Pens,
        "clusters": Clusters,
        "whole_history": HISTORY,
        "main": Screen,
        "alternate": Screen,
        "in_alternate": bool,
        "x": int,
        "y": int,
        "pen": str,
        "_fill": (str, None),
        "linked": bool,
        "autowrap": bool,
        "insert_mode": bool,
        "newline_mode": bool,
        "origin": bool,
        "charsets": [str],
        "shift": int,
        "side_margins": bool,
        "margin_wrap": bool,
        "top": int,
        "bottom": int,
        "left": int,
        "right": int,
    }
    DERIVED: "tuple[str, ...]" = ("history", "packed", "screen", "lines", "translation", "limit")

    def __init__(self, rows: int, cols: int, history_lines: int) -> None:
        super().__init__()
        self.rows = rows
        self.cols = cols
        self.history: deque[Piece] = deque(maxlen=history_lines)
        self.packed: list[list[Any]] = []  # blocks of columns that follow in the history
        self.begun = 0  # lines whose first row ever did, so the number of the next one
        self.restarts = 0  # how often the main screen was blanked from its first row on
        self.generation = 0  # how often the numbers in rows came to mean others; see compact.py
        self.pens = Pens()
        self.clusters = Clusters()
        self.main = Screen(rows)
        self.alternate = Screen(rows)
        self.initialize()

    def initialize(self) -> None:
        """Everything that RIS resets and that is kept here."""
        self.work -= 4 * self.rows
        self.restarts += 1
        for screen in (self.main, self.alternate):
            screen.reset()
        self.screen = self.main
        self.lines = self.main.lines
        self.x = 0
        self.y = 0
        self.pen = PLAIN
        self._fill: str | None = PLAIN
        self.linked = False
        self.autowrap = True
        self.insert_mode = False
        self.newline_mode = False
        self.origin = False
        self.charsets = ["B", "B", "B", "B"]
        self.shift = 0
        self.translation: dict[int, int] | None = None
        self.side_margins = False
        self.margin_wrap = False  # a wrap is pending at the right margin, not at the edge
        self.reset_margins()

    # From one process to another

    @property
    def whole_history(self) -> "tuple[int, list[list[Any]]]":
        """How many rows are kept at most, and those that are, as blocks of columns."""
        return self.history.maxlen or 0, blocks_of(self.history) + self.packed

    @whole_history.setter
    def whole_history(self, whole: "tuple[int, list[list[Any]]]") -> None:
        most, self.packed = whole
        self.history = deque(maxlen=most)

    @property
    def in_alternate(self) -> bool:
        """The alternate screen is shown."""
        return self.screen is self.alternate

    @in_alternate.setter
    def in_alternate(self, shown: bool) -> None:
        self.screen = self.alternate if shown else self.main
        self.lines = self.screen.lines

    def unpack(self) -> int:
        """Take the next block into the history; how many rows that were.  Nothing else may be
        asked of the terminal before all are taken.  Raises ValueError."""
        rows = rows_of(self.packed.pop(0), len(self.pens.pens), self.clusters.end)
        self.history.extend(rows)
        return len(rows)

    def derive(self) -> None:
        super().derive()
        self.set_limit()
        inside = (
            0 <= self.y < self.rows
            and 0 <= self.x <= self.cols
            and 0 <= self.top <= self.bottom < self.rows
            and 0 <= self.left <= self.right < self.cols
        )
        if not inside:
            raise ValueError("a cursor or margins beyond the screen")
        if not 0 <= self.shift < len(self.charsets) == 4:
            raise ValueError("no character sets")
        numbers = {self.pen, self._fill or PLAIN}
        for screen in (self.main, self.alternate):
            if len(screen.lines) != self.rows or not screen.keyboard:
                raise ValueError("a screen that is none")
            numbers.update(*[row.style for row in screen.lines])
        if ord(max(numbers)) >= len(self.pens.pens):
            raise ValueError("a pen that is not in the table")

    @property
    def fill(self) -> str:
        """The pen of erased cells, which has the background of the pen. It is numbered when there
        is a need: a picture in true colour has as many as cells, and none of them is used."""
        fill = self._fill
        if fill is None:
            fill = self._fill = self.pens.pair(self.pens.pens[ord(self.pen)])[1]
        return fill

    def move_to(self, y: int, x: int) -> None:
        """Put the cursor there: relative to the margins and within them under origin mode."""
        self.margin_wrap = False
        if self.origin:
            self.y = min(self.top + max(y, 0), self.bottom)
            self.x = min(self.left + max(x, 0), self.right)
        else:
            self.y = min(max(y, 0), self.rows - 1)
            self.x = min(max(x, 0), self.cols - 1)

    @property
    def mark(self) -> int:
        """The number of the main screen's first line, counted from 0 as the program ended them
        from the start: of the first one that is not wholly in the history. A line keeps its
        number whatever the size; the mark goes back when lines come back onto the screen."""
        return max(self.begun - self.main.lines[0].wrapped, 0)

    @property
    def line(self) -> int:
        """The number of the line that the cursor of the main screen is in."""
        y = self.y if self.screen is self.main else self.main.y
        begun = sum([not row.wrapped for row in self.main.lines[: y + 1]])
        return max(self.begun + begun - 1, 0)

    # Margins

    def set_margins(self, top: int, bottom: int = 0, *_: int) -> None:
        """DECSTBM: the scroll region; the cursor goes home."""
        top = top or 1
        if not 0 < bottom <= self.rows:
            bottom = self.rows
        if bottom > top:
            self.top = top - 1
            self.bottom = bottom - 1
            self.move_to(0, 0)

    def reset_margins(self) -> None:
        """Margins at the edges of the screen."""
        self.top = 0
        self.bottom = self.rows - 1
        self.left = 0
        self.right = self.cols - 1
        self.margin_wrap = False
        self.set_limit()

    def set_limit(self) -> None:
        """Up to which column write needs to take no care."""
        self.limit = -1 if self.insert_mode or self.side_margins else self.cols

    @property
    def edge(self) -> int:
        """The column where the text wraps that is printed at the cursor: one past the last."""
        if self.side_margins and self.x <= self.right + 1:
            return self.right + 1
        return self.cols

    @property
    def wrap_column(self) -> int:
        """The column where a wrapped line, or a carriage return, goes on."""
        if self.side_margins and (self.origin or self.x >= self.left):
            return self.left
        return 0

    # Scrolling

    def _scroll_line(self) -> None:
        """Scroll the scroll region up by one line, as a line feed on its last row does."""
        if self.side_margins:
            if self.left <= self.x <= self.right:
                self.scroll_region(self.top, 1)
            return
        lines = self.lines
        row = lines.pop(self.top)
        if self.top == 0 and self.screen is self.main:
            self.keep(row)
        fill = self.fill
        if fill == PLAIN:
            row.text = row.style = ""
        else:
            row.text = BLANK * self.cols
            row.style = fill * self.cols
        row.wrapped = False
        row.marks = ()
        lines.insert(self.bottom, row)

    def keep(self, row: Row, cols: int = 0) -> None:
        """Take a row of the main screen into the history; cols: its width, if not the screen's."""
        text = row.text
        style = row.style
        if style and not style.strip(PLAIN):
            style = ""
        if not row.wrapped:
            self.begun += 1
            marks = row.marks
            self.history.append((text, style, False, marks) if style or marks else text)
            return
        history = self.history
        if history:
            before = history[-1]
            if isinstance(before, str):
                history[-1] = completed(before, cols or self.cols, text)
            else:
                history[-1] = (completed(before[0], cols or self.cols, text), *before[1:])
        history.append((text, style, True, row.marks))

    def scroll_region(self, top: int, count: int) -> None:
        """Move the rows from top to the bottom margin up by count, or down if it is negative."""
        size = min(abs(count), self.bottom + 1 - top)
        if self.side_margins:
            self._scroll_rectangle(top, size if count > 0 else -size)
            return
        lines = self.lines
        end = self.bottom + 1
        if count > 0:
            emptied = lines[top : top + size]
            lines[top:end] = lines[top + size : end] + emptied
        else:
            emptied = lines[end - size : end]
            lines[top:end] = emptied + lines[top : end - size]
        self._blank(emptied)

    def _blank(self, rows: list[Row]) -> None:
        """Make them blank, with the pen's background."""
        self.work -= 2 * len(rows)
        plain = self.fill == PLAIN
        text = "" if plain else BLANK * self.cols
        style = "" if plain else self.fill * self.cols
        for row in rows:
            row.text = text
            row.style = style
            row.wrapped = False
            row.marks = ()

    def _scroll_rectangle(self, top: int, count: int) -> None:
        """As scroll_region, but only between the side margins."""
        left, end = self.left, self.right + 1
        rows = self.lines[top : self.bottom + 1]
        self.work -= 5 * len(rows)
        texts = [row.text for row in rows]
        styles = [row.style for row in rows]
        if count > 0:
            stay, come = rows[:-count], slice(count, None)
            emptied = rows[len(rows) - count :]
        else:
            stay, come = rows[-count:], slice(0, len(rows) + count)
            emptied = rows[:-count]
        if not all(map(str.isascii, texts)) and any(TAIL in text for text in texts):
            self.work -= 10 * len(rows)
            parts = [part(row, left, end) for row in rows]
            for row, (cells, style) in zip(stay, parts[come]):
                place(row, left, cells, style)
        else:
            for row, source in zip(stay, texts[come]):
                old = row.text
                cells = source[left:end]
                if cells != old[left:end]:
                    row.text = spliced(old, left, end, cells, BLANK)
            if any(styles):
                for row, source in zip(stay, styles[come]):
                    old = row.style
                    style = source[left:end]
                    if style != old[left:end]:
                        row.style = spliced(old, left, end, style, PLAIN)
        for row in emptied:
            row.erase(left, end, self.fill)


def part(row: Row, x: int, end: int) -> tuple[str, str]:
    """Cells and style of a stretch of a row, padded to its full length. Of a wide character
    that is cut by its ends there is only a blank."""
    cells = row.text[:end].ljust(end, BLANK)[x:]
    if cells[:1] == TAIL:
        cells = BLANK + cells[1:]
    if row.text[end : end + 1] == TAIL:
        cells = cells[:-1] + BLANK
    return cells, row.style[:end].ljust(end, PLAIN)[x:]


def place(row: Row, x: int, cells: str, style: str) -> None:
    """Put back what part gave."""
    row.put(x, cells, PLAIN)
    if style.strip(PLAIN):
        old = row.style.ljust(x, PLAIN)
        row.style = old[:x] + style + old[x + len(style) :]


def completed(text: str, cols: int, following: str) -> str:
    """The text of a row that wraps into the following one, made as long as the row is wide.

    But the last column, left free because a wide character did not fit, is not part of the line.
    """
    if following[1:2] == TAIL and text[cols - 1 :] in ("", BLANK):
        return text[: cols - 1].ljust(cols - 1, BLANK)
    return text.ljust(cols, BLANK)
