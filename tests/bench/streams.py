"""Output to measure a terminal with: what vtebench has, under its names, and the dear sequences.

Each is made for a size of the terminal, in rows and columns, and is about so many bytes long.
Every one but the scrolling ones goes on for ever without harm to what stands before it.
"""

import random
from collections.abc import Callable, Iterator

# rows, cols, bytes -> output
Stream = Callable[[int, int, int], bytes]

_WORDS = b"the quick compiler src/main.c:42: warning: unused variable checking stdlib.h ok".split()


def _until(size: int, pieces: Iterator[bytes]) -> bytes:
    out = bytearray()
    while len(out) < size:
        out += next(pieces)
    return bytes(out)


def _repeated(piece: bytes) -> Stream:
    return lambda rows, cols, size: piece * (size // len(piece) + 1)


# ---- vtebench


def cursor_motion(rows: int, cols: int, size: int) -> bytes:
    """Every cell is addressed and written, in another order each time."""
    pick = random.Random(1)

    def pieces() -> Iterator[bytes]:
        cells = [(y, x) for y in range(1, rows + 1) for x in range(1, cols + 1)]
        for letter in b"ABCDEFGHIJKLMNOPQRSTUVWXYZ" * size:
            pick.shuffle(cells)
            yield b"".join(b"\x1b[%d;%dH%c" % (y, x, letter) for y, x in cells)

    return _until(size, pieces())


def dense_cells(rows: int, cols: int, size: int) -> bytes:
    """Both colours and three attributes anew for each cell."""

    def pieces() -> Iterator[bytes]:
        for offset in range(size):
            yield b"\x1b[H"
            for cell in range(rows * cols):
                colour = (cell + offset) % 156 + 100
                style = b"\x1b[38;5;%d;48;5;%d;1;3;4m%c"
                yield style % (colour, 255 - colour, 65 + offset % 26)

    return _until(size, pieces())


def true_colour(rows: int, cols: int, size: int) -> bytes:
    """A picture: two pixels of a colour of their own in each cell."""
    pick = random.Random(2)

    def pieces() -> Iterator[bytes]:
        while True:
            yield b"\x1b[H"
            for _ in range(rows * cols):
                yield b"\x1b[38;2;%d;%d;%d;48;2;%d;%d;%dm\xe2\x96\x80" % (*pick.randbytes(6),)

    return _until(size, pieces())


def true_colour_foreground(rows: int, cols: int, size: int) -> bytes:
    """A colour of its own for each cell's character."""
    pick = random.Random(2)

    def pieces() -> Iterator[bytes]:
        while True:
            yield b"\x1b[H"
            for _ in range(rows * cols):
                yield b"\x1b[38;2;%d;%d;%dm#" % (*pick.randbytes(3),)

    return _until(size, pieces())


def _screen(rows: int, cols: int, pick: random.Random, styled: float) -> bytes:
    """A screen of words as an editor draws it; so many of the words have a colour."""
    out = bytearray()
    for y in range(1, rows + 1):
        out += b"\x1b[%d;1H\x1b[K" % y
        room = cols
        while room > 12:
            word = pick.choice(_WORDS)
            if pick.random() < styled:
                out += b"\x1b[%d;%dm%s\x1b[0m " % (pick.randint(0, 1), pick.randint(31, 36), word)
            else:
                out += word + b" "
            room -= len(word) + 1
    return bytes(out)


def medium_cells(rows: int, cols: int, size: int) -> bytes:
    """An editor's screen, most of its words in colour."""
    pick = random.Random(3)
    return _until(size, iter(lambda: _screen(rows, cols, pick, 0.7), b""))


def light_cells(rows: int, cols: int, size: int) -> bytes:
    """An editor's screen, nearly all of it without colour."""
    pick = random.Random(4)
    return _until(size, iter(lambda: _screen(rows, cols, pick, 0.05), b""))


def sync_medium_cells(rows: int, cols: int, size: int) -> bytes:
    """medium_cells, each screen a synchronized update."""
    pick = random.Random(3)

    def pieces() -> Iterator[bytes]:
        while True:
            yield b"\x1b[?2026h" + _screen(rows, cols, pick, 0.7) + b"\x1b[?2026l"

    return _until(size, pieces())


def unicode(rows: int, cols: int, size: int) -> bytes:
    """Characters of one, two and three scripts' widths, with marks among them."""
    pick = random.Random(5)
    some = [*"äßжд→─│漢字한글", "e\u0301", "👍", "ไ", "ש", "😀", *"abc  "]
    return _until(size, iter(lambda: "".join(pick.choices(some, k=cols // 2)).encode(), b""))


def _scrolling(line: bytes, top: float = 0.0, bottom: float = 1.0) -> Stream:
    """Line after line at the bottom of a region, which is given in parts of the screen; 0 and 1
    are its first and last row, anything else leaves at least a row out."""

    def stream(rows: int, cols: int, size: int) -> bytes:
        first = 1 if not top else max(int(rows * top), 1) + 1
        last = rows if bottom == 1 else max(min(int(rows * bottom), rows - 1), first + 1)
        text = line if line != b"full" else b"y" * cols
        head = b"\x1b[%d;%dr\x1b[%d;1H" % (first, last, last)
        return head + (text + b"\r\n") * (size // (len(text) + 2) + 1)

    return stream


VTEBENCH: dict[str, Stream] = {
    "cursor_motion": cursor_motion,
    "dense_cells": dense_cells,
    "light_cells": light_cells,
    "medium_cells": medium_cells,
    "sync_medium_cells": sync_medium_cells,
    "unicode": unicode,
    "scrolling": _scrolling(b"y"),
    "scrolling_fullscreen": _scrolling(b"full"),
    "scrolling_bottom_region": _scrolling(b"y", 0.04),
    "scrolling_bottom_small_region": _scrolling(b"y", 0.5),
    "scrolling_top_region": _scrolling(b"y", 0.0, 0.99),
    "scrolling_top_small_region": _scrolling(b"y", 0.0, 0.5),
}

# ---- what makes much work of few bytes


def _filled(rows: int, cols: int) -> bytes:
    """A screen full of text, a part of it coloured, so that moving it is no move of blanks."""
    line = (b"some text \x1b[32mof a colour\x1b[m and more " * (cols // 20))[: 2 * cols]
    return (
        b"\x1b[?7l" + b"".join(b"\x1b[%d;1H%s" % (y + 1, line) for y in range(rows)) + b"\x1b[?7h"
    )


def _on_text(flood: Callable[[int, int], bytes]) -> Stream:
    """The piece that `flood` gives, again and again, on a screen full of text."""

    def stream(rows: int, cols: int, size: int) -> bytes:
        piece = flood(rows, cols)
        return _filled(rows, cols) + piece * (size // len(piece) + 1)

    return stream


def _under_margins(piece: bytes) -> Stream:
    """Under side margins that leave out one column at each side."""

    def stream(rows: int, cols: int, size: int) -> bytes:
        head = b"\x1b[?69h\x1b[2;%ds\x1b[%d;2H" % (cols - 1, rows)
        return _filled(rows, cols) + head + piece * (size // len(piece) + 1)

    return stream


def narrow_margins(rows: int, cols: int, size: int) -> bytes:
    """Text between side margins two columns apart, so that it wraps and scrolls all the time."""
    head = b"\x1b[?69h\x1b[2;3s\x1b[%d;2H" % rows
    return _filled(rows, cols) + head + b"text " * (size // 5)


DEAR: dict[str, Stream] = {
    "line feeds under side margins": _under_margins(b"\n"),
    "lines under side margins": _under_margins(b"line\r\n"),
    "text in narrow margins": narrow_margins,
    "reverse index under side margins": _under_margins(b"\x1b[1;2H\x1bM"),
    "REP": _on_text(lambda rows, cols: b"x\x1b[99999b"),
    "REP under side margins": _under_margins(b"x\x1b[9999b"),
    "RIS": _repeated(b"\x1bc"),
    "alternate screen": _repeated(b"\x1b[?1049h\x1b[?1049l"),
    "alternate screen with a background": _repeated(b"\x1b[44m\x1b[?1049h\x1b[?1049l"),
    "DECALN": _repeated(b"\x1b#8"),
    "coloured DECALN": _repeated(b"\x1b[31m\x1b#8"),
    "IL": _on_text(lambda rows, cols: b"\x1b[2H\x1b[L"),
    "IL, all": _on_text(lambda rows, cols: b"\x1b[H\x1b[999L"),
    "DL": _on_text(lambda rows, cols: b"\x1b[2H\x1b[M"),
    "IL, half, with a background": _on_text(
        lambda rows, cols: b"\x1b[H\x1b[45m\x1b[%dL" % (rows // 2)
    ),
    "IL and DL under side margins": _under_margins(b"\x1b[2;2H\x1b[L\x1b[M"),
    "SU and SD": _on_text(lambda rows, cols: b"\x1b[S\x1b[%dT" % (rows // 2)),
    "ED": _repeated(b"\x1b[2J"),
    "ED with a background": _repeated(b"\x1b[41m\x1b[J\x1b[1J"),
    "DECSED": _on_text(lambda rows, cols: b"\x1b[H\x1b[?J"),
    "DECSED among protected cells": _on_text(
        lambda rows, cols: b'\x1b[H\x1b[1"q' + b'p\x1b[2"qq\x1b[1"q' * cols + b"\x1b[?2J" * 200
    ),
    "DECERA": _on_text(lambda rows, cols: b"\x1b[$z"),
    "DECFRA": _repeated(b"\x1b[88$x"),
    "DECCRA": _on_text(lambda rows, cols: b"\x1b[1;1;%d;%d;1;2;2$v" % (rows, cols)),
    "DECCRA, shortest": _on_text(lambda rows, cols: b"\x1b[$v"),
    "DECIC and DECDC": _on_text(lambda rows, cols: b"\x1b[H\x1b['}\x1b['~"),
    "SL and SR": _on_text(lambda rows, cols: b"\x1b[ @\x1b[ A"),
    "CHT among many stops": lambda rows, cols, size: (
        b"".join(b"\x1b[%dG\x1bH" % x for x in range(1, cols + 1))
        + b"\r\x1b[9999I\x1b[9999Z" * (size // 17)
    ),
    "marks": lambda rows, cols, size: b"e" + "\u0301".encode() * (size // 2),
}
