"""What a client asks the daemon: to attach, where a signal may interrupt it, and once attached."""

import os
import select
from time import monotonic

from shpool.client import tty
from shpool.client.connect import SILENCE, Call, ClientError, dial
from shpool.client.reach import ask
from shpool.errors import Verdict
from shpool.protocol.attaching import AttachHeader, AttachReply
from shpool.protocol.msgpack import WireError
from shpool.protocol.replies import MaybeSwitch, read_list_reply, read_missed
from shpool.protocol.requests import (
    DetachRequest,
    GetVars,
    KillRequest,
    ListRequest,
    SessionMessage,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from typing import Any

    from shpool.client.context import Context
    from shpool.client.signals import Signals
    from shpool.client.tty import UserTerminal
    from shpool.protocol.all_requests import Request
    from shpool.protocol.requests import TtySize

# After a forced detach: seconds between tries, and how many.
_FORCE_PAUSE = 0.1
_FORCE_TRIES = 22

# Seconds that the daemon may take over a question of ours while we are attached.
_BUSY_TIMEOUT = 2.0


class Interrupted(Exception):
    """The signal `number` came while the daemon was waited for."""

    def __init__(self, number: int) -> None:
        self.number = number


class Busy(Verdict):
    """Somebody else is attached; `daemon` said so."""

    def __init__(self, message: str, daemon: Call) -> None:
        super().__init__(message)
        self.daemon = daemon


class NotThere(Verdict):
    """There is no session of that name, and none is to be made."""


class Asking:
    """What is asked before the client is attached: each on a connection of its own.

    Every method may raise ClientError, Verdict, and, once signals are caught, Interrupted.
    """

    def __init__(self, context: "Context", signals: "Signals", terminal: "UserTerminal") -> None:
        self._context = context
        self._signals = signals
        self._terminal = terminal

    def variables(self) -> "dict[str, str]":
        connection = dial(self._context.paths.socket, wait=self._await_greeting)
        return ask_variables(connection, self._await_answer)

    def attach(self, header: AttachHeader, descriptor: "int | None") -> "tuple[Call, AttachReply]":
        """The connection on which the session's output follows; the terminal's `descriptor` is
        offered.  Raises Busy, NotThere."""
        connection, reply = self._attach(header, descriptor)
        if reply.status == "Busy" and header.force:
            connection, reply = self._attach_again(header, descriptor)
        if reply.status == "Busy":
            said = f"session '{header.name}' already has a terminal attached"
            raise Busy(said, connection)
        if reply.status == "Forbidden":
            raise Verdict(f"forbidden: {reply.reason}")
        if reply.status == "NotFound" or (reply.status == "Created" and header.existing):
            self._end_what_was_made(header, connection, reply)
            raise NotThere(f"not found: {header.name}")
        if reply.status == "UnexpectedError":
            raise ClientError(reply.reason)
        return connection, reply

    def _attach(self, header: AttachHeader, descriptor: "int | None") -> "tuple[Call, AttachReply]":
        connection = dial(self._context.paths.socket, wait=self._await_greeting)
        try:
            if not connection.server:
                self._check_existing(header)
            connection.send(header, descriptor)
            self._await_answer(connection.sock)
            reply = AttachReply.from_wire(connection.receive())
        except WireError as error:
            connection.close()
            raise ClientError(f"cannot make sense of the daemon's answer: {error}") from None
        if reply.status not in ("Attached", "Created"):
            connection.close()
        return connection, reply

    def _check_existing(self, header: AttachHeader) -> None:
        """An original daemon would make a session that is wanted only if it is there."""
        if header.existing:
            rows = read_list_reply(ask(self._context, ListRequest()))
            if header.name not in [row.name for row in rows]:
                raise NotThere(f"not found: {header.name}")

    def _end_what_was_made(
        self, header: AttachHeader, connection: Call, reply: AttachReply
    ) -> None:
        """An original daemon has made a session, because the one that was there had ended."""
        connection.close()
        if reply.status == "Created":
            ask(self._context, KillRequest([header.name]))

    def _attach_again(
        self, header: AttachHeader, descriptor: "int | None"
    ) -> "tuple[Call, AttachReply]":
        """Have whoever is attached detached.  The original's daemon takes a while over it."""
        ask(self._context, DetachRequest([header.name]))
        for _ in range(_FORCE_TRIES):
            connection, reply = self._attach(header, descriptor)
            if reply.status != "Busy":
                return connection, reply
            self.pause(_FORCE_PAUSE)
        raise Verdict(
            f"session '{header.name}' already has a terminal which remains attached"
            " even after attempting to detach it"
        )

    def _await_greeting(self, sock: "socket.socket") -> None:
        self._await_answer(sock, greeted=False)

    def _await_answer(self, sock: "socket.socket", *, greeted: bool = True) -> None:
        """As _await(), and say so if it takes long."""
        if not self._await(sock, SILENCE):
            from shpool.client.silent import tell_silent

            tell_silent(sock, "\r\n" if self._terminal.is_raw else "\n", greeted=greeted)
            self._await(sock)

    def _await(self, sock: "socket.socket", seconds: "float | None" = None) -> bool:
        """Return when the daemon has begun to answer; False if it has not in that time."""
        try:
            return self.pause(seconds, sock.fileno())
        except Interrupted:
            sock.close()
            raise

    def pause(self, seconds: "float | None", fd: int = -1) -> bool:
        """Wait, until `fd` can be read at the latest; returns whether it can."""
        poll = select.poll()
        for each in (self._signals.fd, fd):
            if each >= 0:
                poll.register(each, select.POLLIN)
        deadline = None if seconds is None else monotonic() + seconds
        while True:
            number = self._signals.leaving()
            if number is not None:
                raise Interrupted(number)
            left = None if deadline is None else max(0, deadline - monotonic()) * 1000
            ready = poll.poll(left)
            if not ready or any(found != self._signals.fd for found, _ in ready):
                return bool(ready)


class Aside:
    """What is asked while the client is attached: each on a connection of its own, to a daemon that
    has little time to answer.  One that does not is going away, which the client hears anyway.

    `path`: the daemon's socket; `name`: the session; `size`: what the daemon knows to be the
    terminal's.
    """

    def __init__(self, path: str, name: str, size: "TtySize") -> None:
        self._path = path
        self._name = name
        self._size = size

    def variables(self) -> "dict[str, str] | None":
        """None if there is no answer."""
        try:
            return ask_variables(dial(self._path, _BUSY_TIMEOUT))
        except (ClientError, Verdict):
            return None

    def detach(self) -> bool:
        """Have the daemon detach this process from the session; returns whether it does."""
        request = DetachRequest([self._name], os.getpid())
        try:
            reply = self._ask(dial(self._path, _BUSY_TIMEOUT), request)
            return read_missed(reply) == ([], [])
        except (ClientError, Verdict, WireError):
            return False

    def resize(self) -> None:
        """Tell the daemon of the size that the terminal has now."""
        size = tty.size()
        if size.same(self._size):
            return
        try:
            try:
                connection = dial(self._path, _BUSY_TIMEOUT)
            except Verdict:
                # Without its socket the daemon serves us as ever, but cannot be told.
                from shpool.client.lost import bring_back

                bring_back(self._path, patience=_BUSY_TIMEOUT)
                connection = dial(self._path, _BUSY_TIMEOUT)
            self._ask(connection, SessionMessage(self._name, size))
            self._size = size
        except (ClientError, Verdict, WireError):
            pass

    def _ask(self, connection: Call, request: "Request") -> "Any":
        try:
            connection.send(request)
            return connection.receive()
        finally:
            connection.close()


def ask_variables(
    connection: Call, wait: "Callable[[socket.socket], object] | None" = None
) -> "dict[str, str]":
    """Ask for the variables, on a connection that ends with it; `wait` for the answer."""
    try:
        connection.send(GetVars())
        if wait is not None:
            wait(connection.sock)
        return dict(MaybeSwitch.from_wire(connection.receive()).vars)
    except WireError as error:
        raise ClientError(f"cannot make sense of the daemon's answer: {error}") from None
    finally:
        connection.close()
