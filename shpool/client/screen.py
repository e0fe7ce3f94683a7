"""A session's screen and history as the daemon sends them, and as lines to be printed.

How they look is for the modules that each make one kind of output: as_text.py, as_json.py.
"""

from shpool.client.connect import ClientError
from shpool.client.outside import session_meant
from shpool.client.reach import begin
from shpool.errors import Verdict
from shpool.protocol.chunks import DATA, EXIT_STATUS, ChunkReader
from shpool.protocol.msgpack import WireError
from shpool.protocol.screens import PeekHead, Rows
from shpool.terminal.cells import BLANK, PLAIN, TAIL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from shpool.client.connect import Call
    from shpool.client.context import Context
    from shpool.protocol.outside import PeekRequest
    from shpool.protocol.screens import Pen

# One read, in bytes.
_READ = 262_144

_DEFAULT: "Pen" = ("", "", 0, 0, "", "")


class Line:
    """Cells and their pens, as terminal/cells.py has them: a row, or several that are one line."""

    __slots__ = ("style", "text")

    def __init__(self, text: str, style: str) -> None:
        self.text = text
        self.style = style


class Screen:
    """`lines` to be shown; the cursor in column `x` of line `y`, which is -1 if none of them has
    it; `lost`: how many of the lines asked for are gone."""

    def __init__(self, head: PeekHead, rows: Rows) -> None:
        self.head = head
        self._rows = rows
        self.lines: list[Line] = []
        self.x = head.x
        self.y = -1
        self.lost = 0
        self._shown = {BLANK: " ", TAIL: "", **rows.clusters}
        self._table = str.maketrans(self._shown)

    def show_rows(self) -> None:
        """A line for each row of the screen."""
        first = self._first_row
        self.lines = [Line(*each) for each in zip(self._rows.texts, self._rows.styles)][first:]
        self.y = self.head.y

    def show_lines(self, last: "int | None", since: "int | None") -> None:
        """The lines of history and screen, or with `since` those from that number on that are
        wholly in the history; and of them the last ones."""
        wrapped = self._rows.wrapped
        groups = _groups(wrapped)
        in_history = sum(1 for each in wrapped[: self._first_row] if not each)
        first = max(self.head.begun - in_history - bool(wrapped and wrapped[0]), 0)
        groups, lost = self._final(groups, first, since)
        if since is None:
            groups = groups[: self._seen(groups)]
        if last is not None:
            groups = groups[max(len(groups) - last, 0) :]
        self.lost = lost
        self.lines = [self._joined(start, end) for start, end in groups]
        self._find_cursor(groups)

    @property
    def _first_row(self) -> int:
        """The screen's first row among those that came."""
        return max(len(self._rows.texts) - self.head.rows, 0)

    def _final(
        self, groups: "list[tuple[int, int]]", first: int, since: "int | None"
    ) -> "tuple[list[tuple[int, int]], int]":
        """The lines asked for, of which the first one that came has the number `first`; and how
        many of those from `since` on are gone."""
        wrapped = self._rows.wrapped
        whole = first + bool(wrapped and wrapped[0])  # a line without its start is lost as well
        lost = max(min(whole, self.head.mark) - (since or 0), 0)
        if since is None:
            return groups, lost
        return groups[max(since, whole) - first : max(self.head.mark - first, 0)], lost

    def _seen(self, groups: "list[tuple[int, int]]") -> int:
        """How many lines there are down to the last one in which there is something to see."""
        number = len(groups)
        while number:
            start, end = groups[number - 1]
            line = self._joined(start, end)
            if line.style.strip(PLAIN) or self.text(line):
                break
            number -= 1
        return number

    def _joined(self, start: int, end: int) -> Line:
        texts, styles = self._rows.texts[start:end], self._rows.styles[start:end]
        if any(styles):
            padded = [each.ljust(len(text), PLAIN) for text, each in zip(texts, styles)]
            padded[:-1] = [each[: len(text)] for text, each in zip(texts, padded[:-1])]
            return Line("".join(texts), "".join(padded))
        return Line("".join(texts), "")

    def _find_cursor(self, groups: "list[tuple[int, int]]") -> None:
        at = self._first_row + self.head.y
        for number, (start, end) in enumerate(groups):
            if start <= at < end:
                self.y = number
                self.x = self.head.x + sum(map(len, self._rows.texts[start:at]))

    def text(self, line: Line) -> str:
        """A line as plain text, without blanks at its end."""
        return line.text.translate(self._table).rstrip(" ")

    def cells(self, text: str) -> str:
        """What a stretch of cells shows."""
        return text.translate(self._table)

    def cell(self, cell: str) -> str:
        """What one cell shows; nothing in the right half of a wide character."""
        return self._shown.get(cell, cell)

    def stretches(self, line: Line) -> "Iterator[tuple[int, str, Pen]]":
        """The cells of a line by pen: first column, cells, pen.  Blanks at the end are left out
        unless they have a pen."""
        text = line.text.ljust(len(line.style), BLANK)
        style = line.style
        seen = max(len(text.rstrip(BLANK + " ")), len(style.rstrip(PLAIN)))
        at = 0
        while at < seen:
            rest = style[at:]
            pen = rest[:1] or PLAIN
            size = len(rest) - len(rest.lstrip(pen)) if rest else seen - at
            end = min(at + size, seen)
            yield at, text[at:end], self._rows.pens.get(pen, _DEFAULT)
            at = end


def _groups(wrapped: "list[bool]") -> "list[tuple[int, int]]":
    """First and end row of each line."""
    starts = [number for number, each in enumerate(wrapped) if not (each and number)]
    return list(zip(starts, [*starts[1:], len(wrapped)]))


def fetch(context: "Context", name: str, request: "PeekRequest") -> Screen:
    """What the daemon answers.  Raises Verdict for a session that there is not, ClientError."""
    request.session_name = name = session_meant(context, name)
    call = begin(context, request)
    try:
        answer = call.receive()
        if answer == "NotFound":
            raise Verdict(f"not found: {name}")
        head = PeekHead.from_wire(answer)
        if head.error is not None:
            raise ClientError(head.error)
        return Screen(head, _rows(call))
    except WireError as error:
        raise ClientError(f"cannot make sense of the daemon's answer: {error}") from None
    finally:
        call.close()


def _rows(call: "Call") -> Rows:
    """Raises WireError, ClientError."""
    rows = Rows()
    chunks = ChunkReader()
    data = call.rest
    while True:
        for kind, payload in chunks.feed(data):
            if kind == EXIT_STATUS:
                return rows
            if kind == DATA and isinstance(payload, bytes):
                rows.feed(payload)
        try:
            data = call.sock.recv(_READ)
        except OSError as error:
            raise ClientError(f"the daemon hung up: {error.strerror}") from None
        if not data:
            raise ClientError("the daemon hung up in the middle of its answer")
