"""Memory given back to the system once something large has ended.

What it was made of is free then, for no reference in it goes round.  But the interpreter keeps some
freed tuples, lists and dicts to make new ones of, from all over its memory, and by these few
thousand most of its arenas, which it gives back only whole.
"""

import gc
import mmap
from contextlib import contextmanager

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator


def give_back() -> bool:
    """Idle work: let the interpreter drop what it keeps, which it does in a full collection.

    With everything frozen meanwhile there is nothing to collect, so it takes 20 microseconds, and
    the system some milliseconds for what it gets back.  Returns that there is no more to do.
    """
    gc.freeze()
    gc.collect()
    gc.unfreeze()
    return False


@contextmanager
def uncollected() -> "Iterator[None]":
    """For work that makes a lot and leaves no garbage: nothing is looked for among all there is."""
    before = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if before:
            gc.enable()


def apart(pieces: "Collection[bytes]") -> memoryview:
    """`pieces` as one, in memory of its own, which the system has back when nobody refers to it.

    Raises OSError, MemoryError.
    """
    size = sum(len(piece) for piece in pieces)
    own = mmap.mmap(-1, size, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    for piece in pieces:
        own.write(piece)
    return memoryview(own)
