"""A session: a shell on a pty, and the clients attached to it.

Its life, and what may happen in each state:

    starting  the fork is done, the exec not yet known to have worked; not in the table
    running   in the table; clients come and go
    doomed    a kill was asked for; still in the table, takes no new clients
    ended     the shell was waited for; out of the table; clients have been sent its status

The shell's end is what ends a session: not the end of the pty's last user, for a background
process may keep it open for years, and not a hang-up of the pty, for a shell may do without.
"""

import os
import signal

from shpool import logs
from shpool.daemon import spawn
from shpool.daemon.outbound import Outbound, Policy
from shpool.protocol.messages import Attachment, TtySize
from shpool.protocol.messages import Session as SessionRow

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from shpool.daemon.attached import AttachedClient
    from shpool.daemon.reactor import Reactor, Timer
    from shpool.daemon.screen import Screen
    from shpool.daemon.session_dir import SessionDir
    from shpool.daemon.table import SessionTable

# Bytes of input kept for a program that does not read; then its client is not read from either.
_INPUT_CAP = 65_536

# One read of the pty, in bytes; Linux hands out 4,095 at most, others more.
_READ = 16_384

# A read that comes back with less has emptied the pty, most likely; asking again would cost a
# system call on every keystroke.
_FULL_READ = 4_000

# What one session may read in a turn of the loop, in bytes, so that a flood in it does not delay
# the others.
_READ_A_TURN = 65_536

# The kernel keeps some 64 KiB of a pty's output.  More than this, in bytes, found after the
# shell's end is being written by a background process.
_LAST_OUTPUT = 262_144

# Seconds from SIGHUP to SIGKILL, as the original has it.
_KILL_AFTER = 0.5

# Seconds for which a pty is one row and column too large, so that programs redraw; the original's.
_JIGGLE = 0.05


class Session(spawn.Owner, Policy):
    def __init__(
        self,
        reactor: "Reactor",
        table: "SessionTable",
        name: str,
        screen: "Screen",
        directory: "SessionDir",
        ready: "Callable[[Session, str | None], None]",
    ) -> None:
        """`ready` is called with None when the shell runs, or with the reason why it does not."""
        self._reactor = reactor
        self._table = table
        self.name = name
        self.screen = screen
        self.directory = directory
        self._ready = ready
        self.clients: list[AttachedClient] = []
        self.started_at_ms = 0
        self.last_connected_at_ms = 0
        self.last_disconnected_at_ms: int | None = None
        self.doomed = False
        self.ended = False
        self.when_gone: list[Callable[[Session], None]] = []
        self._child: spawn.Child | None = None
        self._input: Outbound | None = None
        self._size = TtySize(24, 80)
        self._holders: set[AttachedClient] = set()
        self._ttl: Timer | None = None
        self._kill: Timer | None = None
        self._jiggle: Timer | None = None

    @property
    def pid(self) -> int:
        """The shell's, 0 before it is started."""
        return self._child.pid if self._child else 0

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
        self, spawner: spawn.Spawner, command: spawn.Command, size: TtySize, *, echo: bool
    ) -> None:
        """Run the shell; `ready` is called later.  Raises SpawnError."""
        self._size = size
        self._child = spawner.start(command, size, self, echo=echo)
        self._input = Outbound(self._reactor, self._child.master, _INPUT_CAP, self)

    def expire_after(self, seconds: float) -> None:
        """Kill the session then."""
        self._ttl = self._reactor.call_later(seconds, self._expired)

    def started(self) -> None:
        self._ready(self, None)
        self._watch_output()

    def failed(self, reason: str) -> None:
        self.ended = True
        self._close()
        self._ready(self, reason)

    def exited(self, status: int) -> None:
        """The shell is gone: deliver its last words, then its status, then forget it."""
        self.ended = True
        self._read_last_output()
        logs.info(f"session {self.name!r}: the shell ended with status {status}")
        for client in self._table.remove(self):
            client.leave(status)
        self._close()
        waiting, self.when_gone = self.when_gone, []
        for callback in waiting:
            callback(self)

    def kill(self) -> None:
        """Ask the shell to go, and see to it that it does; the table hears of it when it has."""
        if self.doomed or self.ended or self._child is None:
            return
        self.doomed = True
        self._child.signal_group(signal.SIGHUP)
        self._child.signal_group(signal.SIGCONT)  # a stopped shell would not notice
        self._kill = self._reactor.call_later(_KILL_AFTER, self._kill_for_good)

    def abandon(self) -> None:
        """The daemon ends: hang up on the shell and on the clients."""
        self.ended = True
        if self._child is not None:
            self._child.signal_group(signal.SIGHUP)
            self._child.signal_group(signal.SIGCONT)
        for client in list(self.clients):
            client.drop()
        self._close()

    def _kill_for_good(self) -> None:
        if self._child is not None:
            self._child.signal_group(signal.SIGKILL)

    def _expired(self) -> None:
        logs.info(f"session {self.name!r}: its time to live is over")
        self.kill()

    def _close(self) -> None:
        for timer in (self._ttl, self._kill, self._jiggle):
            if timer is not None:
                timer.cancel()
        if self._input is not None:
            self._input.close()
        if self._child is not None:
            self._child.close()
        self.screen.close()
        self.directory.remove()

    # ---- size

    def resize(self, size: TtySize) -> None:
        """The client's terminal has this size now."""
        self._size = size.usable()
        if self._jiggle is None:
            self._apply_size()

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
        if self._child is None or self._child.master < 0:
            return
        try:
            spawn.set_size(self._child.master, size)
        except OSError as error:
            logs.warn(f"session {self.name!r}: cannot set the size: {error.strerror}")

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
        child = self._child
        if child is not None and child.master >= 0 and not self.ended:
            held = self._holders or self.screen.must_hold
            self._reactor.on_readable(child.master, None if held else self._read_output)

    def _read_output(self) -> None:
        """Pass on what the program wrote, a bounded amount of it."""
        if not self._pass_output(_READ_A_TURN) and self._child is not None:
            # Nobody has the pty open.  A shell that opens it again is heard once it is typed to.
            self._reactor.on_readable(self._child.master, None)

    def _read_last_output(self) -> None:
        self._pass_output(_LAST_OUTPUT, everything=True)

    def _pass_output(self, limit: int, *, everything: bool = False) -> bool:
        """Read up to about `limit` bytes and pass them on; False at the end of the pty."""
        if self._child is None or self._child.master < 0:
            return False
        pieces: list[bytes] = []
        total = 0
        alive = True
        while total < limit:
            try:
                piece = os.read(self._child.master, _READ)
            except BlockingIOError:
                break
            except OSError:  # EIO: Linux's way to say that nobody has the pty open
                piece = b""
            if not piece:
                alive = False
                break
            pieces.append(piece)
            total += len(piece)
            if len(piece) < _FULL_READ and not everything:
                break
        if pieces:
            self._output(pieces[0] if len(pieces) == 1 else b"".join(pieces))
        return alive

    def _output(self, data: bytes) -> None:
        if logs.tracing():
            logs.trace(f"session {self.name!r}: output {logs.readable(data)}")
        for client in self.clients:
            client.take_output(data)
        self.screen.output(data)
        if self.screen.must_hold:
            self._watch_output()

    # ---- input: from the clients to the pty

    @property
    def input_full(self) -> bool:
        return self._input is not None and self._input.full

    def take_input(self, data: bytes) -> None:
        """What a client typed."""
        if self._input is None or self.ended:
            return
        if logs.tracing():
            logs.trace(f"session {self.name!r}: input {logs.readable(data)}")
        self._input.send(data)
        self._watch_output()

    def outbound_full(self) -> None:
        for client in self.clients:
            client.hold_input()

    def outbound_drained(self) -> None:
        for client in self.clients:
            client.release_input()

    def outbound_failed(self, error: OSError) -> None:
        # EIO where nobody has the pty open.  The shell's end decides about the session.
        logs.debug(f"session {self.name!r}: input is lost: {error.strerror}")
        if self._child is not None and self._child.master >= 0 and not self.ended:
            self._input = Outbound(self._reactor, self._child.master, _INPUT_CAP, self)
            self.outbound_drained()
