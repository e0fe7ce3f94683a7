"""What HTML and SVG of a screen share: pieces of lines, and text that is safe in markup."""

import re

from shpool.terminal.cells import BLANK, TAIL
from shpool.terminal.pen import BOLD, ITALIC, OVERLINE, STRIKE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from shpool.client.colours import Colours
    from shpool.client.screen import Line, Screen
    from shpool.protocol.screens import Pen

# What XML has no way to write, and controls, which nobody is to be sent.
_NO_TEXT = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_MARKUP = {ord(char): f"&#{ord(char)};" for char in "&<>\"'"}

# What a browser may be led to.
_ADDRESS = re.compile("(?:https?|ftp)://[!-~]+|mailto:[!-~]+", re.IGNORECASE)

# Letters that every font for terminals has in the width of a cell, or what one or two cells hold.
_EVEN = re.compile(f"[ -~]+|.{TAIL}?", re.DOTALL)

# Shapes of the cursor, by DECSCUSR's number.
BLOCK, UNDERLINE, BAR = "block", "underline", "bar"
_SHAPES = {3: UNDERLINE, 4: UNDERLINE, 5: BAR, 6: BAR}

_DEFAULT: "Pen" = ("", "", 0, 0, "", "")


class Piece:
    """`text` in `width` cells from column `x` on, drawn with `pen`; `cursor`: its shape, if it
    stands here.  It is ASCII, of which each takes a cell, or what stands in one or two cells."""

    __slots__ = ("cursor", "pen", "text", "width", "x")

    def __init__(self, x: int, width: int, text: str, pen: "Pen", cursor: str = "") -> None:
        self.x = x
        self.width = width
        self.text = text
        self.pen = pen
        self.cursor = cursor


def escape(text: str) -> str:
    """Text as it can stand in an element or in an attribute."""
    return _NO_TEXT.sub("\ufffd", text).translate(_MARKUP)


def address(pen: "Pen") -> str:
    """Where a link leads, if that is safe to follow, else nothing."""
    uri = pen[5].partition(";")[2]
    return uri if _ADDRESS.fullmatch(uri) else ""


def pieces(screen: "Screen", number: int, line: "Line") -> "Iterator[Piece]":
    """What line `number` is drawn of."""
    shape = _SHAPES.get(screen.head.shape or 0, BLOCK)
    cursor = screen.x if number == screen.y and screen.head.visible else -1
    end = 0
    for x, cells, pen in screen.stretches(line):
        for piece in _of_stretch(screen, x, cells, pen):
            end = piece.x + piece.width
            if piece.x <= cursor < end:
                yield from _with_cursor(piece, cursor, shape)
            else:
                yield piece
    if cursor >= end:
        if cursor > end:
            yield Piece(end, cursor - end, " " * (cursor - end), _DEFAULT)
        yield Piece(cursor, 1, " ", _DEFAULT, shape)


def _of_stretch(screen: "Screen", x: int, cells: str, pen: "Pen") -> "Iterator[Piece]":
    for part in _EVEN.findall(cells.replace(BLANK, " ")):
        if " " <= part[0] <= "~":
            yield Piece(x, len(part), part, pen)
        else:
            yield Piece(x, len(part), screen.cell(part[0]) or " ", pen)
        x += len(part)


def _with_cursor(piece: Piece, cursor: int, shape: str) -> "Iterator[Piece]":
    """The piece, cut where the cursor stands in it."""
    at = cursor - piece.x
    if not " " <= piece.text[0] <= "~":
        yield Piece(piece.x, piece.width, piece.text, piece.pen, shape)
        return
    if at:
        yield Piece(piece.x, at, piece.text[:at], piece.pen)
    yield Piece(cursor, 1, piece.text[at], piece.pen, shape)
    rest = piece.text[at + 1 :]
    if rest:
        yield Piece(cursor + 1, len(rest), rest, piece.pen)


def colours_of(piece: Piece, colours: "Colours") -> "tuple[str, str]":
    """Foreground and background of a piece, also where the cursor covers it."""
    if piece.cursor == BLOCK:
        return colours.background, colours.cursor
    return colours.of(piece.pen)


def look(pen: "Pen") -> "tuple[str, str]":
    """Font and lines of a pen, as the beginning of declarations in a style sheet and the names of
    lines in its text-decoration."""
    font = ";font-weight:bold" if pen[2] & BOLD else ""
    if pen[2] & ITALIC:
        font += ";font-style:italic"
    lines = (
        ("underline", pen[3]),
        ("line-through", pen[2] & STRIKE),
        ("overline", pen[2] & OVERLINE),
    )
    return font, " ".join([name for name, given in lines if given])
