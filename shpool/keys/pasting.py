"""Text as a terminal pastes it."""

import re

from shpool.errors import ShpoolError
from shpool.keys.decoding import PASTE_BEGIN, PASTE_END

# Of the markers both forms, C1 and 7 bits: a program that reads one of them in what is pasted
# takes what follows for typed.
_MARKERS = re.compile("(?:\x1b\\[|\x9b)20[01]~")
_LINE_ENDS = re.compile("\r\n|\n")
_CONTROLS = re.compile("[\x00-\x08\x0a-\x0c\x0e-\x1f\x7f-\x9f]")


class CannotPaste(ShpoolError):
    """The text has what would be taken for keys; the message says so."""


def pasted(text: str, *, bracketed: bool) -> bytes:
    """`text` with CR for line ends, between markers if the program has turned them on.

    Without markers what it pastes could be anything, so control characters but tab and CR raise
    CannotPaste.  Markers in the text are taken out, until none is left.
    """
    text = _LINE_ENDS.sub("\r", text)
    found = 1
    while found:
        text, found = _MARKERS.subn("", text)
    if bracketed:
        return PASTE_BEGIN + text.encode() + PASTE_END
    control = _CONTROLS.search(text)
    if control is not None:
        raise CannotPaste(
            f"the text has the control character {control[0]!a} in it, and the program has"
            " bracketed paste off"
        )
    return text.encode()
