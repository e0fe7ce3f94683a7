"""The loop: descriptors, deadlines, signals and idle work, each with its callback.

It knows nothing about shells.  One turn is: wait; serve the signals that came; serve what is
ready; serve the deadlines that have passed; if nothing was ready, or not for a while, do one slice
of idle work.  After each callback what was asked for by soon() is done.  With nothing to do the
process makes no system call.

Rules for callbacks: they never block, they take a bounded time, and they are bound methods of
objects that hold their state as plain attributes (so that it can be carried over to another
process one day).  One that raises is logged, and its Owner, and nobody else, ends.
"""

import os
import select
import selectors
import signal
from collections import deque
from heapq import heapify, heappop, heappush
from time import monotonic, sleep

from shpool import logs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import TypeVar

    Whom = TypeVar("Whom", bound="Owner")

READ = selectors.EVENT_READ
WRITE = selectors.EVENT_WRITE

# Idle work gets a slice after so many turns without an idle one, so that a flood in one session
# does not keep another one's from ever being done.
_BUSY_TURNS = 8

# The longest wait in seconds.  epoll counts milliseconds in 31 bits, which a time to live of a
# month overflows.
_LONGEST_WAIT = 604_800.0

# What is done soon may ask for more; after so many times it is taken to do so for ever.
_ROUNDS = 1000

# Seconds without which a loop that has no memory for a turn would do nothing but try again.
_BREATH = 0.05

# Not worth to be looked through for those that were called off.
_FEW_TIMERS = 64


class Owner:
    """Whose methods the loop calls."""

    __slots__ = ()

    def broken(self) -> None:
        """A callback of this object has raised: it is to end now, so that its peer sees an end."""

    def parts(self) -> "tuple[object, ...]":
        """What it is made of and alone knows: whatever has a descriptor, a deadline or a buffer."""
        return ()

    def watch_again(self) -> None:
        """It was carried over from another process (carried.py), and its descriptors are what they
        were: have the loop watch what is to be watched."""


class _Interest:
    """What is wanted of one descriptor; callbacks are cleared when it is dropped."""

    __slots__ = ("mask", "reader", "writer")

    def __init__(self) -> None:
        self.reader: Callable[[], None] | None = None
        self.writer: Callable[[], None] | None = None
        self.mask = 0


class Timer:
    """A deadline, on the monotonic clock in seconds, that can be called off."""

    __slots__ = ("callback", "deadline")

    def __init__(self, deadline: float, callback: "Callable[[], None]") -> None:
        self.deadline = deadline
        self.callback: Callable[[], None] | None = callback

    def cancel(self) -> None:
        """Harmless when the deadline has passed."""
        self.callback = None

    def take(self) -> "Callable[[], None] | None":
        """The deadline has passed: what is to be called, which then counts as done."""
        callback, self.callback = self.callback, None
        return callback


class Reactor:
    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._watches: dict[int, _Interest] = {}
        self._timers: list[tuple[float, int, Timer]] = []
        self._sequence = 0
        self._sweep_at = _FEW_TIMERS
        self._soon: deque[Callable[[], None]] = deque()
        self._idle: list[Callable[[], bool]] = []
        self._busy_turns = 0
        self._signals: dict[int, Callable[[], None]] = {}
        self._wakeup: tuple[int, int] | None = None
        self._hangups: select.epoll | None = None
        self._hangup_callbacks: dict[int, Callable[[], None]] = {}
        self._running = False
        if hasattr(select, "epoll"):
            # An epoll of its own because selectors knows no interest in neither reading nor
            # writing; being a descriptor that becomes readable, it nests.  Made now, because
            # later there may be no descriptor left for it.
            self._hangups = select.epoll()
            self.on_readable(self._hangups.fileno(), self._take_hangups)

    # ---- descriptors

    def on_readable(self, fd: int, callback: "Callable[[], None] | None") -> None:
        """Call back while `fd` can be read, or has ended; None to stop."""
        watch = self._watches.get(fd)
        if watch is None:
            if callback is None:
                return
            watch = self._watches[fd] = _Interest()
        watch.reader = callback
        self._apply(fd, watch)

    def on_writable(self, fd: int, callback: "Callable[[], None] | None") -> None:
        """Call back while `fd` can be written to, or has failed; None to stop."""
        watch = self._watches.get(fd)
        if watch is None:
            if callback is None:
                return
            watch = self._watches[fd] = _Interest()
        watch.writer = callback
        self._apply(fd, watch)

    def on_hangup(self, fd: int, callback: "Callable[[], None] | None") -> None:
        """Call back once when the other end of `fd` is gone, even while nothing is read from it.

        Elsewhere than on Linux nothing happens: there a peer that is not read from is missed
        only when it is read from again.
        """
        if self._hangups is None:
            return
        if callback is None:
            if self._hangup_callbacks.pop(fd, None) is not None:
                self._hangups.unregister(fd)
        else:
            if fd not in self._hangup_callbacks:
                self._hangups.register(fd, 0)
            self._hangup_callbacks[fd] = callback

    def drop(self, fd: int) -> None:
        """Forget everything about `fd`; to be called before it is closed."""
        self.on_hangup(fd, None)
        watch = self._watches.get(fd)
        if watch is not None:
            watch.reader = watch.writer = None
            self._apply(fd, watch)

    def _apply(self, fd: int, watch: _Interest) -> None:
        mask = (READ if watch.reader else 0) | (WRITE if watch.writer else 0)
        if mask == watch.mask:
            return
        if not mask:
            self._selector.unregister(fd)
            del self._watches[fd]
        elif watch.mask:
            self._selector.modify(fd, mask, watch)
        else:
            self._selector.register(fd, mask, watch)
        watch.mask = mask

    def _take_hangups(self) -> None:
        assert self._hangups is not None
        for fd, _ in self._hangups.poll(0):
            callback = self._hangup_callbacks.get(fd)
            self.on_hangup(fd, None)
            if callback is not None:
                self._serve(callback)

    # ---- what is to be done soon, at a time, or when there is time

    def soon(self, callback: "Callable[[], None]") -> None:
        """Call back once, when the callback that runs now has returned.

        So whoever is called by its owner can tell that owner something without being in the
        middle of the owner's work.
        """
        self._soon.append(callback)

    @property
    def settled(self) -> bool:
        """Nothing is left to be done soon."""
        return not self._soon

    def call_later(self, delay: float, callback: "Callable[[], None]") -> Timer:
        """Call back once, `delay` seconds from now."""
        return self.call_at(monotonic() + delay, callback)

    def call_at(self, deadline: float, callback: "Callable[[], None]") -> Timer:
        """Call back once, when the monotonic clock says so."""
        if len(self._timers) > self._sweep_at:
            self._sweep_timers()
        timer = Timer(deadline, callback)
        self._sequence += 1
        heappush(self._timers, (timer.deadline, self._sequence, timer))
        return timer

    def _sweep_timers(self) -> None:
        """Forget those that were called off, which else stay until their deadline."""
        self._timers = [entry for entry in self._timers if entry[2].callback is not None]
        heapify(self._timers)
        self._sweep_at = max(2 * len(self._timers), _FEW_TIMERS)

    def when_idle(self, work: "Callable[[], bool]") -> None:
        """Call `work` for a few milliseconds at a time, when nothing else is to do, while True."""
        if work not in self._idle:
            self._idle.append(work)

    # ---- signals

    def on_signal(self, number: int, callback: "Callable[[], None]") -> None:
        """Call back, on the loop, after signal `number`; several may have come for one call."""
        if self._wakeup is None:
            self._wakeup = os.pipe()
            for fd in self._wakeup:
                os.set_blocking(fd, False)
            signal.set_wakeup_fd(self._wakeup[1], warn_on_full_buffer=False)
            self.on_readable(self._wakeup[0], self._take_signals)
        self._signals[number] = callback
        signal.signal(number, _noted)
        # Whoever started this process may have had it blocked, and a mask is inherited.
        signal.pthread_sigmask(signal.SIG_UNBLOCK, (number,))

    def _take_signals(self) -> None:
        self.take_signals()

    def take_signals(self) -> bool:
        """Serve the signals that have come; returns whether there were any."""
        if self._wakeup is None:
            return False
        try:
            came = os.read(self._wakeup[0], 4096)
        except BlockingIOError:
            return False
        for number in set(came):
            callback = self._signals.get(number)
            if callback is not None:
                self._serve(callback)
        return True

    # ---- the loop

    def run(self) -> None:
        """Serve until stop()."""
        self._running = True
        while self._running:
            try:
                self._turn()
            except MemoryError:
                # Of the loop's own: a callback's ends its owner, if there is enough to do that.
                # What is left of the turn is still to be done, and comes back in the next one.
                sleep(_BREATH)

    def settle(self) -> bool:
        """Do what is to be done soon, and what that asks for; False if that has no end."""
        for _ in range(_ROUNDS):
            if not self._soon:
                return True
            self._do_soon()
        return False

    def stop(self) -> None:
        """Let run() return at the end of this turn."""
        self._running = False

    def close(self) -> None:
        """Give back the loop's own descriptors."""
        if self._wakeup is not None:
            signal.set_wakeup_fd(-1)
            for fd in self._wakeup:
                os.close(fd)
            self._wakeup = None
        if self._hangups is not None:
            self._hangups.close()
            self._hangups = None
        self._selector.close()

    def _turn(self) -> None:
        ready = self._selector.select(self._timeout())
        if len(ready) > 1:
            # What a peer does after a process has ended is then served after its end.
            ready.sort(key=self._is_not_signals)
        for key, events in ready:
            watch = key.data
            # Each is looked up at its turn: an earlier callback may have dropped the descriptor.
            if events & READ and watch.reader is not None:
                self._serve(watch.reader, key.fd)
            if events & WRITE and watch.writer is not None:
                self._serve(watch.writer, key.fd)
        if self._timers:
            now = monotonic()
            while self._timers and self._timers[0][0] <= now:
                callback = heappop(self._timers)[2].take()
                if callback is not None:
                    self._serve(callback)
        if self._idle:
            self._busy_turns += 1
            if not ready or self._busy_turns >= _BUSY_TURNS:
                self._busy_turns = 0
                work = self._idle.pop(0)
                if self._serve(work):
                    self._idle.append(work)
        if self._soon:
            self._do_soon()

    def _is_not_signals(self, ready: "tuple[selectors.SelectorKey, int]") -> bool:
        return self._wakeup is None or ready[0].fd != self._wakeup[0]

    def _timeout(self) -> "float | None":
        while self._timers and self._timers[0][2].callback is None:
            heappop(self._timers)
        if self._idle or self._soon:
            return 0
        if self._timers:
            return min(max(0, self._timers[0][0] - monotonic()), _LONGEST_WAIT)
        return None

    def _serve(self, callback: "Callable[[], object]", fd: "int | None" = None) -> object:
        """Call back, for `fd` perhaps, and then do what was to be done soon."""
        result = self._call(callback, fd)
        if self._soon:
            self._do_soon()
        return result

    def _do_soon(self) -> None:
        # What is asked for meanwhile comes later, so that nobody holds the loop.
        for _ in range(len(self._soon)):
            self._call(self._soon.popleft())

    def _call(self, callback: "Callable[[], object]", fd: "int | None" = None) -> object:
        try:
            return callback()
        except Exception as error:
            owner = getattr(callback, "__self__", None)
            end_broken(error, owner if isinstance(owner, Owner) else None)
            if fd is not None:
                # Else the loop would come back to it at once and for ever.
                self._drop_unless_new(fd, callback)
            return None

    def _drop_unless_new(self, fd: int, callback: "Callable[[], object]") -> None:
        """Drop a descriptor, unless its owner has closed it and another one has its number."""
        watch = self._watches.get(fd)
        if watch is not None and callback in (watch.reader, watch.writer):
            self.drop(fd)


def end_broken(error: Exception, owner: "Owner | None") -> None:
    """Log a defect that has raised `error`, and have `owner`, whose it is, end.

    It must not take every session with it.
    """
    logs.defect(error)
    if owner is not None:
        try:
            owner.broken()
        except Exception as another:
            logs.defect(another)


def each_alone(owners: "Iterable[Whom]", what: "Callable[[Whom], object]") -> None:
    """Do `what` with each of `owners`, who may become fewer or more by it.

    An error ends the one with which it happened, and no other.
    """
    for owner in tuple(owners):
        try:
            what(owner)
        except Exception as error:
            end_broken(error, owner)


def _noted(number: int, frame: object) -> None:
    """Python only writes to the wake-up descriptor for signals that have a handler."""
