"""Output that was passed on already and is yet to be interpreted, or never needs to be.

Under a flood most lines scroll past the end of the history before anybody can ask for them. So
output waits here as bytes. What is read in idle moments is fed to the terminal; what grows past
a cap is skipped, if it is nothing but text, line ends and colours: of that only the pen, the
number of lines, and the tail that fills screen and history matter.
"""

import re
from collections import deque

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .model import Terminal

# Interpreting it takes 20 to 100 ms, which is what an attach may have to wait for.
MIN_CAP = 1024 * 1024
# Output that is not interpreted at once when the size changes.
_SMALL = 64 * 1024
# Bytes that a sequence may take that the output begins in the middle of.
_REST_OF_SEQUENCE = 1024

# A sequence that the data ends in the middle of, and that may become an SGR.
_CUT_SGR = re.compile(rb"\x1b(?:\[[0-9:;]{0,100})?").fullmatch
_PARAMETERS = b"0123456789:;"
_C1 = re.compile(rb"\xc2[\x80-\x9f]").search
_SGR = re.compile(rb"\x1b\[[0-9:;]*m").findall
_RESETS = (b"\x1b[m", b"\x1b[0m", b"\x1b[0;")
# Sequences that the last reset is looked for among. Nearly all output has one in each line.
_SEQUENCES_BACK = 256


class Backlog:
    """The bytes before a terminal, in order, with the changes of size among them.

    cap: bytes beyond which output is skipped or, where that may not be, must_hold says so; by
    default 1 MiB, or four times what the history can hold if that is more.
    """

    __slots__ = (
        "_carry",
        "_checked",
        "_chunks",
        "_end",
        "_given_cap",
        "_odd",
        "_offset",
        "_tried",
        "_try_at",
        "pending",
        "terminal",
    )

    def __init__(self, terminal: "Terminal", cap: int | None = None) -> None:
        self.terminal = terminal
        self._given_cap = cap
        self.pending = 0  # bytes not interpreted yet
        self._chunks: deque[bytes | tuple[int, int]] = deque()
        self._offset = 0  # bytes of the first chunk that are interpreted already
        self._try_at = self.cap  # pending beyond which skipping is tried
        self._tried = False  # since the last append
        # Counts of bytes since the beginning: all that came, how far it was looked at, and where
        # the last piece ends that has something in it that may not be skipped.
        self._end = self._checked = self._odd = 0
        self._carry = b""  # the end of what was looked at: a sequence that is not complete

    def append(self, data: bytes) -> None:
        """Take what the pty produced, in a time that does not depend on what waits. Only when
        the cap is passed is what waits gone through, once for each share of new output."""
        self._chunks.append(data)
        self.pending += len(data)
        self._end += len(data)
        self._tried = False
        if self.pending > _SMALL:
            self._check()
            if self.pending > self._try_at:
                self._skip()

    @property
    def cap(self) -> int:
        """Bytes that may wait."""
        if self._given_cap is not None:
            return self._given_cap
        return max(MIN_CAP, 4 * self.terminal.history_lines * self.terminal.cols)

    @property
    def must_hold(self) -> bool:
        """More than the cap waits and may not be skipped: read the pty no faster than advance."""
        return self.pending > self.cap

    def advance(self, limit: int) -> bool:
        """Interpret about limit bytes; True while more is pending."""
        if not self._tried and self.pending > self._worth_skipping():
            self._skip()
        chunks = self._chunks
        while chunks and limit > 0:
            chunk = chunks[0]
            if isinstance(chunk, tuple):
                self.terminal.resize(*chunk)
                chunks.popleft()
                continue
            piece = chunk[self._offset : self._offset + limit]
            self._offset += len(piece)
            self.pending -= len(piece)
            limit -= len(piece)
            if self._offset >= len(chunk):
                chunks.popleft()
                self._offset = 0
            self.terminal.feed(piece)
        if self.pending <= self.cap:
            self._try_at = self.cap
        return bool(chunks)

    def catch_up(self) -> None:
        """Interpret all that waits. With a flood of the worst kind behind it this takes as long
        as interpreting cap bytes does; who has no time for that calls advance."""
        while self.advance(_SMALL):
            pass

    def resize(self, rows: int, cols: int) -> None:
        """Change the terminal's size once what came before is interpreted."""
        if self.pending <= _SMALL:
            self.catch_up()
        if self._chunks:
            self._chunks.append((rows, cols))
        else:
            self.terminal.resize(rows, cols)

    @property
    def scrolled(self) -> int:
        """Terminal.scrolled as it will be, if what waits is lines, each shorter than the screen."""
        terminal = self.terminal
        if not self._chunks or not terminal.scrolls_plainly:
            return terminal.scrolled
        lines = sum(chunk.count(b"\n") for chunk in self._chunks if isinstance(chunk, bytes))
        return terminal.scrolled + max(lines - (terminal.bottom - terminal.y), 0)

    def restore(self, history: int, in_place: bool = False) -> bytes:
        """Terminal.restore, after catching up."""
        self.catch_up()
        return self.terminal.restore(history, in_place)

    def leave(self) -> bytes:
        """Terminal.leave, after catching up."""
        self.catch_up()
        return self.terminal.leave()

    def _worth_skipping(self) -> int:
        terminal = self.terminal
        return max(2 * (terminal.history_lines + terminal.rows) * terminal.cols, _SMALL)

    def _check(self) -> None:
        """Look at what came since the last time."""
        begin = self._end - self.pending
        parts = []
        missing = self._end - max(self._checked, begin)
        for chunk in reversed(self._chunks):
            if missing <= 0:
                break
            if isinstance(chunk, bytes):
                parts.append(chunk[-missing:])
                missing -= len(chunk)
        if self._checked > begin:
            parts.append(self._carry)
        parts.reverse()
        data = b"".join(parts)
        complete = _complete(data)
        self._carry = data[complete:]
        if not _is_plain(data[:complete]):
            self._odd = self._end
        self._checked = self._end

    def _skip(self) -> None:
        """Drop what scrolls past the end of the history, if that changes nothing else."""
        self._tried = True
        if self._checked < self._end:
            self._check()
        if self._odd <= self._end - self.pending and not any(
            isinstance(chunk, tuple) for chunk in self._chunks
        ):
            data = b"".join(self._chunks)[self._offset :]  # type: ignore[arg-type]
            start = self._finish_sequence(data)
            cut = self._cut(data, start)
            if cut:
                start = cut
            self._chunks = deque([data[start:]] if start < len(data) else [])
            self._offset = 0
            self.pending = len(data) - start
        self._try_at = max(self.cap, self.pending + self.cap // 4)

    def _finish_sequence(self, data: bytes) -> int:
        """Complete the sequence that data begins in the middle of; the bytes that took."""
        if not self.terminal.unfinished:
            return 0
        self.terminal.feed(data[:_REST_OF_SEQUENCE])
        return min(len(data), _REST_OF_SEQUENCE)

    def _cut(self, data: bytes, start: int) -> int:
        """Bring the terminal to where the tail of data begins that matters; 0 if not possible."""
        terminal = self.terminal
        if not terminal.scrolls_plainly:
            return 0
        # Each line feed scrolls by at least one line. What is on the screen when the tail begins
        # has scrolled past the history's end when it is over.
        cut = len(data)
        for _ in range(terminal.history_lines + terminal.rows + 1):
            cut = data.rfind(b"\n", start, cut)
            if cut < 0:
                return 0
        # The tail begins in the first column.
        cut = data.rfind(b"\r\n", start, cut + 1) + 2
        if cut < 2:
            return 0
        lines = data.count(b"\n", start, cut)
        if lines < terminal.rows:
            return 0
        terminal.feed(b"".join(_colours(data, start, cut)))
        terminal.pass_lines(lines)
        return cut


def _colours(data: bytes, start: int, end: int) -> list[bytes]:
    """The SGR between start and end that decide which pen is in use at end."""
    at = end
    for _ in range(_SEQUENCES_BACK):
        at = data.rfind(b"\x1b", start, at)
        if at < 0:
            at = start
            break
        if data.startswith(_RESETS, at):
            break
    else:
        at = start
    return _SGR(data, at, end)


def _complete(data: bytes) -> int:
    """Where the SGR, or the character, begins that the data ends in the middle of."""
    if data.endswith(b"\xc2"):
        return len(data) - 1
    last = data.rfind(b"\x1b")
    return last if last >= 0 and _CUT_SGR(data, last) else len(data)


def _is_plain(data: bytes) -> bool:
    """Nothing but text, line ends and SGR (and controls that move within a line)."""
    if b"\x0e" in data or b"\x0f" in data or (b"\xc2" in data and _C1(data)):
        return False
    # Deleting and counting bytes takes half as long as a search for anything else: without their
    # parameters all sequences must be the same.
    escapes = data.count(b"\x1b")
    if not escapes:
        return True
    if data.count(b"\x1b[") != escapes:
        return False
    return data.translate(None, _PARAMETERS).count(b"\x1b[m") == escapes
