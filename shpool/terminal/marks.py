"""What a shell's marks (OSC 133) say of it: whether it stands at its prompt, and what it runs.

Found in the raw output, by a search that costs a flood next to nothing, and so also in what the
model never interprets.

    A      a prompt begins; with a number, the same one again is one that was drawn again
    B      it ends, and the command line begins; fish has no place for it
    C      a command's output begins
    D      it ends; without a C before it, it says nothing

A session's own shell is known by the word in its marks (aid).  Once it has sent one, those of
others count no more: a shell below it, or one on another machine.  What shells do besides: a second
C before D is the same command still (two lines that were pasted); A or B before D is a nested
shell's, and the command still runs; A without C is a line that was not taken, or none.
"""

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_BEGIN = b"\x1b]133;"

# What ends an OSC, as in machine.py, or breaks it off.
_END = re.compile(rb"[\x07\x1b\x18\x1a]").search
_BROKEN_OFF = b"\x18\x1a"

# Bytes that a mark may have: the command in one has 4 KiB at most.
_LONGEST = 8192

_ESCAPED = re.compile(rb"%([0-9A-Fa-f]{2})")


class Mark:
    """`end`: where it ends in what was fed last.  `ours`: by the session's shell; `new`: it is no
    prompt drawn again.  `status` comes with D, `command` with C, `number` with A, if it is told."""

    __slots__ = ("command", "end", "kind", "new", "number", "ours", "status")

    def __init__(self, kind: str, end: int) -> None:
        self.kind = kind
        self.end = end
        self.ours = False
        self.new = True
        self.number = b""
        self.status: int | None = None
        self.command: str | None = None


class Prompt:
    """The state of a session's shell.

    at_prompt: since `since` (of the clock that feed() is given).  running: a command, since
    `since`; command: its text, if that is told; last_status: of the command before, if there was
    one.  ours: the session's shell marks, so that what is said of commands is known; else only
    at_prompt means something.  fresh: nothing was typed since the prompt began.
    """

    CARRIED = {
        "shell": str,
        "_aid": bytes,
        "_open": bytes,
        "_number": bytes,
        "ours": bool,
        "at_prompt": bool,
        "running": bool,
        "fresh": bool,
        "command": (str, None),
        "last_status": (int, None),
        "since": float,
    }

    __slots__ = (
        "_aid",
        "_number",
        "_open",
        "at_prompt",
        "command",
        "fresh",
        "last_status",
        "ours",
        "running",
        "shell",
        "since",
    )

    def __init__(self, aid: str = "", shell: str = "") -> None:
        """`shell`: which one sends marks with `aid`."""
        self.shell = shell
        self._aid = aid.encode()
        self._open = b""  # what may become a mark
        self.ours = False
        self._forget()

    def _forget(self) -> None:
        self.at_prompt = self.running = self.fresh = False
        self.command: str | None = None
        self.last_status: int | None = None
        self.since = 0.0
        self._number = b""  # of the prompt before

    @property
    def stands(self) -> bool:
        """The shell is at a prompt that came after the last input."""
        return self.at_prompt and self.fresh

    def typed(self) -> None:
        """Something was typed."""
        self.fresh = False

    def describe(self, now: float) -> "dict[str, Any] | None":
        """For whoever asks from outside; None where the session's shell does not mark."""
        if not self.ours:
            return None
        return {
            "at_prompt": self.at_prompt,
            "command": self.command,
            "running_ms": int((now - self.since) * 1000) if self.running else None,
            "last_status": self.last_status,
        }

    def feed(self, data: bytes, now: float) -> "list[Mark]":
        """Take output of the program, cut anywhere; the marks that end in it.  `now`: seconds."""
        before = len(self._open)
        if before:
            data = self._open + data
        elif b"]" not in data or b"\x1b" not in data or _BEGIN not in data:
            # One byte is found thirty times as fast as several, and most floods have none of these.
            self._open = _begun(data)
            return []
        found = []
        at = data.find(_BEGIN)
        while at >= 0:
            start = at + len(_BEGIN)
            end = _END(data, start)
            if end is None:
                break
            if end[0] not in _BROKEN_OFF:
                mark = self._read(data[start : end.start()], end.end() - before)
                if mark is not None:
                    found.append(mark)
            at = data.find(_BEGIN, end.start())
        self._open = data[at:] if at >= 0 else _begun(data)
        if len(self._open) > _LONGEST:
            self._open = b""
        for mark in found:
            self._take(mark, now)
        return found

    def _read(self, value: bytes, end: int) -> "Mark | None":
        kind, *parameters = value.split(b";")
        if kind not in (b"A", b"B", b"C", b"D"):
            return None
        mark = Mark(kind.decode(), end)
        if mark.kind == "D" and parameters and parameters[0].isdigit():
            mark.status = int(parameters[0][:9])
        named = dict(each.partition(b"=")[::2] for each in parameters)
        mark.ours = bool(self._aid) and named.get(b"aid") == self._aid
        mark.number = named.get(b"n", b"")
        command = named.get(b"cmdline_url")
        if command:
            mark.command = _unescaped(command)
        return mark

    def _take(self, mark: Mark, now: float) -> None:
        if mark.ours and not self.ours:
            self._forget()
            self.ours = True
        if mark.ours != self.ours:
            return
        if mark.kind == "A" and mark.number:
            mark.new = mark.number != self._number
            self._number = mark.number
        if mark.kind == "C":
            self._begin_command(mark, now)
        elif mark.kind == "D":
            self._end_command(mark)
        elif not (self.ours and self.running):
            self._show_prompt(mark, now)

    def _begin_command(self, mark: Mark, now: float) -> None:
        if not self.running:
            self.command = mark.command
            self.since = now
        self.running = True
        self.at_prompt = False

    def _end_command(self, mark: Mark) -> None:
        if self.running:
            self.last_status = mark.status
        self.running = self.at_prompt = False
        self.command = None

    def _show_prompt(self, mark: Mark, now: float) -> None:
        if mark.kind == "A" and mark.new:
            self.fresh = True
            self.at_prompt = False
        complete = mark.kind == "B" or self.shell == "fish" or not self.ours
        if complete and not self.at_prompt:
            self.at_prompt = True
            self.since = now


def _begun(data: bytes) -> bytes:
    """What may be the beginning of a mark, at the end."""
    last = data.rfind(b"\x1b", -len(_BEGIN))
    return data[last:] if last >= 0 and _BEGIN.startswith(data[last:]) else b""


def _unescaped(text: bytes) -> str:
    return _ESCAPED.sub(lambda match: bytes([int(match[1], 16)]), text).decode(errors="replace")
