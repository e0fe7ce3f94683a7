"""Numbers for clusters, so that a row's text has one character for each cell.

The table only grows while bytes are interpreted; see compact.py.
"""

from .cells import BLANK
from .columns import STRINGS

# Clusters are characters of plane 16, which is private use and which no font is known to use. A
# program that prints such a character gets a cluster of that one.
FIRST_CLUSTER = "\U00100000"
MAX_CLUSTERS = 0xFFFD

# Code points kept for one cell. xterm keeps 2 marks, VTE 10, kitty 3; xterm.js all of them. A
# family emoji with skin tones has 11.
MAX_CLUSTER = 16


class Clusters:
    """Characters with their combining marks, by number."""

    __slots__ = ("_numbers", "clusters")

    CARRIED = {"clusters": STRINGS}
    DERIVED = ("_numbers",)

    def __init__(self) -> None:
        self.clear([])

    def clear(self, clusters: list[str]) -> None:
        """Start again with these clusters, numbered in this order."""
        self.clusters = clusters
        self._numbers = {cluster: number for number, cluster in enumerate(clusters)}

    def derive(self) -> None:
        """What follows from what was carried over.  Raises ValueError for what is no cluster."""
        if not all(self.clusters):
            raise ValueError("a cluster of nothing")
        self._numbers = {cluster: number for number, cluster in enumerate(self.clusters)}

    @property
    def end(self) -> int:
        """The first code point that stands for no cluster yet."""
        return ord(FIRST_CLUSTER) + len(self.clusters)

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
