"""A connection to the main socket, from the greeting to the one reply.

greeted    the daemon's version went out, a request is awaited (not for ever)
asked      the request is complete; whoever handles it answers, now or later
answered   the reply is going out, then the connection closes
streaming  the reply was the head of a stream of chunks, which goes on until it is ended
handed     it has become an attached client, and is nothing of this object's any more
closed
"""

import os
import socket
from array import array
from time import monotonic

from shpool import __version__, logs, peer
from shpool.daemon.carried import Deadline, Held, Life, OneOf, Socket
from shpool.daemon.life import State
from shpool.daemon.loop import descriptors
from shpool.daemon.loop.outbound import Outbound, OutboundUser
from shpool.daemon.loop.reactor import Owner
from shpool.protocol import chunks
from shpool.protocol.all_requests import KNOWN, read_request
from shpool.protocol.attaching import AttachHeader, AttachReply
from shpool.protocol.msgpack import Decoder, WireError, pack
from shpool.protocol.replies import PROGRAM, greeting
from shpool.protocol.running import RunRequest
from shpool.protocol.watching import FollowRequest, WaitRequest, WatchHead

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from shpool.daemon.loop.reactor import Reactor, Timer
    from shpool.protocol.all_requests import Request

# Seconds a peer has for its request; the protocol's.
_REQUEST_TIMEOUT = 5.0

# And where descriptors are so short that the next one may have to wait for this one's.
_SHORT_TIMEOUT = 1.0

# Seconds for which a reply may lie unread; a peer that takes no notice is not waited for.
_REPLY_TIMEOUT = 5.0

# One read of a request, in bytes.
_READ = 65_536

# Room for one descriptor; of more the kernel drops the rest.  socket.recv_fds would let shells
# inherit it.
_ANCILLARY = socket.CMSG_LEN(array("i").itemsize)
_CLOEXEC = getattr(socket, "MSG_CMSG_CLOEXEC", 0)

_SHORTAGE = f"the daemon can have no more: {descriptors.shortage().strerror}"

# Requests whose answer may go on for as long as a session: they leave room for who only asks.
_LASTING = (WaitRequest, FollowRequest, RunRequest)
_NO_MORE = WatchHead([], error=_SHORTAGE)

# No reply is refused for its length; the cap only has a meaning for streams.
_REPLY_CAP = 1 << 62


GREETED, ASKED, ANSWERED, STREAMING = "greeted", "asked", "answered", "streaming"
HANDED, CLOSED = "handed", "closed"

LIFE = {
    GREETED: (ASKED, CLOSED),
    ASKED: (ANSWERED, STREAMING, HANDED, CLOSED),
    ANSWERED: (CLOSED,),
    STREAMING: (ANSWERED, CLOSED),
    HANDED: (),
    CLOSED: (),
}


class ConnectionUser(Owner):
    """Who takes requests."""

    __slots__ = ()

    def connection_asked(self, connection: "Connection", request: "Request") -> None:
        """Called once for each connection."""

    def connection_closed(self, connection: "Connection") -> None:
        """It is of no use any more."""


class StreamUser(Owner):
    """Who fills a stream, or works on a reply."""

    __slots__ = ()

    def stream_full(self) -> None:
        """More than the cap waits to be read."""

    def stream_drained(self) -> None:
        """There is room again."""

    def stream_gone(self) -> None:
        """Nobody waits for it any more, or all was read; the connection is closed."""

    def taken_on(self, reactor: "Reactor", connection: "Connection") -> None:
        """It was carried over with its connection."""


# So that what is closed does not keep its users in memory.
_NOBODY = ConnectionUser()
_NO_STREAM = StreamUser()


# Who may fill a stream, by the name in a state that is carried over; each file of theirs adds its
# own.
STREAMS = OneOf(_NO_STREAM)


class Connection(OutboundUser):
    CARRIED = {
        "_sock": Socket("connection"),
        "state": Life(LIFE, State),
        "pid": int,
        "_uid": int,
        "received": bytes,
        "offered": (Held("offered terminal"), None),
        "_outbound": Outbound,
        "_patience": float,
        "_timeout": Deadline("_time_is_over"),
        "_stream": STREAMS,
    }
    DERIVED = ("_decoder", "_reactor", "_received", "_user")

    def __init__(
        self, reactor: "Reactor", sock: socket.socket, version: str, user: ConnectionUser
    ) -> None:
        self._reactor = reactor
        self._sock = sock
        self._user = user
        self._stream: StreamUser = _NO_STREAM
        self.state = State("a connection", LIFE, GREETED)
        self.received = b""
        self.offered: int | None = None  # a descriptor that came along, ours to close
        self.pid, self._uid = _credentials(sock)
        fd = sock.fileno()
        self._outbound = Outbound(reactor, fd, _REPLY_CAP, self)
        self._patience = _REQUEST_TIMEOUT if descriptors.suits_session(fd) else _SHORT_TIMEOUT
        self._timeout: Timer | None = reactor.call_later(self._patience, self._time_is_over)
        reactor.on_readable(fd, self._read)
        self._outbound.send(pack(greeting(version, f"{PROGRAM} {__version__}", KNOWN)))

    def taken_on(self, reactor: "Reactor", user: ConnectionUser) -> None:
        self._reactor = reactor
        self._user = user
        self._outbound.taken_on(reactor, self._sock.fileno(), self)
        if self._stream is not _NO_STREAM:
            self._stream.taken_on(reactor, self)

    def watch_again(self) -> None:
        fd = self._sock.fileno()
        if self.state.now == GREETED:
            self._reactor.on_readable(fd, self._read)
        else:
            self._reactor.on_hangup(fd, self.close)

    @property
    def fd(self) -> int:
        return self._sock.fileno()

    @property
    def received(self) -> bytes:
        """All that has come: a part of a request, or one, and what is behind it."""
        return b"".join(self._received)

    @received.setter
    def received(self, data: bytes) -> None:
        self._received = [data]
        self._decoder = Decoder()
        self._decoder.feed(data)

    @property
    def streams(self) -> "StreamUser | None":
        """Who fills its stream, or works on its reply; None if nobody does."""
        return None if self._stream is _NO_STREAM else self._stream

    @property
    def alive(self) -> bool:
        """It can still be answered."""
        return self.state.now == ASKED

    def notice_end(self, user: StreamUser = _NO_STREAM) -> None:
        """It has to wait for its answer: notice, and tell, when the peer does not wait any more."""
        self._stream = user
        self._reactor.on_hangup(self._sock.fileno(), self.close)

    def reply(self, value: "Any") -> None:
        """Send the one reply, then close."""
        self.state.become(ANSWERED)
        self._stream = _NO_STREAM
        self._timeout = self._reactor.call_later(_REPLY_TIMEOUT, self._time_is_over)
        self._outbound.send(pack(value))
        self._outbound.finish()

    def open_stream(self, head: "Any", cap: int, user: StreamUser) -> None:
        """Reply with `head`, and let chunks follow; `cap`: bytes that may wait to be read."""
        self.state.become(STREAMING)
        self._stream = user
        self._outbound.cap = cap
        self._reactor.on_hangup(self._sock.fileno(), self.close)
        self._outbound.send(pack(head))

    @property
    def full(self) -> bool:
        """More than the stream's cap waits to be read."""
        return self._outbound.full

    @property
    def progress(self) -> float:
        """When something of what waits was taken last; monotonic."""
        self._outbound.retry()
        return self._outbound.last_progress

    def stream(self, data: bytes) -> None:
        """Send `data` as chunks of kind Data."""
        self._outbound.send(chunks.frame_data(data))

    def end_stream(self, status: int = 0, *, patient: bool = False) -> None:
        """Send what is left and the chunk with `status`, then close; `patient`: however long that
        takes to be read."""
        self.state.become(ANSWERED)
        self._stream = _NO_STREAM
        if not patient:
            self._timeout = self._reactor.call_later(_REPLY_TIMEOUT, self._time_is_over)
        self._outbound.send(chunks.frame_exit_status(status))
        self._outbound.finish()

    def hand_over(self) -> "tuple[socket.socket, bytes]":
        """The socket, for an attached client, and what the peer sent behind its request.

        Nothing of ours is pending: the greeting fits into the buffer of a fresh socket.
        """
        self.state.become(HANDED)
        self._reactor.on_hangup(self._sock.fileno(), None)
        self._outbound.close()
        self._drop_offered()
        self._tell_closed()
        return self._sock, self._decoder.rest

    def close(self) -> None:
        if self.state.now in (HANDED, CLOSED):
            return
        self.state.become(CLOSED)
        self._stop_waiting()
        self._outbound.close()
        self._drop_offered()
        self._reactor.drop(self._sock.fileno())
        self._sock.close()
        self._tell_closed()

    def _tell_closed(self) -> None:
        self._reactor.soon(self._closed)

    def _closed(self) -> None:
        user, self._user = self._user, _NOBODY
        filler, self._stream = self._stream, _NO_STREAM
        user.connection_closed(self)
        filler.stream_gone()

    def broken(self) -> None:
        self.close()

    def parts(self) -> "tuple[object, ...]":
        return (self._outbound, self._stream)

    def outbound_full(self) -> None:
        self._stream.stream_full()

    def outbound_drained(self) -> None:
        self._stream.stream_drained()

    def outbound_empty(self) -> None:
        self.close()

    def outbound_failed(self, error: OSError) -> None:
        self.close()

    def _stop_waiting(self) -> None:
        if self._timeout is not None:
            self._timeout.cancel()
            self._timeout = None

    def _time_is_over(self) -> None:
        if self.state.now == GREETED:
            self._too_slow()
        else:
            self._not_read()

    def _too_slow(self) -> None:
        logs.warn(f"connection of pid {self.pid}: no request in {self._patience:.0f} s; closed")
        self.close()

    def _not_read(self) -> None:
        idle = monotonic() - self._outbound.last_progress
        if idle < _REPLY_TIMEOUT:  # a long one that is being read
            self._timeout = self._reactor.call_later(_REPLY_TIMEOUT - idle, self._time_is_over)
            return
        logs.warn(
            f"connection of pid {self.pid}: the reply is not read in {_REPLY_TIMEOUT:.0f} s; closed"
        )
        self.close()

    def _read(self) -> None:
        try:
            data, ancillary, _, _ = self._sock.recvmsg(_READ, _ANCILLARY, _CLOEXEC)
        except BlockingIOError:
            return
        except OSError:
            data, ancillary = b"", []
        if ancillary:
            self._take_offered(ancillary)
        if not data:
            if self._decoder.started:
                logs.warn(f"connection of pid {self.pid}: ended in the middle of a request")
            self.close()
            return
        self._received.append(data)
        try:
            if not self._decoder.feed(data):
                return
            request = read_request(self._decoder.value)
        except WireError as error:
            logs.warn(f"connection of pid {self.pid}: {error}; closed")
            self.close()
            return
        self.state.become(ASKED)
        self._stop_waiting()
        fd = self._sock.fileno()
        self._reactor.on_readable(fd, None)
        if self._uid != os.geteuid():
            self._refuse(request)
            return
        attaches = isinstance(request, AttachHeader)
        if not attaches:
            self._drop_offered()  # which would not end for its other end until we are done
        if (attaches or isinstance(request, _LASTING)) and not descriptors.suits_session(fd):
            logs.warn(f"connection of pid {self.pid}: refused, {_SHORTAGE}")
            refusal = AttachReply("UnexpectedError", reason=_SHORTAGE) if attaches else _NO_MORE
            self.reply(refusal.to_wire())
            return
        logs.debug(f"connection of pid {self.pid}: {type(request).__name__}")
        self._user.connection_asked(self, request)

    def _take_offered(self, ancillary: "list[tuple[int, int, bytes]]") -> None:
        self._drop_offered()
        for level, kind, content in ancillary:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                fds = array("i")
                fds.frombytes(content[: len(content) - len(content) % fds.itemsize])
                for fd in fds:
                    self._drop_offered()
                    self.offered = fd
                    if not _CLOEXEC:
                        os.set_inheritable(fd, False)

    def _drop_offered(self) -> None:
        if self.offered is not None:
            os.close(self.offered)
            self.offered = None

    def _refuse(self, request: "Request") -> None:
        logs.warn(f"connection of pid {self.pid}: refused, its uid is {self._uid}")
        if isinstance(request, AttachHeader):
            reason = f"uid {self._uid} may not attach to sessions of uid {os.geteuid()}"
            self.reply(AttachReply("Forbidden", reason=reason).to_wire())
        else:
            self.close()


def _credentials(sock: socket.socket) -> "tuple[int, int]":
    try:
        return peer.credentials(sock)
    except OSError as error:
        # Nobody's uid: such a peer is refused once it has said what it wants.
        logs.warn(f"cannot tell who connected: {error.strerror}")
        return 0, -1
