"""A row of cells, as two strings: what stands in each cell and with which pen.

text has one character for each cell: the character itself, BLANK where nothing was printed since
the last erase, TAIL in the right half of a wide character, or a character of plane 16 that stands
for a cluster (see clusters.py). style has one character for each cell: its code point is the
number of the pen. Both may be shorter than the screen is wide, style also shorter than text:
cells beyond text are BLANK, cells beyond style have pen 0. So plain rows have an empty style,
and a blank row costs nothing.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    # The OSC 133 that were sent on a row: column, and what follows the number. In the order of
    # columns.
    Marks = tuple[tuple[int, str], ...]

    # A row that scrolled off the main screen: text alone if it is plain and begins a line, else
    # text, style, whether it continues the row before, and marks. A row that is continued is
    # complete to the width it had, so that the pieces of a line only need to be joined.
    Piece = str | tuple[str, str, bool, Marks]

BLANK = "\0"
TAIL = "\x01"
PLAIN = "\0"  # the default pen, in a style


class Row:
    """One row of a screen. wrapped: it continues the row above, without a line end between."""

    __slots__ = ("marks", "style", "text", "wrapped")

    def __init__(
        self, text: str = "", style: str = "", wrapped: bool = False, marks: "Marks" = ()
    ) -> None:
        self.text = text
        self.style = style
        self.wrapped = wrapped
        self.marks = marks

    def clear(self) -> None:
        """Make it a blank row."""
        self.text = self.style = ""
        self.wrapped = False
        self.marks = ()

    def put(self, x: int, cells: str, pen: str) -> None:
        """Write cells from column x on; a wide character cut in half leaves a blank."""
        text = self.text
        end = x + len(cells)
        if TAIL in text:
            self._cut(x, end, pen)
            text = self.text
        if len(text) < x:
            text = text.ljust(x, BLANK)
        self.text = text[:x] + cells + text[end:]
        style = self.style
        if style or pen != PLAIN:
            if len(style) < x:
                style = style.ljust(x, PLAIN)
            self.style = style[:x] + pen * len(cells) + style[end:]

    def erase(self, x: int, end: int, fill: str) -> None:
        """Blank the columns from x up to end; fill is the pen they get (only its background)."""
        text = self.text
        if TAIL in text:
            self._cut(x, end, fill)
            text = self.text
        style = self.style
        if fill != PLAIN:
            self.text = text[:x].ljust(x, BLANK) + BLANK * (end - x) + text[end:]
            self.style = style[:x].ljust(x, PLAIN) + fill * (end - x) + style[end:]
        elif end >= len(text):
            self.text = text[:x]
            self.style = style[:x]
        else:
            self.text = text[:x] + BLANK * (end - x) + text[end:]
            self.style = style[:x] + PLAIN * (min(end, len(style)) - x) + style[end:]

    def erase_unprotected(self, x: int, end: int, fill: str, protected: set[str]) -> None:
        """As erase, but sparing the cells whose pen is in protected (DECSED, DECSEL)."""
        style = self.style.ljust(end, PLAIN)
        start = x
        while start < end:
            if style[start] in protected:
                start += 1
                continue
            stop = start + 1
            while stop < end and style[stop] not in protected:
                stop += 1
            self.erase(start, stop, fill)
            start = stop

    def insert(self, x: int, count: int, edge: int, fill: str) -> None:
        """Shift the columns from x up to edge right by count; what passes edge is lost (ICH)."""
        count = min(count, edge - x)
        self._shift(x, edge, fill, x, edge - count, BLANK * count, "")

    def delete(self, x: int, count: int, edge: int, fill: str) -> None:
        """Take count columns out at x; blanks come in before edge (DCH)."""
        count = min(count, edge - x)
        self._shift(x, edge, fill, x + count, edge, "", BLANK * count)

    def _shift(
        self, x: int, edge: int, fill: str, start: int, stop: int, before: str, after: str
    ) -> None:
        if TAIL in self.text:
            self._cut(start, stop, fill)
            self._cut(x, edge, fill)
        text = self.text.ljust(edge, BLANK)
        self.text = text[:x] + before + text[start:stop] + after + text[edge:]
        if self.style or fill != PLAIN:
            style = self.style.ljust(edge, PLAIN)
            before = fill * len(before)
            after = fill * len(after)
            self.style = style[:x] + before + style[start:stop] + after + style[edge:]

    def _cut(self, x: int, end: int, pen: str) -> None:
        """Blank the wide characters that the borders x and end cut in half."""
        text = self.text
        for at in (x, end):
            if 0 < at < len(text) and text[at] == TAIL:
                self._blank(at - 1, pen)
                self._blank(at, pen)

    def _blank(self, x: int, pen: str) -> None:
        self.text = self.text[:x] + BLANK + self.text[x + 1 :]
        if self.style or pen != PLAIN:
            style = self.style.ljust(x, PLAIN)
            self.style = style[:x] + pen + style[x + 1 :]

    def crop(self, cols: int) -> None:
        """Cut off what is beyond cols; half a wide character goes too."""
        if len(self.text) > cols:
            if self.text[cols] == TAIL:
                self._blank(cols - 1, PLAIN)
            self.text = self.text[:cols]
            self.style = self.style[:cols]


def spliced(old: str, x: int, end: int, new: str, blank: str) -> str:
    """A text or style with the columns from x up to end replaced. new may be shorter, and the
    result is no longer than it has to be; blank is what fills it up."""
    if len(old) > end:
        return old[:x] + new.ljust(end - x, blank) + old[end:]
    if new:
        return old[:x].ljust(x, blank) + new
    return old[:x]
