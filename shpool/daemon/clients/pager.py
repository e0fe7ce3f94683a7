"""The message of the day in a pager, on a pty of its own, before a client sees its session."""

import signal

from shpool import logs
from shpool.daemon.programs import pty, spawn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from shpool.daemon.clients.client import AttachedClient
    from shpool.daemon.loop.reactor import Reactor
    from shpool.protocol.messages import TtySize


class Pager(spawn.Owner, pty.User):
    """Runs until its user leaves it; then the client's pager_done() is called, once.

    Keys reach it as they are typed: key bindings mean nothing here.  What it does not read is for
    the shell.
    """

    def __init__(self, reactor: "Reactor", client: "AttachedClient") -> None:
        self._reactor = reactor
        self._client: AttachedClient | None = client
        self._pty: pty.Pty | None = None
        self._runs = False
        self._unread = b""  # typed before it was known to run, or after it had read its last

    def start(self, spawner: spawn.Spawner, command: spawn.Command, size: "TtySize") -> None:
        """Run it; a program that cannot be run is logged, and as good as one that was left."""
        if self._client is None:
            return  # gone already
        try:
            child = spawner.start(command, size, self, keep_slave=True)
        except spawn.SpawnError as error:
            self.failed(str(error))
            return
        self._pty = pty.Pty(self._reactor, child, self, "pager")

    def resize(self, size: "TtySize") -> None:
        if self._pty is not None:
            self._pty.resize(size)

    def take_input(self, data: bytes) -> None:
        if not self._runs:
            self._unread += data
        elif self._pty is not None and not self._pty.closed:
            self._pty.send(data)

    @property
    def input_full(self) -> bool:
        return not self._runs or (self._pty is not None and self._pty.input_full)

    def hold_output(self, hold: bool) -> None:
        """The client cannot take more, or it can again."""
        if self._pty is not None:
            self._pty.watch(not hold)

    def hang_up(self) -> None:
        """The client is gone."""
        self._client = None
        if self._pty is not None:
            self._pty.child.signal_group(signal.SIGHUP)
            self._pty.close()

    def started(self) -> None:
        self._runs = True
        if self._pty is not None and self._client is not None:
            self._pty.watch(True)
            early, self._unread = self._unread, b""
            if early:
                self._pty.send(early)
            if not self._pty.input_full:
                self._client.release_input()

    def failed(self, reason: str) -> None:
        logs.warn(f"the message of the day is not shown: {reason}")
        self._done()

    def exited(self, status: int) -> None:
        if self._pty is not None:
            self._pty.read_rest()
            # Typed ahead, as it is between any two programs in one terminal.
            self._unread = self._pty.take_unread()
        self._done()

    def _done(self) -> None:
        if self._pty is not None:
            self._pty.close()
        client, self._client = self._client, None
        if client is not None:
            client.pager_done(self._unread)

    def pty_output(self, data: bytes) -> None:
        if self._client is not None:
            self._client.show(data)

    def pty_input_full(self) -> None:
        if self._client is not None:
            self._client.hold_input()

    def pty_input_drained(self) -> None:
        if self._client is not None:
            self._client.release_input()
