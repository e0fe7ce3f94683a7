"""The shape of a judged test: one judge sees everything, one a restore and then the rest."""

from __future__ import annotations

from collections.abc import Iterable

from shpool.terminal.model import Terminal

from .judge import Node, Xterm, difference

NOTHING: frozenset[str] = frozenset()


def failures(
    node: Node,
    data: bytes,
    rows: int,
    cols: int,
    cuts: Iterable[int],
    *,
    before: bytes = b"",
    in_place: bool = False,
    ignore: frozenset[str] = NOTHING,
) -> list[str]:
    """What goes wrong when the stream is cut and restored, a line for each failing cut.

    `before` is what the restored terminal showed when the restore came.
    """
    model = Terminal(rows, cols, 0)
    told: list[str] = []
    restored: list[tuple[int, Xterm]] = []
    done = 0
    with node.new(rows, cols) as whole:
        for cut in sorted(cuts):
            model.feed(data[done:cut])
            whole.write(data[done:cut])
            done = cut
            fresh = node.new(rows, cols).write(before)
            questions = len(fresh.answers())
            fresh.write(model.restore(0, in_place=in_place))
            state = fresh.dump()
            wrong = difference(whole.dump(), state, ignore=ignore)
            if not wrong and len(state["answers"]) != questions:
                wrong = f"the restore made the terminal answer {state['answers']!r}"
            if wrong:
                told.append(f"cut at {cut}, after the restore: {wrong}")
                fresh.close()
            else:
                restored.append((cut, fresh))
        whole.write(data[done:])
        end = whole.dump()
        for cut, fresh in restored:
            wrong = difference(end, fresh.write(data[cut:]).dump(), ignore=ignore)
            if wrong:
                told.append(f"cut at {cut}, after the rest: {wrong}")
            fresh.close()
    return told


def report(told: list[str], count: int) -> str:
    """The failing cuts in few words, for an assertion."""
    return f"{len(told)} of {count} cuts fail:\n" + "\n".join(told[:5])
