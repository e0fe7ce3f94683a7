"""The pen: how the next character will look, and how SGR changes that.

A pen is a tuple, so that equal pens are one number in a style (see cells.py). Colours are kept as
the SGR parameters that set them ("" for the default): 31, 38;5;1 and 38;2;205;0;0 may all be the
same red and are still three different wishes, for the first follows bold and the palette.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    # foreground, background, attributes, underline kind (0 to 5), underline colour, hyperlink
    # ("params;uri" as in OSC 8, "" for none)
    Pen = tuple[str, str, int, int, str, str]

DEFAULT: "Pen" = ("", "", 0, 0, "", "")

BOLD, DIM, ITALIC, BLINK, INVERSE, HIDDEN, STRIKE, OVERLINE, PROTECTED = (1 << n for n in range(9))

_SET = {1: BOLD, 2: DIM, 3: ITALIC, 5: BLINK, 7: INVERSE, 8: HIDDEN, 9: STRIKE, 53: OVERLINE}
_CLEAR = {
    22: BOLD | DIM,
    23: ITALIC,
    25: BLINK,
    27: INVERSE,
    28: HIDDEN,
    29: STRIKE,
    55: OVERLINE,
}
_FOREGROUND = {n: str(n) for n in (*range(30, 38), *range(90, 98))}
_BACKGROUND = {n: str(n) for n in (*range(40, 48), *range(100, 108))}
_SHOWN = ((BOLD, "1"), (DIM, "2"), (ITALIC, "3"), (BLINK, "5"), (INVERSE, "7"), (HIDDEN, "8"))
_SHOWN_LATE = ((STRIKE, "9"), (OVERLINE, "53"))

MAX_PARAMS = 32  # xterm keeps 30, xterm.js 32; more are dropped
MAX_PARAM = 0x7FFFFFFF


def number(digits: str) -> int:
    """A parameter's value, -1 when it is empty; values beyond 31 bits are cut to that."""
    if not digits:
        return -1
    if len(digits) < 10:
        return int(digits)
    return min(int(digits.lstrip("0")[:11] or "0"), MAX_PARAM)


def select_graphic_rendition(pen: "Pen", body: str) -> "Pen":
    """The pen after CSI body m (ECMA-48 SGR, with the colons of ISO 8613-6).

    SGR 0 also ends DECSCA's protection, as in xterm.js (and not in xterm); it never ends a link.
    """
    fg, bg, attributes, underline, line_colour, link = pen
    params = body.split(";")[:MAX_PARAMS]
    i = 0
    while i < len(params):
        param = params[i]
        i += 1
        if ":" in param:
            subparams = param.split(":")
            value = number(subparams[0])
            if value == 4:
                underline = number(subparams[1])
                if not 0 <= underline <= 5:
                    underline = 1
                continue
            colour = _colon_colour(subparams)
            if value not in (38, 48, 58) or not colour:
                continue
        else:
            value = number(param)
            if value in _FOREGROUND:
                fg = _FOREGROUND[value]
                continue
            if value in _BACKGROUND:
                bg = _BACKGROUND[value]
                continue
            if value <= 0:
                fg = bg = line_colour = ""
                attributes = underline = 0
                continue
            if value in _SET:
                attributes |= _SET[value]
                continue
            if value in _CLEAR:
                attributes &= ~_CLEAR[value]
                continue
            if value not in (38, 48, 58):
                if value == 39:
                    fg = ""
                elif value == 49:
                    bg = ""
                elif value == 59:
                    line_colour = ""
                elif value == 4:
                    underline = 1
                elif value == 21:
                    underline = 2
                elif value == 24:
                    underline = 0
                continue
            colour, i = _semicolon_colour(params, i)
            if not colour:
                continue
        if value == 38:
            fg = "38;" + colour
        elif value == 48:
            bg = "48;" + colour
        else:
            line_colour = "58:" + (
                colour.replace(";", ":")
                if colour[0] == "5"
                else "2::" + colour[2:].replace(";", ":")
            )
    return (fg, bg, attributes, underline, line_colour, link)


def _semicolon_colour(params: list[str], i: int) -> tuple[str, int]:
    """A colour after 38, 48 or 58, as "5;n" or "2;r;g;b" ("" if there is none); where to go on."""
    kind = number(params[i]) if i < len(params) and ":" not in params[i] else -1
    if kind == 5:
        values = params[i + 1 : i + 2]
    elif kind == 2:
        values = params[i + 1 : i + 4]
    else:
        return "", i + 1
    i += 1 + len(values)
    return _colour(kind, values), i


def _colon_colour(subparams: list[str]) -> str:
    """A colour of 38:5:n, 38:2:r:g:b or 38:2:colour-space:r:g:b, as "5;n" or "2;r;g;b"."""
    kind = number(subparams[1])
    if kind == 5:
        return _colour(5, subparams[2:3])
    if kind == 2:
        return _colour(2, subparams[3:6] if len(subparams) > 5 else subparams[2:5])
    return ""


def _colour(kind: int, values: list[str]) -> str:
    parts = [max(number(value.partition(":")[0]), 0) for value in values]
    parts += [0] * ((1 if kind == 5 else 3) - len(parts))
    return ";".join(str(part & 255) for part in (kind, *parts))


def sgr(pen: "Pen") -> str:
    """The sequences that set everything about a pen but link and protection, from any pen.

    The kind of underline and its colour come as sequences of their own, with colons: a terminal
    that does not know them drops those and keeps the rest.
    """
    fg, bg, attributes, underline, line_colour, _ = pen
    parts = ["0"]
    if attributes:
        parts += [code for bit, code in _SHOWN if attributes & bit]
    if underline == 1:
        parts.append("4")
    if attributes >= STRIKE:
        parts += [code for bit, code in _SHOWN_LATE if attributes & bit]
    if fg:
        parts.append(fg)
    if bg:
        parts.append(bg)
    sequence = f"\x1b[{';'.join(parts)}m" if len(parts) > 1 else "\x1b[m"
    if underline > 1:
        sequence += f"\x1b[4:{underline}m"
    if line_colour:
        sequence += f"\x1b[{line_colour}m"
    return sequence
