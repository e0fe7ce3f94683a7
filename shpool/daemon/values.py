"""A sequence of MessagePack values in a file, each with a bound of its own.

For what the daemon tells its replacement (state.py).  The wire has its own reader
(protocol/msgpack.py): one that takes bytes as they come and expects little of them.  This one has
all of it at once, up to hundreds of megabytes, and what is long in it is not copied.
"""

from struct import Struct

from shpool.errors import ShpoolError
from shpool.protocol.msgpack import (
    ARRAY,
    BINARY,
    CONSTANTS,
    FLOAT_32,
    MAP,
    NUMBERS,
    WireError,
    pack_head,
    pack_into,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any

# Before each value stands its length in bytes, which is a value as well (uint 64).
_HEAD = Struct(">BQ")
_UINT_64 = 0xCF

# Bytes of a value of which its reader says nothing else, and containers in one another.
MAX_VALUE = 1 << 30
MAX_DEPTH = 32

# Bytes from which on binary data is a view of where it stands, and not a copy.
_VIEWED = 4096


class StateError(ShpoolError):
    """The state of a daemon cannot be written, or cannot be read; the message is for the user."""


def write_value(write: "Callable[[bytes], object]", value: "Any") -> None:
    """Append a value, in pieces.  Raises StateError, and what `write` raises."""
    packer = _Packer()
    try:
        packer.pack(value)
    except WireError as error:
        raise StateError(f"the state cannot be written: {error}") from None
    pieces = packer.finish()
    write(_HEAD.pack(_UINT_64, sum(map(len, pieces))))
    for piece in pieces:
        write(piece)


class _Packer:
    """As shpool.protocol.msgpack.pack(), but that long binary data is not copied."""

    __slots__ = ("_pieces", "_short")

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._short = bytearray()

    def pack(self, value: "Any") -> None:
        kind = type(value)
        if kind is list:
            pack_head(self._short, len(value), ARRAY)
            for item in value:
                self.pack(item)
        elif kind is dict:
            pack_head(self._short, len(value), MAP)
            for key, item in value.items():
                self.pack(key)
                self.pack(item)
        elif kind in (bytes, memoryview) and len(value) >= _VIEWED:
            pack_head(self._short, len(value), BINARY)
            self._pieces += (bytes(self._short), value)
            self._short = bytearray()
        else:
            pack_into(self._short, value)

    def finish(self) -> "list[bytes]":
        return [*self._pieces, bytes(self._short)]


def values(
    data: "bytes | memoryview", limits: "Mapping[str, int] | None" = None
) -> "Iterator[Any]":
    """The values in `data`.  Raises StateError.

    `limits`: the most bytes of one that is an array, by the text which that begins with.
    """
    limits = limits or {}
    view = memoryview(data)
    at = 0
    while at < len(view):
        if len(view) - at < _HEAD.size:
            raise StateError("the state ends in the middle of a value")
        tag, size = _HEAD.unpack_from(view, at)
        at += _HEAD.size
        if tag != _UINT_64:
            raise StateError("what should be the state of a daemon is something else")
        limit = limits.get(_name(view, at), MAX_VALUE)
        if size > limit:
            raise StateError(f"a value of {size} bytes in the state, where {limit} is the most")
        if size > len(view) - at:
            raise StateError("the state ends in the middle of a value")
        yield unpack(view[at : at + size])
        at += size


def _name(view: memoryview, at: int) -> str:
    """The short text that an array of two begins with; empty for anything else."""
    head = bytes(view[at : at + 2])
    if len(head) < 2 or head[0] != 0x92 or not 0xA0 <= head[1] < 0xC0:
        return ""
    return bytes(view[at + 2 : at + 2 + (head[1] & 0x1F)]).decode("latin-1")


def unpack(view: memoryview) -> "Any":
    """The one value in `view`.  Raises StateError."""
    reader = _Reader(view)
    try:
        value = reader.read(0)
    except (IndexError, KeyError, UnicodeDecodeError, TypeError) as error:
        raise StateError(f"no value in the state at byte {reader.at}: {error}") from None
    if reader.at != len(view):
        raise StateError("more than a value in its place in the state")
    return value


# First byte -> layout of the number behind it, of those that are written here.
_NUMBERS = {tag: layout for tag, layout in NUMBERS.items() if tag != FLOAT_32}

# First byte -> bytes of the length behind it.
_BINARIES = {0xC4: 1, 0xC5: 2, 0xC6: 4}
_TEXTS = {0xD9: 1, 0xDA: 2, 0xDB: 4}
_ARRAYS = {0xDC: 2, 0xDD: 4}
_MAPS = {0xDE: 2, 0xDF: 4}


class _Reader:
    """Reads what shpool.protocol.msgpack.pack() writes; what else there is in MessagePack is an
    error here."""

    __slots__ = ("_view", "at")

    def __init__(self, view: memoryview) -> None:
        self._view = view
        self.at = 0

    def read(self, depth: int) -> "Any":
        tag = self._view[self.at]
        self.at += 1
        if tag < 0x80:
            return tag
        if tag < 0x90:
            return self._map(tag & 0x0F, depth)
        if tag < 0xA0:
            return self._array(tag & 0x0F, depth)
        if tag < 0xC0:
            return str(self._take(tag & 0x1F), "utf-8")
        if tag >= 0xE0:
            return tag - 256
        if tag in CONSTANTS:
            return CONSTANTS[tag]
        if tag in _TEXTS:
            return str(self._take(self._length(_TEXTS[tag])), "utf-8")
        if tag in _BINARIES:
            found = self._take(self._length(_BINARIES[tag]))
            return found if len(found) >= _VIEWED else bytes(found)
        if tag in _ARRAYS:
            return self._array(self._length(_ARRAYS[tag]), depth)
        if tag in _MAPS:
            return self._map(self._length(_MAPS[tag]), depth)
        layout = _NUMBERS[tag]
        return layout.unpack(self._take(layout.size))[0]

    def _length(self, width: int) -> int:
        return int.from_bytes(self._take(width), "big")

    def _take(self, size: int) -> memoryview:
        taken = self._view[self.at : self.at + size]
        if len(taken) < size:
            raise StateError("the state ends in the middle of a value")
        self.at += size
        return taken

    def _array(self, count: int, depth: int) -> "list[Any]":
        self._check(count, depth)
        return [self.read(depth + 1) for _ in range(count)]

    def _map(self, count: int, depth: int) -> "dict[Any, Any]":
        self._check(count, depth)
        read = self.read
        return {read(depth + 1): read(depth + 1) for _ in range(count)}

    def _check(self, count: int, depth: int) -> None:
        if depth >= MAX_DEPTH:
            raise StateError(f"a value in the state nested deeper than {MAX_DEPTH}")
        if count > len(self._view) - self.at:  # each item is a byte or more
            raise StateError("the state ends in the middle of a value")
