"""The pieces that waiting output is kept in, and what can be told of it without a terminal."""

import re
from collections import deque

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# A sequence that the data ends in the middle of, and that may become an SGR.
_CUT_SGR = re.compile(rb"\x1b(?:\[[0-9:;]{0,100})?").fullmatch
_PARAMETERS = b"0123456789:;"
_C1 = re.compile(rb"\xc2[\x80-\x9f]").search
_SGR = re.compile(rb"\x1b\[[0-9:;]*m").findall
_RESETS = (b"\x1b[m", b"\x1b[0m", b"\x1b[0;")
# Line feeds without a carriage return from which on a program is taken to write nothing else.
_STAIRS = 64
# Sequences that the last reset is looked for among. Nearly all output has one in each line.
_SEQUENCES_BACK = 256


class Block:
    """Bytes that were looked at; `lines` that end in it, -1 if it may not be skipped; whether
    nobody else answers what is asked in it."""

    __slots__ = ("data", "lines", "unanswered")

    def __init__(self, data: bytes, lines: int, unanswered: bool) -> None:
        self.data = data
        self.lines = lines
        self.unanswered = unanswered


class _Queue:
    """The queue of a Backlog in a state that is handed on."""

    @staticmethod
    def to_plain(queue: "deque[Block | tuple[int, int]]") -> "Any":
        return [
            [item.data, item.lines, item.unanswered] if isinstance(item, Block) else list(item)
            for item in queue
        ]

    @staticmethod
    def from_plain(plain: "Any") -> "deque[Block | tuple[int, int]]":
        queue: deque[Block | tuple[int, int]] = deque()
        for item in plain:
            if len(item) == 3:
                queue.append(Block(bytes(item[0]), int(item[1]), bool(item[2])))
            else:
                rows, cols = item
                queue.append((int(rows), int(cols)))
        return queue


QUEUE = _Queue()


def colours(data: bytes, start: int, end: int) -> list[bytes]:
    """The SGR between start and end that decide which pen is in use at end."""
    at = end
    for _ in range(_SEQUENCES_BACK):
        at = data.rfind(b"\x1b", start, at)
        if at < 0:
            at = start
            break
        if data.startswith(_RESETS, at):
            break
    else:
        at = start
    return _SGR(data, at, end)


def complete_part(data: bytes) -> int:
    """Where the SGR, or the character, begins that the data ends in the middle of."""
    if data.endswith(b"\xc2"):
        return len(data) - 1
    last = data.rfind(b"\x1b")
    return last if last >= 0 and _CUT_SGR(data, last) else len(data)


def plain_lines(data: bytes) -> int:
    """The line feeds, if there is nothing but text, line ends and SGR (and controls that move
    within a line), else -1; and also if there are many and no line begins in the first column,
    for a rest could begin nowhere."""
    if b"\x0e" in data or b"\x0f" in data or (b"\xc2" in data and _C1(data)):
        return -1
    if b"\x1b" not in data:
        return _unless_stairs(data, data.count(b"\n"))
    # Deleting and counting bytes takes half as long as a search for anything else: without their
    # parameters all sequences must be the same.
    bare = data.translate(None, _PARAMETERS)
    escapes = bare.count(b"\x1b")
    if bare.count(b"\x1b[m") != escapes or data.count(b"\x1b[") != escapes:
        return -1
    return _unless_stairs(data, bare.count(b"\n"))


def _unless_stairs(data: bytes, lines: int) -> int:
    return -1 if lines >= _STAIRS and b"\r\n" not in data else lines
