"""libvterm as a judge of left and right margins (?69), which neither xterm.js nor kitty has."""

from __future__ import annotations

import ctypes
import ctypes.util
from ctypes import POINTER, c_char, c_char_p, c_int, c_size_t, c_uint32, c_void_p
from functools import cache
from typing import Any


class _Cell(ctypes.Structure):
    _fields_ = [
        ("chars", c_uint32 * 6),
        ("width", c_char),
        ("attrs", c_uint32),
        ("fg", c_uint32),
        ("bg", c_uint32),
    ]


class _Pos(ctypes.Structure):
    _fields_ = [("row", c_int), ("col", c_int)]


@cache
def _library() -> Any:
    name = ctypes.util.find_library("vterm")
    if name is None:
        return None
    lib = ctypes.CDLL(name)
    lib.vterm_new.restype = c_void_p
    lib.vterm_new.argtypes = [c_int, c_int]
    lib.vterm_free.argtypes = [c_void_p]
    lib.vterm_set_utf8.argtypes = [c_void_p, c_int]
    lib.vterm_obtain_screen.restype = c_void_p
    lib.vterm_obtain_screen.argtypes = [c_void_p]
    lib.vterm_obtain_state.restype = c_void_p
    lib.vterm_obtain_state.argtypes = [c_void_p]
    lib.vterm_screen_enable_altscreen.argtypes = [c_void_p, c_int]
    lib.vterm_screen_reset.argtypes = [c_void_p, c_int]
    lib.vterm_screen_get_cell.argtypes = [c_void_p, _Pos, POINTER(_Cell)]
    lib.vterm_state_get_cursorpos.argtypes = [c_void_p, POINTER(_Pos)]
    lib.vterm_input_write.argtypes = [c_void_p, c_char_p, c_size_t]
    lib.vterm_output_read.restype = c_size_t
    lib.vterm_output_read.argtypes = [c_void_p, c_char_p, c_size_t]
    return lib


def missing() -> str:
    """What this judge lacks on this machine, in words; empty when it can run."""
    return "" if _library() is not None else "libvterm is not installed: apt install libvterm0"


class Vterm:
    """One terminal of libvterm's."""

    def __init__(self, rows: int, cols: int) -> None:
        self.rows, self.cols = rows, cols
        self._lib = _library()
        self._vt = self._lib.vterm_new(rows, cols)
        self._lib.vterm_set_utf8(self._vt, 1)
        self._screen = self._lib.vterm_obtain_screen(self._vt)
        self._lib.vterm_screen_enable_altscreen(self._screen, 1)
        self._lib.vterm_screen_reset(self._screen, 1)

    def write(self, data: bytes) -> Vterm:
        self._lib.vterm_input_write(self._vt, data, len(data))
        return self

    def ask(self, question: bytes) -> bytes:
        """What the terminal answers to a query; what it answered before is dropped."""
        buffer = ctypes.create_string_buffer(4096)
        self._lib.vterm_output_read(self._vt, buffer, len(buffer))
        self.write(question)
        length = self._lib.vterm_output_read(self._vt, buffer, len(buffer))
        return buffer.raw[:length]

    def dump(self) -> dict[str, Any]:
        """Rows of (text, attributes, colours) for each cell, and the cursor."""
        rows = []
        cell = _Cell()
        for y in range(self.rows):
            row = []
            for x in range(self.cols):
                self._lib.vterm_screen_get_cell(self._screen, _Pos(y, x), cell)
                text = "".join(chr(c) for c in cell.chars if 0 < c < 0x110000)
                row.append((text or " ", cell.attrs, cell.fg, cell.bg))
            rows.append(row)
        position = _Pos()
        self._lib.vterm_state_get_cursorpos(self._lib.vterm_obtain_state(self._vt), position)
        return {"rows": rows, "cursor": (position.row, position.col)}

    def text(self) -> list[str]:
        return ["".join(cell[0] for cell in row).rstrip() for row in self.dump()["rows"]]

    def close(self) -> None:
        self._lib.vterm_free(self._vt)


def difference(expected: dict[str, Any], seen: dict[str, Any]) -> str:
    """The first difference of two dumps, in words."""
    for y, (row, other) in enumerate(zip(expected["rows"], seen["rows"])):
        for x, (one, two) in enumerate(zip(row, other)):
            if one != two:
                return f"row {y}, column {x}: expected {one}, seen {two}"
    if expected["cursor"] != seen["cursor"]:
        return f"cursor: expected {expected['cursor']}, seen {seen['cursor']}"
    return ""
