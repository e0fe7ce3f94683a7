"""The events socket: who subscribed, and telling them, in the order in which things happened.

EVENTS.md is the contract with subscribers.  publish() never blocks and costs one send for each
subscriber that keeps up; one that does not is cut off when its buffer overflows, because an
event stream with a hole in it would be worse than none.
"""

import os

from shpool import logs, peer
from shpool.daemon.carried import Socket
from shpool.daemon.loop import descriptors
from shpool.daemon.loop.outbound import Outbound, OutboundUser
from shpool.daemon.loop.reactor import end_broken

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket

    from shpool.daemon.loop.reactor import Reactor

# Bytes kept for a subscriber, beside what the kernel's socket buffer holds: some 2,300 events.
BACKLOG_CAP = 65_536

# Read from a subscriber in one turn, in bytes, to be thrown away.
_DISCARD = 65_536


class Events:
    """All subscribers.  `accepted` is for the listener of the events socket."""

    def __init__(self, reactor: "Reactor") -> None:
        self.reactor = reactor
        self.subscribers: dict[int, Subscriber] = {}

    def accepted(self, sock: "socket.socket") -> None:
        """Take a connection in, if it is of the user who runs the daemon."""
        try:
            _, uid = peer.credentials(sock)
        except OSError:
            uid = -1
        if uid != os.geteuid():
            logs.warn(f"events: closed a connection of uid {uid}")
            sock.close()
            return
        if not descriptors.suits_subscriber(sock.fileno()):
            logs.warn(f"events: refused a subscriber: {descriptors.shortage().strerror}")
            sock.close()
            return
        subscriber = Subscriber(self, sock)
        self.subscribers[sock.fileno()] = subscriber

    def publish(self, kind: str) -> None:
        """Send one event, for example session.created, to everybody."""
        line = b'{"type":"%s"}\n' % kind.encode()
        for subscriber in list(self.subscribers.values()):
            subscriber.tell(line)

    def close(self) -> None:
        """Say goodbye: every subscriber reads to its end."""
        for subscriber in list(self.subscribers.values()):
            subscriber.close()


class Subscriber(OutboundUser):
    """One connection to the events socket, and what it has not read yet."""

    CARRIED = {"_sock": Socket("connection"), "outbound": Outbound, "_silent": bool}
    DERIVED = ("_events",)

    def __init__(self, events: Events, sock: "socket.socket") -> None:
        self._events = events
        self._sock = sock
        self._silent = False  # it will write no more
        self.outbound = Outbound(events.reactor, sock.fileno(), BACKLOG_CAP, self)
        self._watch()

    def taken_on(self, events: Events) -> None:
        self._events = events
        self.outbound.taken_on(events.reactor, self._sock.fileno(), self)
        events.subscribers[self._sock.fileno()] = self

    def watch_again(self) -> None:
        self._watch()

    def _watch(self) -> None:
        """Notice its end.  Where hang-ups cannot be watched, a failing send tells."""
        fd, reactor = self._sock.fileno(), self._events.reactor
        reactor.on_readable(fd, None if self._silent else self._discard)
        if self._silent:
            reactor.on_hangup(fd, self.close)

    def tell(self, line: bytes) -> None:
        """What goes wrong here ends this subscriber, and is nobody else's affair."""
        try:
            self.outbound.send(line)
        except Exception as error:
            end_broken(error, self)

    def close(self) -> None:
        fd = self._sock.fileno()
        if self._events.subscribers.pop(fd, None) is None:
            return
        self.outbound.close()
        self._events.reactor.drop(fd)
        self._sock.close()

    def broken(self) -> None:
        self.close()

    def parts(self) -> "tuple[object, ...]":
        return (self.outbound,)

    def outbound_full(self) -> None:
        logs.warn(f"events: evicted a subscriber that is {self.outbound.pending} bytes behind")
        self.close()

    def outbound_failed(self, error: OSError) -> None:
        self.close()

    def _discard(self) -> None:
        try:
            if self._sock.recv(_DISCARD):
                return
        except BlockingIOError:
            return
        except OSError:
            self.close()
            return
        # That it still reads is the whole point (socat -u shuts its writing side down).
        self._silent = True
        self._watch()
