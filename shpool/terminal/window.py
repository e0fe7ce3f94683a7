"""The part of a session's screen that a terminal of another size shows."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .properties import Properties
    from .screen import Screen


class Window:
    """rows and cols: of the terminal that shows it. top and left: the cell of the session's screen
    in its first row and column."""

    __slots__ = ("_screen", "cols", "left", "rows", "top")

    def __init__(self, rows: int, cols: int, top: int = 0, left: int = 0) -> None:
        self.rows = max(rows, 1)
        self.cols = max(cols, 1)
        self.top = top
        self.left = left
        self._screen: Screen | None = None  # that it was on

    def follow(self, terminal: "Properties") -> None:
        """Have the cursor in it: by as few rows as that takes, and by half a window of columns. It
        stays where it is as long as the cursor is in it, or hidden; but on another screen it begins
        in the corner where programs that hide it have their headings."""
        if self._screen is not terminal.screen:
            if self._screen is not None:
                self.top = self.left = 0
            self._screen = terminal.screen
        if terminal.modes.get(25, True):
            y = terminal.y
            self.top = max(min(self.top, y), y - self.rows + 1)
            x = min(terminal.x, terminal.cols - 1)
            half = max(self.cols // 2, 1)
            if x < self.left:
                self.left -= -((x - self.left) // half) * half
            elif x >= self.left + self.cols:
                self.left += -((self.left + self.cols - 1 - x) // half) * half
        self.top = max(min(self.top, terminal.rows - self.rows), 0)
        self.left = max(min(self.left, terminal.cols - self.cols), 0)
