"""A program's pty, seen from its master: what the program writes, and what is typed to it."""

import os
import termios

from shpool import logs
from shpool.daemon.loop.outbound import Outbound, OutboundUser
from shpool.daemon.programs import spawn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from shpool.daemon.loop.reactor import Reactor
    from shpool.protocol.messages import TtySize

# Bytes of input kept for a program that does not read; then its client is not read from either.
_INPUT_CAP = 65_536

# One read of the pty, in bytes; Linux hands out 4,095 at most, others more.
_READ = 16_384

# A read that comes back with less has emptied the pty, most likely; asking again would cost a
# system call on every keystroke.
_FULL_READ = 4_000

# What one program may have read in a turn of the loop, in bytes.  Linux keeps no more than this
# between two ends of a pty, so that while more is read the client's terminal runs dry; and a flood
# delays nobody.
_READ_A_TURN = 8192

# The kernel keeps some 64 KiB of a pty's output.  More than this, in bytes, found after the
# program's end is being written by a background process.
_LAST_OUTPUT = 262_144


class User:
    """Whose pty it is."""

    def pty_output(self, data: bytes) -> None:
        """The program wrote `data`, which is not empty."""

    def pty_input_full(self) -> None:
        """The program does not read, and much is waiting for it: bring no more for now."""

    def pty_input_drained(self) -> None:
        """It has read."""


class Pty(OutboundUser):
    """Nothing is read until watch(True).  `name` is for the log."""

    def __init__(self, reactor: "Reactor", child: spawn.Child, user: User, name: str) -> None:
        self._reactor = reactor
        self.child = child
        self._user = user
        self._name = name
        self._watched = False
        self._input = Outbound(reactor, child.master, _INPUT_CAP, self)

    @property
    def closed(self) -> bool:
        return self.child.master < 0

    def resize(self, size: "TtySize") -> None:
        if self.closed:
            return
        try:
            spawn.set_size(self.child.master, size)
        except OSError as error:
            logs.warn(f"{self._name}: cannot set the size: {error.strerror}")

    def close(self) -> None:
        """Hang up on whoever still has the pty open."""
        self._input.close()
        self.child.close()

    # ---- output

    def watch(self, wanted: bool) -> None:
        """Read what the program writes, or let it wait."""
        self._watched = wanted
        if not self.closed:
            self._reactor.on_readable(self.child.master, self._read if wanted else None)

    def read_rest(self) -> None:
        """After the program's end: pass on what it wrote last."""
        self._pass_on(_LAST_OUTPUT, everything=True)

    def _read(self) -> None:
        if not self._pass_on(_READ_A_TURN) and not self.closed:
            # Nobody has the pty open, which the loop would be told for ever.  A program that
            # opens it again is heard once it is typed to.
            self._reactor.on_readable(self.child.master, None)

    def _pass_on(self, limit: int, *, everything: bool = False) -> bool:
        """Read up to about `limit` bytes and pass them on; False at the end of the pty."""
        if self.closed:
            return False
        pieces: list[bytes] = []
        total = 0
        alive = True
        while total < limit:
            try:
                piece = os.read(self.child.master, _READ)
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
            data = pieces[0] if len(pieces) == 1 else b"".join(pieces)
            if logs.tracing():
                logs.trace(f"{self._name}: output {logs.readable(data)}")
            self._user.pty_output(data)
        return alive

    # ---- input

    @property
    def input_full(self) -> bool:
        return self._input.full

    def send(self, data: bytes) -> None:
        """Type `data`."""
        if logs.tracing():
            logs.trace(f"{self._name}: input {logs.readable(data)}")
        self._input.send(data)
        if self._watched:
            self.watch(True)

    def take_unread(self) -> bytes:
        """After the end of a program whose slave was kept: what was typed and it did not read."""
        slave = self.child.slave
        unread = b""
        if slave < 0:
            return unread
        try:
            # Lines that are not complete can be read as well then, and no read waits.
            modes = termios.tcgetattr(slave)
            modes[3] &= ~termios.ICANON
            modes[6][termios.VMIN] = modes[6][termios.VTIME] = 0
            termios.tcsetattr(slave, termios.TCSANOW, modes)
            while len(unread) < _INPUT_CAP and (piece := os.read(slave, _READ)):
                unread += piece
        except (OSError, termios.error) as error:
            logs.debug(f"{self._name}: what was typed last is lost: {error}")
        return unread

    def outbound_full(self) -> None:
        self._user.pty_input_full()

    def outbound_drained(self) -> None:
        self._user.pty_input_drained()

    def outbound_failed(self, error: OSError) -> None:
        # EIO where nobody has the pty open.  The program's end decides what becomes of it.
        logs.debug(f"{self._name}: input is lost: {error.strerror}")
        if not self.closed:
            self._input = Outbound(self._reactor, self.child.master, _INPUT_CAP, self)
            self._user.pty_input_drained()
