"""Text as a terminal pastes it."""

import re

from shpool.errors import ShpoolError
from shpool.keys.decoding import PASTE_BEGIN, PASTE_END

# Of the markers both forms, C1 and 7 bits: a program that reads one of them in what is pasted
# takes what follows for typed.  In UTF-8 all are of one length.
_MARKERS = tuple(f"{begin}20{which}~".encode() for begin in ("\x1b[", "\x9b") for which in (0, 1))
_END, _LENGTH = b"~", 6
_LINE_ENDS = re.compile("\r\n|\n")
_CONTROLS = re.compile("[\x00-\x08\x0a-\x0c\x0e-\x1f\x7f-\x9f]")


class CannotPaste(ShpoolError):
    """The text has what would be taken for keys; the message says so."""


def pasted(text: str, *, bracketed: bool) -> bytes:
    """`text` with CR for line ends, between markers if the program has turned them on.

    Without markers what it pastes could be anything, so control characters but tab and CR raise
    CannotPaste.  Markers in the text are taken out, until none is left.
    """
    data = _without_markers(_LINE_ENDS.sub("\r", text).encode())
    if bracketed:
        return PASTE_BEGIN + data + PASTE_END
    control = _CONTROLS.search(data.decode())
    if control is not None:
        raise CannotPaste(
            f"the text has the control character {control[0]!a} in it, and the program has"
            " bracketed paste off"
        )
    return data


def _without_markers(data: bytes) -> bytes:
    """Markers may stand in one another, as deep as a text is long: what is left is looked at where
    something was taken out of it, and nowhere else."""
    first, *pieces = data.split(_END)
    kept = bytearray(first)
    for piece in pieces:
        kept += _END
        if kept.endswith(_MARKERS):
            del kept[-_LENGTH:]
        kept += piece
    return bytes(kept)
