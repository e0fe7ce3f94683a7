"""A session: a shell on a pty, and the clients attached to it.

Its life, and what may happen in each state:

    starting  the fork is done, the exec not yet known to have worked; nobody is attached
    running   clients come and go
    doomed    a kill was asked for; takes no new clients
    ended     the shell was waited for, or never ran; off the table; clients have been let go

The shell's end is what ends a session: not the end of the pty's last user, for a background
process may keep it open for years, and not a hang-up of the pty, for a shell may do without.

A session knows its clients as Participants and the table as its Keeper, and nothing of either.
What they are shown is in output.py, and who of several has which say in roles.py.
"""

import signal
from time import monotonic

from shpool import logs
from shpool.daemon.carried import PATH, Deadline, Life
from shpool.daemon.life import State
from shpool.daemon.loop.reactor import Owner, each_alone
from shpool.daemon.programs import spawn
from shpool.daemon.programs.directory import SessionDir
from shpool.daemon.programs.pty import Pty
from shpool.daemon.sessions.onlookers import Onlookers
from shpool.daemon.sessions.output import SessionOutput
from shpool.daemon.sessions.participant import Front, Participant
from shpool.daemon.sessions.typed_line import ESCAPE, SETTLED
from shpool.daemon.sessions.typing import Message, Typist, TypistUser
from shpool.protocol.replies import SessionRow
from shpool.protocol.requests import TtySize
from shpool.terminal.marks import Prompt

TYPE_CHECKING = False
if TYPE_CHECKING:
    from shpool.config import Config
    from shpool.daemon.loop.peer import Device
    from shpool.daemon.loop.reactor import Reactor, Timer
    from shpool.daemon.programs.program import Program
    from shpool.daemon.programs.pty_ends import PtyEnds

STARTING, RUNNING, DOOMED, ENDED = "starting", "running", "doomed", "ended"

LIFE = {
    STARTING: (RUNNING, ENDED),
    RUNNING: (DOOMED, ENDED),
    DOOMED: (ENDED,),
    ENDED: (),
}


class SessionKeeper(Owner):
    """Who is told what becomes of a session."""

    def session_running(self, session: "Session") -> None:
        """Its shell runs."""

    def session_failed(self, session: "Session", reason: str) -> None:
        """Its shell could not be run; the session has ended."""

    def session_left(self, session: "Session", client: Participant) -> None:
        """A client is no longer attached, and the session goes on."""

    def session_ended(self, session: "Session") -> None:
        """Its shell has ended, and its clients are about to be let go."""


class Session(SessionOutput, spawn.ProgramOwner, TypistUser, Front):
    CARRIED = {
        "directory": SessionDir,
        "state": Life(LIFE, State),
        "started_at_ms": int,
        "last_connected_at_ms": int,
        "last_disconnected_at_ms": (int, None),
        "fresh": bool,
        "warnings": [PATH],
        "env": {PATH: PATH},
        "_child": (spawn.Child, None),
        "typist": (Typist, None),
        "_ttl": (int, None),
        "_expiry": Deadline("_expired"),
        "_kill": Deadline("_kill_for_good"),
    }
    DERIVED = ("_keeper",)

    def __init__(
        self,
        reactor: "Reactor",
        keeper: SessionKeeper,
        name: str,
        directory: SessionDir,
        config: "Config",
        size: TtySize,
        ttl: "int | None" = None,
    ) -> None:
        """`ttl`: seconds from when its shell runs until it is killed."""
        super().__init__(reactor, name, config, size)
        self._keeper = keeper
        self.directory = directory
        self.state = State(f"session {name!r}", LIFE, STARTING)
        self.started_at_ms = 0
        self.last_connected_at_ms = 0
        self.last_disconnected_at_ms: int | None = None
        self.fresh = True  # nobody has been attached yet
        self.warnings: list[str] = []  # for who is attached first
        self.env: dict[str, str] = {}
        self._child: spawn.Child | None = None
        self.typist: Typist | None = None  # while its program runs
        self._ttl = ttl
        self._expiry: Timer | None = None
        self._kill: Timer | None = None

    def taken_on(
        self,
        reactor: "Reactor",
        keeper: SessionKeeper,
        spawner: spawn.Spawner,
        runtime_dir: str,
    ) -> None:
        self._reactor = reactor
        self._keeper = keeper
        self.onlookers = Onlookers(self.onlookers)
        self.directory.taken_on(runtime_dir)
        self.picture.taken_on(reactor, self)
        self.size.taken_on(reactor, self.picture, self._pty)
        self.roles.taken_on(reactor, self.size, self, self.typist)
        if self._child is not None:
            self._child.taken_on(spawner, self)
        if self._pty is not None:
            self._pty.taken_on(reactor, self)
            if self.typist is not None:
                self.typist.taken_on(reactor, self._pty, self)

    def watch_again(self) -> None:
        self.check_output()

    @property
    def called(self) -> str:
        return f"session {self.name!r}"

    def keeps(self, child: spawn.Child) -> bool:
        return child is self._child

    @property
    def pid(self) -> int:
        """The shell's, 0 before it is started."""
        return self._child.pid if self._child else 0

    @property
    def typing(self) -> "list[Participant]":
        """Those who may type: without one the session is free."""
        return self.roles.typing

    @property
    def driver(self) -> "Participant | None":
        """Whose size the pty has, and who may hold the program back."""
        return self.roles.driver

    @property
    def device(self) -> "Device | None":
        """The pty's: who runs on it is inside this session."""
        return self._child.device if self._child else None

    @property
    def shell_gone(self) -> bool:
        """The shell was waited for, and the session's end is about to come."""
        return self._child is not None and self._child.status is not None

    def foreground(self) -> int:
        """The process group that its terminal is in the hands of; the shell's if that is not
        known, 0 if there is none."""
        return (self._pty.foreground() if self._pty is not None else 0) or self.pid

    def row(self) -> SessionRow:
        """What a List reply says of it."""
        return SessionRow(
            self.name,
            self.started_at_ms,
            self.last_connected_at_ms,
            self.last_disconnected_at_ms,
            self.roles.rows(watching=False),
            watchers=self.roles.rows(watching=True),
            prompt=self.prompt.describe(monotonic()),
            foreground_pid=self.foreground(),
        )

    # ---- life

    def start(self, spawner: spawn.Spawner, program: "Program", *, echo: bool) -> None:
        """Run the shell; the keeper is told how that went.  Raises SpawnError."""
        self.env = program.env
        self.prompt = Prompt(program.aid, program.shell)
        self._child = spawner.start(program, self.size.current, self, echo=echo)

    def started(self, ends: "PtyEnds") -> None:
        if self.state.now == ENDED:
            ends.close()  # the daemon ends
            return
        self._pty = self.size.pty = Pty(self._reactor, ends, self, f"session {self.name!r}")
        self.typist = self.roles.typist = Typist(self._reactor, self._pty, self)
        self.state.become(RUNNING)
        if self._ttl is not None:
            self._expiry = self._reactor.call_later(self._ttl, self._expired)
        self._keeper.session_running(self)
        self.check_output()

    def failed(self, reason: str) -> None:
        self.state.become(ENDED)
        self._keeper.session_failed(self, reason)
        self._close()

    def exited(self, status: int) -> None:
        """The shell is gone: off the table first, then the last words and the status to each."""
        if self.state.now == ENDED:
            return  # the daemon ends
        self.state.become(ENDED)
        logs.info(f"session {self.name!r}: the shell ended with status {status}")
        clients = self.roles.clear()
        try:
            self._keeper.session_ended(self)
            rest = self._pty.read_rest() if self._pty is not None else b""
            each_alone(clients, lambda client: self._pass_last(client, rest))
            if rest:
                each_alone((self.picture,), lambda picture: picture.output(rest))
                self._tell_onlookers(rest)
            self.onlookers.shell_ended(status)
        finally:
            each_alone(clients, lambda client: self._let_go(client, status))
            self._close()

    def kill(self) -> None:
        """Ask the shell to go, and see to it that it does; the keeper hears of it when it has."""
        if self.state.now != RUNNING:
            return
        self.state.become(DOOMED)
        self._kill = self._reactor.call_later(spawn.KILL_AFTER, self._kill_for_good)
        self._hang_up()

    def abandon(self) -> None:
        """The daemon ends: hang up on the shell and on the clients."""
        if self.state.now == ENDED:
            return
        self.state.become(ENDED)
        self._hang_up()
        each_alone(self.roles.clear(), lambda client: client.drop())
        self._close()

    def broken(self) -> None:
        """There is an error in it: its clients see an end, and its shell ends."""
        if self.state.now == STARTING:
            self._kill_for_good()
            self.failed("there is an error in the daemon, which its log tells of")
            return
        self.kill()
        each_alone(self.clients, lambda client: client.broken())

    def picture_broken(self) -> None:
        if self.state.now != ENDED:
            super().picture_broken()

    def parts(self) -> "tuple[object, ...]":
        return (
            *(self._child, self._pty, self.typist, self.picture, self.size, self.roles),
            *self.onlookers,
        )

    def _pass_last(self, client: Participant, rest: bytes) -> None:
        client.shell_ended()
        if rest:
            client.take_output(rest)

    def _let_go(self, client: Participant, status: int) -> None:
        if client.waiting:
            self._show_picture(client)
        client.leave(status, self.farewell())

    def _hang_up(self) -> None:
        if self._child is not None:
            self._child.signal_group(signal.SIGHUP)
            self._child.signal_group(signal.SIGCONT)  # a stopped shell would not notice

    def _kill_for_good(self) -> None:
        if self._child is None or self._child.signal_group(signal.SIGKILL):
            return
        logs.warn(f"session {self.name!r}: its program cannot be killed, so it loses its terminal")
        if self._pty is not None:
            self._pty.close()

    def _expired(self) -> None:
        logs.info(f"session {self.name!r}: its time to live is over")
        self.kill()

    def _close(self) -> None:
        for timer in (self._expiry, self._kill):
            if timer is not None:
                timer.cancel()
        if self.typist is not None:
            self.typist.close()
            self.typist = self.roles.typist = None
        errands, self._errands = self._errands, []
        for errand in errands:
            self._reactor.soon(errand.session_over)
        if self._pty is not None:
            self._pty.close()
            self._pty = self.size.pty = None
        self.roles.close()
        self.size.close()
        self.picture.close()
        self.directory.remove()

    # ---- clients

    def enter(self, client: Participant) -> None:
        """A client has come."""
        fresh, self.fresh = self.fresh, False  # a new shell has nothing to draw again
        self.roles.enter(client, fresh=fresh)
        self.onlookers.session_changed()

    def detach(self, client: Participant) -> None:
        """A client goes, or is let go; nothing if it is not attached (any more)."""
        if self.roles.leave(client):
            self._keeper.session_left(self, client)
            self.onlookers.session_changed()
            self.check_output()

    def resize(self, pid: int, size: TtySize) -> None:
        """A process says that the terminal of a client has this size now."""
        self.roles.resized(pid, size)
        self.onlookers.session_changed()

    # ---- input: from the clients to the pty

    def picture_answers(self, answers: bytes) -> None:
        # A program that does not read has asked enough.
        if self.typist is not None and not self.typist.full:
            self.typist.keys(None, answers)
            self.picture.typed(answers)

    def full_for(self, client: Participant) -> bool:
        return self.roles.full_for(client)

    def take_input(self, client: Participant, data: bytes) -> None:
        if self.roles.take_input(client, data):
            self._typed(data)

    def roles_typed(self) -> None:
        self._typed(ESCAPE)

    def _typed(self, keys: bytes) -> None:
        now = monotonic()
        if self.prompt.stands and now - self.prompt.since >= SETTLED:
            self.line.settled()
        self.prompt.typed()
        if not self._program_reads_keys():
            self.line.typed(keys, now)

    def _program_reads_keys(self) -> bool:
        """What is typed is nothing of the shell's: a program that it runs reads key by key."""
        if not self.prompt.running or self.typist is None or self.typist.canonical:
            return False
        return self.foreground() != self.pid

    def typist_relieved(self) -> None:
        self.pty_drained()

    def send(self, message: Message) -> bool:
        """Type a message from outside, after those that wait; False if too much is waiting."""
        sent = self.typist is not None and self.typist.add(message)
        if sent and message.data:
            self._typed(message.data)
        return sent

    def pty_full(self) -> None:
        each_alone(self.clients, lambda client: client.front_full())

    def pty_drained(self) -> None:
        each_alone((self.roles,), lambda roles: roles.drained())
        each_alone(self.clients, lambda client: client.front_drained())

    def pty_taken(self) -> None:
        if self.typist is not None:
            each_alone((self.typist,), lambda typist: typist.taken())
            self.pty_drained()  # keys may have waited for the message
