"""Forgetting the pens and clusters that no cell has any more.

Their tables (pens.py, clusters.py) only grow while bytes are interpreted.  From time to time the
numbers in rows and history are changed to those of tables without gaps; or, where too many pens are
in use to do that in no time, the numbers of all others are given away again.
"""

from itertools import count

from .cells import PLAIN
from .clusters import FIRST_CLUSTER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from .cells import Row
    from .properties import Properties

# Pens or clusters in the table before it is first looked through for those still in use. After
# that it may double.
FIRST_LIMIT = 4096

# Pens and clusters in use at the same time, beyond which the oldest history is kept without
# them. Each costs some 300 bytes; a screen full of true colour has a few thousand.
_MAX_LIVE = 16384

# Pens in use that are numbered anew, in a millisecond or two.
_FEW = 1024


def _all_rows(terminal: "Properties") -> "list[Row]":
    return terminal.main.lines + terminal.alternate.lines


def compact_pens(terminal: "Properties") -> None:
    """Number the pens anew that a cell, or the next print or erase, still has."""
    used = {PLAIN, terminal.pen}.union(*[row.style for row in _all_rows(terminal)])
    _limit_history(terminal, used, 1)
    terminal.generation += 1
    if len(used) > _FEW:
        terminal.pens.reuse(used)
        terminal.use_pen(terminal.current_pen)
        return
    used.discard(PLAIN)
    numbers = [PLAIN, *used]
    pens = terminal.pens.pens
    terminal.pens.clear([pens[ord(number)] for number in numbers])
    again = _renumbering(numbers, PLAIN)
    terminal.pen = terminal.pen.translate(again)
    terminal.use_pen(terminal.current_pen)
    for row in _all_rows(terminal):
        row.style = row.style.translate(again)
    for index, piece in enumerate(terminal.history):
        if not isinstance(piece, str) and piece[1]:
            terminal.history[index] = (piece[0], piece[1].translate(again), *piece[2:])


def compact_clusters(terminal: "Properties") -> None:
    """Number the clusters anew that a cell still has."""
    used: set[str] = set()
    for row in _all_rows(terminal):
        used.update(_cluster_cells(row.text))
    _limit_history(terminal, used, 0)
    numbers = sorted(used)
    terminal.generation += 1
    clusters = terminal.clusters
    clusters.clear([clusters.text(number) for number in numbers])
    again = _renumbering(numbers, FIRST_CLUSTER)
    for row in _all_rows(terminal):
        if not row.text.isascii():
            row.text = row.text.translate(again)
    for index, piece in enumerate(terminal.history):
        if isinstance(piece, str):
            if not piece.isascii():
                terminal.history[index] = piece.translate(again)
        elif not piece[0].isascii():
            terminal.history[index] = (piece[0].translate(again), *piece[1:])


def _limit_history(terminal: "Properties", used: set[str], part: int) -> None:
    """Add what the history uses, of its text (part 0) or style (1), from its end on, as long
    as there is room; older pieces lose what they would need."""
    history = terminal.history
    for index in range(len(history) - 1, -1, -1):
        piece = history[index]
        if isinstance(piece, str):
            piece = (piece, "", False, ())
        more = set(piece[1]) if part else _cluster_cells(piece[0])
        if more <= used:
            continue
        if len(used) + len(more) <= _MAX_LIVE:
            used |= more
        elif part:
            history[index] = (piece[0], "", *piece[2:])
        else:
            bare = {ord(cell): terminal.clusters.text(cell)[0] for cell in more}
            history[index] = (piece[0].translate(bare), *piece[1:])


def _cluster_cells(text: str) -> set[str]:
    if text.isascii() or max(text) < FIRST_CLUSTER:
        return set()
    return {cell for cell in set(text) if cell >= FIRST_CLUSTER}


def _renumbering(numbers: "Iterable[str]", first: str) -> dict[int, int]:
    """From old to new code points, for str.translate."""
    return dict(zip(map(ord, numbers), count(ord(first))))
