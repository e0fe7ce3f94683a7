"""A new size: the main screen and its history reflow, the alternate screen is cropped.

As in xterm.js: rows come and go first, at the bottom while there are any below the cursor, else
at the top from and to the history; then lines that wrapped are joined and wrapped anew. Unlike
there, the line that holds the cursor takes part, and the cursor stays on its character. History
beyond what comes into view keeps its pieces; it is wrapped anew when somebody looks at it.
"""

from .cells import BLANK, Row
from .lines import join, pop_rows, rows_of_lines, split

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .properties import Properties

# A pty can be told of 65,535; what a program then fills costs two bytes or more for each cell.
MAX_SIDE = 4096


def resize(terminal: "Properties", rows: int, cols: int) -> None:
    """Give a terminal another size; values outside 1 to MAX_SIDE are brought into it."""
    rows = min(max(rows, 1), MAX_SIDE)
    cols = min(max(cols, 1), MAX_SIDE)
    if (rows, cols) == (terminal.rows, terminal.cols):
        return
    main = terminal.main
    alternate = terminal.alternate
    in_alternate = terminal.screen is alternate
    x, y = (main.x, main.y) if in_alternate else (terminal.x, terminal.y)
    saved = main.saved
    follows = (saved.x, saved.y) == (min(x, terminal.cols - 1), y)

    lines = main.lines
    y_before = y
    y = _change_rows(terminal, lines, y, rows)
    saved.y += y - y_before
    if cols != terminal.cols:
        lines, x, y = _reflow(terminal, lines, x, y, rows, cols)
    main.lines = lines
    x = min(x, cols - 1)
    main.x, main.y = x, y
    kept = terminal.y if in_alternate else 0  # the row that is not cut off
    below = min(max(len(alternate.lines) - rows, 0), len(alternate.lines) - 1 - kept)
    del alternate.lines[len(alternate.lines) - below :]
    surplus = max(len(alternate.lines) - rows, 0)
    del alternate.lines[:surplus]
    for row in alternate.lines:
        row.crop(cols)
    alternate.lines += [Row() for _ in range(rows - len(alternate.lines))]
    if in_alternate:
        x = min(terminal.x, cols - 1)
        y = terminal.y - surplus

    if follows:
        saved.x, saved.y = main.x, main.y
    for screen in (main, alternate):
        screen.saved.x = min(screen.saved.x, cols - 1)
        screen.saved.y = min(max(screen.saved.y, 0), rows - 1)
    terminal.x, terminal.y = x, y
    terminal.lines = terminal.screen.lines
    terminal.rows, terminal.cols = rows, cols
    terminal.reset_margins()
    _extend_tab_stops(terminal, cols)


def _extend_tab_stops(terminal: "Properties", cols: int) -> None:
    """New columns get a stop each eighth column, counted from the last stop there was. Stops
    beyond a narrower screen are there again when it is widened, as in xterm and xterm.js."""
    stops = terminal.tab_stops
    stops.extend(bytes(max(cols + 1 - len(stops), 0)))
    if not stops[cols]:
        for column in range(max(stops.rfind(1, 0, cols), 0), cols, 8):
            stops[column] = 1


def _change_rows(terminal: "Properties", lines: list[Row], y: int, rows: int) -> int:
    """Bring the main screen to that many rows, at its old width; the cursor's row after that."""
    missing = rows - len(lines)
    if missing > 0:
        if y + 1 >= len(lines):
            pulled = _pull(terminal, missing, terminal.cols)
            lines[:0] = pulled
            y += len(pulled)
        lines += [Row() for _ in range(rows - len(lines))]
    elif missing < 0:
        below = min(-missing, len(lines) - 1 - y)
        del lines[len(lines) - below :]
        above = len(lines) - rows
        for row in lines[:above]:
            terminal.keep(row)
        del lines[:above]
        y -= above
    return y


def _pull(terminal: "Properties", count: int, cols: int) -> list[Row]:
    """Take up to count rows, as they are at that width, out of the end of the history."""
    rows: list[Row] = []
    while len(rows) < count and terminal.history:
        line = pop_rows(terminal.history, cols)
        terminal.begun -= not line[0].wrapped
        rows[:0] = line
    surplus = max(len(rows) - count, 0)
    for row in rows[:surplus]:
        terminal.keep(row, cols)
    return rows[surplus:]


def _reflow(
    terminal: "Properties", lines: list[Row], x: int, y: int, rows: int, cols: int
) -> tuple[list[Row], int, int]:
    """Wrap the main screen's lines anew; its rows, and the cursor's column and row."""
    old_cols = terminal.cols
    had_history = bool(terminal.history)
    if lines[0].wrapped and had_history:
        # The first row's line began in the history. All of it is needed, at the old width.
        head = pop_rows(terminal.history, old_cols)
        terminal.begun -= not head[0].wrapped
        lines = head + lines
        y += len(head)
    made: list[Row] = []
    first = 0
    cursor = (x, y)
    for group in rows_of_lines(lines):
        again = _wrap_anew(group, old_cols, cols)
        if first <= y < first + len(group):
            cursor = _find(group, again, y - first, x, old_cols)
            cursor = cursor[0], cursor[1] + len(made)
        first += len(group)
        made += again
    x, y = cursor
    # With a history the screen's last row stays at the bottom, else its first one at the top, as
    # far as there is room for the text below the cursor.
    used = len(made)
    while not had_history and used > y + 1 and not made[used - 1].text.strip(BLANK):
        used -= 1
    start = min(max(used - rows, 0), y)
    for row in made[:start]:
        terminal.keep(row, cols)
    made = made[start : start + rows]
    y -= start
    if len(made) < rows:
        pulled = _pull(terminal, rows - len(made), cols)
        made = pulled + made
        y += len(pulled)
    made += [Row() for _ in range(rows - len(made))]
    return made, x, y


def _wrap_anew(group: list[Row], old_cols: int, cols: int) -> list[Row]:
    """The rows of one line, at another width. What never wrapped and fits is only cropped."""
    row = group[0]
    if len(group) == 1 and len(row.text.rstrip(BLANK)) <= cols:
        row.crop(cols)
        return group
    text, style, marks = join(group, old_cols)
    text = text.rstrip(BLANK)
    return split(text, style[: len(text)], cols, wrapped=row.wrapped, marks=marks)


def _find(group: list[Row], again: list[Row], y: int, x: int, old_cols: int) -> tuple[int, int]:
    """Where column x of the group's row y has come to: column, and row counted from the first."""
    offset = x + (len(join(group[: y + 1], old_cols)[0]) - len(group[y].text) if y else 0)
    for number, row in enumerate(again):
        if offset < len(row.text) or number == len(again) - 1:
            return offset, number
        offset -= len(row.text)
    return 0, 0
