"""A session: a shell on a pty, and the clients attached to it.

Its life, and what may happen in each state:

    starting  the fork is done, the exec not yet known to have worked; not in the table
    running   in the table; clients come and go
    doomed    a kill was asked for; still in the table, takes no new clients
    ended     the shell was waited for; out of the table; clients have been sent its status

The shell's end is what ends a session: not the end of the pty's last user, for a background
process may keep it open for years, and not a hang-up of the pty, for a shell may do without.
"""

import signal

from shpool import logs
from shpool.daemon.programs import pty, spawn
from shpool.daemon.sessions.picture import Screen, screen_for
from shpool.protocol.messages import Attachment, TtySize
from shpool.protocol.messages import Session as SessionRow

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from shpool.config import Config
    from shpool.daemon.clients.client import AttachedClient
    from shpool.daemon.loop.reactor import Reactor, Timer
    from shpool.daemon.programs.directory import SessionDir
    from shpool.daemon.sessions.table import SessionTable

# Seconds for which a pty is one row and column too large, so that programs redraw; the original's.
_JIGGLE = 0.05


class Session(spawn.Owner, pty.User):
    def __init__(
        self,
        reactor: "Reactor",
        table: "SessionTable",
        name: str,
        directory: "SessionDir",
        ready: "Callable[[Session, str | None], None]",
    ) -> None:
        """`ready` is called with None when the shell runs, or with the reason why it does not."""
        self._reactor = reactor
        self._table = table
        self.name = name
        self.screen = Screen()
        self.directory = directory
        self._ready = ready
        self.clients: list[AttachedClient] = []
        self.started_at_ms = 0
        self.last_connected_at_ms = 0
        self.last_disconnected_at_ms: int | None = None
        self.doomed = False
        self.ended = False
        self.when_ready: list[Callable[[Session], None]] = []
        self.when_gone: list[Callable[[Session], None]] = []
        self.env: dict[str, str] = {}
        self._pty: pty.Pty | None = None
        self._size = TtySize(24, 80)
        self._holders: set[AttachedClient] = set()
        self._ttl: Timer | None = None
        self._kill: Timer | None = None
        self._jiggle: Timer | None = None

    @property
    def pid(self) -> int:
        """The shell's, 0 before it is started."""
        return self._pty.child.pid if self._pty else 0

    def row(self) -> SessionRow:
        """What a List reply says of it."""
        return SessionRow(
            self.name,
            self.started_at_ms,
            self.last_connected_at_ms,
            self.last_disconnected_at_ms,
            [Attachment(client.template, client.pid) for client in self.clients],
        )

    # ---- life

    def start(
        self, spawner: spawn.Spawner, command: spawn.Command, size: TtySize, config: "Config"
    ) -> None:
        """Run the shell; `ready` is called later.  Raises SpawnError."""
        self._size = size
        self.screen = screen_for(config, self._reactor, size, self._watch_output)
        self.env = command.env
        child = spawner.start(command, size, self, echo=not config.noecho)
        self._pty = pty.Pty(self._reactor, child, self, f"session {self.name!r}")

    def expire_after(self, seconds: float) -> None:
        """Kill the session then."""
        self._ttl = self._reactor.call_later(seconds, self._expired)

    def started(self) -> None:
        if self.ended:
            return  # the daemon ends
        self._ready(self, None)
        self._watch_output()
        self._tell(self.when_ready)

    def failed(self, reason: str) -> None:
        self.ended = True
        self._close()
        self._ready(self, reason)
        self._tell(self.when_ready)

    def exited(self, status: int) -> None:
        """The shell is gone: deliver its last words, then its status, then forget it."""
        self.ended = True
        for client in self.clients:
            client.shell_ended()
        if self._pty is not None:
            self._pty.read_rest()
        self.screen.settle()
        logs.info(f"session {self.name!r}: the shell ended with status {status}")
        for client in self._table.remove(self):
            client.leave(status, self.screen.leave())
        self._close()
        self._tell(self.when_gone)

    def _tell(self, waiting: "list[Callable[[Session], None]]") -> None:
        """Call back whoever waits, once."""
        while waiting:
            waiting.pop(0)(self)

    def kill(self) -> None:
        """Ask the shell to go, and see to it that it does; the table hears of it when it has."""
        if self.doomed or self.ended:
            return
        self.doomed = True
        self._hang_up()
        self._kill = self._reactor.call_later(spawn.KILL_AFTER, self._kill_for_good)

    def abandon(self) -> None:
        """The daemon ends: hang up on the shell and on the clients."""
        self.ended = True
        self._hang_up()
        for client in list(self.clients):
            client.drop()
        self._close()

    def _hang_up(self) -> None:
        if self._pty is not None:
            self._pty.child.signal_group(signal.SIGHUP)
            self._pty.child.signal_group(signal.SIGCONT)  # a stopped shell would not notice

    def _kill_for_good(self) -> None:
        if self._pty is not None:
            self._pty.child.signal_group(signal.SIGKILL)

    def _expired(self) -> None:
        logs.info(f"session {self.name!r}: its time to live is over")
        self.kill()

    def _close(self) -> None:
        for timer in (self._ttl, self._kill, self._jiggle):
            if timer is not None:
                timer.cancel()
        if self._pty is not None:
            self._pty.close()
        self.screen.close()
        self.directory.remove()

    # ---- size

    def resize(self, size: TtySize) -> None:
        """The client's terminal has this size now."""
        self._size = size.usable()
        if self._jiggle is None:
            self._apply_size()
        for client in tuple(self.clients):
            client.resized(self._size)

    def show(self, text: bytes) -> None:
        """Have `text` on the terminal as if the program had written it."""
        if text:
            self.pty_output(text)

    def redraw(self, show: "Callable[[bytes], None]", since: "int | None") -> None:
        """Bring a terminal that missed output up to date, by a picture or by the program.

        `since`: the screen's position() when it began to miss it; None if it has had no picture.
        """
        if self.screen.jiggles:
            self.fit(self._size)
        self.screen.paint(show, since)

    def fit(self, size: TtySize) -> None:
        """A client with a terminal of this size has come: fit it, and have it drawn to."""
        self._size = size.usable()
        if not self.screen.jiggles:
            self._apply_size()
            return
        larger = TtySize(min(self._size.rows + 1, 65_535), min(self._size.cols + 1, 65_535))
        self._set_pty_size(larger)
        if self._jiggle is None:
            self._jiggle = self._reactor.call_later(_JIGGLE, self._end_jiggle)

    def _end_jiggle(self) -> None:
        self._jiggle = None
        self._apply_size()

    def _apply_size(self) -> None:
        self._set_pty_size(self._size)
        self.screen.resize(self._size)

    def _set_pty_size(self, size: TtySize) -> None:
        if self._pty is not None:
            self._pty.resize(size)

    # ---- output: from the pty to the clients

    def hold_output(self, client: "AttachedClient") -> None:
        """Stop reading the pty until release_output(): this client cannot take more."""
        self._holders.add(client)
        self._watch_output()

    def release_output(self, client: "AttachedClient") -> None:
        """This client no longer holds the pty back; harmless when it did not."""
        self._holders.discard(client)
        self._watch_output()

    def _watch_output(self) -> None:
        if self._pty is not None and not self.ended:
            self._pty.watch(not self._holders and not self.screen.must_hold)

    def pty_output(self, data: bytes) -> None:
        for client in tuple(self.clients):  # one that turns out to be gone leaves the list
            client.take_output(data)
        self.screen.output(data)
        if self.screen.must_hold:
            self._watch_output()

    # ---- input: from the clients to the pty

    @property
    def input_full(self) -> bool:
        return self._pty is not None and self._pty.input_full

    def take_input(self, data: bytes) -> None:
        """What a client typed."""
        if self._pty is not None and not self.ended:
            self._pty.send(data)

    def pty_input_full(self) -> None:
        for client in self.clients:
            client.hold_input()

    def pty_input_drained(self) -> None:
        for client in self.clients:
            client.release_input()
