"""Rows, pens and clusters as columns: how a state that is handed on says what a terminal has.

A history of 10,000 lines is some ten blocks of a few long strings, which are made, and taken apart
again, by a few calls each.  In a block texts are joined by LF, which no cell holds, and styles have
nothing between them: a pen's number may be that of any character.  Numbers are of 16 bits,
little-endian.
"""

import sys
from array import array
from itertools import accumulate

from .cells import Row

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from .cells import Piece

# Rows of a block: a fraction of a millisecond's work.
BLOCK = 1024

# Columns of a block, by their place in it; empty where no row has what they tell.
(
    _COUNT,  # of rows
    _TEXTS,
    _LENGTHS,  # of each row's style
    _STYLES,
    _WRAPPED,  # for each row a byte: whether it continues the one before
    _MARKED,  # the rows that have marks: once for each mark
    _PLACES,  # the columns of the marks
    _MARKS,
) = range(8)

_ASCII = bytes(range(128))


def block_of(pieces: "Sequence[Piece]") -> "list[Any]":
    """At most 65,536 rows as columns."""
    kinds = set(map(type, pieces))
    whole: Any = pieces
    if kinds <= {str}:
        return [len(pieces), "\n".join(whole).encode(), *[b""] * (_MARKS - 1)]
    if str in kinds:
        whole = [(piece, "", False, ()) if isinstance(piece, str) else piece for piece in pieces]
    texts, styles, wrapped, marks = zip(*whole)
    marked: list[Any] = []
    if any(marks):
        marked = [(row, *placed) for row, of in enumerate(marks) if of for placed in of]
    return [
        len(texts),
        "\n".join(texts).encode(),
        _numbers(map(len, styles)) if any(styles) else b"",
        _encoded("".join(styles)),
        bytes(wrapped) if any(wrapped) else b"",
        _numbers([row for row, _, _ in marked]),
        _numbers([x for _, x, _ in marked]),
        "\n".join([mark for _, _, mark in marked]).encode(),
    ]


def rows_of(block: "list[Any]", pens: int, characters: int) -> "list[Piece]":
    """The rows again.  Raises ValueError, also for a pen or a character that is too high."""
    count = block[_COUNT]
    data = bytes(block[_TEXTS])
    texts = data.decode()
    if b"\xf4" in data:  # plane 16 begins with it
        _check_below(texts, characters, "cluster")
    rows: list[Any] = texts.split("\n") if count else []
    if len(rows) != count:
        raise ValueError(f"{len(rows)} rows where {count} are meant")
    styles = _styles(block, count, pens)
    wrapped = list(map(bool, bytes(block[_WRAPPED]))) or [False] * count
    if len(wrapped) != count:
        raise ValueError("columns of different lengths")
    if styles:
        rows = [
            (text, style, goes_on, ()) if style or goes_on else text
            for text, style, goes_on in zip(rows, styles, wrapped)
        ]
    elif block[_WRAPPED]:
        rows = [(text, "", True, ()) if goes_on else text for text, goes_on in zip(rows, wrapped)]
    for row, marks in _marks(block, count).items():
        piece = rows[row]
        text, style, goes_on, _ = (piece, "", False, ()) if isinstance(piece, str) else piece
        rows[row] = (text, style, goes_on, marks)
    return rows


def _styles(block: "list[Any]", count: int, pens: int) -> "list[str]":
    """Each row's style; empty if no row has one."""
    data = bytes(block[_STYLES])
    styles = _text(data)
    if not styles.isascii():
        _check_below(styles, pens, "pen")
    elif data.translate(None, _ASCII[:pens]):
        raise ValueError("a pen that is not in the table")
    ends = list(accumulate(_array(block[_LENGTHS])))
    if len(ends) not in (0, count) or ends[-1:] not in ([], [len(styles)]):
        raise ValueError("styles of other lengths than are meant")
    return [styles[start:end] for start, end in zip([0, *ends], ends)]


def _marks(block: "list[Any]", count: int) -> "dict[int, tuple[tuple[int, str], ...]]":
    found: dict[int, tuple[tuple[int, str], ...]] = {}
    marked, places = _array(block[_MARKED], count), _array(block[_PLACES])
    marks = _text(block[_MARKS]).split("\n") if marked else []
    if not len(marked) == len(places) == len(marks):
        raise ValueError("columns of different lengths")
    for row, placed in zip(marked, zip(places, marks)):
        found[row] = (*found.get(row, ()), placed)
    return found


def _check_below(text: str, bound: int, what: str) -> None:
    """Refuse characters that stand for a number which is not in the table."""
    if ord(max(set(text))) >= bound:
        raise ValueError(f"a {what} that is not in the table")


def blocks_of(pieces: "Iterable[Piece]") -> "list[list[Any]]":
    """Rows as blocks."""
    rows = list(pieces)
    return [block_of(rows[start : start + BLOCK]) for start in range(0, len(rows), BLOCK)]


def _numbers(values: "Iterable[int]") -> bytes:
    made = array("H", values)
    if sys.byteorder == "big":
        made.byteswap()
    return made.tobytes()


def _array(data: "Any", bound: int = 1 << 16) -> "Sequence[int]":
    """Numbers below `bound`.  Raises ValueError."""
    found = array("H", bytes(data))
    if sys.byteorder == "big":
        found.byteswap()
    if found and max(found) >= bound:
        raise ValueError("a row that is not there")
    return found


def _encoded(text: str) -> bytes:
    """Also of what is no character: a pen's number may be anything."""
    return text.encode("utf-8", "surrogatepass")


def _text(data: "Any") -> str:
    return str(data, "utf-8", "surrogatepass")


def strings(texts: "Sequence[str]") -> "list[Any]":
    """Texts without an LF in them."""
    return [len(texts), _encoded("\n".join(texts))]


def from_strings(column: "list[Any]") -> "list[str]":
    """What strings() was given.  Raises ValueError."""
    count, joined = column
    texts = _text(joined).split("\n") if count else []
    if len(texts) != count:
        raise ValueError(f"{len(texts)} texts where {count} are meant")
    return texts


def numbers(values: "Sequence[int]") -> bytes:
    """Numbers of 16 bits."""
    return _numbers(values)


def from_numbers(column: "Any") -> "list[int]":
    """What numbers() was given.  Raises ValueError."""
    return list(_array(column))


class _Rows:
    """The rows of a screen, as an attribute holds them."""

    @staticmethod
    def to_plain(rows: "list[Row]") -> "Any":
        return block_of([(row.text, row.style, row.wrapped, row.marks) for row in rows])

    @staticmethod
    def from_plain(block: "Any") -> "list[Row]":
        """What pens and clusters there are is for who knows their tables to look at."""
        pieces = rows_of(block, 1 << 21, 1 << 21)
        return [Row(piece) if isinstance(piece, str) else Row(*piece) for piece in pieces]


class _History:
    """The most rows that are kept, and those that are, in blocks."""

    @staticmethod
    def to_plain(history: "tuple[int, list[list[Any]]]") -> "Any":
        return list(history)

    @staticmethod
    def from_plain(plain: "Any") -> "tuple[int, list[list[Any]]]":
        most, blocks = plain
        if type(most) is not int or most < 0:
            raise ValueError("no number of rows")
        for block in blocks:
            if len(block) <= _MARKS or type(block[_COUNT]) is not int:
                raise ValueError("no block of rows")
        return most, blocks


class _Pieces:
    """Rows as they are in a history."""

    @staticmethod
    def to_plain(pieces: "list[Piece]") -> "Any":
        return blocks_of(pieces)

    @staticmethod
    def from_plain(blocks: "Any") -> "list[Piece]":
        return [row for block in blocks for row in rows_of(block, 1 << 21, 1 << 21)]


class _Strings:
    """Texts without an LF in them."""

    @staticmethod
    def to_plain(texts: "list[str]") -> "Any":
        return strings(texts)

    @staticmethod
    def from_plain(column: "Any") -> "list[str]":
        return from_strings(column)


class _Numbers:
    """Pens or clusters, by the characters that stand for them: a set."""

    @staticmethod
    def to_plain(characters: "set[str]") -> "Any":
        return _encoded("".join(sorted(characters)))

    @staticmethod
    def from_plain(column: "Any") -> "set[str]":
        return set(_text(column))


ROWS = _Rows()
PIECES = _Pieces()
STRINGS = _Strings()
CHARACTERS = _Numbers()
HISTORY = _History()
