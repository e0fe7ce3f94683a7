"""TOML 1.0 (toml.io/en/v1.0.0) for Python 3.9 and 3.10, whose library has no tomllib.

A file means here what it means to tomllib, errors included but for their wording. The functions
named read_* take the whole text and a position, and return the position behind what they read, and
its value; what the tables of a document allow is in toml_tables.py.
"""

import re
from datetime import date, datetime, time

from shpool.toml_tables import BARE_KEY, Clash, Document

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Python since 3.11 refuses longer ones, for it takes quadratic time to make sense of them.
MAX_DIGITS = 4300

# What may stand between the items of an array, a piece at a time.
_GAP = re.compile(r"[ \t\n]+ | \#[^\x00-\x08\x0a-\x1f\x7f]*", re.VERBOSE)
_COMMENT = re.compile(r"\#[^\x00-\x08\x0a-\x1f\x7f]*", re.VERBOSE)

# Runs of what stands for itself in a string: of one line, or of several.
_BASIC = re.compile(r'[^"\\\x00-\x08\x0a-\x1f\x7f]*')
_BASIC_LINES = re.compile(r'[^"\\\x00-\x08\x0b-\x1f\x7f]*')
_LITERAL = re.compile(r"[^'\x00-\x08\x0a-\x1f\x7f]*")
_LITERAL_LINES = re.compile(r"[^'\x00-\x08\x0b-\x1f\x7f]*")

_ESCAPE = re.compile(r'\\ (?: ([btnfr"\\]) | u ([0-9A-Fa-f]{4}) | U ([0-9A-Fa-f]{8}) )', re.VERBOSE)
_ESCAPED = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r"}
_LINE_CONTINUATION = re.compile(r"\\[ \t]*\n[ \t\n]*")

_TIME = r"""
    ( (?:[01][0-9]|2[0-3]) : [0-5][0-9] : [0-5][0-9] )       # to the second
    (?: \. ([0-9]+) )?                                       # its fraction
"""
_LOCAL_TIME = re.compile(_TIME, re.VERBOSE)
_DATE_TIME = re.compile(
    rf"""
    ( [0-9]{{4}} - (?:0[1-9]|1[0-2]) - (?:0[1-9]|[12][0-9]|3[01]) )
    (?: [Tt ] {_TIME}
        ( [Zz] | [+-] (?:[01][0-9]|2[0-3]) : [0-5][0-9] )?   # the offset from UTC
    )?
    """,
    re.VERBOSE,
)
_NUMBER = re.compile(
    r"""
      ( 0 (?: x [0-9A-Fa-f] (?: _? [0-9A-Fa-f] )*
            | o [0-7] (?: _? [0-7] )*
            | b [01] (?: _? [01] )* ) )
    | ( [+-]? (?: 0 | [1-9] (?: _? [0-9] )* ) )              # decimal
      ( (?: \. [0-9] (?: _? [0-9] )* )?                      # what makes a float of it
        (?: [eE] [+-]? [0-9] (?: _? [0-9] )* )? )
    """,
    re.VERBOSE,
)
_WORD = re.compile(r"true|false|[+-]?(?:inf|nan)")


class TOMLError(ValueError):
    """A text that is not TOML; says what is wrong, and in which line and column."""

    def __init__(self, reason: str, src: str, pos: int) -> None:
        line = src.count("\n", 0, pos) + 1
        where = f"column {pos - src.rfind(chr(10), 0, pos)}"
        if pos >= len(src):
            where = "the end of the document"
        super().__init__(f"{reason} (at line {line}, {where})")


def loads(text: str) -> "dict[str, Any]":
    """The table that is the document.  Raises TOMLError; RecursionError if nested too deeply."""
    src = text.replace("\r\n", "\n")
    document = Document()
    pos = 0
    while pos < len(src):
        pos = _skip_blank(src, pos)
        if src.startswith("[", pos):
            pos = _read_header(src, pos, document)
        elif src[pos : pos + 1] not in ("", "\n", "#"):
            pos = _read_pair(src, pos, document)
        pos = _read_line_end(src, pos)
    return document.root


# ---- statements


def _read_header(src: str, pos: int, document: Document) -> int:
    brackets = 2 if src.startswith("[[", pos) else 1
    start = _skip_blank(src, pos + brackets)
    pos, key = _read_key(src, start)
    if not src.startswith("]" * brackets, pos):
        raise TOMLError(f"Expected '{']' * brackets}' after the name of a table", src, pos)
    try:
        if brackets == 1:
            document.open_table(key)
        else:
            document.open_item(key)
    except Clash as clash:
        raise TOMLError(str(clash), src, start) from None
    return pos + brackets


def _read_pair(src: str, start: int, document: Document) -> int:
    pos, key = _read_key(src, start)
    if not src.startswith("=", pos):
        raise TOMLError("Expected '=' after a key", src, pos)
    pos, value = _read_value(src, _skip_blank(src, pos + 1))
    try:
        document.assign(key, value)
    except Clash as clash:
        raise TOMLError(str(clash), src, start) from None
    return pos


def _read_line_end(src: str, pos: int) -> int:
    pos = _skip_blank(src, pos)
    comment = _COMMENT.match(src, pos)
    if comment:
        pos = comment.end()
    if pos < len(src) and src[pos] != "\n":
        if comment:
            raise _not_allowed(src, pos, "a comment")
        raise TOMLError("Expected the end of the line", src, pos)
    return pos + 1


def _skip_blank(src: str, pos: int) -> int:
    while src[pos : pos + 1] in (" ", "\t"):
        pos += 1
    return pos


# ---- keys


def _read_key(src: str, pos: int) -> "tuple[int, tuple[str, ...]]":
    """A key with its dots; the position is behind the blanks after it."""
    parts = []
    while True:
        pos, part = _read_key_part(src, pos)
        parts.append(part)
        pos = _skip_blank(src, pos)
        if not src.startswith(".", pos):
            return pos, tuple(parts)
        pos = _skip_blank(src, pos + 1)


def _read_key_part(src: str, pos: int) -> "tuple[int, str]":
    bare = BARE_KEY.match(src, pos)
    if bare:
        return bare.end(), bare[0]
    if src.startswith('"', pos):
        return _read_basic(src, pos)
    if src.startswith("'", pos):
        return _read_literal(src, pos)
    raise TOMLError("Expected a key", src, pos)


# ---- values


def _read_value(src: str, pos: int) -> "tuple[int, Any]":
    reader = _READERS.get(src[pos : pos + 1])
    return reader(src, pos) if reader else _read_plain(src, pos)


def _read_plain(src: str, pos: int) -> "tuple[int, Any]":
    """A date, a time, a number or a word."""
    found = _DATE_TIME.match(src, pos)
    if found:
        try:
            return found.end(), _date_time(*found.groups())
        except ValueError:
            raise TOMLError("There is no such date", src, pos) from None
    found = _LOCAL_TIME.match(src, pos)
    if found:
        return found.end(), _time(*found.groups())
    found = _NUMBER.match(src, pos)
    if found:
        other_base, decimal, fraction = found.groups()
        if fraction:
            return found.end(), float(found[0])
        if decimal and len(decimal.strip("+-").replace("_", "")) > MAX_DIGITS:
            raise TOMLError(f"An integer of more than {MAX_DIGITS} digits", src, pos)
        return found.end(), int(other_base or decimal, 0)
    found = _WORD.match(src, pos)
    if found:
        word = found[0]
        return found.end(), word == "true" if word in ("true", "false") else float(word)
    raise TOMLError("Expected a value", src, pos)


def _date_time(
    day: str, second: "str | None", fraction: "str | None", offset: "str | None"
) -> "date | datetime":
    """Raises ValueError for the 30th of February and its like."""
    if second is None:
        return date.fromisoformat(day)
    return datetime.combine(date.fromisoformat(day), _time(second, fraction, offset))


def _time(second: str, fraction: "str | None", offset: "str | None" = None) -> time:
    """To the microsecond: what is finer is cut off."""
    zone = "+00:00" if offset in ("Z", "z") else offset or ""
    return time.fromisoformat(f"{second}.{(fraction or '')[:6]:0<6}{zone}")


def _read_array(src: str, pos: int) -> "tuple[int, list[Any]]":
    items: list[Any] = []
    pos = _skip_gap(src, pos + 1)
    while not src.startswith("]", pos):
        pos, item = _read_value(src, pos)
        items.append(item)
        pos = _skip_gap(src, pos)
        if src.startswith(",", pos):
            pos = _skip_gap(src, pos + 1)
        elif not src.startswith("]", pos):
            raise TOMLError("Expected ',' or ']' after an item of an array", src, pos)
    return pos + 1, items


def _skip_gap(src: str, pos: int) -> int:
    """Behind blanks, line ends and comments."""
    gap = _GAP.match(src, pos)
    while gap:
        pos = gap.end()
        if gap[0].startswith("#") and src[pos : pos + 1] not in ("", "\n"):
            raise _not_allowed(src, pos, "a comment")
        gap = _GAP.match(src, pos)
    return pos


def _read_inline_table(src: str, pos: int) -> "tuple[int, dict[str, Any]]":
    table = Document()
    pos = _skip_blank(src, pos + 1)
    if src.startswith("}", pos):
        return pos + 1, table.root
    while True:
        pos = _skip_blank(src, _read_pair(src, pos, table))
        if src.startswith("}", pos):
            return pos + 1, table.root
        if not src.startswith(",", pos):
            raise TOMLError("Expected ',' or '}' in an inline table", src, pos)
        pos = _skip_blank(src, pos + 1)


# ---- strings


def _read_basic(src: str, pos: int) -> "tuple[int, str]":
    """Of one line, in quotes."""
    parts = []
    pos += 1
    while True:
        run = _BASIC.match(src, pos)
        assert run is not None  # it matches nothing, too
        parts.append(run[0])
        pos = run.end()
        if src.startswith('"', pos):
            return pos + 1, "".join(parts)
        if not src.startswith("\\", pos):
            raise _not_allowed(src, pos, "a string of one line")
        pos, character = _read_escape(src, pos)
        parts.append(character)


def _read_literal(src: str, pos: int) -> "tuple[int, str]":
    """Of one line, in apostrophes."""
    run = _LITERAL.match(src, pos + 1)
    assert run is not None
    if not src.startswith("'", run.end()):
        raise _not_allowed(src, run.end(), "a string of one line")
    return run.end() + 1, run[0]


def _read_basic_or_lines(src: str, pos: int) -> "tuple[int, str]":
    if src.startswith('"""', pos):
        return _read_lines(src, pos, _BASIC_LINES)
    return _read_basic(src, pos)


def _read_literal_or_lines(src: str, pos: int) -> "tuple[int, str]":
    if src.startswith("'''", pos):
        return _read_lines(src, pos, _LITERAL_LINES)
    return _read_literal(src, pos)


def _read_lines(src: str, pos: int, run_of: "re.Pattern[str]") -> "tuple[int, str]":
    """Of several lines; `run_of` matches what stands for itself."""
    quote = src[pos]
    parts = []
    pos += 3
    if src.startswith("\n", pos):
        pos += 1
    while True:
        run = run_of.match(src, pos)
        assert run is not None
        parts.append(run[0])
        pos = run.end()
        if src.startswith(quote, pos):
            if src.startswith(quote * 3, pos):
                break
            parts.append(quote)
            pos += 1
        elif src.startswith("\\", pos):
            pos, characters = _read_escape_in_lines(src, pos)
            parts.append(characters)
        else:
            raise _not_allowed(src, pos, "a string")
    # Of up to five quotes at the end the last three close the string.
    for _ in range(2):
        if src.startswith(quote * 4, pos):
            parts.append(quote)
            pos += 1
    return pos + 3, "".join(parts)


def _read_escape_in_lines(src: str, pos: int) -> "tuple[int, str]":
    continuation = _LINE_CONTINUATION.match(src, pos)
    return (continuation.end(), "") if continuation else _read_escape(src, pos)


def _read_escape(src: str, pos: int) -> "tuple[int, str]":
    found = _ESCAPE.match(src, pos)
    if not found:
        raise TOMLError("An escape sequence that TOML does not have", src, pos)
    short, *digits = found.groups()
    if short:
        return found.end(), _ESCAPED.get(short, short)
    code = int(digits[0] or digits[1], 16)
    if code > 0x10FFFF or 0xD800 <= code < 0xE000:
        raise TOMLError("An escape sequence for what is no character", src, pos)
    return found.end(), chr(code)


def _not_allowed(src: str, pos: int, where: str) -> TOMLError:
    if pos >= len(src):
        return TOMLError(f"The end of {where} is missing", src, pos)
    return TOMLError(f"The character {src[pos]!r} is not allowed in {where}", src, pos)


_READERS = {
    '"': _read_basic_or_lines,
    "'": _read_literal_or_lines,
    "[": _read_array,
    "{": _read_inline_table,
}
