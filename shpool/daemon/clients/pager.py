"""The message of the day in a pager, on a pty of its own, before a client sees its session."""

from shpool import logs
from shpool.daemon.loop.reactor import Owner, end_broken
from shpool.daemon.programs import spawn
from shpool.daemon.programs.pty import Pty, PtyUser
from shpool.daemon.programs.spawn import SpawnError
from shpool.daemon.sessions.participant import Front
from shpool.protocol.requests import TtySize

TYPE_CHECKING = False
if TYPE_CHECKING:
    from shpool.daemon.loop.reactor import Reactor
    from shpool.daemon.programs.program import Program
    from shpool.daemon.programs.pty_ends import PtyEnds
    from shpool.daemon.sessions.participant import Participant


class PagerUser(Owner):
    """Who is shown it."""

    __slots__ = ()

    def pager_output(self, data: bytes) -> None:
        """The pager wrote `data`."""

    def front_full(self) -> None:
        """It takes no more input for now."""

    def front_drained(self) -> None:
        """It takes input again."""

    def pager_done(self, unread: bytes) -> None:
        """The user has left it, or it did not start; `unread` was typed and is for the shell."""


# So that what is closed does not keep its user in memory.
_NOBODY = PagerUser()


class Pager(spawn.ProgramOwner, PtyUser, Front):
    """Runs until its user leaves it, or it is hung up on.

    Keys reach it as they are typed: key bindings mean nothing here.  What it does not read is for
    the shell.
    """

    CARRIED = {
        "_size": TtySize,
        "_reads": bool,
        "_pty": (Pty, None),
        "_child": (spawn.Child, None),
    }
    DERIVED = ("_failure", "_reactor", "_user")

    def __init__(
        self,
        reactor: "Reactor",
        spawner: spawn.Spawner,
        program: "Program",
        size: TtySize,
        user: PagerUser,
    ) -> None:
        """A program that cannot be run is logged, and as good as one that was left."""
        self._reactor = reactor
        self._user = user
        self._size = size
        self._reads = True  # what it writes
        self._pty: Pty | None = None
        self._child: spawn.Child | None = None
        self._failure = ""
        try:
            self._child = spawner.start(program, size, self, keep_slave=True)
        except SpawnError as error:
            self._failure = str(error)
            reactor.soon(self._could_not_start)

    def taken_on(self, reactor: "Reactor", spawner: spawn.Spawner, user: PagerUser) -> None:
        self._reactor = reactor
        self._user = user
        self._failure = ""
        if self._pty is not None:
            self._pty.taken_on(reactor, self)
        if self._child is not None:
            self._child.taken_on(spawner, self)

    def watch_again(self) -> None:
        self.read(self._reads)

    @property
    def called(self) -> str:
        return "a pager"

    def keeps(self, child: spawn.Child) -> bool:
        return child is self._child

    def full_for(self, client: "Participant") -> bool:
        # What is typed before it runs waits where it is.
        return self._pty is None or self._pty.full

    def take_input(self, client: "Participant", data: bytes) -> None:
        if self._pty is not None:
            self._pty.send(data)

    def resize(self, size: TtySize) -> None:
        self._size = size
        if self._pty is not None:
            self._pty.resize(size)

    def read(self, wanted: bool) -> None:
        """Pass on what it writes, or let it wait."""
        self._reads = wanted
        if self._pty is not None:
            self._pty.read(wanted)

    def hang_up(self) -> None:
        """The client is gone, or shown something else."""
        self._user = _NOBODY
        if self._child is not None:
            self._child.hang_up()
            self._child = None
        self._close()

    def started(self, ends: "PtyEnds") -> None:
        self._pty = Pty(self._reactor, ends, self, "pager")
        self._pty.resize(self._size)
        self._pty.read(self._reads)
        self._user.front_drained()

    def failed(self, reason: str) -> None:
        logs.warn(f"the message of the day is not shown: {reason}")
        self._done(b"")

    def exited(self, status: int) -> None:
        unread = b""
        if self._pty is not None:
            rest = self._pty.read_rest()
            if rest:
                self._user.pager_output(rest)
            # Typed ahead, as it is between any two programs in one terminal.
            unread = self._pty.take_unread()
        self._done(unread)

    def broken(self) -> None:
        self._done(b"")

    def parts(self) -> "tuple[object, ...]":
        return (self._child, self._pty)

    def _could_not_start(self) -> None:
        self.failed(self._failure)

    def _done(self, unread: bytes) -> None:
        self._close()
        user, self._user = self._user, _NOBODY
        try:
            user.pager_done(unread)
        except Exception as error:
            end_broken(error, user)  # who has no other way to hear of it

    def _close(self) -> None:
        if self._pty is not None:
            self._pty.close()
            self._pty = None

    def pty_output(self, data: bytes) -> None:
        self._user.pager_output(data)

    def pty_full(self) -> None:
        self._user.front_full()

    def pty_drained(self) -> None:
        self._user.front_drained()
