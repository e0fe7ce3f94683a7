"""Processes on ptys: starting one, and learning that one has ended.

The daemon's only place that forks or waits, so that another process can be the shells' parent one
day: start() ends in a call to `started`, with the pty, or to `failed`; a child's end in a call to
`exited`.
"""

import os
import signal
from time import monotonic, sleep

from shpool.daemon.carried import Deadline, Held
from shpool.daemon.loop.reactor import Owner
from shpool.daemon.programs.process import Adoption, Process, fork
from shpool.daemon.programs.pty_ends import PtyEnds, PtyError
from shpool.errors import ShpoolError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn

    from shpool.daemon.loop.reactor import Reactor, Timer
    from shpool.daemon.programs.program import Program
    from shpool.protocol.requests import TtySize

# Seconds from SIGHUP to SIGKILL, as the original has it.
KILL_AFTER = 0.5

# The status of a child whose parent was another process, which alone could have learned it.
_UNKNOWN = 1


class SpawnError(ShpoolError):
    """No process could be made; the message is for the user."""


class ProgramOwner(Owner):
    """Who asked for a process, and is told, from the loop, what becomes of it."""

    @property
    def called(self) -> str:
        """For people."""
        return "a program"

    def keeps(self, child: "Child") -> bool:
        """Returns whether it will want to know of the end of `child`, which has run."""
        return False

    def started(self, ends: "PtyEnds") -> None:
        """The program runs, on this pty, which is the owner's to close from now on."""

    def failed(self, reason: str) -> None:
        """The program could not be run; the process and its pty are gone."""

    def exited(self, status: int) -> None:
        """The program has ended: its exit status, or 128+N when signal N killed it."""


class Child(Process):
    """A program that was started on a pty."""

    __slots__ = (
        "_ends",
        "_killing",
        "_spawner",
        "_trouble",
        "device",
        "owner",
    )

    CARRIED = {"device": (int, int), "_killing": Deadline("_kill")}
    DERIVED = ("_ends", "_spawner", "_trouble", "owner")

    def __init__(
        self, spawner: "Spawner", pid: int, ends: PtyEnds, trouble: int, owner: ProgramOwner
    ) -> None:
        super().__init__(pid)
        self._spawner = spawner
        self._ends: PtyEnds | None = ends  # the owner's once the program runs
        self._trouble = trouble
        self.device = ends.device
        self.owner: ProgramOwner | None = owner
        self._killing: Timer | None = None

    @property
    def starting(self) -> bool:
        """It is not known yet whether it runs."""
        return self._trouble >= 0

    def taken_on(self, spawner: "Spawner", owner: "ProgramOwner | None") -> None:
        """It runs already, and its pty is the owner's."""
        self._spawner = spawner
        self._ends = None
        self._trouble = -1
        self.owner = owner
        if self.status is None:
            spawner.children[self.pid] = self

    @property
    def purpose(self) -> str:
        """What it is for, for people."""
        return "a program" if self.owner is None else self.owner.called

    def hang_up(self) -> None:
        """Its end interests nobody: have it go, and see to it that it does."""
        self.owner = None
        self.signal_group(signal.SIGHUP)
        self._killing = self._spawner.reactor.call_later(KILL_AFTER, self._kill)

    def _kill(self) -> None:
        self._killing = None
        self.signal_group(signal.SIGKILL)

    def take_outcome(self) -> None:
        """Called when the exec has happened, or has not; once more does nothing."""
        if self._trouble < 0:
            return
        try:
            report = os.read(self._trouble, 512)
        except BlockingIOError:
            return
        ends = self._close_trouble()
        owner = self.owner
        if report:
            if ends is not None:
                ends.close()
            if owner is not None:
                owner.failed(report.decode("utf-8", "replace"))
            self.owner = None  # its end interests nobody
        elif owner is None:
            if ends is not None:
                ends.close()
        elif ends is not None:
            owner.started(ends)

    def tell_end(self) -> None:
        if self._ends is not None:
            # Whoever waits for it to run is told of that before it is told of the end.
            try:
                self.take_outcome()
            finally:
                self._spawner.reactor.soon(self.tell_end)
            return
        if self._killing is not None:
            self._killing.cancel()
            self._killing = None
        if self.owner is not None and self.status is not None:
            self.owner.exited(self.status)
        self.owner = None

    def broken(self) -> None:
        ends = self._close_trouble()
        if ends is not None:
            ends.close()
        if self.owner is not None:
            self.owner.broken()

    def parts(self) -> "tuple[object, ...]":
        return (self._ends,)

    def _close_trouble(self) -> "PtyEnds | None":
        if self._trouble >= 0:
            self._spawner.reactor.drop(self._trouble)
            os.close(self._trouble)
            self._trouble = -1
            self._spawner.check_starts()
        ends, self._ends = self._ends, None
        return ends


class Spawner(Owner):
    """All children of the daemon.  `umask` and `limits` are what they are to start with."""

    CARRIED = {
        "_umask": int,
        "_nofile": ((int, int), None),
        "orphans": [Child],
        "pidfds": {int: Held("process")},
    }
    DERIVED = ("_awaiting", "_taken", "adopted", "children", "reactor")

    _taken: "dict[int, int]"  # that were read, and are not watched yet

    def __init__(self, reactor: "Reactor", umask: int, nofile: "tuple[int, int] | None") -> None:
        self.reactor = reactor
        self.children: dict[int, Process] = {}
        self._umask = umask
        self._nofile = nofile
        self._awaiting: Callable[[], None] | None = None
        self.adopted: dict[int, Adoption] = {}  # of those children that are not ours
        self.pidfds = {}
        self.catch_signals()

    def catch_signals(self) -> None:
        self.reactor.on_signal(signal.SIGCHLD, self.reap)

    def taken_on(self, reactor: "Reactor") -> None:
        """Before the children are that have owners."""
        self.reactor = reactor
        self._awaiting = None
        self.adopted = {}
        for child in tuple(self.children.values()):
            if isinstance(child, Child):
                child.taken_on(self, None)

    def watch_again(self) -> None:
        taken = self._taken
        self._taken = {}
        self.adopt(taken)

    @property
    def pidfds(self) -> "dict[int, int]":
        """Those of children that are not ours, by pid."""
        return {pid: adoption.fd for pid, adoption in sorted(self.adopted.items())} or self._taken

    @pidfds.setter
    def pidfds(self, pidfds: "dict[int, int]") -> None:
        self._taken = pidfds

    @property
    def orphans(self) -> "list[Child]":
        """Children whose end interests nobody."""
        children = [each for each in self.children.values() if isinstance(each, Child)]
        found = [each for each in children if each.owner is None or not each.owner.keeps(each)]
        return sorted(found, key=lambda child: child.pid)

    @orphans.setter
    def orphans(self, orphans: "list[Child]") -> None:
        self.children = {child.pid: child for child in orphans}

    def start(
        self,
        program: "Program",
        size: "TtySize",
        owner: ProgramOwner,
        *,
        echo: bool = True,
        keep_slave: bool = False,
        trial: bool = False,
    ) -> Child:
        """Fork and exec on a new pty of `size`; the owner is told how it went, on the loop.

        `keep_slave`: the pty, and what is typed into it, outlives the program until it is closed.
        `trial`: do all but run the program, so that the owner hears whether it could be run.
        Raises SpawnError when there is no pty or no process to be had.
        """
        try:
            ends = PtyEnds(size, echo=echo)
        except PtyError as error:
            raise SpawnError(str(error)) from None
        try:
            trouble, report = os.pipe()
            os.set_blocking(trouble, False)
        except OSError as error:
            ends.close()
            raise SpawnError(f"cannot start a process: {error.strerror}") from None
        try:
            pid = fork(
                lambda: program.become(ends.slave, report, self._umask, self._nofile, trial=trial)
            )
        except OSError as error:
            ends.close()
            os.close(trouble)
            raise SpawnError(f"cannot fork: {error.strerror}") from None
        finally:
            os.close(report)
        if not keep_slave:
            ends.close_slave()
        child = Child(self, pid, ends, trouble, owner)
        self.children[pid] = child
        try:
            self.reactor.on_readable(trouble, child.take_outcome)
        except OSError as error:
            child.owner = None
            child.broken()
            os.kill(pid, signal.SIGKILL)
            raise SpawnError(f"cannot watch a process: {error.strerror}") from None
        return child

    def fork(self, become: "Callable[[], NoReturn]") -> int:
        """Fork a process that is to lead a process group; its pid.  Raises OSError."""
        pid = fork(become)
        try:
            os.setpgid(pid, pid)
        except OSError:
            pass  # it has seen to that itself, and is its program by now
        return pid

    @property
    def starting(self) -> "list[Child]":
        """Those of whom it is not known yet whether they run."""
        children = self.children.values()
        return [each for each in children if isinstance(each, Child) and each.starting]

    def when_none_starts(self, callback: "Callable[[], None] | None") -> None:
        """Call back once, from the loop, when nothing is being started; None to stop."""
        self._awaiting = callback
        self.check_starts()

    def check_starts(self) -> None:
        """If nothing is being started any more, tell who waits for that."""
        if self._awaiting is not None and not self.starting:
            self.reactor.soon(self._tell_none_starts)

    def _tell_none_starts(self) -> None:
        if self._awaiting is not None and not self.starting:
            callback, self._awaiting = self._awaiting, None
            callback()

    def adopt(self, pidfds: "dict[int, int]") -> None:
        """This process is another one than the parent of these children, of whose ends it learns
        by descriptors, -1 where there is none, which are its own to close."""
        for pid, fd in pidfds.items():
            child = self.children.get(pid)
            if child is not None and pid not in self.adopted:
                self.adopted[pid] = Adoption(self.reactor, child, fd, self._adopted_ended)
            elif fd >= 0:
                os.close(fd)

    def _adopted_ended(self, child: Process) -> None:
        del self.adopted[child.pid]
        del self.children[child.pid]
        child.status = _UNKNOWN
        self.reactor.soon(child.tell_end)

    def reap(self) -> None:
        """Notice every child that has ended; the owners are told when the caller has returned."""
        for adoption in tuple(self.adopted.values()):
            adoption.look()
        while self.children:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                break
            if pid == 0:
                break
            child = self.children.pop(pid, None)
            if child is not None:
                child.status = _exit_status(status)
                self.reactor.soon(child.tell_end)

    def end(self) -> None:
        """The daemon ends: give the children, told already, a moment, then kill who is left.

        This waits, and is therefore only for when the loop has ended.
        """
        deadline = monotonic() + KILL_AFTER
        while self.children and monotonic() < deadline:
            self.reap()
            if self.children:
                sleep(0.005)
        for child in self.children.values():
            child.signal_group(signal.SIGKILL)


def _exit_status(status: int) -> int:
    if os.WIFSIGNALED(status):
        return 128 + os.WTERMSIG(status)
    return os.waitstatus_to_exitcode(status)
