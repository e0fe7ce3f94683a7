"""Erasing, inserting, deleting: what changes cells without printing."""

from .cells import PLAIN, TAIL, Row
from .grid import part, place
from .printing import Printer
from .width import char_width

# What changing a part of one row costs beside a sequence's length; see Parser.begin.
_ROW = 6


class Editor(Printer):
    """The printer with the editing controls. Erased cells get the pen's background (bce)."""

    __slots__ = ()

    def erase_in_display(self, which: int, *_: int) -> None:
        """ED: 0 from the cursor, 1 up to it, 2 the screen, 3 the history: not on the alternate
        screen, which has none, as in xterm.js, kitty and alacritty and unlike in xterm."""
        if which == 3:
            if self.screen is self.main:
                self.history.clear()
        else:
            self._erase_in_display(which, selective=False)

    def selective_erase_in_display(self, which: int, *_: int) -> None:
        """DECSED: as ED, sparing protected cells."""
        self._erase_in_display(which, selective=True)

    def _erase_in_display(self, which: int, *, selective: bool) -> None:
        if which > 2:
            return
        y = self.y
        if which == 0:
            whole = range(y + 1, self.rows)
        elif which == 1:
            whole = range(y)
            if self.x + 1 >= self.cols and y + 1 < self.rows:
                self.lines[y + 1].wrapped = False
        else:
            whole = range(self.rows)
        if which < 2:
            if selective:
                self.selective_erase_in_line(which)
            else:
                self.erase_in_line(which)
            if which == 1:
                self.lines[y].wrapped = False
        if self.screen is self.main and (which == 2 or not (which or y)):
            self.restarts += 1
        rows = self.lines[whole.start : whole.stop]
        if not selective:
            self._blank(rows)
            return
        for row in rows:
            row.wrapped = False
            row.marks = ()
            self._erase_unprotected(row, 0, self.cols)

    def erase_in_line(self, which: int, *_: int) -> None:
        """EL: 0 from the cursor, 1 up to it, 2 the line. A pending wrap stays, and 0 is then
        nothing, as in xterm.js."""
        if which == 0 and self._fill == PLAIN:
            # What full-screen programs send with each line, without the calls.
            x = self.x
            row = self.lines[self.y]
            text = row.text
            if x >= len(text) or text[x] != TAIL:
                row.text = text[:x]
                row.style = row.style[:x]
                if not x:
                    row.wrapped = False
                return
        x, end = self._part_of_line(which)
        self.lines[self.y].erase(x, end, self.fill)

    def selective_erase_in_line(self, which: int, *_: int) -> None:
        """DECSEL: as EL, sparing protected cells."""
        x, end = self._part_of_line(which)
        self._erase_unprotected(self.lines[self.y], x, end)

    def _part_of_line(self, which: int) -> tuple[int, int]:
        """First and end column of what EL erases. A line erased from its start on, or whole, no
        longer goes on from the one above."""
        x = self.x
        if which == 1:
            return 0, x + 1 if x < self.cols else self.cols
        if which > 2:
            return 0, 0
        if which == 2:
            x = 0
        if not x:
            self.lines[self.y].wrapped = False
        return x, self.cols

    def _erase_unprotected(self, row: Row, x: int, end: int) -> None:
        protected = self.pens.protected
        if protected.isdisjoint(row.style):
            self.work -= _ROW
            row.erase(x, end, self.fill)
        else:
            self.work -= 2 * (end - x)
            row.erase_unprotected(x, end, self.fill, protected)

    def erase_characters(self, count: int, *_: int) -> None:
        """ECH: blank count cells from the cursor."""
        x = self.x = self.column()
        self.lines[self.y].erase(x, min(x + (count or 1), self.cols), self.fill)

    def _right_edge(self) -> int:
        """Where shifting at the cursor ends, or 0 if it stands outside the side margins."""
        if not self.side_margins:
            return self.cols
        return self.right + 1 if self.left <= self.x <= self.right else 0

    def insert_characters(self, count: int, *_: int) -> None:
        """ICH: shift the rest of the line right."""
        x = self.x = self.column()
        edge = self._right_edge()
        if edge:
            self.lines[self.y].insert(x, count or 1, edge, self.fill)

    def delete_characters(self, count: int, *_: int) -> None:
        """DCH: shift the rest of the line left."""
        x = self.x = self.column()
        edge = self._right_edge()
        if edge:
            self.lines[self.y].delete(x, count or 1, edge, self.fill)

    def _in_margins(self) -> bool:
        return self.top <= self.y <= self.bottom and (
            not self.side_margins or self.left <= self.x <= self.right
        )

    def insert_lines(self, count: int, *_: int) -> None:
        """IL: shift the lines from the cursor to the bottom margin down."""
        self.x = self.column()
        if self._in_margins():
            self.scroll_region(self.y, -(count or 1))
            self.x = self.left

    def delete_lines(self, count: int, *_: int) -> None:
        """DL: shift the lines below the cursor up, to the bottom margin."""
        self.x = self.column()
        if self._in_margins():
            self.scroll_region(self.y, count or 1)
            self.x = self.left

    def scroll_up(self, count: int, *_: int) -> None:
        """SU: scroll the region up; what leaves the screen at its top goes to the history, as in
        xterm, kitty and alacritty and unlike in xterm.js."""
        if self.top or self.side_margins or self.screen is not self.main:
            self.scroll_region(self.top, count or 1)
            return
        count = min(count or 1, self.bottom + 1)
        self.work -= _ROW * count
        for _line in range(count):
            self._scroll_line()

    def scroll_down(self, count: int, *_: int) -> None:
        """SD: scroll the region down; blank lines without a background, as in xterm.js."""
        fill = self._fill
        self._fill = PLAIN
        self.scroll_region(self.top, -(count or 1))
        self._fill = fill

    def _shift_columns(self, x: int, count: int, *, insert: bool) -> None:
        if not self.top <= self.y <= self.bottom:
            return
        rows = self.lines[self.top : self.bottom + 1]
        self.work -= _ROW * len(rows)
        for row in rows:
            if insert:
                row.insert(x, count or 1, self.right + 1, self.fill)
            else:
                row.delete(x, count or 1, self.right + 1, self.fill)
            row.wrapped = False

    def insert_columns(self, count: int, *_: int) -> None:
        """DECIC: shift the columns from the cursor on right, in all lines of the region."""
        if self._in_margins() and self.x < self.cols:
            self._shift_columns(self.x, count, insert=True)

    def delete_columns(self, count: int, *_: int) -> None:
        """DECDC: shift the columns right of the cursor left, in all lines of the region."""
        if self._in_margins() and self.x < self.cols:
            self._shift_columns(self.x, count, insert=False)

    def shift_left(self, count: int, *_: int) -> None:
        """SL: shift the region left."""
        self._shift_columns(self.left, count, insert=False)

    def shift_right(self, count: int, *_: int) -> None:
        """SR: shift the region right."""
        self._shift_columns(self.left, count, insert=True)

    def alignment_display(self) -> None:
        """DECALN: the screen full of E, the cursor home; margins stay, as in xterm.js."""
        self.move_to(0, 0)
        rows = self.lines[self.y :]
        self.work -= len(rows)
        text = "E" * self.cols
        style = self.pen * self.cols if self.pen != PLAIN else ""
        for row in rows:
            row.text = text
            row.style = style
            row.wrapped = False

    # Rectangles (DEC VT420). Coordinates count from 1, and within the margins in origin mode.

    def _rectangle(self, top: int, left: int, bottom: int, right: int) -> tuple[range, int, int]:
        """Rows, first column and end column; empty rows if there is nothing in it."""
        first_row, last_row, first, last = 0, self.rows - 1, 0, self.cols - 1
        if self.origin:
            first_row, last_row, first, last = self.top, self.bottom, self.left, self.right
        y = first_row + (top or 1) - 1
        x = first + (left or 1) - 1
        end_row = min(first_row + bottom - 1, last_row) if bottom else last_row
        end = min(first + right - 1, last) if right else last
        if x > end:
            return range(0), 0, 0
        return range(y, end_row + 1), x, end + 1

    def erase_rectangle(
        self, top: int, left: int = 0, bottom: int = 0, right: int = 0, *_: int
    ) -> None:
        """DECERA."""
        rows, x, end = self._rectangle(top, left, bottom, right)
        self.work -= _ROW * len(rows)
        for y in rows:
            self.lines[y].erase(x, end, self.fill)

    def selective_erase_rectangle(
        self, top: int, left: int = 0, bottom: int = 0, right: int = 0, *_: int
    ) -> None:
        """DECSERA."""
        rows, x, end = self._rectangle(top, left, bottom, right)
        for y in rows:
            self._erase_unprotected(self.lines[y], x, end)

    def fill_rectangle(
        self, code: int, top: int = 0, left: int = 0, bottom: int = 0, right: int = 0, *_: int
    ) -> None:
        """DECFRA: fill with a character, in the current pen."""
        rows, x, end = self._rectangle(top, left, bottom, right)
        if not (0x20 <= code < 0x7F or 0xA0 <= code < 0xD800) or char_width(chr(code)) != 1:
            return
        self.work -= _ROW * len(rows)
        for y in rows:
            self.lines[y].put(x, chr(code) * (end - x), self.pen)

    def copy_rectangle(
        self,
        top: int,
        left: int = 0,
        bottom: int = 0,
        right: int = 0,
        _page: int = 0,
        to_top: int = 0,
        to_left: int = 0,
        *_: int,
    ) -> None:
        """DECCRA: copy cells; there is one page."""
        rows, x, end = self._rectangle(top, left, bottom, right)
        to_rows, to_x, to_end = self._rectangle(to_top, to_left, 0, 0)
        size = min(end - x, to_end - to_x)
        if size <= 0 or (rows.start, x) == (to_rows.start, to_x):
            return
        rows = rows[: len(to_rows)]
        self.work -= 2 * _ROW * len(rows)
        parts = [part(self.lines[y], x, x + size) for y in rows]
        for y, (cells, style) in zip(to_rows, parts):
            place(self.lines[y], to_x, cells, style)
