"""A session drawn on terminals of another size: the part of its screen that fits, kept in step.

Whoever has the session's own size is sent what the program writes. Others are sent pictures: in
their alternate screen, of what is in the window (window.py) on the session's screen, whichever
that is; where that screen ends there are dots. A picture changes what a terminal shows from the
last picture to the next, so all terminals of one size are sent the same; who missed one is sent
the whole of it. With it goes what keys send, and how all looks, but nothing that makes a terminal
send what nobody typed: no mouse, no reports of focus, size or colours, and no question.
"""

from .cells import BLANK, PLAIN
from .grid import part
from .modes import ENCODING, TRACKING, TWO_VALUED
from .paint import Painter
from .restore import CLEAN
from .settings import colours, cursor_shape, environment, key_resources, private, titles
from .window import Window

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .cells import Row
    from .properties import Properties

    Cells = tuple[str, str]  # text and style of a row

# Private modes that make a terminal send what nobody typed.
_REPORTS = (*TRACKING, *ENCODING, 1004, 2031, 2048)

# From any state to a blank drawn one. Without autowrap what is wider than expected stays in its
# row. The alternate screen has a keyboard stack of its own.
_ENTER = (
    CLEAN
    + "".join(private(mode, False) for mode in _REPORTS)
    + "\x1b[?1049h\x1b[?6l\x1b[?7l\x1b[<99u\x1b*B\x1b+B"
)

# Private modes that are kept in step: what keys send, and how all looks. Of the three-valued ones
# those that the session set, and what most have where it takes that back.
_SWITCHES = tuple(mode for mode in TWO_VALUED if mode not in (25, *_REPORTS))
_OWN = (8, 12, 67, 1007, 1034, 1035, 1036, 1037, 1038, 1039, 2027)
_USUAL = {"8": True, "12": False, "2027": False}

# tmux 3.3, if it was resized meanwhile, takes long rows of the alternate screen along to the main
# one when that comes back.
WIPE = b"\x18\x1b\\\x1b[m\x1b[H\x1b[J"

_BEGIN = private(2026, True) + private(25, False)
_END = private(2026, False)

# Dim, where the session's screen ends; of more than so many cells nothing is made, which no
# terminal has that is looked at.
_OUTSIDE = "\u00b7"
_MAX_OUTSIDE = 200_000


def enter() -> bytes:
    """What makes any terminal ready to be drawn on; the whole of a picture comes next. It is left
    with WIPE, and what restore() gives, or farewell_drawn()."""
    return _ENTER.encode()


class Drawing:
    """What terminals of rows and cols cells show of a session, as it was drawn last."""

    __slots__ = (
        "_at",
        "_cells",
        "_cursor",
        "_meaning",
        "_rows",
        "_settings",
        "_size",
        "_terminal",
        "_whole",
        "window",
    )

    def __init__(
        self, terminal: "Properties", rows: int, cols: int, top: int = 0, left: int = 0
    ) -> None:
        """top and left: where the window is, if the cursor is in it."""
        self._terminal = terminal
        self.window = Window(rows, cols, top, left)
        self._size = (0, 0)  # of the session's screen
        self._at = (0, 0)  # its cell in the first row and column
        self._rows: list[Cells] = []  # of the session's screen, from there on
        self._cells: list[Cells] = []  # what of them is in the window
        self._meaning: tuple[object, ...] = ()  # what it depends on how these look
        self._settings: dict[str, str] = {}
        self._cursor = (0, 0, False)
        self._whole = b""  # the last picture, if it was asked for
        self.change()

    def change(self) -> bytes:
        """From the last picture to the present state; nothing if that looks the same."""
        terminal = self._terminal
        window = self.window
        window.follow(terminal)
        settings = self._changed_settings()
        meaning = (terminal.generation, terminal.clustering, self._settings["colours"])
        anew = meaning != self._meaning
        self._meaning = meaning
        cursor, self._cursor = self._cursor, self._position()
        if (terminal.rows, terminal.cols) != self._size:
            self._size = (terminal.rows, terminal.cols)
            self._take_rows(anew=True)
            self._whole = b""
            return self._draw_whole(settings)
        before = self._cells
        changed = self._take_rows(anew=anew)
        if not changed and not settings and cursor == self._cursor:
            return b""
        self._whole = b""
        if not changed and not settings:
            return _cursor(self._cursor).encode()
        painter = self._painter()
        for y in changed:
            self._draw_row(painter, y, None if anew else before[y])
        return self._picture(painter, settings)

    def whole(self) -> bytes:
        """The last picture, for a terminal that is drawn on and shows anything."""
        if not self._whole:
            self._whole = self._draw_whole("".join(self._settings.values()))
        return self._whole

    # What is beside the cells

    def _changed_settings(self) -> str:
        """The sequences for what was set or taken back since the last picture."""
        settings = _settings(self._terminal)
        old, self._settings = self._settings, settings
        if settings == old:
            return ""
        made = [sequence for name, sequence in settings.items() if old.get(name) != sequence]
        for mode in _USUAL:
            if mode in old and mode not in settings:
                made.append(private(int(mode), _USUAL[mode]))
        return "".join(made)

    def _position(self) -> "tuple[int, int, bool]":
        """Row and column of the cursor in the window, and whether it is visible."""
        terminal = self._terminal
        if not terminal.modes.get(25, True):
            return 0, 0, False
        x = min(terminal.x, terminal.cols - 1)
        return terminal.y - self.window.top, x - self.window.left, True

    # Cells

    def _take_rows(self, *, anew: bool) -> list[int]:
        """Remember what is in the window now; the rows of it that are not as they were."""
        terminal = self._terminal
        window = self.window
        at = (window.top, window.left)
        lines = terminal.lines[window.top : window.top + window.rows]
        rows = [(row.text, row.style) for row in lines]
        old_rows = self._rows if at == self._at and not anew else []
        if rows == old_rows:
            return []
        old_cells = self._cells
        if not window.left and window.cols >= terminal.cols:
            cells = rows
        elif old_rows:
            cells = [
                old_cells[y] if rows[y] == old_rows[y] else self._cut(row)
                for y, row in enumerate(lines)
            ]
        else:
            cells = [self._cut(row) for row in lines]
        self._at = at
        self._rows = rows
        self._cells = cells
        return [y for y in range(len(rows)) if anew or cells[y] != old_cells[y]]

    def _cut(self, row: "Row") -> "Cells":
        """What of a row is in the window."""
        left = self.window.left
        text, style = part(row, left, left + self.window.cols)
        style = style.rstrip(PLAIN)
        return text[: max(len(text.rstrip(BLANK)), len(style))], style

    @property
    def _outside(self) -> int:
        """Columns of the window to the right of the session's screen."""
        return max(self.window.cols - self._size[1], 0)

    def _painter(self) -> "_CellPainter":
        terminal = self._terminal
        return _CellPainter(
            terminal.pens, terminal.clusters, self.window.rows, joining=not terminal.clustering
        )

    def _draw_row(self, painter: "_CellPainter", y: int, before: "Cells | None") -> None:
        """Draw a row in which there is something else; before: what, if that is known."""
        text, style = self._cells[y]
        start, rest = 0, 1
        if before is not None and text.isascii() and before[0].isascii():
            start = _common(text, style, *before)
            rest = len(before[0]) - start
        painter.go_to(y, start)
        if rest > 0:
            end = self.window.cols - self._outside
            painter.out.append(f"\x1b[{end - start}X" if self._outside else "\x1b[K")
        painter.row(text, style, self.window.cols, start)

    def _draw_whole(self, settings: str) -> bytes:
        """The whole picture, whatever the terminal shows."""
        painter = self._painter()
        painter.out.append("\x1b[m\x1b[H\x1b[J")
        cols, rows = self.window.cols, self.window.rows
        outside = rows * cols - len(self._cells) * (cols - self._outside)
        if outside > _MAX_OUTSIDE:
            rows = 0
        for y, (text, style) in enumerate(self._cells):
            if text:
                painter.go_to(y, 0)
                painter.row(text, style, cols)
            if self._outside and y < rows:
                painter.dots(y, cols - self._outside, self._outside)
        for y in range(len(self._cells), rows):
            painter.dots(y, 0, cols)
        return self._picture(painter, settings)

    def _picture(self, painter: "_CellPainter", settings: str) -> bytes:
        painter.use(PLAIN)
        drawn = "".join(painter.out)
        return f"{_BEGIN}{settings}{drawn}{_cursor(self._cursor)}{_END}".encode()


class _CellPainter(Painter):
    """Draws the cells of a window, wherever they are."""

    def go_to(self, y: int, x: int) -> None:
        """Have the cursor there, and the default pen."""
        self.use(PLAIN)
        self.out.append(f"\x1b[{y + 1};{x + 1}H")

    def dots(self, y: int, x: int, count: int) -> None:
        """Show that there is nothing there."""
        self.go_to(y, x)
        self.out.append(f"\x1b[2m{_OUTSIDE * count}\x1b[m")

    def _halves(self, size: int, x: int, cols: int) -> None:
        # That nothing was printed there is only seen by who selects it.
        self.out.append(" " * size)


def _settings(terminal: "Properties") -> dict[str, str]:
    """What sets whatever is kept in step beside the cells, by name."""
    modes = terminal.modes
    settings = {
        "titles": titles(terminal),
        "environment": environment(terminal),
        "colours": colours(terminal),
        "shape": cursor_shape(terminal),
        "resources": key_resources(terminal),
        "keyboard": f"\x1b[={terminal.screen.keyboard[-1]}u",
        "newline": "\x1b[20h" if terminal.newline_mode else "\x1b[20l",
    }
    for mode in _SWITCHES:
        on = modes.get(mode, TWO_VALUED[mode])
        settings[str(mode)] = ("\x1b=" if on else "\x1b>") if mode == 66 else private(mode, on)
    for mode in _OWN:
        if mode in modes:
            settings[str(mode)] = private(mode, modes[mode])
    return settings


def _cursor(cursor: "tuple[int, int, bool]") -> str:
    y, x, visible = cursor
    return f"\x1b[{y + 1};{x + 1}H" + private(25, True) if visible else private(25, False)


def _common(text: str, style: str, old_text: str, old_style: str) -> int:
    """In how many cells, from the first on, two rows are the same."""
    low, high = 0, min(len(text), len(old_text))
    style, old_style = style.ljust(high, PLAIN), old_style.ljust(high, PLAIN)
    while low < high:
        middle = (low + high + 1) // 2
        same = text[low:middle] == old_text[low:middle]
        if same and style[low:middle] == old_style[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low
