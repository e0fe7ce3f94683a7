"""A program's pty, seen from its master: what the program writes, and what is typed to it."""

import fcntl
import os
import termios

from shpool import logs
from shpool.daemon.loop.outbound import Outbound, OutboundUser
from shpool.daemon.loop.reactor import Owner
from shpool.daemon.programs.pty_ends import PtyEnds

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from shpool.daemon.loop.reactor import Reactor
    from shpool.protocol.requests import TtySize

# Opens the other end of a pty: TIOCGPTPEER of Linux's ioctls.h.
_TIOCGPTPEER = 0x5441

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


class PtyUser(Owner):
    """Whose pty it is."""

    __slots__ = ()

    def pty_output(self, data: bytes) -> None:
        """The program wrote `data`, which is not empty."""

    def pty_full(self) -> None:
        """The program does not read, and much is waiting for it: bring no more for now."""

    def pty_drained(self) -> None:
        """It has read."""

    def pty_taken(self) -> None:
        """After tell_taken(): the pty has taken all that was typed."""


# So that what is closed does not keep its owner in memory.
_NOBODY = PtyUser()


class Pty(OutboundUser):
    """The pty of a program that runs.  Nothing is read until read(True).

    `ends` is this object's to close from now on; `name` is for the log.
    """

    __slots__ = ("_ends", "_input", "_left_alone", "_name", "_reactor", "_user")

    CARRIED = {"_ends": PtyEnds, "_name": str, "_input": Outbound}
    DERIVED = ("_left_alone", "_reactor", "_user")

    def __init__(self, reactor: "Reactor", ends: PtyEnds, user: PtyUser, name: str) -> None:
        self._reactor = reactor
        self._ends = ends
        self._user = user
        self._name = name
        self._left_alone = False  # though it is to be read, for nobody writes
        self._input = Outbound(reactor, ends.master, _INPUT_CAP, self)

    def taken_on(self, reactor: "Reactor", user: PtyUser) -> None:
        """Whose it is says again whether it is to be read."""
        self._reactor = reactor
        self._user = _NOBODY if self.closed else user
        self._left_alone = False
        self._input.taken_on(reactor, self._ends.master, self)

    @property
    def closed(self) -> bool:
        return self._ends.master < 0

    def resize(self, size: "TtySize") -> None:
        if self.closed:
            return
        try:
            self._ends.resize(size)
        except OSError as error:
            logs.warn(f"{self._name}: cannot set the size: {error.strerror}")

    def close(self) -> None:
        """Hang up on whoever still has the pty open."""
        if self.closed:
            return
        self._input.close()
        self._reactor.drop(self._ends.master)
        self._ends.close()
        self._user = _NOBODY

    def broken(self) -> None:
        self._user.broken()

    def parts(self) -> "tuple[object, ...]":
        return (self._ends, self._input)

    # ---- output

    def read(self, wanted: bool) -> None:
        """Read what the program writes, or let it wait."""
        self._left_alone = False
        if not self.closed:
            self._reactor.on_readable(self._ends.master, self._readable if wanted else None)

    def read_rest(self) -> bytes:
        """After the program's end: what it wrote last."""
        return self._take(_LAST_OUTPUT, everything=True)[0]

    def _readable(self) -> None:
        data, alive = self._take(_READ_A_TURN)
        if not alive and not self.closed:
            # Nobody has the pty open, which the loop would be told for ever.  A program that
            # opens it again is heard once it is typed to.
            self._reactor.on_readable(self._ends.master, None)
            self._left_alone = True
        if data:
            self._user.pty_output(data)

    def _take(self, limit: int, *, everything: bool = False) -> "tuple[bytes, bool]":
        """Read up to about `limit` bytes; with False at the end of the pty."""
        master = self._ends.master
        if master < 0:
            return b"", False
        pieces: list[bytes] = []
        total = 0
        alive = True
        while total < limit:
            try:
                piece = os.read(master, _READ)
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
        data = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        if data and logs.tracing():
            logs.trace(f"{self._name}: output {logs.readable(data)}")
        return data, alive

    # ---- input

    @property
    def full(self) -> bool:
        """The program does not read, and much is waiting for it."""
        return self._input.full

    def send(self, data: bytes) -> None:
        """Type `data`."""
        if logs.tracing():
            logs.trace(f"{self._name}: input {logs.readable(data)}")
        self._input.send(data)
        if self._left_alone:
            self.read(True)

    def tell_taken(self) -> None:
        """Have pty_taken() called once the pty has taken all that was typed."""
        self._input.finish()

    def drop_last(self, most: int) -> int:
        """Forget up to `most` bytes of what was typed last and the pty has not taken; how many."""
        return self._input.drop_last(most)

    @property
    def waits(self) -> bool:
        """It has not taken all that was typed."""
        return self._input.pending > 0

    def forget_unread(self) -> None:
        """Have the program never read what the pty has taken, as if a character that interrupts it
        had been seen already: then there is room for that character.

        Not where the terminal would not do so, or the system cannot.
        """
        modes = self._modes()[3]
        if not modes & termios.ISIG or modes & termios.NOFLSH:
            return
        flags = os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC
        try:
            slave = fcntl.ioctl(self._ends.master, _TIOCGPTPEER, flags)
        except OSError as error:
            logs.debug(f"{self._name}: what it has not read stays there: {error.strerror}")
            return
        try:
            termios.tcflush(self._ends.master, termios.TCOFLUSH)  # what is on its way there
            termios.tcflush(slave, termios.TCIFLUSH)
        except termios.error as error:
            logs.debug(f"{self._name}: what it has not read stays there: {error}")
        finally:
            os.close(slave)

    def is_canonical(self) -> bool:
        """Returns whether the program reads lines, which the kernel lets the user edit."""
        return bool(self._modes()[3] & termios.ICANON)

    def foreground(self) -> int:
        """The foreground process group; 0 if there is none."""
        try:
            return os.tcgetpgrp(self._ends.master)
        except OSError:
            return 0

    def control_characters(self) -> "list[bytes]":
        """The characters that edit lines and send signals, by termios' indices."""
        return [each for each in self._modes()[6] if isinstance(each, bytes)]

    def _modes(self) -> "list[Any]":
        """Those of the slave, which Linux tells of at the master as well."""
        try:
            return termios.tcgetattr(self._ends.master)
        except termios.error:
            return [0, 0, 0, 0, 0, 0, [b"\0"] * 32]

    def take_unread(self) -> bytes:
        """After the end of a program whose slave was kept: what was typed and it did not read."""
        slave = self._ends.slave
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
        return unread + self._input.kept

    def outbound_full(self) -> None:
        self._user.pty_full()

    def outbound_drained(self) -> None:
        self._user.pty_drained()

    def outbound_empty(self) -> None:
        self._user.pty_taken()

    def outbound_failed(self, error: OSError) -> None:
        # EIO where nobody has the pty open.  The program's end decides what becomes of it.
        logs.debug(f"{self._name}: input is lost: {error.strerror}")
        if not self.closed:
            self._input = Outbound(self._reactor, self._ends.master, _INPUT_CAP, self)
            self._user.pty_drained()
            self._user.pty_taken()
