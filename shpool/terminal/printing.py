"""Printing: from characters to cells, wrapping, combining, repeating."""

from .cells import BLANK, PLAIN, TAIL
from .clusters import FIRST_CLUSTER, MAX_CLUSTER
from .cursor import Cursor
from .parser import UNBOUNDED
from .width import UNSURE, char_width, cluster_width, joins

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .cells import Piece

MARK = "\x02"  # in cells: what follows the cell before it, or needs a number from the table
_MAX_CELLS_MEMO = 20000
_MAX_REPEAT = 0xFFFF  # of REP, as in kitty; the largest screens have 16 million cells
_WRAP = 20  # what going on on the next row costs beside the printing itself; see Parser.begin


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


class Printer(Cursor):
    """The cursor with the ability to print."""

    __slots__ = ()

    def write(self, text: str) -> None:
        """Print characters at the cursor, wrapping as autowrap says."""
        if self.translation:
            text = text.translate(self.translation)
        if not text.isascii() and UNSURE.search(text):
            if self.clustering:
                self._write_clusters(text)
                return
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
            if x < len(style):
                row.style = style[:x] + pen * (end - x) + style[end:]
            elif pen != PLAIN:
                row.style = style.ljust(x, PLAIN) + pen * (end - x)
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
            elif cells and self.autowrap:
                cells[-1] = clusters.joined(cells[-1][0], char) + cells[-1][1:]
            else:
                # Without autowrap the last character may find no place, and what joins it then
                # joins the one before. Nothing scrolls, so this is no more work than it seems.
                work, self.work = self.work, UNBOUNDED
                self._write_wrapping("".join(cells))
                self.work += work - UNBOUNDED
                cells.clear()
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

    def _write_clusters(self, text: str) -> None:
        """Print under mode 2027: a cluster is one cell, as wide as it is as a whole."""
        clusters: list[str] = []
        continues = text is self.continues
        for char in text:
            if not clusters:
                start, cells = self.cell_before()
                before = self.clusters.text(cells[:1] or BLANK)
                if before and joins(before, char) and (continues or not char_width(char)):
                    grown = before + char if len(before) < MAX_CLUSTER else before
                    if cluster_width(grown) == len(cells):
                        row = self.lines[self.y]
                        cell = self.clusters.cell(grown)
                        row.text = row.text[:start] + cell + row.text[start + 1 :]
                    else:
                        self._take_back(start, len(cells))
                        clusters.append(grown)
                elif char_width(char):
                    clusters.append(char)
            elif not joins(clusters[-1], char):
                clusters.append(char)
            elif len(clusters[-1]) < MAX_CLUSTER:
                clusters[-1] += char
            continues = True
        if clusters:
            self._write_wrapping("".join(map(self._cluster_cells, clusters)))

    def _cluster_cells(self, cluster: str) -> str:
        if len(cluster) == 1 and cluster < FIRST_CLUSTER:
            return _cells[cluster]
        return self.clusters.cell(cluster) + (TAIL if cluster_width(cluster) == 2 else "")

    def _take_back(self, start: int, size: int) -> None:
        """Have the cursor where the cluster before it begins, to print that anew."""
        self.x = start
        self.margin_wrap = False
        if self.insert_mode:
            self.lines[self.y].delete(start, size, self.edge, self.fill)

    def finish_printing(self) -> None:
        cells, self.unprinted = self.unprinted, ""
        self._write_wrapping(cells)

    def _write_wrapping(self, cells: str) -> None:
        """Print cells that may pass the right edge, or under insert mode or side margins."""
        while cells:
            if self.work < 0:
                self.unprinted = cells
                return
            edge = self.edge
            if self.x >= edge and (self.x >= self.cols or self.margin_wrap):
                if self.autowrap:
                    if self.side_margins:
                        cells = self._pass_rows(cells)
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
                    # A wide character where there is but one column: a blank takes its place.
                    piece = BLANK
                    cells = cells[1:]
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

    def _pass_rows(self, cells: str) -> str:
        """With a wrap pending between side margins: print those of many cells that fill rows, most
        of which scroll out again, in one scroll. Returns the other cells."""
        width = self.right + 1 - self.left
        number = (len(cells) - 1) // width
        if number < 2 or self.x != self.right + 1 or self.y != self.bottom:
            return cells
        if self.insert_mode or TAIL in cells:
            return cells
        rows = min(number, self.bottom + 1 - self.top)
        self.scroll_region(self.top, rows)
        self.work -= _WRAP * rows
        start = (number - rows) * width
        for row in self.lines[self.bottom + 1 - rows : self.bottom + 1]:
            row.put(self.left, cells[start : start + width], self.pen)
            start += width
        self.lines[self.bottom].wrapped = False
        return cells[start:]

    def _put(self, cells: str, edge: int) -> None:
        """Print cells that fit before edge."""
        row = self.lines[self.y]
        if self.insert_mode:
            row.insert(self.x, len(cells), edge, self.pen)
        row.put(self.x, cells, self.pen)
        self.x += len(cells)

    def _overprint(self, cells: str, edge: int) -> None:
        """Print what passes the edge without autowrap: the last narrow character ends up in the
        last column; wide ones are not printed at all."""
        narrow = [
            cell for cell, after in zip(cells, cells[1:] + BLANK) if cell != TAIL and after != TAIL
        ]
        self.x = edge - 1
        if narrow:
            self._put(narrow[-1], edge)
        if cells[-1] == TAIL:
            self.x = edge - 1
        self.margin_wrap = self.x == edge and edge < self.cols

    def _wrap(self) -> None:
        self.work -= _WRAP
        self.x = self.wrap_column
        self.margin_wrap = False
        if self.y == self.bottom:
            self._scroll_line()
        elif self.y < self.rows - 1:
            self.y += 1
        self.lines[self.y].wrapped = not self.side_margins

    def repeat(self, count: int) -> None:
        """REP: print the cluster before the cursor again, count times. What is more than fills the
        screen only counts for where the cursor ends."""
        cell = self.cell_before()[1]
        if not cell:
            return
        most = min((self.rows + 1) * self.cols, _MAX_REPEAT)
        if count > most:
            a_row = max((self.right + 1 - self.left) // len(cell), 1)
            count = most + (count - most) % a_row
        # In one go: what comes after it must not be printed before.
        work, self.work = self.work, UNBOUNDED
        self._write_wrapping(cell * count)
        self.work += work - UNBOUNDED

    def cell_before(self) -> tuple[int, str]:
        """Column and cells (with TAIL) of the cluster that ends before the cursor. None does in
        the first column, nor on the right half of a wide one, where a crop can leave the cursor."""
        text = self.lines[self.y].text
        x = self.x - 1
        if x < 0 or text[x + 1 : x + 2] == TAIL:
            return max(x, 0), ""
        if text[x : x + 1] == TAIL:
            return x - 1, text[x - 1 : x + 1]
        return x, text[x : x + 1]

    def write_lines(self, text: str) -> str:
        """Print whole plain lines at once, when they would only pass through the scroll region."""
        if self.limit < 0 or self.translation or self.pen != PLAIN or not self.autowrap:
            return text
        if text[0] == "\n":  # of a line end cut in two, as many are
            self.line_feed()
            text = text[1:]
        stop = text.find("\x1b")
        end = text.rfind("\r\n", 0, len(text) if stop < 0 else stop)
        if end < 256:
            return text
        plain = text[:end].split("\r\n")
        joined = "".join(plain)
        if not (joined.isascii() and joined.isprintable()):
            return text
        # One by one to the bottom, for rows that may have something in them.
        done = 0
        for line in plain:
            if self.y == self.bottom and not self.x:
                row = self.lines[self.y]
                if not row.text and not row.style:
                    break
            if line:
                self.write(line)
            self.new_line()
            done += 1
        if done < len(plain):
            pieces = self._wrapped(plain[done:])
            self._scroll_in(pieces, whole=len(pieces) == len(plain) - done)
        return text[end + 2 :]

    def _wrapped(self, plain: list[str]) -> "list[Piece]":
        """Plain lines as the pieces that they wrap into."""
        cols = self.cols
        if len(max(plain, key=len)) <= cols:
            return [*plain]
        pieces: list[Piece] = []
        for line in plain:
            if len(line) <= cols:
                pieces.append(line)
            else:
                pieces.append(line[:cols])
                pieces += [
                    (line[at : at + cols], "", True, ()) for at in range(cols, len(line), cols)
                ]
        return pieces

    def _scroll_in(self, plain: "list[Piece]", *, whole: bool) -> None:
        """Let plain rows scroll in from the region's last row, which is blank and stays so;
        whole: each is a line."""
        region = self.lines[self.top : self.bottom + 1]
        last = region.pop()
        last.clear()
        passing = max(len(plain) - len(region), 0)
        leaving = region[: len(plain)]
        if not self.top and self.screen is self.main:
            for row in leaving:
                self.keep(row)
            gone = plain[:passing]
            self.history.extend(gone)
            self.begun += passing if whole else sum([isinstance(piece, str) for piece in gone])
        for row, piece in zip(leaving, plain[passing:]):
            row.clear()
            row.text, row.wrapped = (piece, False) if isinstance(piece, str) else (piece[0], True)
        self.lines[self.top : self.bottom + 1] = [*region[len(leaving) :], *leaving, last]
