"""shpool list --long: a table for people."""

import os
from time import time

from shpool.names import shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from shpool.protocol.replies import SessionRow

_HEADS = ("NAME", "STATUS", "AGE", "IDLE", "CLIENTS", "COMMAND", "DIR")

# In the place of what the system does not tell.
_UNKNOWN = "-"

# Seconds, and how so many are called.
_UNITS = ((86_400, "d"), (3_600, "h"), (60, "m"), (1, "s"))


def table(
    sessions: "Iterable[SessionRow]", home: str, width: "int | None", here: "str | None"
) -> "list[tuple[str, bool]]":
    """Lines, none wider than `width`, and whether it is that of the session `here`, which is
    marked with a star."""
    now = int(time() * 1000)
    cells: list[tuple[str, ...]] = [_HEADS]
    marked = [False]
    for session in sessions:
        cells.append(_row(session, now, home, marked=session.name == here))
        marked.append(session.name == here)
    widths = [max(map(_width, column)) for column in zip(*cells)]
    lines = ("  ".join(map(_padded, row, widths)).rstrip() for row in cells)
    return [
        (line if width is None else _cut(line, width), mark) for line, mark in zip(lines, marked)
    ]


def _row(session: "SessionRow", now: int, home: str, *, marked: bool) -> "tuple[str, ...]":
    return (
        f"{session.name}*" if marked else session.name,
        session.status.lower(),
        ago(now - session.started_at_unix_ms),
        ago(_idle(session, now)),
        _clients(session),
        _command(session.foreground_pid),
        _directory(session.foreground_pid, home),
    )


def _idle(session: "SessionRow", now: int) -> int:
    """Milliseconds since somebody typed, or, with nobody there to, since the last one left."""
    if session.attachments:
        return min(client.idle_ms for client in session.attachments)
    return now - (session.last_disconnected_at_unix_ms or session.started_at_unix_ms)


def ago(milliseconds: int) -> str:
    """In the largest unit of which there is one; a moment ago is 0s, the future too."""
    seconds = max(milliseconds // 1000, 0)
    for size, unit in _UNITS:
        if seconds >= size:
            return f"{seconds // size}{unit}"
    return "0s"


def _clients(session: "SessionRow") -> str:
    typing, watching = len(session.attachments), len(session.watchers)
    return f"{typing}, {watching} watching" if watching else str(typing)


def _command(pid: int) -> str:
    """The name of the program."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            word = file.read(4096).partition(b"\0")[0]
    except OSError:
        return _UNKNOWN
    name = os.path.basename(os.fsdecode(word)).lstrip("-")
    return shown(name) or _UNKNOWN


def _directory(pid: int, home: str) -> str:
    try:
        path = os.readlink(f"/proc/{pid}/cwd")
    except OSError:
        return _UNKNOWN
    if home and (path == home or path.startswith(f"{home}/")):
        path = "~" + path[len(home) :]
    return shown(path)


def _width(text: str) -> int:
    if text.isascii():
        return len(text)
    from shpool.terminal.width import char_width

    return sum(map(char_width, text))


def _padded(text: str, width: int) -> str:
    return text + " " * (width - _width(text))


def _cut(line: str, width: int) -> str:
    while _width(line) > width:
        line = line[:-1]
    return line
