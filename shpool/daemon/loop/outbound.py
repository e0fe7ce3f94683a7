"""Bytes waiting to go out on a non-blocking descriptor, with a cap and a policy for a full buffer.

One class for all three directions the daemon writes to: event subscribers (who are evicted),
attached clients (for whom the pty is held back) and pty masters (for whom the client is).
"""

import os
from collections import deque
from itertools import islice
from time import monotonic

from shpool.daemon.loop.memory import apart
from shpool.daemon.loop.reactor import Owner

TYPE_CHECKING = False
if TYPE_CHECKING:
    from shpool.daemon.loop.reactor import Reactor

# As many pieces go into one gathered write; the kernel's own limit (IOV_MAX) is 1024.
_GATHER = 64

# So many bytes that came in pieces are put into one, outside of the heap.  Megabytes of pieces, and
# what is made between them and stays, would never be given back to the system.
_APART = 262_144


class OutboundUser(Owner):
    """Whose Outbound it is, told from the loop, never from inside a call that it made."""

    __slots__ = ()

    def outbound_full(self) -> None:
        """More than the cap is waiting."""

    def outbound_drained(self) -> None:
        """After outbound_full(): at most a quarter of the cap is waiting now."""

    def outbound_empty(self) -> None:
        """After finish(): everything has been handed to the kernel."""

    def outbound_writable(self) -> bool:
        """What was kept could be written now; who says no has paused it."""
        return True

    def outbound_failed(self, error: OSError) -> None:
        """The descriptor takes nothing any more, and nothing is kept."""


# So that what is closed does not keep its owner in memory.
_NOBODY = OutboundUser()


class Outbound(Owner):
    """Writes at once what the kernel takes, keeps the rest, in order, and writes it when it can.

    `pending` counts the bytes kept.  The cap is a mark, not a wall: nothing that was handed in is
    ever dropped here; the user sees to it that the mark is not passed by much.  `full` holds from
    when the cap is passed until a quarter of it is left; the user is told of that later.
    """

    __slots__ = (
        "_error",
        "_fd",
        "_finishing",
        "_loose",
        "_paused",
        "_queue",
        "_reactor",
        "_telling",
        "_told_full",
        "_user",
        "cap",
        "full",
        "last_progress",
        "pending",
    )

    CARRIED = {
        "cap": int,
        "kept": bytes,
        "full": bool,
        "last_progress": float,
        "_finishing": bool,
        "_paused": bool,
    }
    DERIVED = (
        *("_error", "_fd", "_loose", "_queue", "_reactor", "_telling", "_told_full", "_user"),
        "pending",
    )

    def __init__(self, reactor: "Reactor", fd: int, cap: int, user: OutboundUser) -> None:
        self.cap = cap
        self.kept = b""
        self._finishing = False
        self._paused = False
        self.full = False
        self.last_progress = 0.0  # monotonic seconds; kept while bytes are pending
        self.taken_on(reactor, fd, user)

    def taken_on(self, reactor: "Reactor", fd: int, user: OutboundUser) -> None:
        """Write to `fd`, which is negative for what is closed."""
        self._reactor = reactor
        self._fd = fd
        self._user = user if fd >= 0 else _NOBODY
        self._error: OSError | None = None
        self._told_full = self.full
        self._telling = False

    @property
    def kept(self) -> bytes:
        """What waits to be written."""
        return b"".join(self._queue)

    @kept.setter
    def kept(self, data: bytes) -> None:
        self._queue: deque[bytes | memoryview] = deque([data] if data else [])
        self.pending = len(data)
        self._loose = 0  # bytes that were added in pieces since some were put into one

    def watch_again(self) -> None:
        if self.pending and not self._paused:
            self._reactor.on_writable(self._fd, self._flush)

    @property
    def closed(self) -> bool:
        return self._fd < 0

    def send(self, data: bytes) -> None:
        """Write or keep `data`.  After close(), or a failure, it goes nowhere."""
        if self._fd < 0 or not data:
            return
        if not self.pending:
            taken = 0 if self._paused else self._write([data])
            if taken is None or taken == len(data):
                return
            self._queue.append(memoryview(data)[taken:] if taken else data)
            self.pending = len(data) - taken
            self.last_progress = monotonic()
            if not self._paused:
                self._reactor.on_writable(self._fd, self._flush)
        else:
            self._queue.append(data)
            self.pending += len(data)
            self._loose += len(data)
            if self._loose >= _APART:
                self._put_apart()
        if self.pending > self.cap and not self.full:
            self.full = True
            self._tell_soon()

    def _put_apart(self) -> None:
        self._loose = 0
        queue = self._queue
        pieces: deque[bytes] = deque()
        while queue and isinstance(last := queue[-1], bytes):
            queue.pop()
            pieces.appendleft(last)
        try:
            queue.append(apart(pieces))
        except (OSError, MemoryError):
            queue.extend(pieces)

    def limit(self, cap: int) -> None:
        """Have another cap: with 0 it is full as long as anything is kept."""
        self.cap = cap
        self.full = self.pending > (cap // 4 if self.full else cap)
        if self.full != self._told_full:
            self._tell_soon()

    def finish(self) -> None:
        """Have outbound_empty() called when all that was sent has left."""
        self._finishing = True
        if not self.pending:
            self._tell_soon()

    def retry(self) -> None:
        """Write what the kernel takes, without waiting to be told that it takes something.

        Linux tells so of a Unix socket only when three quarters of its buffer have been read.
        """
        if self.pending and not self._paused:
            self._flush()

    def pause(self, wanted: bool) -> None:
        """Write nothing, only keep, until pause(False)."""
        self._paused = wanted
        if self.pending:
            self._reactor.on_writable(self._fd, None if wanted else self._flush)

    def drop_last(self, most: int) -> int:
        """Forget up to `most` bytes of what is kept, from its end; the number of bytes."""
        dropped = min(most, self.pending)
        rest = dropped
        while rest:
            last = self._queue.pop()
            if len(last) > rest:
                self._queue.append(memoryview(last)[:-rest])
                break
            rest -= len(last)
        self._lessen(dropped)
        return dropped

    def close(self) -> None:
        """Drop what is kept and forget the descriptor, which stays its owner's to close."""
        self._error = None
        self._user = _NOBODY
        self._forget()

    def _forget(self) -> None:
        if self._fd < 0:
            return
        self._reactor.on_writable(self._fd, None)
        self._fd = -1
        self._queue.clear()
        self.pending = 0
        self.full = False

    def broken(self) -> None:
        user = self._user
        self.close()
        user.broken()

    def _write(self, pieces: "list[bytes | memoryview]") -> "int | None":
        """Bytes the kernel took; None when the descriptor has failed."""
        try:
            return (
                os.write(self._fd, pieces[0]) if len(pieces) == 1 else os.writev(self._fd, pieces)
            )
        except BlockingIOError:
            return 0
        except OSError as error:
            self._fail(error)
            return None

    def _fail(self, error: OSError) -> None:
        self._forget()
        self._error = error
        self._tell_soon()

    def _flush(self) -> None:
        if not self._user.outbound_writable():
            return
        taken = self._write(list(islice(self._queue, _GATHER)))
        if not taken:
            return
        self.last_progress = monotonic()
        self._lessen(taken)
        queue = self._queue
        while taken:
            first = queue[0]
            if taken < len(first):
                queue[0] = memoryview(first)[taken:]
                break
            taken -= len(first)
            queue.popleft()

    def _lessen(self, count: int) -> None:
        """So many bytes less are pending."""
        if not count:
            return
        self.pending -= count
        if not self.pending:
            self._reactor.on_writable(self._fd, None)
        if self.full and self.pending <= self.cap // 4:
            self.full = False
        if self.full != self._told_full or (self._finishing and not self.pending):
            self._tell_soon()

    def _tell_soon(self) -> None:
        if not self._telling:
            self._telling = True
            self._reactor.soon(self._tell)

    def _tell(self) -> None:
        """Tell the user what has become of the Outbound, unless the user has closed it."""
        self._telling = False
        error, self._error = self._error, None
        if error is not None:
            self._user.outbound_failed(error)
        if self._fd < 0:
            return
        if self.full != self._told_full:
            self._told_full = self.full
            if self.full:
                self._user.outbound_full()
            else:
                self._user.outbound_drained()
        if self._finishing and not self.pending and self._fd >= 0:
            self._finishing = False
            self._user.outbound_empty()
