"""Bytes waiting to go out on a non-blocking descriptor, with a cap and a policy for a full buffer.

One class for all three directions the daemon writes to: event subscribers (who are evicted),
attached clients (for whom the pty is held back) and pty masters (for whom the client is).
"""

import os
from collections import deque
from itertools import islice
from time import monotonic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from shpool.daemon.loop.reactor import Reactor

# As many pieces go into one gathered write; the kernel's own limit (IOV_MAX) is 1024.
_GATHER = 64


class Policy:
    """What the owner of an Outbound does about it.  Every method may close the Outbound."""

    def outbound_full(self) -> None:
        """More than the cap is waiting.  Called once, until outbound_drained()."""

    def outbound_drained(self) -> None:
        """After outbound_full(): at most a quarter of the cap is waiting now."""

    def outbound_empty(self) -> None:
        """After finish(): everything has been handed to the kernel."""

    def outbound_writable(self) -> bool:
        """What was kept could be written now; who says no has paused it."""
        return True

    def outbound_failed(self, error: OSError) -> None:
        """The descriptor takes nothing any more; the Outbound is closed already."""


class Outbound:
    """Writes at once what the kernel takes, keeps the rest, in order, and writes it when it can.

    `pending` counts the bytes kept.  The cap is a mark, not a wall: nothing that was handed in is
    ever dropped here; the policy sees to it that the mark is not passed by much.
    """

    __slots__ = (
        "_cap",
        "_fd",
        "_finishing",
        "_paused",
        "_policy",
        "_queue",
        "_reactor",
        "full",
        "last_progress",
        "pending",
    )

    def __init__(self, reactor: "Reactor", fd: int, cap: int, policy: Policy) -> None:
        self._reactor = reactor
        self._fd = fd
        self._cap = cap
        self._policy = policy
        self._queue: deque[bytes | memoryview] = deque()
        self._finishing = False
        self._paused = False
        self.pending = 0
        self.full = False
        self.last_progress = 0.0  # monotonic seconds; kept while bytes are pending

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
        if self.pending > self._cap and not self.full:
            self.full = True
            self._policy.outbound_full()

    def finish(self) -> None:
        """Call outbound_empty() when all that was sent has left; now, if it has."""
        self._finishing = True
        self._check_finished()

    def _check_finished(self) -> None:
        if self._finishing and not self.pending and self._fd >= 0:
            self._finishing = False
            self._policy.outbound_empty()

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

    def unsent(self) -> bytes:
        """What is kept, for who sends it another way; it is still kept."""
        return b"".join(self._queue)

    def close(self) -> None:
        """Drop what is kept and forget the descriptor, which stays its owner's to close."""
        if self._fd < 0:
            return
        self._reactor.on_writable(self._fd, None)
        self._fd = -1
        self._queue.clear()
        self.pending = 0

    def _write(self, pieces: "list[bytes | memoryview]") -> "int | None":
        """Bytes the kernel took; None when the descriptor has failed, and the owner knows."""
        try:
            return (
                os.write(self._fd, pieces[0]) if len(pieces) == 1 else os.writev(self._fd, pieces)
            )
        except BlockingIOError:
            return 0
        except OSError as error:
            self.close()
            self._policy.outbound_failed(error)
            return None

    def _flush(self) -> None:
        if not self._policy.outbound_writable():
            return
        taken = self._write(list(islice(self._queue, _GATHER)))
        if not taken:
            return
        self.pending -= taken
        self.last_progress = monotonic()
        queue = self._queue
        while taken:
            first = queue[0]
            if taken < len(first):
                queue[0] = memoryview(first)[taken:]
                break
            taken -= len(first)
            queue.popleft()
        if not self.pending:
            self._reactor.on_writable(self._fd, None)
        if self.full and self.pending <= self._cap // 4:
            self.full = False
            self._policy.outbound_drained()
        self._check_finished()
