"""What the terminal answers to a program's questions while no other terminal is there to do so.

As xterm does (ctlseqs), but only what is known here or holds for any terminal that may come to show
the session: a VT220 with colours, the state of modes, the cursor's place, colours that the session
set. What is the user's own, as a background never changed, stays unanswered.
"""

import re

from .pen import number
from .properties import DYNAMIC_COLOURS, Properties

# Bytes of answers kept until they are taken; further ones are dropped. As much as a line typed to
# a program may have, and more questions than any program asks before it reads.
MAX_ANSWERS = 4096

# Level 2 (VT220) and ANSI colours; nothing that a terminal without sixels or 132 columns lacks.
_PRIMARY = "\x1b[?62;22c"
# A VT220, xterm's patch 276, as xterm.js says: the first with all the mouse encodings by which
# programs tell terminals apart.
_SECONDARY = "\x1b[>1;276;0c"

# What xterm says of modes whose default is the user's. 2026 means nothing to a terminal that
# does not know it.
_USUAL = {
    12: False,
    45: False,
    80: False,
    1007: False,
    1010: True,
    1011: False,
    1034: True,
    1035: True,
    1036: False,
    1037: False,
    1039: False,
    1042: False,
    1043: False,
    1070: True,
    2026: False,
}

# A program that is told of these relies on them, and not every terminal that comes next will have
# them. When one is on, the program was told by a terminal that has it.
_DEPENDS = (2027, 2031, 2048)

_HEX = "([0-9a-fA-F]+)"
_RGB = re.compile(f"rgb:{_HEX}/{_HEX}/{_HEX}").fullmatch
_SHARP = re.compile("#(?:[0-9a-fA-F]{3}){1,4}").fullmatch


class Answers(Properties):
    """The whole state, with answers about it.

    answering: what is interpreted now was passed on to no other terminal. name: the terminal's own,
    for XTVERSION.
    """

    __slots__ = ("_answers", "_answers_size", "answering", "name")

    CARRIED = {"answering": bool, "_answers": [str], "_answers_size": int}
    DERIVED = ("name",)  # whose version is the new one

    def derive(self) -> None:
        super().derive()
        self.name = "shpool"

    def __init__(self, rows: int, cols: int, history_lines: int) -> None:
        super().__init__(rows, cols, history_lines)
        self.answering = False
        self.name = "shpool"
        self._answers: list[str] = []
        self._answers_size = 0

    def take_answers(self) -> bytes:
        """What is to be typed to the program, once, in the order of its questions."""
        if not self._answers:
            return b""
        answers = "".join(self._answers).encode()
        self._answers.clear()
        self._answers_size = 0
        return answers

    def _answer(self, text: str) -> None:
        if self.answering and self._answers_size + len(text) <= MAX_ANSWERS:
            self._answers.append(text)
            self._answers_size += len(text)

    def identify(self) -> None:
        """DECID: as DA1."""
        self._answer(_PRIMARY)

    def primary_attributes(self, which: int, *_: int) -> None:
        """DA1: class and extensions."""
        if not which:
            self._answer(_PRIMARY)

    def secondary_attributes(self, which: int, *_: int) -> None:
        """DA2: kind and version."""
        if not which:
            self._answer(_SECONDARY)

    def report_version(self, which: int, *_: int) -> None:
        """XTVERSION."""
        if not which:
            self._answer(f"\x1bP>|{self.name}\x1b\\")

    def report_status(self, which: int, *_: int) -> None:
        """DSR: 5 whether all is well, 6 (CPR) the cursor's row and column."""
        if which == 5:
            self._answer("\x1b[0n")
        elif which == 6:
            self._answer(f"\x1b[{self._place()}R")

    def report_private_status(self, which: int, *_: int) -> None:
        """DSR with ?: 6 (DECXCPR) the cursor's place, on the one page there is."""
        if which == 6:
            self._answer(f"\x1b[?{self._place()}R")

    def _place(self) -> str:
        """Row and column from 1, of the margins in origin mode. With a wrap pending the cursor
        still stands in the last column."""
        x, y = min(self.x, self.cols - 1), self.y
        if self.margin_wrap:
            x = min(x, self.right)
        if self.origin:
            x, y = x - self.left, y - self.top
        return f"{y + 1};{x + 1}"

    def report_mode(self, mode: int, *_: int) -> None:
        """DECRQM: 1 on, 2 off, 0 not known."""
        on = {4: self.insert_mode, 20: self.newline_mode}.get(mode)
        self._answer(f"\x1b[{mode};{_setting(on)}$y")

    def report_private_mode(self, mode: int, *_: int) -> None:
        """DECRQM with ?."""
        on = self.side_margins if mode == 69 else self.private_mode(mode)
        if on is None:
            on = _USUAL.get(mode)
        if mode in _DEPENDS:
            on = on or None
        self._answer(f"\x1b[?{mode};{_setting(on)}$y")

    def report_keyboard(self, *_: int) -> None:
        """CSI ? u: the flags of the kitty keyboard protocol in force."""
        self._answer(f"\x1b[?{self.screen.keyboard[-1]}u")

    def operating_system_command(self, body: str, end: str = "\x1b\\") -> None:
        """OSC, also asking for a colour: 4, and 10 to 19. The answer ends as the question does."""
        super().operating_system_command(body, end)
        if self.answering and "?" in body:
            command, _, value = body.partition(";")
            specs = value.split(";")
            if command == "4":
                for at in range(0, len(specs) - 1, 2):
                    index = number(specs[at]) if specs[at].isdecimal() else -1
                    if specs[at + 1] == "?":
                        self._answer_colour(f"4;{index}", self.palette.get(index), end)
            elif command in DYNAMIC_COLOURS:
                for which, spec in enumerate(specs, int(command)):
                    if spec == "?":
                        self._answer_colour(str(which), self.dynamic.get(which), end)

    def _answer_colour(self, which: str, colour: "str | None", end: str) -> None:
        rgb = _rgb(colour or "")
        if rgb:
            self._answer(f"\x1b]{which};{rgb}{end}")


def _setting(on: "bool | None") -> int:
    if on is None:
        return 0
    return 1 if on else 2


def _rgb(colour: str) -> str:
    """A colour as xterm reports it, from a specification as in XParseColor(3); "" for a name,
    whose meaning is the terminal's. Displays have eight bits for each part."""
    if _SHARP(colour):
        size = (len(colour) - 1) // 3
        parts = [colour[at : at + size] for at in range(1, len(colour), size)]
        values = [int(part.ljust(2, "0")[:2], 16) for part in parts]
    else:
        match = _RGB(colour)
        if not match or max(map(len, match.groups())) > 4:
            return ""
        values = [int(part, 16) * 0xFFFF // (16 ** len(part) - 1) >> 8 for part in match.groups()]
    return "rgb:" + "/".join(f"{value:02x}" * 2 for value in values)
