"""Rows as output that draws them on an erased screen."""

import re

from .cells import BLANK, PLAIN, TAIL, Row
from .pen import PROTECTED, sgr
from .width import is_doubtful, joins

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from .clusters import Clusters
    from .pen import Pen
    from .pens import Pens

# What is not simply written out: blanks, and wide characters and clusters. CJK needs no care but
# that its TAIL is left out; what terminals measure differently is followed by an absolute column.
_BLANKS_OR_TEXT = re.compile("\0+|[^\0]+").findall
_DOUBTFUL = re.compile(
    "([\u2600-\u27bf\u2b00-\u2bff\U0001f000-\U0001ffff\U00100000-\U0010ffff]\x01?)"
)


class Painter:
    """Collects output; knows the pen that the terminal has after it."""

    def __init__(self, pens: "Pens", clusters: "Clusters", rows: int, *, joining: bool) -> None:
        """joining: what belongs together may stand in several cells: not so in mode 2027."""
        self.out: list[str] = []
        self.pen = PLAIN
        self._pens = pens
        self._clusters = clusters
        self._can_go_up = rows > 1
        self._joins = joining  # what is printed on goes into one cluster, in some terminals
        self._wrapping = False  # the row's first cell is what the row above wraps with
        self._changes: dict[str, str] = {}

    def use(self, pen: str) -> None:
        """Change to a pen (as in a style)."""
        if pen != self.pen:
            key = self.pen + pen
            change = self._changes.get(key)
            if change is None:
                change = self._changes[key] = self._change(self.pen, pen)
            self.out.append(change)
            self.pen = pen

    def number(self, pen: "Pen") -> str:
        """A pen as in a style."""
        return self._pens.number(pen)

    def _change(self, old: str, new: str) -> str:
        pens = self._pens.pens
        before, after = pens[ord(old)], pens[ord(new)]
        change = sgr(after) if before[:5] != after[:5] else ""
        if after[2] & PROTECTED:
            change += '\x1b[1"q'
        elif before[2] & PROTECTED:
            change += '\x1b[0"q'
        if before[5] != after[5]:
            change += f"\x1b]8;{after[5] or ';'}\x1b\\"
        return change

    def rows(self, rows: "Sequence[Row]", cols: int) -> None:
        """Rows one below the other, from the cursor in column 0 on. One that wraps into the next
        is followed by it directly, so that the terminal wraps it itself."""
        out = self.out
        last = len(rows) - 1
        above = ""
        for number, row in enumerate(rows):
            text = row.text
            start = 0
            self._wrapping = row.wrapped and number > 0
            if self._wrapping:
                start = self._wrapped_into(row, above, cols)
            above = ""
            if row.marks:
                start = self._with_marks(row, cols, start)
            following = rows[number + 1] if number < last else None
            if following is not None and following.wrapped:
                if following.text[1:2] == TAIL and text[cols - 1 :] in ("", BLANK):
                    text = text[: cols - 1].ljust(cols - 1, BLANK)
                    free = row.style[cols - 1 : cols]
                    above = free if free != following.style[:1] else ""
                else:
                    # Only a printed last column brings the cursor to where it wraps.
                    text = text.ljust(cols, BLANK)
                    if text[-1] == BLANK:
                        text = text[:-1] + " "
                        above = row.style[cols - 1 : cols] or PLAIN
                self.row(text, row.style, cols, start)
                continue
            if not row.style and not start and text.isascii() and BLANK not in text:
                if self.pen != PLAIN:
                    self.use(PLAIN)
                out.append(text)
            else:
                self.row(text, row.style, cols, start)
            if following is not None:
                # A line feed that scrolls paints the new line with the pen's background.
                if self.pen != PLAIN:
                    self.use(PLAIN)
                out.append("\r\n")

    def _with_marks(self, row: Row, cols: int, start: int) -> int:
        """The cells from column start on that stand before a row's last mark, and the marks. One
        behind the last character comes right after that. Returns the column to go on from."""
        text = row.text.rstrip(BLANK)
        for x, mark in row.marks:
            if text[x : x + 1] == TAIL:
                x += 1
            if x > start and start < len(text):
                self.row(text[:x], row.style[: min(x, len(text))], cols, start)
                start = min(x, len(text))
            self.out.append(f"\x1b]133;{mark}\x1b\\")
        return start

    def _wrapped_into(self, row: Row, above: str, cols: int) -> int:
        """The first cell of a row that the terminal wraps into, and what wrapping there gets
        wrong. Returns the column to go on from.

        above: the pen that the last cell of the row above is to be blank with, if it is: there a
        space was printed to get here, or, left free for a wide character, it took, in xterm.js,
        the pen of that. And a row that scrolls in has the background of the pen.
        """
        pen = row.style[:1] or PLAIN
        text = row.text
        if text[:1] in ("", BLANK):
            # Only a printed character wraps. It is taken back without EL from column 0, which
            # would take back the wrap too.
            start = 0
            self.use(PLAIN)
            self.out.append(" \x1b[K\x1b[D\x1b[X")
        else:
            scrolled_in = pen != PLAIN and (len(text) < cols or BLANK in text)
            if not (scrolled_in or above):
                return 0
            start = 2 if text[1:2] == TAIL else 1
            self.row(text[:start], row.style[:start], cols)
            if scrolled_in:
                self.use(PLAIN)
                self.out.append("\x1b[K")
        if above and self._can_go_up:
            self.use(above)
            blank = "\x1b[X" if above == PLAIN or self._is_fill() else " "
            self.out.append(f"\x1b[A\x1b[{cols}G{blank}\x1b[B\x1b[{start + 1}G")
        return start

    def row(self, text: str, style: str, cols: int, start: int = 0) -> None:
        """One row's cells from column start on, where the cursor is; it ends behind the last one
        that is not blank."""
        at = start
        length = len(text)
        plain = text.isascii() and BLANK not in text
        out = self.out
        changes = self._changes
        rest = style[start:]
        while rest:
            # A stretch of one pen; four times as fast as a backreference finds it.
            pen = rest[0]
            after = rest.lstrip(pen)
            end = at + len(rest) - len(after)
            rest = after
            if pen != self.pen:
                change = changes.get(self.pen + pen)
                if change is None:
                    self.use(pen)
                else:
                    out.append(change)
                    self.pen = pen
            if plain:
                out.append(text[at:end])
            else:
                self._stretch(text[at:end], at, cols, pen == PLAIN and end == length)
            at = end
        if at < length:
            self.use(PLAIN)
            if plain:
                out.append(text[at:])
            else:
                self._stretch(text[at:], at, cols, True)

    def _stretch(self, text: str, x: int, cols: int, last: bool) -> None:
        """Cells of the current pen from column x on; last: nothing but blank follows."""
        out = self.out
        for part in _BLANKS_OR_TEXT(text):
            size = len(part)
            if part[0] != BLANK:
                if part.isascii():
                    out.append(part)
                else:
                    self._text(part, x, cols)
            elif not (last and x + size >= cols) or self.pen != PLAIN:
                if self.pen == PLAIN:
                    out.append(f"\x1b[{size}C")
                elif not self._is_fill():
                    self._halves(size, x, cols)
                elif x + size >= cols:
                    out.append("\x1b[K")
                else:
                    out.append(f"\x1b[{size}X\x1b[{size}C")
            x += size

    def _halves(self, size: int, x: int, cols: int) -> None:
        """Blanks from column x on that keep a whole pen, as half a wide character does that was
        printed over: made in that way. In the last column a space has to do."""
        pen = self.pen
        for column in range(x, x + size):
            self.use(pen)
            if column + 1 < cols:
                right = f"\x1b[{column + 2}G"
                self.out.append(f"\u6f22{right} {right}")
                self.use(PLAIN)
                self.out.append("\x1b[X")
            else:
                self.out.append(" ")
        self.use(pen)

    def _is_fill(self) -> bool:
        """Returns whether the pen is one that erasing leaves: nothing but a background."""
        fg, _, *others = self._pens.pens[ord(self.pen)]
        return not (fg or any(others))

    def _text(self, part: str, x: int, cols: int) -> None:
        """Text from column x on. What terminals join comes in one, and an absolute column after
        it. Where a space follows what may be wider there, the space comes first: printed after it,
        it would blank it."""
        out = self.out
        cluster = ""  # the last, while the cursor may be elsewhere than in column x
        start = 0  # its column
        for number, piece in enumerate(_DOUBTFUL.split(part)):
            if number % 2:
                text = self._clusters.text(piece[0])
                if cluster and self._joins and joins(cluster, text[0]):
                    cluster += text
                else:
                    self._put_cluster(cluster, x)
                    cluster, start = text, x
                x += len(piece)
            elif piece:
                narrow = cluster and x - start == 1 and not (self._wrapping and not start)
                if narrow and piece[0] == " " and x + 1 < cols and is_doubtful(cluster):
                    out.append(f"\x1b[{x + 1}G \x1b[{start + 1}G")
                    x += 1
                    piece = piece[1:]
                self._put_cluster(cluster, x)
                cluster = ""
                out.append(piece.replace(TAIL, ""))
                x += len(piece)
        if x < cols:
            self._put_cluster(cluster, x)
        else:
            out.append(cluster)

    def _put_cluster(self, cluster: str, x: int) -> None:
        """A cluster, and the column after it."""
        if cluster:
            self.out.append(f"{cluster}\x1b[{x + 1}G")
