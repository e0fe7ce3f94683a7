"""Controls that move the cursor, tab stops, and the character sets printed characters are from."""

from .grid import Grid

GRAPHICS = {
    ord(char): ord(drawn)
    for char, drawn in zip("`abcdefghijklmnopqrstuvwxyz{|}~", "◆▒␉␌␍␊°±␤␋┘┐┌└┼⎺⎻─⎼⎽├┤┴┬│≤≥π≠£·")
}
TRANSLATIONS = {"0": GRAPHICS, "A": {ord("#"): ord("£")}}


class Cursor(Grid):
    """The grid with a cursor that can be moved."""

    __slots__ = ("alternate_tab_stops", "clustering", "reverse_wrap", "tab_stops")

    CARRIED = {
        "reverse_wrap": bool,
        "clustering": bool,
        "stops": bytes,
        "alternate_tab_stops": bool,
    }
    DERIVED = ("tab_stops",)

    @property
    def stops(self) -> bytes:
        """Tab stops, which may go on beyond the last column: 1 for each column that has one."""
        return bytes(self.tab_stops)

    @stops.setter
    def stops(self, stops: bytes) -> None:
        self.tab_stops = bytearray(stops)

    def derive(self) -> None:
        super().derive()
        self.translation = TRANSLATIONS.get(self.charsets[self.shift])
        if len(self.tab_stops) < self.cols:
            raise ValueError("tab stops of a narrower screen")

    def initialize(self) -> None:
        super().initialize()
        self.reverse_wrap = False
        self.clustering = False
        self.tab_stops = bytearray()
        self.alternate_tab_stops = False  # set on the alternate screen; some have a set for each
        self.reset_tab_stops(5)

    def new_line(self) -> None:
        """CR LF."""
        self.x = self.wrap_column if self.side_margins else 0
        self.margin_wrap = False
        self.line_feed()

    def carriage_return(self) -> None:
        """CR: to the first column, or to the left margin unless the cursor is left of it."""
        self.x = self.wrap_column if self.side_margins else 0
        self.margin_wrap = False

    def line_feed(self) -> None:
        """LF, VT, FF: down a line, scrolling at the bottom margin; CR too in line-feed mode."""
        if self.newline_mode:
            self.carriage_return()
        if self.margin_wrap:
            self.x = self.column()
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

    def cursor_position(self, y: int, x: int) -> None:
        """CUP, HVP: to a row and column counted from 0, of the margins if origin mode is on."""
        if self.origin or self.side_margins:
            self.move_to(y, x)
            return
        self.x = x if x < self.cols else self.cols - 1
        self.y = y if y < self.rows else self.rows - 1

    def go_to_matched_position(self) -> None:
        row, column = self.match.groups()
        self.cursor_position(int(row) - 1, int(column) - 1)

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
            before = self.x
            self.work -= 2
            self.tab()
            if self.x == before:
                return

    def tab_back(self, count: int, *_: int) -> None:
        """CBT: count tab stops back; nothing while a wrap is pending."""
        if self.x < self.cols:
            for _stop in range(min(count or 1, self.cols)):
                if not self.x:
                    return
                self.work -= 2
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
