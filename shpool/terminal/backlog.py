"""Output that was passed on already and is yet to be interpreted, or never needs to be.

Under a flood most lines scroll past the end of the history before anybody can ask for them. So
output waits here as bytes. What is read in idle moments is fed to the terminal; of what piles up
the older part is skipped, if it is nothing but text, line ends and colours: of that only the pen
and the number of lines matter. The kernel keeps some 12 KiB of what a program has written to a
pty, a tenth of a millisecond's worth, so nothing here may take longer than that at a time, or
program and terminal wait for it.

Output that no terminal was sent may hold questions, which the model then answers when it gets
there. Who is there when a question ends answers it: who was sent only its first part, or only the
rest, does not.
"""

import re
from collections import deque

from .blocks import QUEUE, Block, colours, complete_part, plain_lines
from .model import Terminal
from .parser import MAX_PIECE

# Interpreting it takes 20 to 100 ms, which is what an attach may have to wait for.
MIN_CAP = 1024 * 1024
# Output that is not interpreted at once when the size changes, and is not worth skipping; and what
# may wait of what may not be skipped.
_SMALL = 64 * 1024
# Looked at at a time: enough to make little of what a look costs besides.
_BLOCK = 16 * 1024
# What comes in larger pieces is cut, for only whole blocks can be skipped.
_LARGEST = 4 * _BLOCK
# Skipped at a time, for the same reason.
_SHARE = 192 * 1024
# Bytes interpreted that say how much work more of the same would make: where that is not known
# yet, and how many are remembered.
_SAMPLE = 256
_REMEMBERED = 8192
# Bytes that may wait, whatever work they make, while somebody types.
_LET_IN = 2 * _SMALL
# Bytes that the kernel keeps of what a program has written to a pty, and some.
_IN_KERNEL = 16 * 1024
# Bytes that a sequence may take that the output begins in the middle of.
_REST_OF_SEQUENCE = 1024

# The work that a row makes which is taken over from another process, in bytes interpreted.
_PACKED_ROW = 2

# What the model answers (see answers.py), or may: DA, DSR, CPR, DECRQM, CSI ? u, XTVERSION, DECID,
# OSC. One that is not found here, for it is written in an odd way, is answered in idle moments.
_QUESTION = re.compile(
    rb"\x1b(?:\[[=>?]?[0-9;]*(?:[cnu]|\$p|(?<=[>0-9])q)|Z|\](?:4|1[0-9]);[^\x07\x1b?]{0,200}\?)"
).search
_CUT_QUESTION = re.compile(rb"\x1b(?:\[[=>?]?[0-9;]{0,40}\$?|\][^\x07\x1b]{0,200})?").fullmatch


class Backlog:
    """The bytes before a terminal, in order, with the changes of size among them.

    cap: bytes that may wait at most, where they may be skipped; by default 1 MiB, or four times
    what the history can hold if that is more.
    """

    __slots__ = (
        "_asked",
        "_cut_question",
        "_given_cap",
        "_let_in",
        "_new",
        "_new_size",
        "_odd",
        "_offset",
        "_plainly",
        "_queue",
        "_seen",
        "_share",
        "_taken",
        "_tried",
        "_try_at",
        "_unanswered",
        "_work",
        "_worth",
        "cap",
        "pending",
        "received",
        "terminal",
    )

    CARRIED = {
        "terminal": Terminal,
        "_given_cap": (int, None),
        "received": int,
        "pending": int,
        "_queue": QUEUE,
        "_offset": int,
        "_new": [bytes],
        "_tried": bool,
        "_unanswered": bool,
        "_asked": int,
        "_cut_question": bytes,
        "_let_in": int,
        "_seen": int,
        "_taken": int,
        "_work": int,
        "_try_at": int,
    }
    DERIVED = ("_new_size", "_odd", "_plainly", "_share", "_worth", "cap")

    def __init__(self, terminal: "Terminal", cap: "int | None" = None) -> None:
        self.terminal = terminal
        self._given_cap = cap
        self.received = 0  # bytes that ever came
        self.pending = 0  # of them not interpreted yet, and not skipped
        self._queue: deque[Block | tuple[int, int]] = deque()
        self._offset = 0  # bytes of the first block that are interpreted already
        self._new: list[bytes] = []  # behind the queue, not looked at yet
        self._tried = False  # since the last append
        self._unanswered = False  # the last append
        self._asked = 0  # bytes of pending up to the last question that waits for its answer
        self._cut_question = b""  # what the last append ended in the middle of
        self._let_in = 0  # bytes of pending that must_hold does not look at
        self._seen = _SAMPLE  # bytes interpreted of late, and the work that they made
        self._taken = 0
        self._work = _SAMPLE
        self._try_at = 0
        self.derive()
        self._measure()

    def derive(self) -> None:
        """What follows from what was carried over."""
        odd = [item for item in self._queue if not isinstance(item, Block) or item.lines < 0]
        self._odd = len(odd)  # what is in the queue that may not be skipped
        self._new_size = sum(map(len, self._new))
        try_at = self._try_at
        self._measure()
        self._try_at = try_at

    def _measure(self) -> None:
        """Work out what depends on the terminal's size."""
        terminal = self.terminal
        self._plainly = terminal.scrolls_plainly
        self.cap = self._given_cap or max(MIN_CAP, 4 * terminal.history_lines * terminal.cols)
        lines = terminal.history_lines + terminal.rows
        self._worth = max(2 * lines * terminal.cols, _SMALL)  # pending that is worth skipping
        self._share = min(_SHARE, self.cap // 4)
        self._try_at = min(self._worth + _SHARE, self.cap // 2)  # pending beyond which it is tried

    def append(self, data: bytes, unanswered: bool = False) -> None:
        """Take what the pty produced, in a time that does not depend on what waits. unanswered:
        it was passed on to no terminal."""
        if unanswered != self._unanswered:
            self._look()
            if self._new:  # half a sequence
                self._put_new()
            self._unanswered = unanswered
            self._cut_question = b""
        self._new.append(data)
        self._new_size += len(data)
        self.pending += len(data)
        self.received += len(data)
        self._tried = False
        if unanswered and self._asks(data):
            self._asked = self.pending
        if self._new_size >= _BLOCK:
            self._look()
            if self.pending > self._try_at:
                self._skip()

    @property
    def behind(self) -> bool:
        """Something is yet to be interpreted."""
        return bool(self.pending or self._queue or self.terminal.paused or self.terminal.packed)

    @property
    def must_hold(self) -> bool:
        """More waits than may: read the pty no faster than advance.

        Of what may not be skipped that is little, and of what makes more work than ordinary bytes
        even less, so that a picture is soon there. What is dear is only known once some of it has
        been interpreted.
        """
        if self.pending > self.cap:
            return True
        if self.pending <= self._let_in:
            return False
        if not self._odd and self._plainly:
            return False
        return self.pending > _SMALL or self.pending * self._work > self.cap * self._seen

    def let_in(self, *, urgent: bool = False) -> None:
        """Somebody types: whatever work waits, have a little more read, that it may be shown what
        comes of that. urgent: at least what the kernel has of the program's output now."""
        more = min(self.pending + _SMALL, _LET_IN)
        if urgent:
            more = max(more, self.pending + _IN_KERNEL)
        self._let_in = more

    @property
    def asked(self) -> bool:
        """A program waits for an answer, it seems: advance soon, and take_answers()."""
        return self._asked > 0 or (self.terminal.paused and self.terminal.answering)

    def _asks(self, data: bytes) -> bool:
        if self._cut_question:
            data = self._cut_question + data
        last = data.rfind(b"\x1b")
        cut = last >= 0 and _CUT_QUESTION(data, last)
        self._cut_question = data[last:] if cut else b""
        return _QUESTION(data) is not None

    def take_answers(self) -> bytes:
        """What is to be typed to the program: Terminal.take_answers."""
        return self.terminal.take_answers()

    def advance(self, limit: int) -> bool:
        """Interpret about limit bytes, or as much as makes the work of so many ordinary ones; True
        while more is to be interpreted."""
        if self.terminal.packed:
            return self._unpack(limit)
        if not self._tried and self.pending > self._worth:
            self._look()
            self._skip()
        queue = self._queue
        terminal = self.terminal
        left = limit
        taken = 0
        while left > 0:
            if terminal.paused:
                terminal.go_on(left)
                left = terminal.work
                break  # so that who holds the pty can see whether more like it waits
            if not queue:
                if not self._new:
                    break
                self._put_new()
            first = queue[0]
            if isinstance(first, tuple):
                terminal.resize(*first)
                self._measure()
                self._pop()
                continue
            piece = first.data[self._offset : self._offset + min(left, MAX_PIECE)]
            size = len(piece)
            self._offset += size
            self.pending -= size
            self._asked = max(self._asked - size, 0)
            taken += size
            if self._offset >= len(first.data):
                self._pop()
            terminal.answering = first.unanswered
            terminal.begin(piece, left)
            left = terminal.work - size
        self._taken += taken
        self._work += limit - left
        if not terminal.paused:  # what was taken has made all the work that it makes
            self._seen += self._taken
            self._taken = 0
        if self._seen > _REMEMBERED:
            self._seen //= 2
            self._work //= 2
        self._plainly = terminal.scrolls_plainly
        more = self.behind
        if not more:
            self._let_in = 0
        return more

    def _unpack(self, limit: int) -> bool:
        """Advance, where the history comes from another process: that has to be there first."""
        while self.terminal.packed and limit > 0:
            limit -= _PACKED_ROW * self.terminal.unpack()
        self._tried = False
        return self.behind

    def catch_up(self) -> None:
        """Interpret all that waits. With a flood of the worst kind behind it this takes as long
        as interpreting cap bytes does; who has no time for that calls advance."""
        while self.advance(_SMALL):
            pass

    def resize(self, rows: int, cols: int) -> None:
        """Change the terminal's size once what came before is interpreted."""
        if self.pending <= _SMALL:
            self.advance(_SMALL)
        if self.behind:
            self._look()
            if self._new:  # half a sequence
                self._put_new()
            self._put((rows, cols))
        else:
            self.terminal.resize(rows, cols)
            self._measure()

    @property
    def mark(self) -> int:
        """Terminal.mark as it will be, if what waits is lines, each shorter than the screen."""
        terminal = self.terminal
        if not self.pending or not terminal.scrolls_plainly:
            return terminal.mark
        blocks = [item.data for item in self._queue if isinstance(item, Block)]
        lines = sum(data.count(b"\n") for data in blocks + self._new)
        return terminal.mark + max(lines - (terminal.bottom - terminal.y), 0)

    @property
    def line(self) -> int:
        """Terminal.line as it will be, as far as what waits is known to be plain lines."""
        terminal = self.terminal
        if self._odd or not self.pending or not terminal.scrolls_plainly:
            return terminal.line
        blocks = [item for item in self._queue if isinstance(item, Block)]
        lines = sum([block.lines for block in blocks])
        if blocks:
            lines -= blocks[0].data.count(b"\n", 0, self._offset)
        return terminal.line + lines + max(plain_lines(b"".join(self._new)), 0)

    def restore(self, history: int, in_place: bool = False) -> bytes:
        """Terminal.restore, after catching up."""
        self.catch_up()
        return self.terminal.restore(history, in_place)

    def lighten(self) -> None:
        """Skip what may be skipped, for who takes over what waits."""
        self._look()
        self._skip()

    def _put(self, item: "Block | tuple[int, int]") -> None:
        self._queue.append(item)
        self._odd += not isinstance(item, Block) or item.lines < 0

    def _put_new(self) -> None:
        """Make a block of what is new without a look."""
        self._put(Block(b"".join(self._new), -1, self._unanswered))
        self._new.clear()
        self._new_size = 0

    def _pop(self) -> None:
        item = self._queue.popleft()
        self._odd -= not isinstance(item, Block) or item.lines < 0
        self._offset = 0

    def _look(self) -> None:
        """Make a block of what is new, all but a sequence that is not complete."""
        data = b"".join(self._new)
        start = 0
        while start < len(data):
            block = data[start : start + _LARGEST]
            complete = complete_part(block)
            if not complete:
                break
            block = block[:complete]
            self._put(Block(block, plain_lines(block), self._unanswered))
            start += complete
        rest = data[start:]
        self._new = [rest] if rest else []
        self._new_size = len(rest)

    def _skip(self) -> None:
        """Drop what scrolls past the end of the history, if that changes nothing else."""
        self._tried = True
        terminal = self.terminal
        if not self._odd and not terminal.paused and not terminal.packed:
            # Each line feed scrolls by at least one line. What is on the screen when the rest
            # begins has scrolled past the history's end when it is over.
            missing = terminal.history_lines + terminal.rows + 1
            blocks = [item for item in self._queue if isinstance(item, Block)]
            number = len(blocks)
            while number and missing > 0:
                number -= 1
                missing -= blocks[number].lines
            if missing <= 0 and number:
                self._drop(blocks[:number])
        self._try_at = max(min(self._worth + _SHARE, self.cap // 2), self.pending + self._share)

    def _drop(self, blocks: "list[Block]") -> None:
        """Skip these, the first in the queue, as far as that is possible."""
        terminal = self.terminal
        for _ in blocks:
            self._queue.popleft()
        data = b"".join([block.data for block in blocks])
        start = self._offset + self._finish_sequence(blocks[0])
        # The rest begins in the first column.
        cut = data.rfind(b"\r\n", start) + 2
        lines = sum([block.lines for block in blocks])
        lines -= data.count(b"\n", 0, start) + data.count(b"\n", max(cut, start))
        if cut < 2 or lines < terminal.rows or not terminal.scrolls_plainly:
            cut = start
        else:
            terminal.feed(b"".join(colours(data, start, cut)))
            # To look for one takes a twentieth of the time that it takes to count none.
            odd_ends = [end for end in (b"\v", b"\f") if data.find(end, start, cut) >= 0]
            lines += sum([data.count(end, start, cut) for end in odd_ends])
            terminal.pass_lines(lines)
        self._plainly = terminal.scrolls_plainly
        self.pending -= cut - self._offset
        self._asked = max(self._asked - (cut - self._offset), 0)
        self._offset = 0
        if cut < len(data):
            rest = data[cut:]
            self._queue.appendleft(Block(rest, rest.count(b"\n"), blocks[-1].unanswered))

    def _finish_sequence(self, first: Block) -> int:
        """Complete the sequence that a block goes on in the middle of; the bytes that took."""
        terminal = self.terminal
        if not terminal.unfinished:
            return 0
        data = first.data[self._offset : self._offset + _REST_OF_SEQUENCE]
        terminal.answering = first.unanswered
        terminal.feed(data)
        return len(data)
