"""A screen of two: its rows, and what each has of its own."""

from .cells import Row
from .columns import ROWS
from .pen import DEFAULT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .pen import Pen


class SavedCursor:
    """What DECSC saves (not a pending wrap, as in xterm.js)."""

    __slots__ = ("charsets", "origin", "pen", "shift", "x", "y")

    CARRIED = {
        "x": int,
        "y": int,
        "pen": (str, str, int, int, str, str),
        "charsets": [str],
        "shift": int,
        "origin": bool,
    }

    def __init__(self) -> None:
        self.x = 0
        self.y = 0
        self.pen: Pen = DEFAULT
        self.charsets = ["B", "B", "B", "B"]
        self.shift = 0
        self.origin = False

    @property
    def is_default(self) -> bool:
        """As before anything was saved."""
        return (
            not (self.x or self.y or self.shift or self.origin)
            and self.pen == DEFAULT
            and self.charsets == ["B"] * 4
        )


class Screen:
    """Main or alternate screen: its rows, and what each screen has of its own."""

    __slots__ = ("keyboard", "lines", "saved", "x", "y")

    CARRIED = {
        "lines": ROWS,
        "saved": SavedCursor,
        "keyboard": [int],
        "x": int,
        "y": int,
    }

    def __init__(self, rows: int) -> None:
        self.lines = [Row() for _ in range(rows)]
        self.saved = SavedCursor()
        self.keyboard = [0]  # the kitty keyboard protocol's stack of flags
        self.x = 0  # the cursor when this screen was left
        self.y = 0

    def reset(self) -> None:
        """Make it as it was at first, of so many rows as it has."""
        for row in self.lines:
            if row.text or row.style or row.wrapped or row.marks:
                row.clear()
        self.saved = SavedCursor()
        self.keyboard = [0]
        self.x = self.y = 0
