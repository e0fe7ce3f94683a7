"""Looking for text in what a session shows: in its screen, its output and rows of the screen."""

import re
import warnings

from shpool.client.lines import Lines
from shpool.errors import UsageError
from shpool.output import complain
from shpool.protocol.watching import ENDED, LINES, LOST, MISSED, OUTPUT, ROWS, SCREEN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def pattern(text: str) -> "re.Pattern[str]":
    """Raises UsageError."""
    # Of what may mean something else one day.
    warnings.simplefilter("ignore", FutureWarning)
    try:
        return re.compile(text)
    except (re.error, OverflowError, RecursionError) as error:
        raise UsageError(f"cannot read {text!r} as a regular expression: {error}") from None


class Search:
    """Events of one session in; `found` says whether a line has matched.

    `new`: what stood on the screen at first does not count, nor what is added to the row in which
    the cursor was then.  `since`: it is sent the lines that count of what was there at first.
    """

    def __init__(self, wanted: "re.Pattern[str]", *, new: bool, since: bool = False) -> None:
        self._wanted = wanted.search
        self._new = new
        self._since = since
        self.found = False
        self._lines = Lines()
        self._first: set[str] | None = None  # what does not count; None before anything was seen
        self._in_first_row = False
        self._cursor_row: int | None = None  # on the screen, while it does not count
        self._tried = ""  # of the line that is being written

    def take(self, kind: str, said: "list[Any]") -> None:
        if kind == SCREEN:
            self._screen(*said)
        elif kind == OUTPUT:
            self._output(said[0])
        elif kind == ROWS:
            self._rows(*said)
        elif kind == LINES:
            for text in said[0]:
                self._try(text)
        elif kind == LOST:
            complain(f"shpool: {said[0]} lines from MARK on are gone\n")
        elif kind == MISSED:
            complain(f"shpool: {said[0]} bytes were missed\n")
        elif kind == ENDED:
            self.pause()

    @property
    def waits(self) -> bool:
        """There is something to be tried when the output pauses."""
        lines = self._lines
        return not (lines.placed or self._in_first_row) and lines.text != self._tried

    def pause(self) -> None:
        """The output has paused."""
        if self.waits:
            self._tried = self._lines.text
            self._try(self._tried)

    def _screen(self, texts: "list[str]", cursor: int, alternate: bool, row: int) -> None:
        self._lines = Lines(texts[cursor], alternate=alternate)
        self._tried = texts[cursor]
        if self._first is None:
            self._first = set(texts) if self._new else set()
            self._in_first_row = self._new
            self._cursor_row = row if self._new else None
            if self._since:
                return
        for text in texts:
            if text not in self._first:
                self._try(text)

    def _output(self, data: bytes) -> None:
        for version in self._lines.feed(data):
            if not version.placed and not self._in_first_row:
                self._try(version.text)
            self._tried = ""
            if version.complete:
                self._in_first_row = False
        if self._lines.placed:
            self._in_first_row = False

    def _rows(self, changed: "list[tuple[int, str]]", cursor: int) -> None:
        if cursor != self._cursor_row:
            self._cursor_row = None
        for row, text in changed:
            if row != self._cursor_row:
                self._try(text)

    def _try(self, text: str) -> None:
        if not self.found and self._wanted(text) is not None:
            self.found = True
