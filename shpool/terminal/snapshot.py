"""A terminal's state as it is now, kept while it goes on, and given away in parts.

The rows of the history never change and are shared; what a screen's rows are made of is too. The
tables of pens and clusters are copied, for compact.py numbers those of the terminal anew.
"""

from .clusters import FIRST_CLUSTER
from .columns import CHARACTERS, PIECES, STRINGS
from .grid import completed
from .pens import PENS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .cells import Piece
    from .pen import Pen
    from .properties import Properties

# Rows, and cells, that make a part: mostly a tenth of a millisecond's work, and a few milliseconds
# for the widest row of which each cell has a pen of its own.
_ROWS = 256
_CELLS = 2048

# Rows of the history looked at in one go for where the part begins that is wanted.
_LOOK = 4096


class Part:
    """Rows, and what their cells stand for if no part before it said so.

    texts are as in cells.py, without TAIL and BLANK being replaced, and complete where the line
    goes on in the next row; styles are by row, of those that have one; wrapped are the rows that
    continue the one before. pens: those in the styles, and clusters: those in the texts.
    """

    __slots__ = ("clusters", "pens", "styles", "texts", "wrapped")

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.styles: list[tuple[int, str]] = []
        self.wrapped: list[int] = []
        self.pens: list[tuple[str, Pen]] = []
        self.clusters: list[tuple[str, str]] = []


class Snapshot:
    """rows, cols, x, y (of a cell), mark, begun, title, directory, palette, dynamic, shape,
    visible, alternate, reverse: as they were.

    What part() gives is the history, or its end, and then the screen in use. history: how many
    lines that begin in the history are wanted, None for all.
    """

    __slots__ = (
        "_at",
        "_clusters",
        "_history",
        "_known",
        "_pens",
        "_screen",
        "_wanted",
        "alternate",
        "begun",
        "cols",
        "directory",
        "dynamic",
        "mark",
        "palette",
        "reverse",
        "rows",
        "shape",
        "title",
        "visible",
        "x",
        "y",
    )

    CARRIED = {
        "rows": int,
        "cols": int,
        "x": int,
        "y": int,
        "mark": int,
        "begun": int,
        "title": (str, None),
        "directory": (str, None),
        "palette": {int: (str, None)},
        "dynamic": {int: (str, None)},
        "shape": (int, None),
        "visible": bool,
        "reverse": bool,
        "alternate": bool,
        "_pens": PENS,
        "_clusters": STRINGS,
        "_known": CHARACTERS,
        "_history": PIECES,
        "_screen": PIECES,
        "_at": int,
        "_wanted": (int, None),
    }

    def __init__(self, terminal: "Properties", history: "int | None") -> None:
        self.rows = terminal.rows
        self.cols = terminal.cols
        self.x = min(terminal.x, terminal.cols - 1)
        self.y = terminal.y
        self.mark = terminal.mark
        self.begun = terminal.begun
        self.title = terminal.title
        self.directory = terminal.directory
        self.palette = dict(terminal.palette)
        self.dynamic = dict(terminal.dynamic)
        self.shape = terminal.shape
        self.visible = terminal.modes.get(25, True)
        self.reverse = terminal.modes.get(5, False)
        self.alternate = terminal.screen is terminal.alternate
        self._pens = terminal.pens.pens[:]
        self._clusters = terminal.clusters.clusters[:]
        self._known: set[str] = set()  # pens and clusters that were given
        self._history: list[Piece] = [] if history == 0 else list(terminal.history)
        self._screen = _pieces(terminal)
        text, _, wrapped = self._piece(len(self._history))
        if wrapped and self._history:
            self._history[-1] = _completed(self._history[-1], self.cols, text)
        self._at = 0  # the row that comes next, the screen's after those of the history
        self._wanted = history
        if history is not None:
            self._at = len(self._history)

    @property
    def over(self) -> bool:
        """All was given."""
        return not self._wanted and self._at >= len(self._history) + len(self._screen)

    @property
    def screen_row(self) -> int:
        """The row of the screen that comes next; below 0 while those of the history do."""
        return self._at - len(self._history)

    def part(self) -> "Part | None":
        """The next rows; None if it takes longer to find them."""
        if self._wanted:
            self._look_back(self._wanted)
            return None
        part = Part()
        cells = 0
        while cells < _CELLS and len(part.texts) < _ROWS and self._at < self._end():
            piece = self._piece(self._at)
            text, style = piece[0], piece[1]
            if style:
                part.styles.append((len(part.texts), style))
            if piece[2]:
                part.wrapped.append(len(part.texts))
            part.texts.append(text)
            cells += len(text)
            self._at += 1
        self._explain(part)
        return part

    def _end(self) -> int:
        return len(self._history) + len(self._screen)

    def _piece(self, at: int) -> "tuple[str, str, bool]":
        history = self._history
        piece = self._screen[at - len(history)] if at >= len(history) else history[at]
        return (piece, "", False) if isinstance(piece, str) else piece[:3]

    def _look_back(self, wanted: int) -> None:
        """Go back over rows until so many lines begin in them, or there are no more."""
        at = self._at
        history = self._history
        stop = max(at - _LOOK, 0)
        while at > stop and wanted:
            at -= 1
            piece = history[at]
            wanted -= isinstance(piece, str) or not piece[2]
        self._at = at
        self._wanted = wanted if at else 0

    def _explain(self, part: Part) -> None:
        """Add what is not known yet of the pens and clusters in a part."""
        pens = set().union(*[style for _, style in part.styles]) - self._known
        self._known |= pens
        part.pens = [(number, self._pens[ord(number)]) for number in pens]
        odd = [text for text in part.texts if not text.isascii() and max(text) >= FIRST_CLUSTER]
        cells = {cell for cell in set().union(*odd) if cell >= FIRST_CLUSTER}
        cells = {cell for cell in cells if cell not in self._known}
        self._known |= cells
        first = ord(FIRST_CLUSTER)
        part.clusters = [(cell, self._clusters[ord(cell) - first]) for cell in cells]


def _pieces(terminal: "Properties") -> "list[Piece]":
    """The rows of the screen in use, each that is continued as long as it was wide."""
    main = terminal.screen is terminal.main
    rows = terminal.lines
    texts = [row.text for row in rows]
    wrapped = [row.wrapped and main for row in rows]
    for number in range(1, len(rows)):
        if wrapped[number]:
            texts[number - 1] = completed(texts[number - 1], terminal.cols, texts[number])
    return [(text, row.style, goes_on, ()) for text, row, goes_on in zip(texts, rows, wrapped)]


def _completed(piece: "Piece", cols: int, following: str) -> "Piece":
    """A piece of the history that goes on on the screen."""
    if isinstance(piece, str):
        return completed(piece, cols, following)
    return (completed(piece[0], cols, following), *piece[1:])
