"""The daemon's core without processes, time or chance: a loop whose events a test chooses.

Sockets are real ones that nobody waits for: what has come is served when a test says ready().
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Mapping

import pytest

from shpool.config import Config
from shpool.daemon.clients.pager import Pager
from shpool.daemon.loop.reactor import Reactor, Timer
from shpool.daemon.programs.directory import SessionDir
from shpool.daemon.programs.process import Process
from shpool.daemon.programs.program import Program
from shpool.daemon.programs.pty_ends import PtyEnds
from shpool.daemon.programs.spawn import Child, ProgramOwner, Spawner
from shpool.daemon.sessions.participant import SHARED, Participant
from shpool.daemon.sessions.session import Session, SessionKeeper
from shpool.protocol.requests import TtySize

# Every module of the core that asks for the time.
CLOCKS = (
    "shpool.daemon.clients.ahead",
    "shpool.daemon.clients.client",
    "shpool.daemon.clients.connection",
    "shpool.daemon.clients.motd",
    "shpool.daemon.clients.output",
    "shpool.daemon.clients.patient_stream",
    "shpool.daemon.clients.peek_errand",
    "shpool.daemon.clients.run_errand",
    "shpool.daemon.clients.run_reasons",
    "shpool.daemon.clients.terminal_channel",
    "shpool.daemon.clients.wait_errand",
    "shpool.daemon.loop.outbound",
    "shpool.daemon.loop.reactor",
    "shpool.daemon.sessions.drawings",
    "shpool.daemon.sessions.model_picture",
    "shpool.daemon.sessions.output",
    "shpool.daemon.sessions.roles",
    "shpool.daemon.sessions.seat",
    "shpool.daemon.sessions.session",
    "shpool.daemon.sessions.typing",
)


class FakeLoop(Reactor):
    """Serves nothing by itself: each event happens when the test names it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        for module in CLOCKS:
            monkeypatch.setattr(f"{module}.monotonic", self._time)
        super().__init__()
        self.signals = self._signals

    def _time(self) -> float:
        return self.now

    def on_signal(self, number: int, callback: Callable[[], None]) -> None:
        self._signals[number] = callback

    # ---- what happens

    def readable(self, fd: int) -> None:
        """`fd` can be read, or has ended; nothing if nobody reads it."""
        watch = self._watches.get(fd)
        if watch is not None and watch.reader is not None:
            self._serve(watch.reader, fd)
        self.settle()

    def writable(self, fd: int) -> None:
        watch = self._watches.get(fd)
        if watch is not None and watch.writer is not None:
            self._serve(watch.writer, fd)
        self.settle()

    def hung_up(self, fd: int) -> None:
        """The other end of `fd` is gone; nothing if nobody watches for that."""
        callback = self._hangup_callbacks.get(fd)
        self.on_hangup(fd, None)
        if callback is not None:
            self._serve(callback)
        self.settle()

    def pass_time(self, seconds: float) -> None:
        """Deadlines up to then are served, each at its time."""
        end = self.now + seconds
        while self._timers and self._timers[0][0] <= end:
            deadline, _, timer = self._timers.pop(0)
            self._timers.sort()
            callback = timer.take()
            if callback is not None:
                self.now = max(self.now, deadline)
                self._serve(callback)
                self.settle()
        self.now = end

    def idle(self) -> None:
        """Do all idle work, and nothing else."""
        while self._idle:
            work = self._idle.pop(0)
            if self._serve(work):
                self._idle.append(work)
            self.settle()

    def begin_anew(self) -> None:
        """Nothing is watched, and there is no deadline: this is the loop of another process."""
        assert not self._soon
        for fd, watch in tuple(self._watches.items()):
            if self._hangups is None or fd != self._hangups.fileno():
                watch.reader = watch.writer = None
                self._apply(fd, watch)
        for fd in tuple(self._hangup_callbacks):
            self.on_hangup(fd, None)
        self._timers.clear()
        self._idle.clear()

    # ---- what is watched

    def reads(self, fd: int) -> bool:
        watch = self._watches.get(fd)
        return watch is not None and watch.reader is not None

    def deadlines(self) -> list[Timer]:
        """Those that were not called off."""
        return [timer for _, _, timer in self._timers if timer.callback is not None]


class FakePrograms(Spawner):
    """Starts nothing: a program runs, writes, fails and ends when the test says so."""

    def __init__(self, loop: FakeLoop) -> None:
        super().__init__(loop, 0o022, None)
        self.loop = loop
        self.started: list[FakeChild] = []  # and not waited for yet
        self._all: list[FakeChild] = []
        self.refuse: Exception | None = None  # to be raised by the next start

    def start(
        self,
        program: Program,
        size: TtySize,
        owner: ProgramOwner,
        *,
        echo: bool = True,
        keep_slave: bool = False,
        trial: bool = False,
    ) -> Child:
        if self.refuse is not None:
            raise self.refuse
        child = FakeChild(self, program, size, owner, keep_slave=keep_slave)
        self.children[child.pid] = child
        self.loop.on_readable(child.trouble, child.take_outcome)
        self.started.append(child)
        self._all.append(child)
        return child

    @property
    def count(self) -> int:
        """How many there have been."""
        return len(self._all)

    def close(self) -> None:
        for child in self._all:
            child.close()

    def carried_over(self, taken: Mapping[int, tuple[Process, Session | Pager | None]]) -> None:
        """The same programs are another process's children, who has `taken` them on, by pid."""
        self.children = {}
        for child in self._all:
            if child.pid in taken:
                child.stand_for(*taken[child.pid])
                self.children[child.pid] = child

    def reap(self) -> None:
        for child in [child for child in self.started if child.dead is not None]:
            self.started.remove(child)
            del self.children[child.pid]
            child.status = child.dead
            self.loop.soon(child.tell_end)


class FakeChild(Child):
    """The other end of its pty is a socket, `far`; that of its pipe is a pipe's."""

    def __init__(
        self,
        programs: FakePrograms,
        program: Program,
        size: TtySize,
        owner: ProgramOwner,
        *,
        keep_slave: bool,
    ) -> None:
        self.program = program
        self.ends = PtyEnds(size, echo=True)  # a real one, for what is asked of ptys only
        os.close(self.ends.master)
        self.ends.device = (-1, programs.count)  # its own: the next may have that pty's number
        self.near, self.far = socket.socketpair()
        self.near.setblocking(False)
        self.far.setblocking(False)
        self.ends.master = os.dup(self.near.fileno())
        if not keep_slave:
            self.ends.close_slave()
        self.trouble, self._report = os.pipe()
        os.set_blocking(self.trouble, False)
        self.dead: int | None = None
        self.runs = False
        self.is_others = False  # another user's
        self.signals: list[int] = []
        self.programs = programs
        pid = 50_000 + programs.count
        super().__init__(programs, pid, self.ends, self.trouble, owner)

    def stand_for(self, child: Process, owner: Session | Pager | None) -> None:
        """Take the place of what another process has made of this one."""
        assert isinstance(child, Child)
        killing = child._killing
        self.taken_on(self.programs, owner)
        self._killing = killing
        if killing is not None and killing.callback is not None:
            killing.callback = self._kill
        if owner is not None:
            owner._child = self
            if owner._pty is not None:
                self.ends = owner._pty._ends

    def signal_group(self, number: int) -> bool:
        if self.status is None and not self.is_others:
            self.signals.append(number)
        return not self.is_others

    def run(self) -> None:
        """The exec has worked."""
        if self._report >= 0:
            self.runs = True
            self._close_report()
            self.programs.loop.readable(self.trouble)

    def fail(self, reason: str) -> None:
        """The exec has not, and the process has ended."""
        os.write(self._report, reason.encode())
        self._close_report()
        self.programs.loop.readable(self.trouble)
        self.end(127)

    def _close_report(self) -> None:
        if self._report >= 0:
            os.close(self._report)
            self._report = -1

    def write(self, data: bytes) -> None:
        """The program writes, as far as there is room, and the loop sees it if anybody reads."""
        try:
            self.far.send(data)
        except (BlockingIOError, BrokenPipeError):
            pass  # nobody reads, or it was hung up
        self.programs.loop.readable(self.ends.master)

    def typed(self) -> bytes:
        """What it has been sent, and not been asked for yet."""
        try:
            return self.far.recv(1 << 20)
        except BlockingIOError:
            return b""

    def die(self, status: int) -> None:
        """It ends, which nobody has noticed yet."""
        self._close_report()
        self.dead = status

    def end(self, status: int) -> None:
        """It ends, and SIGCHLD says so."""
        self.die(status)
        self.programs.reap()
        self.programs.loop.settle()

    def close(self) -> None:
        self.near.close()
        self.far.close()
        self._close_report()
        self._close_trouble()
        self.ends.close()


class Visitor(Participant):
    """A client at a session, of which it notes what it hears."""

    def __init__(self, pid: int = 77) -> None:
        self.pid = pid
        self.template = "one"
        self.size = TtySize(24, 80)
        self.since = None
        self.role = SHARED
        self.typed_at = 0.0
        self.device = None
        self.env = []
        self.version = ""
        self.previous = None
        self.entered = 0.0
        self.is_full = False
        self.is_waiting = False
        self.is_live = False
        self.heard: list[object] = []
        self.placed: list[str] = []  # its role, whenever it was told of its place

    @property
    def holds(self) -> bool:
        return self.is_full

    @property
    def live(self) -> bool:
        return self.is_live

    @property
    def waiting(self) -> bool:
        return self.is_waiting

    def take_output(self, data: bytes) -> None:
        self.heard.append(data)

    def show_picture(self, picture: bytes) -> None:
        self.is_waiting = False
        self.heard.append(("picture", picture))

    def front_full(self) -> None:
        self.heard.append("full")

    def front_drained(self) -> None:
        self.heard.append("drained")

    def shell_ended(self) -> None:
        self.heard.append("shell ended")

    def resized(self, size: TtySize) -> None:
        self.size = size

    def place_changed(self) -> None:
        self.placed.append(self.role)

    def leave(self, status: int, last_words: bytes) -> None:
        self.heard.append(("leave", status))

    def drop(self) -> None:
        self.heard.append("drop")


class FakeDirectory(SessionDir):
    """Nothing on disk."""

    def __init__(self, name: str) -> None:
        super().__init__("/nowhere", name)
        self.removed = 0

    def create(self) -> None:
        pass

    def remove(self) -> None:
        self.removed += 1


class Injected(Exception):
    """An error that nobody expects."""


def inject(patch: pytest.MonkeyPatch, target: object, method: str) -> None:
    """From now on `method` raises when it is called of `target`, and only then."""
    kind = type(target)
    original = getattr(kind, method)

    def raising(self: object, *args: object, **named: object) -> object:
        if self is target:
            raise Injected(method)
        return original(self, *args, **named)

    patch.setattr(kind, method, raising)


def make_session(
    loop: Reactor,
    keeper: SessionKeeper,
    name: str = "one",
    config: Config | None = None,
    ttl: int | None = None,
) -> Session:
    """A session that is not started."""
    size = TtySize(24, 80)
    return Session(loop, keeper, name, FakeDirectory(name), config or Config({}), size, ttl)
