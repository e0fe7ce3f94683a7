"""A screen as text for a terminal or a pipe, plain or with the sequences that colour it."""

import re

from shpool.terminal.pen import PROTECTED, sgr

TYPE_CHECKING = False
if TYPE_CHECKING:
    from shpool.client.screen import Line, Screen
    from shpool.protocol.screens import Pen

# What would end a link's sequence, or is no part of an address.
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]").search


def plain(screen: "Screen") -> str:
    """Each line as text, those at the end left out that are blank."""
    lines = [screen.text(line) for line in screen.lines]
    while lines and not lines[-1]:
        lines.pop()
    return "".join([f"{line}\n" for line in lines])


def coloured(screen: "Screen") -> str:
    """The same with SGR and OSC 8; a line ends in the default pen."""
    lines = [_coloured(screen, line) for line in screen.lines]
    while lines and not lines[-1]:
        lines.pop()
    return "".join([f"{line}\n" for line in lines])


def _coloured(screen: "Screen", line: "Line") -> str:
    out = []
    looks = link = ""
    for _, cells, pen in screen.stretches(line):
        now = _looks(pen)
        if now != looks:
            out.append(now or "\x1b[m")
            looks = now
        target = "" if _CONTROLS(pen[5]) else pen[5]
        if target != link:
            out.append(f"\x1b]8;{target or ';'}\x1b\\")
            link = target
        out.append(screen.cells(cells))
    if looks:
        out.append("\x1b[m")
    if link:
        out.append("\x1b]8;;\x1b\\")
    return "".join(out)


def _looks(pen: "Pen") -> str:
    """The sequences for all of a pen but its link, none for the default."""
    foreground, background, attributes, kind, line, _ = pen
    sequence = sgr((foreground, background, attributes & ~PROTECTED, kind, line, ""))
    return "" if sequence == "\x1b[m" else sequence
