"""The pen: how the next character will look, and how SGR changes that.

A pen is a tuple, so that equal pens are one number in a style (see cells.py). Colours are kept as
the SGR parameters that set them ("" for the default): 31, 38;5;1 and 38;2;205;0;0 may all be the
same red and are still three different wishes, for the first follows bold and the palette.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    # foreground, background, attributes, underline kind (0 to 5), underline colour, hyperlink
    # ("params;uri" as in OSC 8, "" for none)
    Pen = tuple[str, str, int, int, str, str]

DEFAULT: "Pen" = ("", "", 0, 0, "", "")

BOLD, DIM, ITALIC, BLINK, INVERSE, HIDDEN, STRIKE, OVERLINE, PROTECTED = (1 << n for n in range(9))

_SHOWN = ((BOLD, "1"), (DIM, "2"), (ITALIC, "3"), (BLINK, "5"), (INVERSE, "7"), (HIDDEN, "8"))
_SHOWN_LATE = ((STRIKE, "9"), (OVERLINE, "53"))

MAX_PARAMS = 32  # xterm keeps 30, xterm.js 32; more are dropped
MAX_PARAM = 0x7FFFFFFF

# Every SGR, however long, comes down to this: for each part of a pen what it becomes, or None if
# it stays; attributes are first masked, then added.
if TYPE_CHECKING:
    # foreground, background, attribute mask, attributes, underline kind, underline colour
    Effect = tuple[str | None, str | None, int, int, int | None, str | None]

_FG, _BG, _MASK, _BITS, _KIND, _LINE = range(6)
_ALL = -1


def _parts() -> "dict[str, tuple[int, Any]]":
    """What a parameter alone changes: which part of the effect, and to what."""
    made: dict[str, tuple[int, Any]] = {"39": (_FG, ""), "49": (_BG, ""), "59": (_LINE, "")}
    made |= {str(n): (_FG, str(n)) for n in (*range(30, 38), *range(90, 98))}
    made |= {str(n): (_BG, str(n)) for n in (*range(40, 48), *range(100, 108))}
    made |= {code: (_BITS, bit) for bit, code in (*_SHOWN, *_SHOWN_LATE)}
    made |= {"22": (_MASK, BOLD | DIM), "23": (_MASK, ITALIC), "25": (_MASK, BLINK)}
    made |= {"27": (_MASK, INVERSE), "28": (_MASK, HIDDEN), "29": (_MASK, STRIKE)}
    made |= {"55": (_MASK, OVERLINE), "4": (_KIND, 1), "21": (_KIND, 2), "24": (_KIND, 0)}
    return made


_PARTS = _parts()
_COLOURED = {"38": _FG, "48": _BG, "58": _LINE}
_BYTES = frozenset(map(str, range(256)))


def number(digits: str) -> int:
    """A parameter's value, -1 when it is empty; values beyond 31 bits are cut to that."""
    if not digits:
        return -1
    if len(digits) < 10:
        return int(digits)
    return min(int(digits.lstrip("0")[:11] or "0"), MAX_PARAM)


def select_graphic_rendition(body: str) -> "Effect":
    """What CSI body m does to a pen (ECMA-48 SGR, with the colons of ISO 8613-6). body may hold
    several sequences, with the ends between them: "1m\\x1b[31".

    SGR 0 also ends DECSCA's protection, as in xterm.js (and not in xterm); it never ends a link.
    """
    effect: list[Any] = [None, None, _ALL, 0, None, None]
    for sequence in body.split("m\x1b["):
        effect = _followed_by(effect, sequence.split(";", MAX_PARAMS)[:MAX_PARAMS])
    return tuple(effect)


def _followed_by(effect: "list[Any]", params: list[str]) -> "list[Any]":
    """The effect of what came before and of these parameters; takes effect apart."""
    i = 0
    while i < len(params):
        param = params[i]
        i += 1
        if param not in _PARTS and param not in _COLOURED and ":" not in param:
            param = str(max(number(param), 0))  # 01 is 1, and nothing is 0
        if param in _PARTS:
            part, value = _PARTS[param]
            if part == _BITS:
                effect[_BITS] |= value
            elif part == _MASK:
                effect[_MASK] &= ~value
                effect[_BITS] &= ~value
            else:
                effect[part] = value
        elif param in _COLOURED:
            colour, i = _semicolon_colour(params, i)
            if colour:
                part = _COLOURED[param]
                effect[part] = _line_colour(colour) if part == _LINE else f"{param};{colour}"
        elif param == "0":
            effect = ["", "", 0, 0, 0, ""]
        elif ":" in param:
            _colons(effect, param.split(":"))
    return effect


def apply(pen: "Pen", effect: "Effect") -> "Pen":
    """The pen after an SGR."""
    fg, bg, attributes, underline, line_colour, link = pen
    new_fg, new_bg, mask, bits, new_underline, new_line_colour = effect
    return (
        fg if new_fg is None else new_fg,
        bg if new_bg is None else new_bg,
        attributes & mask | bits,
        underline if new_underline is None else new_underline,
        line_colour if new_line_colour is None else new_line_colour,
        link,
    )


def _semicolon_colour(params: list[str], i: int) -> tuple[str, int]:
    """A colour after 38, 48 or 58, as "5;n" or "2;r;g;b" ("" if there is none); where to go on."""
    kind = params[i] if i < len(params) else ""
    end = i + (4 if kind == "2" else 2)
    values = params[i + 1 : end]
    if kind in ("2", "5"):
        if len(values) == end - i - 1 and _BYTES.issuperset(values):
            return ";".join(params[i:end]), end
        return _colour(kind, values), i + 1 + len(values)
    kind = "" if ":" in kind else str(number(kind))
    if kind in ("2", "5"):  # written with zeros before it
        return _semicolon_colour([*params[:i], kind, *params[i + 1 :]], i)
    return "", i + 1


def _colons(effect: "list[Any]", subparams: list[str]) -> None:
    """A parameter with colons: 4:kind, or 38:5:n, 38:2:r:g:b, 38:2:colour-space:r:g:b."""
    param = str(number(subparams[0]))
    if param == "4":
        kind = number(subparams[1])
        effect[_KIND] = kind if 0 <= kind <= 5 else 1
        return
    colour = ""
    kind_of_colour = str(number(subparams[1]))
    if kind_of_colour == "5":
        colour = _colour("5", subparams[2:3])
    elif kind_of_colour == "2":
        colour = _colour("2", subparams[3:6] if len(subparams) > 5 else subparams[2:5])
    if colour and param in _COLOURED:
        part = _COLOURED[param]
        effect[part] = _line_colour(colour) if part == _LINE else f"{param};{colour}"


def _colour(kind: str, values: list[str]) -> str:
    parts = [max(number(value.partition(":")[0]), 0) & 255 for value in values]
    parts += [0] * ((1 if kind == "5" else 3) - len(parts))
    return ";".join((kind, *map(str, parts)))


def _line_colour(colour: str) -> str:
    """An underline colour. With colons, for who does not know 58 takes what follows it for
    attributes of their own."""
    if colour[0] == "5":
        return "58:" + colour.replace(";", ":")
    return "58:2::" + colour[2:].replace(";", ":")


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
