"""The terminal model: what the daemon talks to."""

from itertools import count

from .cells import PLAIN
from .leave import LEAVE
from .modes import THREE_VALUED, TWO_VALUED
from .properties import Properties
from .tables import FIRST_CLUSTER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from .cells import Row

# Pens or clusters in the table before it is first looked through for those still in use. After
# that it may double.
FIRST_LIMIT = 4096

# Pens and clusters in use at the same time, beyond which the oldest history is kept without
# them. Each costs some 300 bytes; a screen full of true colour has a few thousand.
_MAX_LIVE = 16384

# Three-valued modes that are off, or on, with nearly every user: what a session changed is
# changed back when it is left. The others differ too much from terminal to terminal.
_USUALLY_OFF = (45, 80, 1010, 1011, 1042, 1043, 2027)
_USUALLY_ON = (8,)


class Terminal(Properties):
    """A terminal of the xterm kind, of which only the state exists.

    rows and cols: its size in cells. history_lines bounds the rows kept that scrolled off the main
    screen. Nothing here raises on any input. It answers no queries.
    """

    __slots__ = ("_cluster_limit", "_pen_limit")

    def __init__(self, rows: int, cols: int, history_lines: int) -> None:
        super().__init__(max(rows, 1), max(cols, 1), max(history_lines, 0))
        self._pen_limit = FIRST_LIMIT
        self._cluster_limit = FIRST_LIMIT

    def resize(self, rows: int, cols: int) -> None:
        """Give the terminal another size in cells, as the pty's. Lines of the main screen and
        history wrap anew; the alternate screen is cropped."""
        from .reflow import resize

        resize(self, rows, cols)

    def restore(self, history: int, in_place: bool = False) -> bytes:
        """The bytes that bring any terminal of this size to this state; the live stream goes on
        right after them.

        history: how many lines that scrolled off are drawn before the screen, to end up in the
        client's scrollback (0 for none). in_place: draw over what is there, for a client that
        shows this session already and missed some output; else what stands on its screen is
        pushed into its scrollback first.
        """
        from .restore import restore

        return restore(self, history, in_place=in_place)

    @property
    def history_lines(self) -> int:
        """How many rows that scrolled off are kept at most."""
        return self.history.maxlen or 0

    @property
    def scrolls_plainly(self) -> bool:
        """Whether text and line ends alone can only scroll the main screen into the history."""
        return (
            self.screen is self.main
            and self.top == 0
            and self.bottom == self.rows - 1
            and not self.side_margins
            and not self.translation
            and not self.unfinished
        )

    def pass_lines(self, lines: int) -> None:
        """Go on as if so many lines had scrolled by, and the last of them ended just now; what
        stood on the screen and in the history is forgotten."""
        self.scrolled += max(lines - (self.bottom - self.y), 0)
        self.history.clear()
        for row in self.lines:
            row.clear()
        self.x = 0
        self.y = self.bottom
        self.after_print = False

    def leave(self) -> bytes:
        """The bytes that make the client's terminal usable for the shell outside.

        LEAVE, and what can only be done by who knows the session: it takes back what the session
        changed of the user's defaults, and places the cursor where LEAVE could not.
        """
        before = ["\x18\x1b\\"]
        if self.screen is self.alternate and self.alternate_mode != 1049:
            x, y = self.main.x, self.main.y
            before.append(f"\x1b[?{self.alternate_mode}l\x1b[?6l\x1b[{y + 1};{x + 1}H")
        elif self.screen is self.alternate and self.origin:
            # To tmux origin mode is no part of a screen: LEAVE's ESC 7 and ESC 8 would keep it.
            before.append("\x1b[?6l")
        elif self.screen is self.main and self.origin:
            x, y = min(self.x, self.cols - 1), self.y
            before.append(f"\x1b[?6l\x1b[{y + 1};{x + 1}H")
        # The last that comes off is the title that the user had when the program pushed it.
        after = ["\x1b[23;2t"] * len(self.title_stack) + ["\x1b[23;1t"] * len(self.icon_stack)
        if self.palette:
            after.append("\x1b]104\x1b\\")
        after += [f"\x1b]{number + 100}\x1b\\" for number, colour in self.dynamic.items() if colour]
        if self.pointer:
            after.append("\x1b]22;\x1b\\")
        if self.progress and not self.progress.startswith("4;0"):
            after.append("\x1b]9;4;0;\x1b\\")
        if self.shape or self.modes.get(12) is not None:
            after.append("\x1b[0 q")
        for mode in THREE_VALUED:
            on = self.modes.get(mode)
            if (on and mode in _USUALLY_OFF) or (on is False and mode in _USUALLY_ON):
                after.append(f"\x1b[?{mode}{'l' if on else 'h'}")
        # Before LEAVE's last words, which undo what a terminal may mistake for SGR.
        after += [f"\x1b[>{resource}m" for resource in self.modify]
        return "".join(before + after).encode() + LEAVE

    @property
    def clean(self) -> bool:
        """Whether there is nothing that leave() would have to turn off or take back."""
        return not (
            self.screen is self.alternate
            or any(
                mode in THREE_VALUED or on != TWO_VALUED.get(mode, False)
                for mode, on in self.modes.items()
            )
            or (self.tracking or self.encoding)
            or (self.insert_mode or self.newline_mode or self.origin or self.side_margins)
            or not self.autowrap
            or (self.top, self.bottom) != (0, self.rows - 1)
            or (self.charsets != ["B"] * 4 or self.shift)
            or self.pen != PLAIN
            or any(screen.keyboard != [0] for screen in (self.main, self.alternate))
            or (self.palette or self.palette_reset or self.dynamic)
            or (self.shape or self.pointer or self.progress or self.modify)
            or (self.title_stack or self.icon_stack)
            or self.unfinished
        )

    def compact(self) -> None:
        """Forget pens and clusters that no cell has any more, once there are many."""
        if len(self.pens.pens) > self._pen_limit:
            self._compact_pens()
            self._pen_limit = max(2 * len(self.pens.pens), FIRST_LIMIT)
        if len(self.clusters.clusters) > self._cluster_limit:
            self._compact_clusters()
            self._cluster_limit = max(2 * len(self.clusters.clusters), FIRST_LIMIT)

    def _all_rows(self) -> "list[Row]":
        return self.main.lines + self.alternate.lines

    def _compact_pens(self) -> None:
        used = {PLAIN, self.pen, self.fill}.union(*[row.style for row in self._all_rows()])
        self._limit_history(used, 1)
        used.discard(PLAIN)
        numbers = [PLAIN, *used]
        pens = self.pens.pens
        self.pens.clear([pens[ord(number)] for number in numbers])
        again = _renumbering(numbers, PLAIN)
        self.pen = self.pen.translate(again)
        self.fill = self.fill.translate(again)
        for row in self._all_rows():
            row.style = row.style.translate(again)
        for index, piece in enumerate(self.history):
            if not isinstance(piece, str) and piece[1]:
                self.history[index] = (piece[0], piece[1].translate(again), *piece[2:])

    def _compact_clusters(self) -> None:
        used: set[str] = set()
        for row in self._all_rows():
            used.update(_cluster_cells(row.text))
        self._limit_history(used, 0)
        numbers = sorted(used)
        clusters = self.clusters
        clusters.clear([clusters.text(number) for number in numbers])
        again = _renumbering(numbers, FIRST_CLUSTER)
        for row in self._all_rows():
            if not row.text.isascii():
                row.text = row.text.translate(again)
        for index, piece in enumerate(self.history):
            if isinstance(piece, str):
                if not piece.isascii():
                    self.history[index] = piece.translate(again)
            elif not piece[0].isascii():
                self.history[index] = (piece[0].translate(again), *piece[1:])

    def _limit_history(self, used: set[str], part: int) -> None:
        """Add what the history uses, of its text (part 0) or style (1), from its end on, as long
        as there is room; older pieces lose what they would need."""
        history = self.history
        for index in range(len(history) - 1, -1, -1):
            piece = history[index]
            if isinstance(piece, str):
                piece = (piece, "", False, ())
            more = set(piece[1]) if part else _cluster_cells(piece[0])
            if more <= used:
                continue
            if len(used) + len(more) <= _MAX_LIVE:
                used |= more
            elif part:
                history[index] = (piece[0], "", *piece[2:])
            else:
                bare = {ord(cell): self.clusters.text(cell)[0] for cell in more}
                history[index] = (piece[0].translate(bare), *piece[1:])


def _cluster_cells(text: str) -> set[str]:
    if text.isascii() or max(text) < FIRST_CLUSTER:
        return set()
    return {cell for cell in set(text) if cell >= FIRST_CLUSTER}


def _renumbering(numbers: "Iterable[str]", first: str) -> dict[int, int]:
    """From old to new code points, for str.translate."""
    return dict(zip(map(ord, numbers), count(ord(first)), strict=False))
