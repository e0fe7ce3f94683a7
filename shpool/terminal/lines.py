"""Lines as the program wrote them, from the rows that they wrapped into, and back."""

from itertools import repeat

from .cells import BLANK, PLAIN, TAIL, Row
from .grid import completed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Iterator

    from .grid import Piece


def rows_of_lines(rows: "list[Row]") -> "Iterator[list[Row]]":
    """Groups of rows that are one line each. The first row begins one, wrapped or not."""
    group = rows[:1]
    for row in rows[1:]:
        if row.wrapped:
            group.append(row)
        else:
            yield group
            group = [row]
    yield group


def join(rows: "list[Row]", cols: int) -> tuple[str, str]:
    """Text and style of a line from its rows on a screen of that width."""
    texts = [row.text for row in rows]
    for number, after in enumerate(texts[1:]):
        texts[number] = completed(texts[number], cols, after)
    return join_pieces(texts, [row.style for row in rows])


def join_pieces(texts: list[str], styles: list[str]) -> tuple[str, str]:
    """Text and style from those of pieces that are complete but for the last one."""
    if not any(styles):
        return "".join(texts), ""
    padded = [
        style.ljust(len(text), PLAIN)[: len(text)]
        for text, style in zip(texts, styles, strict=True)
    ]
    return "".join(texts), "".join(padded)


def split(text: str, style: str, cols: int, *, wrapped: bool = False, marks: str = "") -> list[Row]:
    """A line as rows of at most cols cells; wrapped: it continues a row before. marks: those of
    its first row."""
    rows = []
    start = 0
    while True:
        end = start + cols
        if end < len(text) and text[end] == TAIL and cols > 1:
            end -= 1
        part = style[start:end]
        if end - start < cols and end < len(text) and style:
            part = part.ljust(cols, PLAIN)  # the column left free
        rows.append(Row(text[start:end], part, wrapped, marks))
        marks = ""
        start = end
        wrapped = True
        if start >= len(text):
            return rows


def pop_line(history: "deque[Piece]") -> tuple[str, str, bool, str, int]:
    """Take the last line out of the history: text, style, whether its own start is gone, marks,
    and the number of pieces that it was."""
    texts: list[str] = []
    styles: list[str] = []
    wrapped = True
    marks = ""
    while history and wrapped:
        piece = history.pop()
        if isinstance(piece, str):
            texts.append(piece)
            styles.append("")
            wrapped, marks = False, ""
        else:
            text, style, wrapped, marks = piece
            texts.append(text)
            styles.append(style)
    text, style = join_pieces(texts[::-1], styles[::-1])
    return text, style, wrapped and bool(texts), marks, len(texts)


def _fills_row(text: str, following: str, cols: int) -> bool:
    """Whether a piece ends where a row of that width wraps into what follows."""
    return len(text) == cols or (len(text) == cols - 1 and following[1:2] == TAIL)


def _as_rows(texts: list[str], styles: list[str], cols: int) -> list[Row]:
    """The rows of a line that is kept in pieces."""
    if len(texts) == 1 and len(texts[0]) <= cols:
        return [Row(texts[0], styles[0])]
    if len(texts[-1]) <= cols and all(map(_fills_row, texts, texts[1:], repeat(cols))):
        return [
            Row(text, style, number > 0)
            for number, (text, style) in enumerate(zip(texts, styles, strict=True))
        ]
    text, style = join_pieces(texts, styles)
    return split(text.rstrip(BLANK), style, cols)


def last_rows(history: "deque[Piece]", count: int, cols: int) -> list[Row]:
    """The rows of the last count lines of the history as they are at this width; the history
    stays as it is."""
    rows: list[Row] = []  # from the last one upwards
    texts: list[str] = []
    styles: list[str] = []
    for piece in reversed(history):
        if count <= 0:
            break
        if isinstance(piece, str):
            text, style, wrapped, marks = piece, "", False, ""
        else:
            text, style, wrapped, marks = piece
        if not wrapped and not texts and len(text) <= cols:
            rows.append(Row(text, style, False, marks))
            count -= 1
            continue
        texts.append(text)
        styles.append(style)
        if not wrapped:
            rows += reversed(_as_rows(texts[::-1], styles[::-1], cols))
            rows[-1].marks = marks
            count -= 1
            texts.clear()
            styles.clear()
    if texts:
        rows += reversed(_as_rows(texts[::-1], styles[::-1], cols))
    rows.reverse()
    return rows
