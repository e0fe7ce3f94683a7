"""A screen as an HTML document by itself: no script, nothing from elsewhere."""

from shpool.client.colours import Colours
from shpool.client.drawing import BAR, UNDERLINE, address, colours_of, escape, look, pieces

TYPE_CHECKING = False
if TYPE_CHECKING:
    from shpool.client.drawing import Piece
    from shpool.client.screen import Line, Screen

# Each row is by itself to what turns text around, and so is each piece, which is as wide as its
# cells whatever the font makes of it.
_SHEET = (
    "body{margin:0;background:%s;color:%s}"
    "main{padding:8px;font:14px/17px monospace}"
    "p{margin:0;height:17px;direction:ltr;unicode-bidi:isolate;white-space:pre}"
    "i,a{display:inline-block;height:17px;overflow:hidden;vertical-align:top;font-style:normal;"
    "color:inherit;text-decoration:none;direction:ltr;unicode-bidi:isolate;white-space:pre}"
)

# By kind of underline, from 1 on.
_UNDERLINES = ("solid", "double", "wavy", "dotted", "dashed")


def as_html(screen: "Screen") -> str:
    colours = Colours(screen.head)
    title = escape(screen.head.title or screen.head.name)
    sheet = _SHEET % (colours.background, colours.foreground)
    lines = [_line(screen, number, line, colours) for number, line in enumerate(screen.lines)]
    return (
        '<!DOCTYPE html>\n<html><head><meta charset="utf-8">\n'
        '<meta http-equiv="Content-Security-Policy"'
        " content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        f"<title>{title}</title>\n<style>{sheet}</style></head>\n"
        f"<body><main>\n{''.join(lines)}</main></body></html>\n"
    )


def _line(screen: "Screen", number: int, line: "Line", colours: Colours) -> str:
    drawn = [_piece(piece, colours) for piece in pieces(screen, number, line)]
    return f"<p>{''.join(drawn)}</p>\n"


def _piece(piece: "Piece", colours: Colours) -> str:
    foreground, background = colours_of(piece, colours)
    font, lines = look(piece.pen)
    style = f"width:{piece.width}ch{font}"
    if foreground != colours.foreground:
        style += f";color:{foreground}"
    if background != colours.background:
        style += f";background:{background}"
    if lines:
        kind = f" {_UNDERLINES[min(piece.pen[3], len(_UNDERLINES)) - 1]}" if piece.pen[3] else ""
        style += f";text-decoration:{lines}{kind} {colours.of_underline(piece.pen)}".rstrip(" ")
    if piece.cursor == UNDERLINE:
        style += f";box-shadow:inset 0 -2px {colours.cursor}"
    elif piece.cursor == BAR:
        style += f";box-shadow:inset 2px 0 {colours.cursor}"
    text = escape(piece.text)
    uri = address(piece.pen)
    if uri:
        return f'<a href="{escape(uri)}" rel="noopener" style="{style}">{text}</a>'
    return f'<i style="{style}">{text}</i>'
