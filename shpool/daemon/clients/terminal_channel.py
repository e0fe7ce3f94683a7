"""A client's terminal in the daemon's own hands: read and written without the client between.

The client offers a descriptor of its terminal with the attach request.  The daemon opens a
description of its own of it, so that O_NONBLOCK is its own too, and gives it back by closing it
before it sends the last words and the exit status over the connection.  Nothing of job control
protects a process that is not of the terminal's session, so two things are looked at before what
is typed is read, and, less often, before output is written: whether the modes are those that the
client set, and whether the client runs, in the foreground.
"""

import fcntl
import os
import termios
from time import monotonic

from shpool import logs
from shpool.daemon.clients.channel import OUTPUT_CAP, READ, Channel, User
from shpool.daemon.loop import peer
from shpool.daemon.loop.outbound import Outbound, OutboundUser
from shpool.protocol import chunks
from shpool.protocol.msgpack import WireError
from shpool.terminal.leave import Watch

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket

    from shpool.daemon.loop.reactor import Reactor

# Where more than struct termios is written to; the system reads no more than that back.
_MODES = bytes(256)

# Major device number of what is another terminal for everybody who opens it, by minor number:
# /dev/tty, and the multiplexer of ptys.  Source: Linux's list of devices.
_AUXILIARY = 5
_ALIASES = (0, 2)

# Seconds between two looks at the client on behalf of output.
_LOOK_EVERY = 0.01

# Seconds after a client's death until its terminal's modes are restored, unless somebody else has
# seen to them: the shell it was started from sees it die at about the same time as we do.
_MOURNING = 0.1


class Refused(Exception):
    """The terminal cannot be used like this; the message says why, for the log."""


class PassedTerminal:
    """Our own description `fd` of a terminal that the client `pid` has made raw."""

    __slots__ = ("_device", "_ours", "_raw", "_stat", "before", "fd")

    def __init__(self, offered: int, pid: int) -> None:
        """`offered` stays the caller's.  Raises Refused.

        Without /proc it could not be told whether the client is stopped, so there the terminal is
        left to the client.  By its path it must not be opened: in another mount namespace that
        may be somebody else's terminal.
        """
        self.before = b""  # the modes to restore, where they are known
        self._raw = b""
        self.fd = self._stat = -1
        self._ours = b"?"  # how the client's state begins when all is well
        try:
            there = os.fstat(offered)
            self._device = there.st_rdev
            if not os.isatty(offered):
                raise Refused("no terminal")
            if os.major(self._device) == _AUXILIARY and os.minor(self._device) in _ALIASES:
                raise Refused("not a terminal's own device")
            if peer.controlling_terminal(os.getpid()) == self._device:
                # Job control is not for us, except there: in its background we would be stopped.
                raise Refused("it is the daemon's own")
            flags = os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC
            self.fd = os.open(f"/proc/self/fd/{offered}", flags)
            if not os.path.samestat(there, os.fstat(self.fd)):
                raise Refused("another one was opened")
            self._stat = os.open(f"/proc/{pid}/stat", os.O_RDONLY | os.O_CLOEXEC)
            if not self.renew():
                raise Refused("its client does not run in the foreground")
        except OSError as error:
            self.close()
            raise Refused(error.strerror) from None
        except Refused:
            self.close()
            raise

    def renew(self) -> bool:
        """The client has just made it raw, it says; False if it was in no position to.

        Raises OSError.
        """
        known, self._raw = self._raw, fcntl.ioctl(self.fd, termios.TCGETS, _MODES)
        if self.is_ours():
            return True
        self._raw = known
        return False

    def is_ours(self) -> bool:
        """Whether the client could read and write the terminal now.

        By fields 3, 5, 7 and 8 of Linux's /proc/PID/stat: state, process group, controlling
        terminal, and the process group in that one's foreground.  See proc(5).
        """
        try:
            if not self._is_raw():
                return False
            stat = os.pread(self._stat, 1024, 0)
        except OSError:
            return False
        if stat.startswith(self._ours):
            return True
        name, _, rest = stat.rpartition(b")")
        fields = rest.split(None, 6)[:6]
        state, _, group, _, device, foreground = fields
        if state in (b"T", b"Z"):  # stopped, or dead and not yet waited for
            return False
        if group != foreground and peer.terminal_device(int(device)) == self._device:
            return False
        self._ours = name + b") " + b" ".join(fields) + b" "
        return True

    def _is_raw(self) -> bool:
        return fcntl.ioctl(self.fd, termios.TCGETS, _MODES) == self._raw

    def restore(self) -> None:
        """Bring back the modes from before, if they are still those that the client set."""
        try:
            if self.before and self._is_raw():
                # At once, as nobody's to wait for and without losing what was typed.
                fcntl.ioctl(self.fd, termios.TCSETS, self.before)
        except OSError:
            pass  # it was hung up

    def close(self) -> None:
        for fd in (self.fd, self._stat):
            if fd >= 0:
                os.close(fd)
        self.fd = self._stat = -1


class TerminalUser(User):
    """Whose terminal it is."""

    def channel_away(self) -> None:
        """The client was stopped: what is shown is kept, until channel_back()."""

    def channel_back(self) -> None:
        """The client has the terminal again, which may show anything."""

    def channel_leave(self) -> None:
        """The client wants to be detached."""


class TerminalChannel(Channel):
    """Output and input by the terminal, everything else by the connection."""

    user: TerminalUser

    def __init__(self, reactor: "Reactor", sock: "socket.socket", terminal: PassedTerminal) -> None:
        super().__init__(reactor, sock)
        self._terminal: PassedTerminal | None = terminal
        self._screen = Outbound(reactor, terminal.fd, OUTPUT_CAP, _Screen(self))
        self._news = chunks.ChunkReader()
        self._watch = Watch()
        self._told = 0  # the state that the client knows
        self._reads = False
        self._away = False
        self._looked = 0.0
        reactor.on_readable(self._fd, self._readable)

    # ---- the terminal

    @property
    def full(self) -> bool:
        return self._screen.full

    @property
    def last_progress(self) -> float:
        return self._screen.last_progress

    def retry(self) -> None:
        self._screen.retry()

    def look(self) -> bool:
        if monotonic() - self._looked > _LOOK_EVERY:
            self._look()
        return not self._away

    def show(self, data: bytes) -> None:
        if self._terminal is None or not data:
            return
        self._watch.output(data)
        if self._watch.state != self._told:
            self._told = self._watch.state
            self._connection.send(chunks.frame(chunks.STATE, bytes([self._told])))
        self._screen.send(data)

    def read(self, wanted: bool) -> None:
        self._reads = wanted
        if self._terminal is None:
            return
        wanted = wanted and not self._away
        self._reactor.on_readable(self._terminal.fd, self._typed if wanted else None)
        self._reactor.on_hangup(self._terminal.fd, None if wanted else self.hung_up)

    def _typed(self) -> None:
        if self._terminal is None or not self._look():
            return
        try:
            data = os.read(self._terminal.fd, READ)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if data:
            self.user.channel_input(data)
        else:
            self.hung_up()

    def hung_up(self) -> None:
        """There is no terminal any more, and so no client, whether it knows or not."""
        self.user.channel_gone()

    def _look(self) -> bool:
        """Whether the terminal is to be read and written; if not, the client is asked."""
        self._looked = monotonic()
        if self._away or self._terminal is None:
            return False
        if self._terminal.is_ours():
            return True
        logs.debug("a client does not have its terminal, so that is left alone until it does")
        self._away = True
        self._screen.pause(True)
        self.read(self._reads)
        self._connection.send(chunks.frame(chunks.HEARTBEAT, b""))
        self.user.channel_away()
        return False

    # ---- the connection

    def received(self, data: bytes) -> None:
        try:
            news = self._news.feed(data)
        except WireError as error:
            logs.warn(f"an attached client is hung up on: {error}")
            self.hung_up()
            return
        for kind, content in news:
            if self._terminal is None:
                return
            if kind == chunks.MODES and isinstance(content, bytes):
                self._terminal.before = content[: len(_MODES)]
            elif kind == chunks.BACK:
                self._back()
            elif kind == chunks.DETACH:
                self.user.channel_leave()

    def _back(self) -> None:
        assert self._terminal is not None
        try:
            if not self._terminal.renew():
                # Stopped again; or in the background, which it does not notice if nobody stops
                # it there.  To ask it again would be to ask it for ever.
                self._look()
                return
        except OSError:
            self.hung_up()
            return
        self._away = False
        self.read(self._reads)
        self._screen.pause(False)
        self.user.channel_back()

    def lost(self) -> None:
        if self._terminal is not None:
            # It left without a word, so it was killed, and the terminal is as it was.
            terminal = self._let_go()
            _Mourning(self._reactor, terminal, self._watch.words())
        super().lost()

    def outbound_full(self) -> None:
        """Only news wait here, of which the latest are kept."""

    def outbound_drained(self) -> None:
        self._send_vars()

    # ---- the end

    def leave(self, last_words: bytes, status: int) -> None:
        if self._terminal is not None:
            self._watch.output(last_words)
            last_words += self._watch.farewell()
            unsent = self._screen.unsent()
            # Before the status: whoever waits for the terminal's end waits for our end of it too.
            self._let_go().close()
            self._connection.send(chunks.frame_data(unsent))
        super().leave(last_words, status)

    def close(self) -> None:
        if self._terminal is not None:
            self._let_go().close()
        super().close()

    def _let_go(self) -> PassedTerminal:
        terminal, self._terminal = self._terminal, None
        assert terminal is not None
        self._screen.close()
        self._reactor.drop(terminal.fd)
        return terminal


class _Screen(OutboundUser):
    """What a full terminal means for the client."""

    def __init__(self, channel: TerminalChannel) -> None:
        self._channel = channel

    def outbound_full(self) -> None:
        self._channel.user.channel_full()

    def outbound_drained(self) -> None:
        self._channel.user.channel_drained()

    def outbound_writable(self) -> bool:
        return self._channel.look()

    def outbound_failed(self, error: OSError) -> None:
        self._channel.hung_up()


class _Mourning:
    """Leaves the terminal of a client that was killed as the client would have left it."""

    def __init__(self, reactor: "Reactor", terminal: PassedTerminal, words: bytes) -> None:
        self._terminal = terminal
        self._words = words
        self._write()
        reactor.call_later(_MOURNING, self._end)

    def _write(self) -> None:
        try:
            self._words = self._words[os.write(self._terminal.fd, self._words) :]
        except OSError:
            pass  # it takes nothing now, or is gone

    def _end(self) -> None:
        if self._words:
            self._write()
        self._terminal.restore()
        self._terminal.close()
