"""What stands on the screen, as lines of text."""

from .cells import BLANK, TAIL
from .grid import completed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .properties import Properties


class ScreenLines:
    """texts: the lines of the screen in use, with the blanks that were written, rows joined that
    wrap; the cursor's goes up to the cursor. rows: in which row each begins. cursor: the index of
    the cursor's line. alternate: whether it is the alternate screen."""

    __slots__ = ("alternate", "cursor", "rows", "texts")

    def __init__(self, terminal: "Properties") -> None:
        self.alternate = terminal.screen is terminal.alternate
        self.texts: list[str] = []
        self.rows: list[int] = []
        self.cursor = 0
        above = counts = ""  # of the row before: all its text, and that up to the cursor
        for number, row in enumerate(terminal.lines):
            text = row.text
            if row.wrapped and number and not self.alternate:
                joined = completed(above, terminal.cols, text)
                if number - 1 == terminal.y:
                    joined = counts.ljust(len(joined), BLANK)
                self.texts[-1] = self.texts[-1][: len(self.texts[-1]) - len(counts)] + joined
            else:
                self.texts.append("")
                self.rows.append(number)
            above = counts = text
            if number == terminal.y:
                counts = text[: terminal.x].ljust(terminal.x, BLANK)
                self.cursor = len(self.texts) - 1
            self.texts[-1] += counts
        shown = terminal.clusters.text
        self.texts = [
            text.replace(TAIL, "").replace(BLANK, " ")
            if text.isascii()
            else "".join([shown(cell) or " " for cell in text if cell != TAIL])
            for text in self.texts
        ]
