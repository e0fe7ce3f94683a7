"""The marks in what comes from there: taken out, wherever they are split, and told of.

Bytes in, values out.  A mark is  OSC 8888 ; TOKEN ; WORD BEL  with a token that nobody there can
know but what we run there; anything else that looks like one is output.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Union

    # Output, as bytes, and words of marks, in the order in which they came.
    Item = Union[bytes, str]

# Of a mark, the longest is a reason in hexadecimal.
_LONGEST = 4096


class Marks:
    def __init__(self, token: str) -> None:
        self._start = f"\x1b]8888;{token};".encode()
        self._held = b""

    def feed(self, data: bytes) -> "list[Item]":
        """What came, as far as it is known to be part of no mark, or a whole one."""
        data = self._held + data
        self._held = b""
        found: list[Item] = []
        while True:
            start = data.find(self._start)
            if start < 0:
                break
            end = data.find(b"\x07", start, start + _LONGEST)
            if end < 0 and len(data) - start < _LONGEST:
                self._held = data[start:]
                data = data[:start]
                if data:
                    found.append(data)
                return found
            if start:
                found.append(data[:start])
            if end < 0:  # too long for one; what it begins with stays out of sight
                data = data[start + len(self._start) :]
            else:
                found.append(data[start + len(self._start) : end].decode("ascii", "replace"))
                data = data[end + 1 :]
        kept = len(data) - self._begun(data)
        self._held = data[kept:]
        if kept:
            found.append(data[:kept])
        return found

    def flush(self) -> bytes:
        """What was held for the rest of a mark that does not come any more; nothing of one that has
        the token in it."""
        held, self._held = self._held, b""
        return b"" if held.startswith(self._start) else held

    def _begun(self, data: bytes) -> int:
        """How many bytes at the end may be the beginning of one."""
        at = data.rfind(b"\x1b", -len(self._start))
        if at >= 0 and self._start.startswith(data[at:]):
            return len(data) - at
        return 0
