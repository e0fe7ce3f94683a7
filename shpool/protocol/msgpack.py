"""MessagePack, as much of it as the wire needs: one value in, one value out.

The decoder is incremental: it is fed whatever arrived, does the work of each byte once, and says
when one value is complete and which bytes follow it.  What a value means is for requests.py and
replies.py.
Source of the format: the MessagePack specification; of the encoder's choices: serde's named-field
style (shortest integers, str for text, map for structs).
"""

from struct import Struct
from struct import error as StructError  # noqa: N812

from shpool.errors import ShpoolError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# The largest messages, in bytes.  What a peer asks may be short; a List reply costs about 150 bytes
# for each session, up to 700 with the longest of names and templates.
MAX_REQUEST = 1 << 20
MAX_REPLY = 16 << 20

# The deepest message of the protocol (a List reply with attachments) nests 5 containers.
MAX_DEPTH = 16


class WireError(ShpoolError):
    """The peer sent something that is no message; its connection cannot be used any further."""


class Ext:
    """An extension value.  Nothing of the protocol uses one; it only has to be stepped over."""

    __slots__ = ()


_EXT = Ext()


def pack(value: "Any") -> bytes:
    """Encode None, bool, int, str, bytes (or a view of some), list, tuple or dict.

    Raises WireError for an integer beyond 64 bits, for text that has no UTF-8 form (a file name
    that is not UTF-8 reaches Python with surrogates in it), or for any other type.
    """
    out = bytearray()
    pack_into(out, value)
    return bytes(out)


# How the first byte of what has a length tells it: that of the shortest, up to which length there
# are such, and the bytes for lengths of 8, 16 and 32 bits.
TEXT = (0xA0, 32, (0xD9, 0xDA, 0xDB))
ARRAY = (0x90, 16, (None, 0xDC, 0xDD))
MAP = (0x80, 16, (None, 0xDE, 0xDF))
BINARY = (0, 0, (0xC4, 0xC5, 0xC6))


def pack_into(out: bytearray, value: "Any") -> None:
    """As pack(), at the end of `out`."""
    if value is None:
        out.append(0xC0)
    elif value is True:
        out.append(0xC3)
    elif value is False:
        out.append(0xC2)
    elif isinstance(value, str):
        try:
            raw = value.encode()
        except UnicodeEncodeError:
            raise WireError(f"{value!r} is not valid UTF-8") from None
        pack_head(out, len(raw), TEXT)
        out += raw
    elif isinstance(value, int):
        _pack_int(out, value)
    elif isinstance(value, (list, tuple)):
        pack_head(out, len(value), ARRAY)
        for item in value:
            pack_into(out, item)
    elif isinstance(value, dict):
        pack_head(out, len(value), MAP)
        for key, item in value.items():
            pack_into(out, key)
            pack_into(out, item)
    elif isinstance(value, (bytes, memoryview)):
        pack_head(out, len(value), BINARY)
        out += value
    else:
        raise WireError(f"a {type(value).__name__} has no place in a message")


def pack_head(
    out: bytearray, size: int, kind: "tuple[int, int, tuple[int | None, int, int]]"
) -> None:
    """What stands before `size` bytes, items or pairs."""
    fix, fix_limit, tags = kind
    if size < fix_limit:
        out.append(fix | size)
    elif size < 1 << 8 and tags[0] is not None:
        out += bytes((tags[0], size))
    elif size < 1 << 16:
        out.append(tags[1])
        out += size.to_bytes(2, "big")
    elif size < 1 << 32:
        out.append(tags[2])
        out += size.to_bytes(4, "big")
    else:
        raise WireError("a value of more than 4 GiB has no place in a message")


def _pack_int(out: bytearray, value: int) -> None:
    if -32 <= value < 128:
        out.append(value & 0xFF)
        return
    if value >= 0:
        for tag, size in ((0xCC, 1), (0xCD, 2), (0xCE, 4), (0xCF, 8)):
            if value < 1 << 8 * size:
                out.append(tag)
                out += value.to_bytes(size, "big")
                return
    else:
        for tag, size in ((0xD0, 1), (0xD1, 2), (0xD2, 4), (0xD3, 8)):
            if value >= -1 << 8 * size - 1:
                out.append(tag)
                out += value.to_bytes(size, "big", signed=True)
                return
    raise WireError(f"{value} does not fit into 64 bits")


FLOAT_32 = 0xCA

# First byte -> layout of the bytes behind it, for the numbers.
NUMBERS = {
    FLOAT_32: Struct(">f"),
    0xCB: Struct(">d"),
    0xCC: Struct(">B"),
    0xCD: Struct(">H"),
    0xCE: Struct(">I"),
    0xCF: Struct(">Q"),
    0xD0: Struct(">b"),
    0xD1: Struct(">h"),
    0xD2: Struct(">i"),
    0xD3: Struct(">q"),
}

CONSTANTS = {0xC0: None, 0xC2: False, 0xC3: True}

# First byte -> (kind, bytes of the length field), for what has a length.
_SIZED = {
    0xC4: ("bin", 1),
    0xC5: ("bin", 2),
    0xC6: ("bin", 4),
    0xC7: ("ext", 1),
    0xC8: ("ext", 2),
    0xC9: ("ext", 4),
    0xD9: ("str", 1),
    0xDA: ("str", 2),
    0xDB: ("str", 4),
    0xDC: ("array", 2),
    0xDD: ("array", 4),
    0xDE: ("map", 2),
    0xDF: ("map", 4),
}

# First byte -> bytes of payload, type byte not counted, for extensions of a fixed size.
_FIXEXT = {0xD4: 1, 0xD5: 2, 0xD6: 4, 0xD7: 8, 0xD8: 16}


# No key has been read.  Not the container itself: it would keep its items in memory.
_NO_KEY = object()


class _Open:
    """A container whose items are still arriving."""

    __slots__ = ("array", "items", "key", "wanted")

    def __init__(self, array: bool, count: int) -> None:
        self.array = array
        self.wanted = count if array else 2 * count
        self.items: Any = [] if array else {}
        self.key: Any = _NO_KEY

    def put(self, value: "Any") -> None:
        self.wanted -= 1
        if self.array:
            self.items.append(value)
        elif self.key is _NO_KEY:
            if isinstance(value, (list, dict)):
                raise WireError("a map key that is a container")
            # Keys are text, so bin is read as such here and not by each message.  No NaN is another
            # one's like, and before Python 3.10 all have one hash: a map of them took minutes.
            if isinstance(value, float):
                value = None
            self.key = _utf8(value) if isinstance(value, bytes) else value
        else:
            self.items[self.key] = value
            self.key = _NO_KEY


class Decoder:
    """Bytes in, one value out.

    feed() returns True once the value is complete: it is then in `value`, and `rest` holds the
    bytes that follow it on the stream.  Text is str, or bytes where it is not UTF-8 (only the
    message knows whether text is meant there); bin is bytes; an extension is an Ext.

    Nothing is set aside for a length that a peer merely claims: containers grow by what arrives.
    """

    def __init__(self, max_message: int = MAX_REQUEST) -> None:
        self.value: Any = None
        self.rest = b""
        self._max = max_message
        self._seen = 0
        self._buffer = b""
        self._parts: list[bytes] = []  # of a payload that is still arriving
        self._missing = 0
        self._open: list[_Open] = []

    @property
    def started(self) -> bool:
        """Returns whether any byte of the value has arrived."""
        return self._seen > 0

    def feed(self, data: bytes) -> bool:
        """Take what arrived; True when the value is complete.

        Raises WireError when the value is malformed, larger than the limit or nested too deeply.
        """
        self._seen += len(data)
        if len(data) < self._missing:
            # In the middle of a long string: joining for each read would be quadratic.
            self._parts.append(data)
            self._missing -= len(data)
            self._check_size(self._seen)
            return False
        buffer = b"".join((self._buffer, *self._parts, data))
        self._parts.clear()
        self._missing = 0
        pos = 0
        while True:
            head = self._head(buffer, pos)
            if head is None:
                self._buffer = buffer[pos:]
                self._check_size(self._seen)
                return False
            pos, opened, value = head
            if opened is not None:
                if len(self._open) >= MAX_DEPTH:
                    raise WireError(f"a message nested deeper than {MAX_DEPTH}")
                self._open.append(opened)
                if opened.wanted:
                    continue
            elif self._open:
                self._open[-1].put(value)
            while self._open and not self._open[-1].wanted:
                value = self._open.pop().items
                if self._open:
                    self._open[-1].put(value)
            if not self._open:
                self.value = value
                self.rest = buffer[pos:]
                self._buffer = b""
                self._seen -= len(self.rest)
                self._check_size(self._seen)
                return True

    def _head(self, buffer: bytes, pos: int) -> "tuple[int, _Open | None, Any] | None":
        """One value, or the beginning of a container, at pos; None if more bytes are needed."""
        if pos >= len(buffer):
            return None
        tag = buffer[pos]
        if tag < 0x80:
            return pos + 1, None, tag
        if tag >= 0xE0:
            return pos + 1, None, tag - 256
        if tag in CONSTANTS:
            return pos + 1, None, CONSTANTS[tag]
        if tag in NUMBERS:
            layout = NUMBERS[tag]
            try:
                (number,) = layout.unpack_from(buffer, pos + 1)
            except StructError:
                return None
            return pos + 1 + layout.size, None, number
        if tag == 0xC1:
            raise WireError("the byte 0xc1, which no message contains")
        if tag < 0x90:
            return pos + 1, _Open(False, tag & 0x0F), None
        if tag < 0xA0:
            return pos + 1, _Open(True, tag & 0x0F), None
        if tag < 0xC0:
            return self._payload(buffer, pos + 1, "str", tag & 0x1F)
        if tag in _FIXEXT:
            return self._payload(buffer, pos + 1, "ext", 1 + _FIXEXT[tag])
        kind, width = _SIZED[tag]
        after = pos + 1 + width
        if after > len(buffer):
            return None
        size = int.from_bytes(buffer[pos + 1 : after], "big")
        if kind in ("array", "map"):
            items = size if kind == "array" else 2 * size  # each is a byte or more
            self._check_size(self._seen - len(buffer) + after + items)
            return after, _Open(kind == "array", size), None
        return self._payload(buffer, after, kind, size + (kind == "ext"))

    def _payload(
        self, buffer: bytes, start: int, kind: str, size: int
    ) -> "tuple[int, None, Any] | None":
        end = start + size
        if end > len(buffer):
            self._check_size(self._seen - len(buffer) + end)
            self._missing = end - len(buffer)
            return None
        raw = buffer[start:end]
        if kind == "ext":
            return end, None, _EXT
        return end, None, _utf8(raw) if kind == "str" else raw

    def _check_size(self, size: int) -> None:
        """Refuse a message that is, or is bound to become, of `size` bytes if that is too many."""
        if size > self._max:
            raise WireError(f"a message of more than {self._max} bytes")


def _utf8(raw: bytes) -> "str | bytes":
    """Text, or, where it is none, the bytes as they are."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw
