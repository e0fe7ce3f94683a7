"""How an attached client is reached: over its connection, what it types raw, output in chunks."""

from shpool.daemon.loop.outbound import Outbound, OutboundUser
from shpool.protocol import chunks
from shpool.protocol.msgpack import pack

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket

    from shpool.daemon.loop.reactor import Reactor
    from shpool.protocol.messages import AttachReply

# Bytes of output kept for a client before the pty is held back; the kernel's buffer comes on
# top.  What is kept here delays the effect of a ^C.
OUTPUT_CAP = 65_536

# One read of a client's input, in bytes.
READ = 65_536


class User:
    """Whose channel it is.  Every method may close the channel."""

    def channel_input(self, data: bytes) -> None:
        """`data` was typed."""

    def channel_full(self) -> None:
        """Much is waiting to be shown: bring no more for now."""

    def channel_drained(self) -> None:
        """There is room again."""

    def channel_gone(self) -> None:
        """The other end is gone; the channel is of no use any more."""


class Channel(OutboundUser):
    """From the attach request to the end of the connection; `user` has to be set at once."""

    user: User

    def __init__(self, reactor: "Reactor", sock: "socket.socket") -> None:
        self._reactor = reactor
        self._sock = sock
        self._fd = sock.fileno()
        self._connection = Outbound(reactor, self._fd, OUTPUT_CAP, self)
        self._vars: bytes | None = None  # a chunk that waits for room
        self._leaving = False

    # ---- output

    @property
    def full(self) -> bool:
        """Whether channel_full() was called, and channel_drained() not yet."""
        return self._connection.full

    @property
    def last_progress(self) -> float:
        """When something that was waiting was taken last; monotonic seconds."""
        return self._connection.last_progress

    def retry(self) -> None:
        """Send what can be sent, without waiting to be told that there is room."""
        self._connection.retry()

    def answer(self, reply: "AttachReply") -> None:
        """Send what was decided about the request, before anything else is sent."""
        self._connection.send(pack(reply.to_wire()))

    def look(self) -> bool:
        """Whether the client's terminal is to be written, as far as that was looked at of late;
        the user is told now, and not in the middle of show(), if it is not any more."""
        return True

    def show(self, data: bytes) -> None:
        """Have `data` on the client's terminal."""
        self._connection.send(chunks.frame_data(data))

    def tell_vars(self, payload: bytes) -> None:
        """The variables have changed; `payload` is a packed MaybeSwitch."""
        self._vars = chunks.frame(chunks.MAYBE_SWITCH, payload)
        if not self._connection.full:
            self._send_vars()

    def _send_vars(self) -> None:
        """The latest is all that counts: a client that does not read is sent no others."""
        if self._vars is not None:
            chunk, self._vars = self._vars, None
            self._connection.send(chunk)

    def outbound_full(self) -> None:
        if not self._leaving:
            self.user.channel_full()

    def outbound_drained(self) -> None:
        if not self._leaving:
            self._send_vars()
            self.user.channel_drained()

    def outbound_failed(self, error: OSError) -> None:
        self.lost()

    # ---- input

    def read(self, wanted: bool) -> None:
        """Call channel_input(), or let what is typed wait, but notice when the client goes."""
        if self._fd < 0 or self._leaving:
            return
        self._reactor.on_readable(self._fd, self._readable if wanted else None)
        self._reactor.on_hangup(self._fd, None if wanted else self.lost)

    def received(self, data: bytes) -> None:
        """`data` came over the connection."""
        self.user.channel_input(data)

    def _readable(self) -> None:
        try:
            data = self._sock.recv(READ)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.lost()
        elif not self._leaving:
            self.received(data)

    def lost(self) -> None:
        """The client has hung up."""
        self.user.channel_gone()

    # ---- the end

    def leave(self, last_words: bytes, status: int) -> None:
        """Send what is left, then `last_words`, then `status`, and hang up."""
        if self._connection.closed:
            return
        # Its input is read on, into nothing, so that it is noticed if the client goes first.
        self.read(True)
        self._leaving = True
        self._connection.send(chunks.frame_data(last_words) + chunks.frame_exit_status(status))
        self._connection.finish()

    def outbound_empty(self) -> None:
        self.close()

    def close(self) -> None:
        """Hang up; harmless when that was done before."""
        if self._fd < 0:
            return
        self._connection.close()
        self._reactor.drop(self._fd)
        self._fd = -1
        self._sock.close()
