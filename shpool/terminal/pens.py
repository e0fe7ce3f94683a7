"""Numbers for pens, so that a row's style has one character for each cell.

The table only grows while bytes are interpreted; see compact.py.
"""

from .cells import PLAIN
from .columns import CHARACTERS, from_numbers, from_strings, numbers, strings
from .pen import DEFAULT, PROTECTED, apply, select_graphic_rendition

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .pen import Effect, Pen

# Entries of the SGR memos: from a pen and an SGR to the next pen, and from an SGR to what it does,
# the latter for all terminals of the process. Programs use a few dozen; a picture in true colour
# uses each once.
_MAX_MEMO = 1024
_MAX_MEMO_KEY = 64
_MAX_EFFECTS = 2048
_effects: "dict[str, Effect]" = {}


class _Columns:
    """Pens as an attribute holds them that is carried over: each part of theirs is a column."""

    @staticmethod
    def to_plain(pens: "list[Pen]") -> "Any":
        foregrounds, backgrounds, attributes, underlines, line_colours, links = zip(*pens)
        return [
            strings(foregrounds),
            strings(backgrounds),
            numbers(attributes),
            numbers(underlines),
            strings(line_colours),
            strings(links),
        ]

    @staticmethod
    def from_plain(plain: "Any") -> "list[Pen]":
        foregrounds, backgrounds, attributes, underlines, line_colours, links = plain
        columns = (
            from_strings(foregrounds),
            from_strings(backgrounds),
            from_numbers(attributes),
            from_numbers(underlines),
            from_strings(line_colours),
            from_strings(links),
        )
        if len({len(column) for column in columns}) != 1:
            raise ValueError("columns of different lengths")
        pens: list[Pen] = list(zip(*columns))
        if pens[:1] != [DEFAULT]:
            raise ValueError("another pen in the default one's place")
        return pens


PENS = _Columns()


class Pens:
    """Pens by number, and what SGR makes of them.

    memo: from a pen and an SGR to what after_sgr says of them, for who wants to spare the call.
    pens: each number's pen; number 0 is the default pen. live: how many of them some cell may
    have. protected: those, as in a style, that DECSCA protects.
    """

    __slots__ = ("_free", "_numbers", "_used", "live", "memo", "pens", "protected")

    CARRIED = {"pens": PENS, "live": int, "_used": (CHARACTERS, None), "_free": int}
    DERIVED = ("_numbers", "memo", "protected")

    def __init__(self) -> None:
        self.memo: dict[str, tuple[str, str]] = {}
        self.protected: set[str] = set()
        self.clear([DEFAULT])

    def clear(self, pens: "list[Pen]") -> None:
        """Start again with these pens, numbered in this order."""
        self.pens = pens
        self.live = len(pens)
        self._numbers = dict(zip(pens, range(len(pens))))
        # After reuse(): from the number _free on, those that are not in _used may be given away.
        self._used: set[str] | None = None
        self._free = 0
        self.memo.clear()
        if self.protected:
            protected = [n for n, pen in enumerate(pens) if pen[2] & PROTECTED]
            self.protected = set(map(chr, protected))

    def reuse(self, used: set[str]) -> None:
        """Let all numbers be given to other pens but those in used, as in a style; among these is
        0. Takes no time for each of them."""
        self.live = len(used)
        self._used = used
        self._free = 1
        self.memo.clear()

    def derive(self) -> None:
        """What follows from what was carried over."""
        pens = self.pens
        self.memo = {}
        self._numbers = dict(zip(pens, range(len(pens))))
        self.protected = {chr(n) for n, pen in enumerate(pens) if pen[2] & PROTECTED}

    def pair(self, pen: "Pen") -> tuple[str, str]:
        """A pen, and the pen that erased cells get under it (its background), as in a style."""
        background = pen[1]
        if not background:
            return self.number(pen), PLAIN
        return self.number(pen), self.number(("", background, 0, 0, "", ""))

    def number(self, pen: "Pen") -> str:
        """A pen as in a style."""
        number = self._numbers.get(pen)
        if number is None:
            number = self._numbers[pen] = self._give(pen)
            self.live += 1
            if pen[2] & PROTECTED:
                self.protected.add(chr(number))
            return chr(number)
        cell = chr(number)
        if self._used is not None and number >= self._free and cell not in self._used:
            self._used.add(cell)  # it has not been given to another one yet
            self.live += 1
        return cell

    def _give(self, pen: "Pen") -> int:
        """A number for a pen that has none."""
        pens = self.pens
        used = self._used
        if used is not None:
            number = self._free
            while number < len(pens) and chr(number) in used:
                number += 1
            self._free = number + 1
            if number < len(pens):
                del self._numbers[pens[number]]
                self.protected.discard(chr(number))
                pens[number] = pen
                return number
            self._used = None
        pens.append(pen)
        return len(pens) - 1

    def after_sgr(self, current: str, body: str) -> tuple[str, str]:
        """The pair for CSI body m, where current is the pen as in a style."""
        if len(body) > _MAX_MEMO_KEY:
            return self.pair(apply(self.pens[ord(current)], select_graphic_rendition(body)))
        pair = self.memo.get(current + body)
        if pair is None:
            effect = _effects.get(body)
            if effect is None:
                effect = _effects[body] = select_graphic_rendition(body)
                if len(_effects) >= _MAX_EFFECTS:
                    _effects.clear()
            pair = self.pair(apply(self.pens[ord(current)], effect))
            if len(self.memo) >= _MAX_MEMO:
                self.memo.clear()
            self.memo[current + body] = pair
        return pair
