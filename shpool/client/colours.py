"""The colours of a session's screen as #rrggbb, for what no terminal's palette colours."""

import re

from shpool.terminal.pen import DIM, HIDDEN, INVERSE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from shpool.protocol.screens import PeekHead, Pen

# xterm's, and its grey on black.
_FIRST = (
    *("#000000", "#cd0000", "#00cd00", "#cdcd00", "#0000ee", "#cd00cd", "#00cdcd", "#e5e5e5"),
    *("#7f7f7f", "#ff0000", "#00ff00", "#ffff00", "#5c5cff", "#ff00ff", "#00ffff", "#ffffff"),
)
_FOREGROUND, _BACKGROUND = "#e5e5e5", "#000000"
_STEPS = (0, 95, 135, 175, 215, 255)

_HEX = "([0-9a-fA-F]{1,4})"
_RGB = re.compile(f"rgb:{_HEX}/{_HEX}/{_HEX}").fullmatch
_SHARP = re.compile("#(?:[0-9a-fA-F]{3}){1,4}").fullmatch


class Colours:
    """`foreground`, `background` and `cursor` of a session, and those of a pen."""

    def __init__(self, head: "PeekHead") -> None:
        self._palette = [_usual(index) for index in range(256)]
        for index, name in head.palette.items():
            self._palette[index] = read_colour(name) or self._palette[index]
        foreground = read_colour(head.dynamic.get(10, "")) or _FOREGROUND
        background = read_colour(head.dynamic.get(11, "")) or _BACKGROUND
        if head.reverse:
            foreground, background = background, foreground
        self.foreground, self.background = foreground, background
        self.cursor = read_colour(head.dynamic.get(12, "")) or foreground

    def of(self, pen: "Pen") -> "tuple[str, str]":
        """Foreground and background, as they are to be seen."""
        foreground = self._colour(pen[0]) or self.foreground
        background = self._colour(pen[1]) or self.background
        if pen[2] & INVERSE:
            foreground, background = background, foreground
        if pen[2] & DIM:
            foreground = _between(foreground, background)
        if pen[2] & HIDDEN:
            foreground = background
        return foreground, background

    def of_underline(self, pen: "Pen") -> str:
        """Empty if it is the text's."""
        return self._colour(pen[4])

    def _colour(self, parameters: str) -> str:
        """What SGR parameters set (see terminal/pen.py), empty for the default."""
        numbers = [int(part) for part in re.split("[;:]+", parameters) if part]
        if not numbers:
            return ""
        if len(numbers) == 1:
            return self._palette[numbers[0] % 10 + (8 if numbers[0] >= 90 else 0)]
        if numbers[1] == 5:
            return self._palette[numbers[2] & 255]
        return _written(*[number & 255 for number in numbers[2:5]])


def _usual(index: int) -> str:
    if index < 16:
        return _FIRST[index]
    if index < 232:
        index -= 16
        return _written(_STEPS[index // 36], _STEPS[index // 6 % 6], _STEPS[index % 6])
    return _written(*[8 + 10 * (index - 232)] * 3)


def _written(red: int, green: int, blue: int) -> str:
    return f"#{red:02x}{green:02x}{blue:02x}"


def _between(one: str, two: str) -> str:
    return _written(
        *[(int(one[at : at + 2], 16) + int(two[at : at + 2], 16)) // 2 for at in (1, 3, 5)]
    )


def read_colour(name: str) -> str:
    """A specification as in XParseColor(3); empty for what is none, or a colour's name."""
    if _SHARP(name):
        size = (len(name) - 1) // 3
        parts = [name[at : at + size].ljust(2, "0")[:2] for at in range(1, len(name), size)]
        return _written(*[int(part, 16) for part in parts])
    found = _RGB(name)
    if found is None:
        return ""
    return _written(*[int(part, 16) * 255 // (16 ** len(part) - 1) for part in found.groups()])
