"""The screens: printing, moving the cursor, scrolling, margins, tab stops, character sets.

Rows and columns count from 0 here. x may be one beyond the last column: the cursor then stands on
that column with a wrap pending (DEC STD 070 calls it the last column flag), as in xterm.js.
"""

from collections import deque

from .cells import BLANK, PLAIN, TAIL, Row
from .parser import Parser
from .pen import DEFAULT
from .tables import FIRST_CLUSTER, Clusters, Pens
from .width import UNSURE, char_width

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .pen import Pen

    # A row that scrolled off the main screen: text alone if it is plain and begins a line, else
    # text, style, and whether it continues the row before. A row that is continued is complete
    # to the width it had, so that the pieces of a line only need to be joined.
    Piece = str | tuple[str, str, bool]

MARK = "\x02"  # in cells: what follows the cell before it, or needs a number from the table
_MAX_CELLS_MEMO = 20000

GRAPHICS = {
    ord(char): ord(drawn)
    for char, drawn in zip(
        "`abcdefghijklmnopqrstuvwxyz{|}~", "◆▒␉␌␍␊°±␤␋┘┐┌└┼⎺⎻─⎼⎽├┤┴┬│≤≥π≠£·", strict=True
    )
}
TRANSLATIONS = {"0": GRAPHICS, "A": {ord("#"): ord("£")}}


class _Cells(dict[str, str]):
    """A printable character as cells: itself, itself and TAIL, or MARK."""

    def __missing__(self, char: str) -> str:
        width = 0 if char >= FIRST_CLUSTER else char_width(char)
        cells = (MARK, char, char + TAIL)[width]
        if len(self) >= _MAX_CELLS_MEMO:
            self.clear()
        self[char] = cells
        return cells


_cells = _Cells()


class SavedCursor:
    """What DECSC saves (not a pending wrap, as in xterm.js)."""

    __slots__ = ("charsets", "origin", "pen", "shift", "x", "y")

    def __init__(self) -> None:
        self.x = 0
        self.y = 0
        self.pen: Pen = DEFAULT
        self.charsets = ["B", "B", "B", "B"]
        self.shift = 0
        self.origin = False


class Screen:
    """Main or alternate screen: its rows, and what each screen has of its own."""

    __slots__ = ("keyboard", "lines", "saved", "x", "y")

    def __init__(self, rows: int) -> None:
        self.lines = [Row() for _ in range(rows)]
        self.saved = SavedCursor()
        self.keyboard = [0]  # the kitty keyboard protocol's stack of flags
        self.x = 0  # the cursor when this screen was left
        self.y = 0


class Grid(Parser):
    """Screens and cursor."""

    def __init__(self, rows: int, cols: int, history_lines: int) -> None:
        super().__init__()
        self.rows = rows
        self.cols = cols
        self.history: deque[Piece] = deque(maxlen=history_lines)
        self.scrolled = 0  # rows that ever scrolled off the main screen
        self.pens = Pens()
        self.clusters = Clusters()
        self.main = Screen(rows)
        self.alternate = Screen(rows)
        self.initialize()

    def initialize(self) -> None:
        """Everything that RIS resets and that is kept here."""
        self.main = Screen(self.rows)
        self.alternate = Screen(self.rows)
        self.screen = self.main
        self.lines = self.main.lines
        self.x = 0
        self.y = 0
        self.pen = PLAIN
        self.fill = PLAIN  # the pen of erased cells
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
        self.tab_stops = bytearray()
        self.alternate_tab_stops = False  # set on the alternate screen; some have a set for each
        self.reset_tab_stops(5)

    # Printing

    def write(self, text: str) -> None:
        """Print characters at the cursor, wrapping as autowrap says."""
        if self.translation:
            text = text.translate(self.translation)
        if not text.isascii() and UNSURE.search(text):
            cells = "".join(map(_cells.__getitem__, text))
            if MARK in cells:
                self._write_marked(text)
                return
            text = cells
        x = self.x
        end = x + len(text)
        if end > self.limit:
            self._write_wrapping(text)
            return
        row = self.lines[self.y]
        old = row.text
        pen = self.pen
        if old.isascii() or TAIL not in old:
            # Row.put without its care for wide characters, and without the call.
            if x == len(old):
                row.text = old + text
            elif x > len(old):
                row.text = old.ljust(x, BLANK) + text
            else:
                row.text = old[:x] + text + old[end:]
            style = row.style
            if style or pen != PLAIN:
                if len(style) < x:
                    style = style.ljust(x, PLAIN)
                row.style = style[:x] + pen * (end - x) + style[end:]
        else:
            row.put(x, text, pen)
        self.x = end

    def _write_marked(self, text: str) -> None:
        """Print text that has combining marks, or characters of plane 16."""
        clusters = self.clusters
        cells: list[str] = []  # one for each character: with its TAIL, if it is wide
        for char in text:
            cell = _cells[char]
            if cell != MARK:
                cells.append(cell)
            elif char >= FIRST_CLUSTER:
                cells.append(clusters.cell(char))
            elif cells:
                cells[-1] = clusters.joined(cells[-1][0], char) + cells[-1][1:]
            else:
                self._join(char)
        if cells:
            self._write_wrapping("".join(cells))

    def _join(self, mark: str) -> None:
        """Add a combining mark to the cell before the cursor; there is none in column 0."""
        x = self.x - 1
        row = self.lines[self.y]
        if row.text[x : x + 1] == TAIL:
            x -= 1
        if 0 <= x < len(row.text):
            cell = self.clusters.joined(row.text[x], mark)
            row.text = row.text[:x] + cell + row.text[x + 1 :]

    def _write_wrapping(self, cells: str) -> None:
        """Print cells that may pass the right edge, or under insert mode or side margins."""
        while cells:
            edge = self.edge
            if self.x >= edge and (self.x >= self.cols or self.margin_wrap):
                if self.autowrap:
                    self._wrap()
                    continue
                self.x = edge - 1
            elif self.x >= edge:
                edge = self.cols  # right of the right margin
            room = edge - self.x
            piece = cells[:room]
            if len(cells) > room and cells[room] == TAIL:
                piece = piece[:-1]
                if not piece and self.autowrap and edge - self.wrap_column < 2:
                    return  # a wide character on a screen of one column
            if piece:
                self._put(piece, edge)
            cells = cells[len(piece) :]
            if cells and not self.autowrap:
                self._overprint(cells, edge)
                return
            if cells and self.x < edge:
                # A wide character that does not fit leaves the last column free.
                self.lines[self.y].erase(self.x, edge, self.pen)
                self.x = edge
            self.margin_wrap = self.x == edge and edge < self.cols

    def _put(self, cells: str, edge: int) -> None:
        """Print cells that fit before edge."""
        row = self.lines[self.y]
        if self.insert_mode:
            row.insert(self.x, len(cells), edge, self.fill)
        row.put(self.x, cells, self.pen)
        self.x += len(cells)

    def _overprint(self, cells: str, edge: int) -> None:
        """Print what passes the edge without autowrap: the last narrow character ends up in the
        last column; wide ones are not printed at all."""
        narrow = [
            cell
            for cell, after in zip(cells, cells[1:] + BLANK, strict=True)
            if cell != TAIL and after != TAIL
        ]
        self.x = edge - 1
        if narrow:
            self._put(narrow[-1], edge)
        if cells[-1] == TAIL:
            self.x = edge - 1
        self.margin_wrap = self.x == edge and edge < self.cols

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

    def _wrap(self) -> None:
        self.x = self.wrap_column
        self.margin_wrap = False
        if self.y == self.bottom:
            self._scroll_line()
        elif self.y < self.rows - 1:
            self.y += 1
        self.lines[self.y].wrapped = not self.side_margins

    def repeat(self, count: int) -> None:
        """REP: print the cluster before the cursor again, count times."""
        cell = self.cell_before()[1]
        count = min(count, self.rows * self.cols + self.cols)
        self._write_wrapping(cell * count)

    def cell_before(self) -> tuple[int, str]:
        """Column and cells (with TAIL) of the cluster that ends before the cursor."""
        text = self.lines[self.y].text
        x = self.x - 1
        if x < 0:
            return 0, ""
        if text[x : x + 1] == TAIL:
            return x - 1, text[x - 1 : x + 1]
        return x, text[x : x + 1]

    def write_lines(self, text: str) -> str:
        """Print whole plain lines at once, when they would only pass through to history."""
        if (
            self.top > 0
            or self.bottom < self.rows - 1
            or self.limit < 0
            or self.translation
            or self.pen != PLAIN
            or self.screen is not self.main
        ):
            return text
        stop = text.find("\x1b")
        end = text.rfind("\r\n", 0, len(text) if stop < 0 else stop)
        if end < 256:
            return text
        plain = text[:end].split("\r\n")
        joined = "".join(plain)
        if (
            not (joined.isascii() and joined.isprintable())
            or len(max(plain, key=len)) > self.cols
            or self.x + len(plain[0]) > self.cols
        ):
            return text
        # One by one to the bottom, for rows that may have something in them.
        done = 0
        for line in plain:
            if self.y == self.bottom and not self.x:
                row = self.lines[-1]
                if not row.text and not row.style:
                    break
            if line:
                self.write(line)
            self.new_line()
            done += 1
        plain = plain[done:]
        if plain:
            self._scroll_in(plain)
        return text[end + 2 :]

    def _scroll_in(self, plain: list[str]) -> None:
        """Let plain lines scroll in from the bottom row, which is blank and stays so."""
        lines = self.lines
        bottom = lines.pop()
        bottom.wrapped = False
        passing = max(len(plain) - len(lines), 0)
        leaving = min(len(plain), len(lines))
        for row in lines[:leaving]:
            self.keep(row)
            row.style = ""
            row.wrapped = False
        self.history.extend(plain[:passing])
        self.scrolled += passing
        for row, text in zip(lines[:leaving], plain[passing:], strict=True):
            row.text = text
        self.lines[:] = [*lines[leaving:], *lines[:leaving], bottom]

    # Scrolling

    def _scroll_line(self) -> None:
        """Scroll the scroll region up by one line, as a line feed on its last row does."""
        if self.side_margins:
            if self.left <= self.x <= self.right + 1:
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
        lines.insert(self.bottom, row)

    def keep(self, row: Row, cols: int = 0) -> None:
        """Take a row of the main screen into the history; cols: its width, if not the screen's."""
        self.scrolled += 1
        text = row.text
        style = row.style
        if style and not style.strip(PLAIN):
            style = ""
        if not row.wrapped:
            self.history.append((text, style, False) if style else text)
            return
        history = self.history
        if history:
            before = history[-1]
            if isinstance(before, str):
                history[-1] = completed(before, cols or self.cols, text)
            else:
                history[-1] = (completed(before[0], cols or self.cols, text), before[1], before[2])
        history.append((text, style, True))

    def scroll_region(self, top: int, count: int) -> None:
        """Move the rows from top to the bottom margin up by count, or down if it is negative."""
        size = min(abs(count), self.bottom + 1 - top)
        if self.side_margins:
            self._scroll_rectangle(top, size if count > 0 else -size)
            return
        lines = self.lines
        for _ in range(size):
            row = lines.pop(top if count > 0 else self.bottom)
            row.text = row.style = ""
            row.wrapped = False
            row.erase(0, self.cols, self.fill)
            lines.insert(self.bottom if count > 0 else top, row)

    def _scroll_rectangle(self, top: int, count: int) -> None:
        """As scroll_region, but only between the side margins."""
        rows = range(top, self.bottom + 1)
        left, end = self.left, self.right + 1
        old = [self.part(y, left, end) for y in rows]
        for y in rows:
            if top <= y + count <= self.bottom:
                self.place(y, left, *old[y + count - top])
            else:
                self.lines[y].erase(left, end, self.fill)

    def part(self, y: int, x: int, end: int) -> tuple[str, str]:
        """Cells and style of a stretch of a row, padded to its full length."""
        row = self.lines[y]
        return row.text.ljust(end, BLANK)[x:end], row.style.ljust(end, PLAIN)[x:end]

    def place(self, y: int, x: int, cells: str, style: str) -> None:
        """Put back what part gave; wide characters cut at its ends become blanks."""
        if cells[:1] == TAIL:
            cells = BLANK + cells[1:]
        row = self.lines[y]
        row.put(x, cells, PLAIN)
        if style.strip(PLAIN):
            old = row.style.ljust(x, PLAIN)
            row.style = old[:x] + style + old[x + len(style) :]
        if cells and cells[-1] not in (BLANK, TAIL) and _cells[cells[-1]][1:]:
            row.erase(x + len(cells) - 1, x + len(cells), PLAIN)

    # Controls that move the cursor

    def new_line(self) -> None:
        """CR LF."""
        self.carriage_return()
        self.line_feed()

    def carriage_return(self) -> None:
        """CR: to the first column, or to the left margin unless the cursor is left of it."""
        self.x = self.wrap_column if self.side_margins else 0

    def line_feed(self) -> None:
        """LF, VT, FF: down a line, scrolling at the bottom margin; CR too in line-feed mode."""
        if self.newline_mode:
            self.carriage_return()
        y = self.y
        if y == self.bottom:
            self._scroll_line()
        elif y < self.rows - 1:
            self.y = y + 1
            self.lines[y + 1].wrapped = False
        if self.x >= self.cols:
            self.x = self.cols - 1

    def index(self) -> None:
        """IND: down a line, scrolling at the bottom margin."""
        self.x = self.column()
        if self.y == self.bottom:
            self._scroll_line()
        elif self.y < self.rows - 1:
            self.y += 1

    def next_line(self) -> None:
        """NEL: to the start of the next line."""
        self.carriage_return()
        self.index()

    def reverse_index(self) -> None:
        """RI: up a line, scrolling at the top margin."""
        self.x = self.column()
        if self.y == self.top:
            if not self.side_margins or self.left <= self.x <= self.right:
                self.scroll_region(self.top, -1)
        elif self.y > 0:
            self.y -= 1

    def backspace(self) -> None:
        """BS: left by one column; under reverse wrap (?45) also back over a wrapped line."""
        x = self.column()
        if self.reverse_wrap and x < self.x:
            self.x = x  # from the pending wrap to the last column, which then is addressed
            return
        if x > (self.left if self.side_margins and x >= self.left else 0):
            self.x = x - 1
        elif self.reverse_wrap and self.top < self.y <= self.bottom:
            row = self.lines[self.y]
            if row.wrapped:
                row.wrapped = False
                self.y -= 1
                self.x = self.cols - 1

    reverse_wrap = False

    def tab(self) -> None:
        """HT: to the next tab stop, or the last column; nothing while a wrap is pending."""
        x = self.x
        if x < self.cols and not (self.side_margins and self.margin_wrap):
            last = self.right if self.side_margins and x <= self.right else self.cols - 1
            stop = self.tab_stops.find(1, x + 1)
            self.x = last if stop < 0 or stop > last else stop

    def column(self) -> int:
        """The column that the cursor stands on; a movement from there ends a pending wrap."""
        if self.margin_wrap:
            self.margin_wrap = False
            if self.x == self.right + 1:
                return self.right
        return self.x if self.x < self.cols else self.cols - 1

    def cursor_up(self, count: int, *_: int) -> None:
        """CUU: up, not past the top margin if it starts below it."""
        self.x = self.column()
        limit = self.top if self.y >= self.top else 0
        self.y = max(self.y - (count or 1), limit)

    def cursor_down(self, count: int, *_: int) -> None:
        """CUD: down, not past the bottom margin if it starts above it."""
        self.x = self.column()
        limit = self.bottom if self.y <= self.bottom else self.rows - 1
        self.y = min(self.y + (count or 1), limit)

    def cursor_down_unbounded(self, count: int, *_: int) -> None:
        """VPR: down, margins disregarded but for origin mode."""
        self.x = self.column()
        limit = self.bottom if self.origin else self.rows - 1
        self.y = min(self.y + (count or 1), limit)

    def cursor_forward(self, count: int, *_: int) -> None:
        """CUF, HPR: right, not past the right margin."""
        x = self.column()
        limit = self.right if self.side_margins and x <= self.right else self.cols - 1
        self.x = min(x + (count or 1), limit)

    def cursor_back(self, count: int, *_: int) -> None:
        """CUB: left, not past the left margin."""
        x = self.column()
        limit = self.left if self.side_margins and x >= self.left else 0
        self.x = max(x - (count or 1), limit)

    def cursor_next_line(self, count: int, *_: int) -> None:
        """CNL: down, to the first column."""
        self.cursor_down(count)
        self.carriage_return()

    def cursor_previous_line(self, count: int, *_: int) -> None:
        """CPL: up, to the first column."""
        self.cursor_up(count)
        self.carriage_return()

    def cursor_column(self, column: int, *_: int) -> None:
        """CHA, HPA: to a column."""
        self.move_to(self.y - self.top if self.origin else self.y, (column or 1) - 1)

    def cursor_row(self, row: int, *_: int) -> None:
        """VPA: to a row."""
        x = self.column()
        self.move_to((row or 1) - 1, x - self.left if self.origin else x)

    def cursor_position(self, row: int, column: int = 1, *_: int) -> None:
        """CUP, HVP: to a row and column, of the margins if origin mode is on."""
        if self.origin or self.side_margins:
            self.move_to((row or 1) - 1, (column or 1) - 1)
            return
        self.x = column - 1 if 0 < column <= self.cols else self.cols - 1 if column else 0
        self.y = row - 1 if 0 < row <= self.rows else self.rows - 1 if row else 0

    def move_to(self, y: int, x: int) -> None:
        """Put the cursor there: relative to the margins and within them under origin mode."""
        self.margin_wrap = False
        if self.origin:
            self.y = min(self.top + max(y, 0), self.bottom)
            self.x = min(self.left + max(x, 0), self.right)
        else:
            self.y = min(max(y, 0), self.rows - 1)
            self.x = min(max(x, 0), self.cols - 1)

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

    # Tab stops

    def set_tab_stop(self) -> None:
        """HTS: a tab stop at the cursor."""
        if self.x < self.cols:
            self.tab_stops[self.x] = 1
        self.alternate_tab_stops = self.screen is self.alternate

    def clear_tab_stop(self, which: int, *_: int) -> None:
        """TBC: 0 clears the stop at the cursor, 3 all of them."""
        self.alternate_tab_stops = self.screen is self.alternate
        if which == 3:
            self.tab_stops = bytearray(self.cols)
        elif which == 0 and self.x < self.cols:
            self.tab_stops[self.x] = 0

    def reset_tab_stops(self, which: int, *_: int) -> None:
        """DECST8C: a stop at each eighth column."""
        if which == 5:
            self.tab_stops = bytearray(self.cols)
            self.tab_stops[::8] = b"\1" * len(self.tab_stops[::8])

    def tab_forward(self, count: int, *_: int) -> None:
        """CHT: count tab stops on."""
        for _stop in range(min(count or 1, self.cols)):
            self.tab()

    def tab_back(self, count: int, *_: int) -> None:
        """CBT: count tab stops back; nothing while a wrap is pending."""
        if self.x < self.cols:
            for _stop in range(min(count or 1, self.cols)):
                self.x = max(self.tab_stops.rfind(1, 0, self.x), 0)

    # Character sets

    def designate_charset(self, slot: int, name: str) -> None:
        """SCS: what G0 to G3 are; what is neither DEC graphics nor UK is ASCII to the model."""
        name = name if name in TRANSLATIONS else "B"
        if self.charsets[slot] != name:
            self.charsets[slot] = name
            self.shift_to(self.shift)

    def shift_to(self, slot: int) -> None:
        """A locking shift: which of G0 to G3 the printed characters are from."""
        self.shift = slot
        self.translation = TRANSLATIONS.get(self.charsets[slot])

    def shift_in(self) -> None:
        """SI, LS0."""
        self.shift_to(0)

    def shift_out(self) -> None:
        """SO, LS1."""
        self.shift_to(1)

    def lock_shift_2(self) -> None:
        """LS2."""
        self.shift_to(2)

    def lock_shift_3(self) -> None:
        """LS3."""
        self.shift_to(3)

    def default_charset(self) -> None:
        """ESC % G, ESC % @: G0 in use, as ASCII."""
        self.charsets[0] = "B"
        self.shift_to(0)


def completed(text: str, cols: int, following: str) -> str:
    """The text of a row that wraps into the following one, made as long as the row is wide.

    But the last column, left free because a wide character did not fit, is not part of the line.
    """
    if len(text) >= cols - 1 and following[1:2] == TAIL and text[cols - 1 :] in ("", BLANK):
        return text[: cols - 1]
    return text.ljust(cols, BLANK)
