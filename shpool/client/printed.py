"""The output of a command that a shell has run, up to the mark that it has ended.

What stands between the command's last byte and that mark is the shell's: zsh marks a line that was
left without end, and paints that over (PROMPT_SP), and bash may have turned bracketed paste on.
"""

import re

from shpool.output import put

# Attributes as terminals have them.
_PEN = rb"(?:\x1b\[[0-9;]*m|\x1b\(B|\x0f)"

# zsh's mark, in bold standout, and blanks up to the end of the row; or, where its user has no mark,
# blanks alone.
_LEFT_OPEN = rb"(?:(?:%s){1,2}[%%#](?:%s)*\x20{%d,%d}\r\x20\r|\x20{%d}\r\r)"

# The end's mark; fish 4 writes its own before it.
_END_MARK = re.compile(rb"(?:\x1b\]133;D[^\x07\x1b]*\x07){1,2}\Z")
_PASTE_ON = rb"\x1b\[\?2004h"

# What may become all that, at the end of what has come.
_MAY_BE = re.compile(
    rb"""
    (?: (?: %s )* [%%#]? (?: %s )* \x20* \r? \x20? \r? | %s )
    (?: \x1b\]133;D[^\x07\x1b]*\x07 )?
    (?: \x1b (?: \] (?: 1 (?: 3 (?: 3 (?: ; [^\x07\x1b]* \x07? )? )? )? )? | \[ [0-9;?]* | \( )? )?
    \Z
    """
    % (_PEN, _PEN, _PASTE_ON),
    re.VERBOSE,
)
_WHOLE = re.compile(rb"(?:%s)*[%%#]?(?:%s)*\x20+\r\x20?\r\Z" % (_PEN, _PEN)).fullmatch

# It is no longer than this, in bytes: the widest row, and a mark.
_LONGEST = 2048


class Tail:
    """Output in; what is the command's for certain out."""

    def __init__(self) -> None:
        self._held = b""

    @property
    def waits(self) -> bool:
        """Something is held that is the command's, most likely, if no more comes."""
        return bool(self._held) and _WHOLE(self._held) is None

    def feed(self, data: bytes) -> bytes:
        data = self._held + data
        start = max(len(data) - _LONGEST, 0)
        found = _MAY_BE.search(data, start)
        at = len(data) if found is None else found.start()
        self._held = data[at:]
        return data[:at]

    def pause(self) -> bytes:
        """No more has come for a while: what is held, if it waits."""
        if not self.waits:
            return b""
        held, self._held = self._held, b""
        return held

    def end(self, cols: int) -> bytes:
        """The shell has said that the command has ended, on a terminal of so many columns; what
        was still the command's."""
        held, self._held = self._held, b""
        left_open = _LEFT_OPEN % (_PEN, _PEN, max(cols - 2, 0), max(cols - 1, 0), max(cols, 0))
        return re.sub(rb"(?:%s|%s)\Z" % (left_open, _PASTE_ON), b"", _END_MARK.sub(b"", held))


class Printed:
    """Every byte, for a terminal."""

    def __init__(self) -> None:
        self._tail = Tail()
        self.open_line = False  # what was printed last is no line end

    @property
    def waits(self) -> bool:
        """pause() has something to do."""
        return self._tail.waits

    def output(self, data: bytes) -> None:
        self._print(self._tail.feed(data))

    def pause(self) -> None:
        self._print(self._tail.pause())

    def end(self, cols: int) -> None:
        self._print(self._tail.end(cols))

    def _print(self, data: bytes) -> None:
        if data:
            put(data)
            self.open_line = not data.endswith(b"\n")


class Text(Printed):
    """Lines of text, as they are completed; one that is not, as far as it is when output pauses,
    and then what is added to it.  A line that was written anew is printed as it is at its end."""

    def __init__(self) -> None:
        from shpool.client.lines import Lines

        super().__init__()
        self._lines = Lines()
        self._shown = ""  # of the line that is being written

    @property
    def waits(self) -> bool:
        return super().waits or self._lines.text != self._shown

    def pause(self) -> None:
        super().pause()
        if self._lines.text.startswith(self._shown):
            self._write(self._lines.text[len(self._shown) :])
        self._shown = self._lines.text

    def end(self, cols: int) -> None:
        super().end(cols)
        self._write(self._rest(self._lines.text))

    def _print(self, data: bytes) -> None:
        whole: list[str] = []
        for version in self._lines.feed(data):
            if version.complete:
                whole += (self._rest(version.text), "" if version.cut else "\n")
                self._shown = ""
        self._write("".join(whole))

    def _rest(self, text: str) -> str:
        """What is to be printed of a line, after what was shown of it."""
        if text.startswith(self._shown):
            return text[len(self._shown) :]
        return f"\n{text}"

    def _write(self, text: str) -> None:
        if text:
            put(text.encode("utf-8", "replace"))
            self.open_line = not text.endswith("\n")
