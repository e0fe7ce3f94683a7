"""How an attached client is reached: over its connection, what it types raw, output in chunks.

A Line is the connection's two ends in terms of chunks and bytes; what they mean is up to the
channel, of which there are two: ChunkChannel here, and TerminalChannel, for whom the client's
terminal was passed to the daemon.
"""

from shpool.daemon.carried import Socket
from shpool.daemon.loop.outbound import Outbound, OutboundUser
from shpool.daemon.loop.reactor import Owner
from shpool.protocol import chunks
from shpool.protocol.msgpack import pack

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket

    from shpool.daemon.loop.reactor import Reactor
    from shpool.protocol.attaching import AttachReply

# Bytes of output kept for a client before the pty is held back; the kernel's buffer comes on
# top.  What is kept here delays the effect of a ^C.
OUTPUT_CAP = 65_536

# One read of a client's input, in bytes.
READ = 65_536


class ChannelUser(Owner):
    """Whose channel it is."""

    __slots__ = ()

    def channel_input(self, data: bytes) -> None:
        """`data` was typed."""

    def channel_full(self) -> None:
        """Much is waiting to be shown: bring no more for now."""

    def channel_drained(self) -> None:
        """There is room again."""

    def channel_away(self) -> None:
        """The client was stopped: what is shown is kept, until channel_back()."""

    def channel_back(self) -> None:
        """The client has its terminal again, which may show anything."""

    def channel_leave(self) -> None:
        """The client wants to be detached."""

    def channel_gone(self) -> None:
        """The other end is gone; the channel is to be closed."""

    def channel_closed(self) -> None:
        """After leave() or close(): all is done, and nothing is open any more."""


# So that what is closed does not keep its user in memory.
NOBODY = ChannelUser()


class Channel(OutboundUser):
    """From the attach request to the end of the connection; `user` has to be set at once."""

    user: ChannelUser

    DERIVED: "tuple[str, ...]" = ("user",)

    def taken_on(self, reactor: "Reactor", user: ChannelUser) -> None:
        """It belongs to `user` from now on."""
        self.user = user

    @property
    def fd(self) -> int:
        """A descriptor that is this channel's, as long as it has one."""
        return -1

    @property
    def full(self) -> bool:
        """More than the cap waits to be shown."""
        return False

    @property
    def away(self) -> bool:
        """The client does not have its terminal; what is shown is kept."""
        return False

    @property
    def goes_over(self) -> bool:
        """The client has said that it goes to another session."""
        return False

    @property
    def last_progress(self) -> float:
        """When something that was waiting was taken last; monotonic seconds."""
        return 0.0

    def limit(self, cap: int) -> None:
        """Be full when more than `cap` bytes wait to be shown, from now on."""

    def retry(self) -> None:
        """Send what can be sent, without waiting to be told that there is room."""

    def answer(self, reply: "AttachReply") -> None:
        """Send what was decided about the request, before anything else is sent."""

    def look(self) -> bool:
        """Returns whether the client's terminal is to be written, as far as that was looked at of
        late.  With False it is away from now on."""
        return True

    def show(self, data: bytes) -> None:
        """Have `data` on the client's terminal."""

    def tell_vars(self, payload: bytes) -> None:
        """The variables have changed; `payload` is a packed MaybeSwitch."""

    def tell_switch(self, payload: bytes) -> None:
        """The client is to go over to another session; `payload` is a packed MaybeSwitch."""

    def read(self, wanted: bool) -> None:
        """Call channel_input(), or let what is typed wait, but notice when the client goes."""

    def leave(self, last_words: bytes, status: int) -> None:
        """Send what is left, then `last_words`, then `status`, and hang up."""

    def close(self) -> None:
        """Hang up; a killed client's terminal is left usable.  Harmless after the first time."""

    def drop(self) -> None:
        """The daemon ends: close everything now, and tell nobody."""


class Line:
    """A socket of an attached client: chunks to it, kept in order, and bytes from it.

    `early` is what came behind the request.
    """

    __slots__ = ("_early", "_leaving", "_switch", "_vars", "out", "sock")

    CARRIED = {
        "sock": Socket("connection"),
        "out": Outbound,
        "_early": bytes,
        "_vars": (bytes, None),
        "_switch": (bytes, None),
        "_leaving": bool,
    }

    def __init__(
        self, reactor: "Reactor", sock: "socket.socket", early: bytes, user: OutboundUser
    ) -> None:
        self.sock = sock
        self.out = Outbound(reactor, sock.fileno(), OUTPUT_CAP, user)
        self._early = early
        # Chunks that wait for room, each in a place of its own.
        self._vars: bytes | None = None
        self._switch: bytes | None = None
        self._leaving = False

    def taken_on(self, reactor: "Reactor", user: OutboundUser) -> None:
        self.out.taken_on(reactor, self.fd, user)

    @property
    def fd(self) -> int:
        """-1 when it is closed."""
        return self.sock.fileno()

    @property
    def leaving(self) -> bool:
        """The status was sent: nothing is to be sent, and nothing that is read counts."""
        return self._leaving

    @property
    def has_early(self) -> bool:
        """There is something to receive that the loop does not tell of."""
        return bool(self._early)

    def answer(self, reply: "AttachReply") -> None:
        self.out.send(pack(reply.to_wire()))

    def tell_vars(self, payload: bytes) -> None:
        """The latest is all that counts: a client that does not read is sent no others."""
        self._vars = chunks.frame(chunks.MAYBE_SWITCH, payload)
        self.send_waiting()

    def tell_switch(self, payload: bytes) -> None:
        """As tell_vars(): of several the latest counts."""
        self._switch = chunks.frame(chunks.MAYBE_SWITCH, payload)
        self.send_waiting()

    def send_waiting(self) -> None:
        """Send what waits for room, if there is any."""
        if self.out.full:
            return
        vars_, self._vars = self._vars, None
        switch, self._switch = self._switch, None
        for chunk in (vars_, switch):
            if chunk is not None:
                self.out.send(chunk)

    def receive(self) -> "bytes | None":
        """What came; None at the end, and nothing if it is not there after all."""
        if self._early:
            early, self._early = self._early, b""
            return early
        try:
            return self.sock.recv(READ) or None
        except BlockingIOError:
            return b""
        except OSError:
            return None

    def leave(self, last_words: bytes, status: int) -> None:
        """Send what is left, then `last_words`, then `status`; outbound_empty() tells the end."""
        self._leaving = True
        self._early = b""
        self.out.send(chunks.frame_data(last_words) + chunks.frame_exit_status(status))
        self.out.finish()

    def close(self, reactor: "Reactor") -> None:
        if self.fd >= 0:
            self.out.close()
            reactor.drop(self.fd)
            self.sock.close()


class ChunkChannel(Channel):
    """Input and output over the connection."""

    CARRIED = {"_line": Line, "_reads": bool}
    DERIVED = ("_reactor",)

    def __init__(self, reactor: "Reactor", sock: "socket.socket", early: bytes) -> None:
        self._reactor = reactor
        self._line = Line(reactor, sock, early, self)
        self._reads = False

    def taken_on(self, reactor: "Reactor", user: ChannelUser) -> None:
        super().taken_on(reactor, user)
        self._reactor = reactor
        self._line.taken_on(reactor, self)

    def watch_again(self) -> None:
        if self._line.fd >= 0:
            self._watch()

    @property
    def fd(self) -> int:
        return self._line.fd

    # ---- output

    @property
    def full(self) -> bool:
        return self._line.out.full

    @property
    def last_progress(self) -> float:
        return self._line.out.last_progress

    def limit(self, cap: int) -> None:
        self._line.out.limit(cap)

    def retry(self) -> None:
        self._line.out.retry()

    def answer(self, reply: "AttachReply") -> None:
        self._line.answer(reply)

    def show(self, data: bytes) -> None:
        self._line.out.send(chunks.frame_data(data))

    def tell_vars(self, payload: bytes) -> None:
        self._line.tell_vars(payload)

    def tell_switch(self, payload: bytes) -> None:
        self._line.tell_switch(payload)

    def outbound_full(self) -> None:
        if not self._line.leaving:
            self.user.channel_full()

    def outbound_drained(self) -> None:
        if not self._line.leaving:
            self._line.send_waiting()
            self.user.channel_drained()

    def outbound_failed(self, error: OSError) -> None:
        self.user.channel_gone()

    # ---- input

    def read(self, wanted: bool) -> None:
        fd = self._line.fd
        if fd < 0 or self._line.leaving:
            return
        self._reads = wanted
        self._watch()

    def _watch(self) -> None:
        fd, wanted = self._line.fd, self._reads
        self._reactor.on_readable(fd, self._readable if wanted else None)
        self._reactor.on_hangup(fd, None if wanted else self._hung_up)
        if wanted and self._line.has_early:
            self._reactor.soon(self._readable)

    def _readable(self) -> None:
        if not self._reads or self._line.fd < 0:
            return
        data = self._line.receive()
        if data is None:
            self.user.channel_gone()
        elif data and not self._line.leaving:
            self.user.channel_input(data)

    def _hung_up(self) -> None:
        self.user.channel_gone()

    # ---- the end

    def leave(self, last_words: bytes, status: int) -> None:
        if self._line.fd >= 0:
            # Its input is read on, into nothing, so that it is noticed if the client goes first.
            self.read(True)
            self._line.leave(last_words, status)

    def outbound_empty(self) -> None:
        self.close()

    def close(self) -> None:
        if self._line.fd >= 0:
            self.drop()
            self._reactor.soon(self._tell_closed)

    def drop(self) -> None:
        self._line.close(self._reactor)

    def _tell_closed(self) -> None:
        user, self.user = self.user, NOBODY
        user.channel_closed()

    def broken(self) -> None:
        self.user.broken()

    def parts(self) -> "tuple[object, ...]":
        return (self._line, self._line.out)
