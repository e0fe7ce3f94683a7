"""Numbers for pens and clusters, so that a row can be two strings.

Both tables only grow while bytes are interpreted; the terminal compacts them, from time to time,
to what its rows and history still use (see grid.py).
"""

from .cells import BLANK, PLAIN
from .pen import DEFAULT, PROTECTED, apply, select_graphic_rendition

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .pen import Effect, Pen

# Clusters are characters of plane 16, which is private use and which no font is known to use. A
# program that prints such a character gets a cluster of that one.
FIRST_CLUSTER = "\U00100000"
MAX_CLUSTERS = 0xFFFD

# Code points kept for one cell. xterm keeps 2 marks, VTE 10, kitty 3; xterm.js all of them. A
# family emoji with skin tones has 11.
MAX_CLUSTER = 16

# Entries of the SGR memos: from a pen and an SGR to the next pen, and from an SGR to what it does,
# the latter for all terminals of the process. Programs use a few dozen; a picture in true colour
# uses each once.
_MAX_MEMO = 1024
_MAX_MEMO_KEY = 64
_MAX_EFFECTS = 2048
_effects: "dict[str, Effect]" = {}


class Pens:
    """Pens by number, and what SGR makes of them.

    memo: from a pen and an SGR to what after_sgr says of them, for who wants to spare the call.
    pens: each number's pen; number 0 is the default pen. protected: those, as in a style, that
    DECSCA protects.
    """

    __slots__ = ("_numbers", "memo", "pens", "protected")

    def __init__(self) -> None:
        self.memo: dict[str, tuple[str, str]] = {}
        self.clear([DEFAULT])

    def clear(self, pens: "list[Pen]") -> None:
        """Start again with these pens, numbered in this order."""
        self.pens = pens
        self._numbers = {pen: number for number, pen in enumerate(pens)}
        self.memo.clear()
        self.protected = {chr(number) for number, pen in enumerate(pens) if pen[2] & PROTECTED}

    def pair(self, pen: "Pen") -> tuple[str, str]:
        """A pen, and the pen that erased cells get under it (its background), as in a style."""
        number = self._numbers.get(pen)
        if number is None:
            number = self._number(pen)
        background = pen[1]
        if not background:
            return chr(number), PLAIN
        return chr(number), chr(self._number(("", background, 0, 0, "", "")))

    def _number(self, pen: "Pen") -> int:
        number = self._numbers.get(pen)
        if number is None:
            number = self._numbers[pen] = len(self.pens)
            self.pens.append(pen)
            if pen[2] & PROTECTED:
                self.protected.add(chr(number))
        return number

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


class Clusters:
    """Characters with their combining marks, by number."""

    __slots__ = ("_numbers", "clusters")

    def __init__(self) -> None:
        self.clear([])

    def clear(self, clusters: list[str]) -> None:
        """Start again with these clusters, numbered in this order."""
        self.clusters = clusters
        self._numbers = {cluster: number for number, cluster in enumerate(clusters)}

    def cell(self, cluster: str) -> str:
        """The character that stands for a cluster; its base character when the table is full."""
        number = self._numbers.get(cluster)
        if number is None:
            number = len(self.clusters)
            if number >= MAX_CLUSTERS:
                return cluster[0] if cluster[0] < FIRST_CLUSTER else "\ufffd"
            self._numbers[cluster] = number
            self.clusters.append(cluster)
        return chr(ord(FIRST_CLUSTER) + number)

    def text(self, cell: str) -> str:
        """What a cell shows: the character, the cluster it stands for, or "" when blank."""
        if cell < FIRST_CLUSTER:
            return "" if cell == BLANK else cell
        return self.clusters[ord(cell) - ord(FIRST_CLUSTER)]

    def joined(self, cell: str, mark: str) -> str:
        """The cell with a combining mark added."""
        cluster = self.text(cell)
        if not cluster or len(cluster) >= MAX_CLUSTER:
            return cell
        return self.cell(cluster + mark)
