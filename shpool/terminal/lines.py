"""Lines as the program wrote them, from the rows that they wrapped into, and back."""

from itertools import accumulate, repeat

from .cells import BLANK, PLAIN, TAIL, Row
from .grid import completed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Iterator

    from .cells import Marks, Piece


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


def join(rows: "list[Row]", cols: int) -> "tuple[str, str, Marks]":
    """Text, style and marks of a line from its rows on a screen of that width."""
    texts = [row.text for row in rows]
    for number, after in enumerate(texts[1:]):
        texts[number] = completed(texts[number], cols, after)
    return (
        *join_pieces(texts, [row.style for row in rows]),
        join_marks(texts, [row.marks for row in rows]),
    )


def join_marks(texts: list[str], marks: "list[Marks]") -> "Marks":
    """The marks of a line, their columns counted from its start, from those of its pieces."""
    if not any(marks):
        return ()
    starts = accumulate(map(len, texts), initial=0)
    return tuple((x + start, mark) for start, of in zip(starts, marks) for x, mark in of)


def join_pieces(texts: list[str], styles: list[str]) -> tuple[str, str]:
    """Text and style from those of pieces that are complete but for the last one."""
    if not any(styles):
        return "".join(texts), ""
    padded = [style.ljust(len(text), PLAIN)[: len(text)] for text, style in zip(texts, styles)]
    return "".join(texts), "".join(padded)


def split(
    text: str, style: str, cols: int, *, wrapped: bool = False, marks: "Marks" = ()
) -> list[Row]:
    """A line as rows of at most cols cells; wrapped: it continues a row before."""
    rows = []
    start = 0
    while True:
        end = start + cols
        if end < len(text) and text[end] == TAIL and cols > 1:
            end -= 1
        part = style[start:end]
        if end - start < cols and end < len(text) and style:
            part = part.ljust(cols, PLAIN)  # the column left free
        row = Row(text[start:end], part, wrapped)
        rows.append(row)
        last = end >= len(text)
        if marks:
            row.marks = tuple(
                (x - start, mark) for x, mark in marks if start <= x and (x < end or last)
            )
        if last:
            return rows
        start = end
        wrapped = True


def pop_rows(history: "deque[Piece]", cols: int) -> list[Row]:
    """Take the last line out of a history that is not empty: its rows at this width."""
    texts: list[str] = []
    styles: list[str] = []
    marks: list[Marks] = []
    wrapped = True
    while history and wrapped:
        piece = history.pop()
        if isinstance(piece, str):
            piece = (piece, "", False, ())
        text, style, wrapped, of_piece = piece
        texts.append(text)
        styles.append(style)
        marks.append(of_piece)
    rows = _as_rows(texts[::-1], styles[::-1], marks[::-1], cols)
    rows[0].wrapped = wrapped  # its own start is gone
    return rows


def _as_rows(texts: list[str], styles: list[str], marks: "list[Marks]", cols: int) -> list[Row]:
    """The rows of a line that is kept in pieces. They stay as they are if they are of this width,
    as those of a line always are that goes on on the screen."""
    fill = all(map(_fills_row, texts, texts[1:], repeat(cols)))
    if fill and len(texts[-1].rstrip(BLANK)) <= cols:
        rows = [
            Row(text, style, number > 0, of_piece)
            for number, (text, style, of_piece) in enumerate(zip(texts, styles, marks))
        ]
        rows[-1].crop(cols)
        return rows
    text, style = join_pieces(texts, styles)
    text = text.rstrip(BLANK)
    return split(text, style[: len(text)], cols, marks=join_marks(texts, marks))


def _fills_row(text: str, following: str, cols: int) -> bool:
    """Returns whether a piece ends where a row of that width wraps into what follows."""
    return len(text) == cols or (len(text) == cols - 1 and following[1:2] == TAIL)


def last_rows(history: "deque[Piece]", count: int, cols: int) -> list[Row]:
    """The rows of the last count lines of the history as they are at this width; the history
    stays as it is."""
    rows: list[Row] = []  # from the last one upwards
    texts: list[str] = []
    styles: list[str] = []
    marks: list[Marks] = []
    of_piece: Marks
    for piece in reversed(history):
        if count <= 0:
            break
        if isinstance(piece, str):
            text, style, wrapped, of_piece = piece, "", False, ()
        else:
            text, style, wrapped, of_piece = piece
        if not wrapped and not texts and len(text) <= cols:
            rows.append(Row(text, style, False, of_piece))
            count -= 1
            continue
        texts.append(text)
        styles.append(style)
        marks.append(of_piece)
        if not wrapped:
            rows += reversed(_as_rows(texts[::-1], styles[::-1], marks[::-1], cols))
            count -= 1
            texts.clear()
            styles.clear()
            marks.clear()
    if texts:
        rows += reversed(_as_rows(texts[::-1], styles[::-1], marks[::-1], cols))
    rows.reverse()
    return rows
