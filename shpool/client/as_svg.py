"""A screen as an SVG image by itself: no script, nothing from elsewhere."""

from shpool.client.colours import Colours
from shpool.client.drawing import BAR, UNDERLINE, address, colours_of, escape, look, pieces

TYPE_CHECKING = False
if TYPE_CHECKING:
    from shpool.client.drawing import Piece
    from shpool.client.screen import Screen

# Of a cell, and the border around all, in pixels; letters stand on a line in the cell.
_WIDTH, _HEIGHT, _BORDER, _LINE = 8.4, 17, 8, 13


def as_svg(screen: "Screen") -> str:
    colours = Colours(screen.head)
    cols = screen.head.cols
    drawn = []
    for number, line in enumerate(screen.lines):
        for piece in pieces(screen, number, line):
            cols = max(cols, piece.x + piece.width)
            drawn.append(_piece(piece, number, colours))
    width = _number(cols * _WIDTH + 2 * _BORDER)
    height = len(screen.lines) * _HEIGHT + 2 * _BORDER
    title = escape(screen.head.title or screen.head.name)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}"'
        f' viewBox="0 0 {width} {height}">\n<title>{title}</title>\n'
        f'<rect width="{width}" height="{height}" fill="{colours.background}"/>\n'
        f'<g font-family="monospace" font-size="14">\n{"".join(drawn)}</g>\n</svg>\n'
    )


def _piece(piece: "Piece", row: int, colours: Colours) -> str:
    x, y = _BORDER + piece.x * _WIDTH, _BORDER + row * _HEIGHT
    width = piece.width * _WIDTH
    foreground, background = colours_of(piece, colours)
    font, lines = look(piece.pen)
    drawn = ""
    if background != colours.background:
        drawn += _box(x, y, width, _HEIGHT, background)
    if piece.text.strip(" ") or lines:
        style = f"white-space:pre;direction:ltr;unicode-bidi:isolate{font}"
        if lines:
            style += f";text-decoration:{lines}"
        drawn += (
            f'<text x="{_number(x)}" y="{y + _LINE}" textLength="{_number(width)}"'
            f' lengthAdjust="spacingAndGlyphs" fill="{foreground}" style="{style}">'
            f"{escape(piece.text)}</text>\n"
        )
    if piece.cursor == UNDERLINE:
        drawn += _box(x, y + _HEIGHT - 2, width, 2, colours.cursor)
    elif piece.cursor == BAR:
        drawn += _box(x, y, 2, _HEIGHT, colours.cursor)
    uri = address(piece.pen)
    return f'<a href="{escape(uri)}" rel="noopener">{drawn}</a>\n' if uri and drawn else drawn


def _box(x: float, y: int, width: float, height: int, colour: str) -> str:
    place = f'x="{_number(x)}" y="{y}" width="{_number(width)}" height="{height}"'
    return f'<rect {place} fill="{colour}"/>\n'


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
