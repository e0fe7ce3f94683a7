"""shpool attach: work out which session is meant, attach to it, and stay until it ends.

The session's name may depend on variables; when they change while attached, the client goes over
to the session that is then meant, in the same process and terminal.
"""

import os
import select
import signal
from time import monotonic

from shpool import __version__
from shpool.client import tty
from shpool.client.connect import Call, ClientError, LostDaemon, dial
from shpool.client.hands import DaemonsHands, OurHands
from shpool.client.reach import ask, reach
from shpool.client.relay import Outcome, Relay, interruption
from shpool.client.signals import Signals
from shpool.client.streams import Upstream
from shpool.errors import Verdict
from shpool.forwarded import client_variables
from shpool.names import check_name_template, check_session_name
from shpool.output import complain, unwritable
from shpool.protocol.msgpack import WireError
from shpool.protocol.replies import PROGRAM, AttachReply, MaybeSwitch, read_list_reply
from shpool.protocol.requests import (
    AttachHeader,
    DetachRequest,
    GetVars,
    KillRequest,
    ListRequest,
    SessionMessage,
)
from shpool.templates import render

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from shpool.client.context import Context
    from shpool.client.relay import Hands
    from shpool.options import Parsed

# After a forced detach: seconds between tries, and how many.
_FORCE_PAUSE = 0.1
_FORCE_TRIES = 22

# Seconds that the daemon may take over a question of ours while we are attached.
_BUSY_TIMEOUT = 2.0


def run(context: "Context", parsed: "Parsed") -> int:
    return Attach(context, parsed).run()


class Interrupted(Exception):
    """The signal `number` came while the daemon was waited for."""

    def __init__(self, number: int) -> None:
        self.number = number


class Attach:
    def __init__(self, context: "Context", parsed: "Parsed") -> None:
        self._context = context
        self._template = parsed.arguments[0]
        self._parsed = parsed
        self._force = bool(parsed.count("force"))
        self._background = bool(parsed.count("background"))
        self._existing = bool(parsed.count("existing"))
        self._ttl = _ttl(parsed.text("ttl"))
        self._config = context.config()
        self._here = _working_directory()
        self._terminal = tty.UserTerminal()
        self._signals = Signals()
        self._name = ""
        self._switched = False
        self._told: object = None  # the size that the daemon knows, in its form on the wire

    def run(self) -> int:
        variables: dict[str, str] | None = self._greet()
        try:
            while True:
                outcome = self._turn(variables)
                if outcome.kind == "switch":
                    self._switched = True
                    self._terminal.clean()
                elif outcome.kind == "suspended":
                    self._suspend()
                else:
                    return self._status(outcome)
                variables = None  # they may be others by now
        finally:
            self._terminal.leave()

    def _turn(self, variables: "dict[str, str] | None") -> Outcome:
        """Attach to one session and stay there; `variables` are asked for if they are not known."""
        try:
            if variables is None:
                connection = dial(self._context.paths.socket, wait=self._await)
                variables = _variables(connection, self._await)
            self._name = self._name_for(variables)
            attached = self._attach(variables)
        except Interrupted as interrupted:
            return interruption(interrupted.number)
        if attached is None:
            # Not an error at first, scripts test for that; after a switch it is one.
            return Outcome("busy", 1 if self._switched else 0)
        if self._background:
            attached[0].close()
            ask(self._context, DetachRequest([self._name]))
            return Outcome("exited", 0)
        return self._stay(*attached)

    def _status(self, outcome: Outcome) -> int:
        """The exit status, or an error."""
        if outcome.kind == "signal":
            return 128 + outcome.status
        if outcome.kind == "lost":
            raise ClientError("lost the connection to the daemon")
        if outcome.error is not None and not self._terminal.is_terminal:
            raise unwritable(outcome.error)  # else it has no reader either
        return outcome.status

    def _greet(self) -> "dict[str, str]":
        """The variables, once the user has been told of a daemon of another version."""
        try:
            return self._greet_once()
        except LostDaemon:
            return self._greet_once()  # reach says why

    def _greet_once(self) -> "dict[str, str]":
        connection = reach(self._context)
        if connection.warning:
            connection.close()
            self._warn_of_version(connection.warning)
            connection = dial(self._context.paths.socket)
        return _variables(connection)

    def _warn_of_version(self, warning: str) -> None:
        if self._background:
            complain(
                f"warning: {warning}, proceeding in background mode; try restarting your daemon\n"
            )
            return
        complain(f"warning: {warning}, try restarting your daemon\n")
        complain("hit enter to continue anyway or ^C to exit\n")
        # A byte at a time: what follows the newline is for the session.
        while tty.read(1) not in (b"\n", b""):
            pass

    # ---- asking

    def _name_for(self, variables: "dict[str, str]") -> str:
        name = render(self._template, variables)
        check_session_name(name)
        check_name_template(self._template)
        return name

    def _attach(self, variables: "dict[str, str]") -> "tuple[Call, AttachReply] | None":
        """The connection on which the session's output follows; None if the session is busy.

        Raises Interrupted, once signals are caught.
        """
        passes = False
        if not self._background:
            # Caught from before the size is asked for, so that no change of it is missed.
            self._signals.catch_resizes()
            if self._config.pass_terminal and self._terminal.is_terminal:
                self._signals.catch_all()
                passes = self._terminal.offer()
        header = self._header(variables)
        connection, reply = self._ask(header, passes)
        if reply.status == "Busy" and self._force:
            connection, reply = self._ask_again(header, passes)
        if reply.status == "Busy":
            self._terminal.leave()
            complain(f"session '{self._name}' already has a terminal attached\n")
            return None
        if reply.status == "Forbidden":
            raise Verdict(f"forbidden: {reply.reason}")
        if reply.status == "NotFound" or (reply.status == "Created" and self._existing):
            self._end_what_was_made(connection, reply)
            raise Verdict(f"not found: {self._name}")
        if reply.status == "UnexpectedError":
            raise ClientError(reply.reason)
        newline = "\r\n" if self._terminal.is_raw else "\n"
        for warning in reply.warnings:
            complain(f"shpool: warn: {warning}{newline}")
        return connection, reply

    def _plain(self, header: AttachHeader) -> AttachHeader:
        """As an original daemon is asked, which would make a session.  Raises Verdict."""
        if self._existing:
            self._check_existing()
        return header.plain()

    def _check_existing(self) -> None:
        rows = read_list_reply(ask(self._context, ListRequest()))
        if self._name not in [row.name for row in rows]:
            raise Verdict(f"not found: {self._name}")

    def _end_what_was_made(self, connection: Call, reply: AttachReply) -> None:
        """An original daemon has made a session, because the one that was there had ended."""
        connection.close()
        if reply.status == "Created":
            ask(self._context, KillRequest([self._name]))

    def _ask(self, header: AttachHeader, passes: bool) -> "tuple[Call, AttachReply]":
        connection = dial(self._context.paths.socket, wait=self._await)
        try:
            # The original's daemon is asked as the original's client would.
            asked = header if connection.server else self._plain(header)
            connection.send(asked, tty.STDIN if passes else None)
            self._await(connection.sock)
            reply = AttachReply.from_wire(connection.receive())
        except WireError as error:
            connection.close()
            raise ClientError(f"cannot make sense of the daemon's answer: {error}") from None
        if reply.status not in ("Attached", "Created"):
            connection.close()
        return connection, reply

    def _await(self, sock: "socket.socket") -> None:
        """Return when the daemon has begun to answer.  Raises Interrupted."""
        self._pause(None, sock)

    def _pause(self, seconds: "float | None", sock: "socket.socket | None" = None) -> None:
        """Wait, until the daemon says something at the latest.  Raises Interrupted."""
        poll = select.poll()
        if self._signals.fd >= 0:
            poll.register(self._signals.fd, select.POLLIN)
        if sock is not None:
            poll.register(sock.fileno(), select.POLLIN)
        deadline = None if seconds is None else monotonic() + seconds
        while True:
            number = self._signals.leaving()
            if number is not None:
                if sock is not None:
                    sock.close()
                raise Interrupted(number)
            left = None if deadline is None else max(0, deadline - monotonic()) * 1000
            ready = poll.poll(left)
            if not ready or any(fd != self._signals.fd for fd, _ in ready):
                return

    def _ask_again(self, header: AttachHeader, passes: bool) -> "tuple[Call, AttachReply]":
        """Have whoever is attached detached.  The original's daemon takes a while over it."""
        ask(self._context, DetachRequest([self._name]))
        for _ in range(_FORCE_TRIES):
            connection, reply = self._ask(header, passes)
            if reply.status != "Busy":
                return connection, reply
            self._pause(_FORCE_PAUSE)
        raise Verdict(
            f"session '{self._name}' already has a terminal which remains attached"
            " even after attempting to detach it"
        )

    def _header(self, variables: "dict[str, str]") -> AttachHeader:
        def rendered(option: str) -> "str | None":
            value = self._parsed.text(option)
            return None if value is None else render(value, variables)

        size = tty.size()
        self._told = size.to_wire()
        return AttachHeader(
            self._name,
            self._template,
            size,
            self._forwarded(),
            self._ttl,
            rendered("cmd"),
            self._directory(rendered("dir")),
            rendered("start-cmd"),
            background=self._background,
            existing=self._existing,
            force=self._force,
            client=f"{PROGRAM} {__version__}",
        )

    def _directory(self, given: "str | None") -> "str | None":
        """Where a new session is to start, absolute; None for the home directory."""
        if given is None:
            given = self._config.default_dir
            if given == "$HOME":
                return None
            if given.startswith("$HOME/"):
                given = self._context.environ.get("HOME", "") + given[len("$HOME") :]
        return os.path.normpath(os.path.join(self._here, given))

    def _forwarded(self) -> "list[tuple[str, str]]":
        variables = client_variables(self._context.environ, self._config.forward_env)
        # A value that is not UTF-8 cannot travel.
        return [(name, value) for name, value in variables.items() if _is_utf8(value)]

    # ---- being attached

    def _stay(self, connection: Call, reply: AttachReply) -> Outcome:
        self._signals.catch_all()
        self._terminal.shown = True
        try:
            upstream = Upstream(connection.sock)
            hands: Hands = OurHands(self._terminal)
            if reply.passed:
                hands = DaemonsHands(self._terminal, upstream)
            hands.take()
            # What _resized() may need, while it is there: we may stay for months.
            import shpool.client.lost  # noqa: F401

            relay = Relay(
                connection.sock,
                connection.rest,
                upstream,
                hands,
                self._terminal,
                self._signals,
                self._resized,
                self._switches,
            )
            self._catch_up(relay)
            return relay.run()
        finally:
            connection.close()

    def _catch_up(self, relay: Relay) -> None:
        """Nobody told us of changes since we asked, or while we left another session."""
        if "{" not in self._template:
            return
        try:
            relay.hear(_variables(dial(self._context.paths.socket, _BUSY_TIMEOUT)))
        except (ClientError, Verdict):
            pass  # it is going away, which the relay is about to hear

    def _resized(self) -> None:
        """Tell the daemon, on a connection of its own; one that cannot be told is going away."""
        size = tty.size()
        if size.to_wire() == self._told:
            return
        path = self._context.paths.socket
        try:
            try:
                connection = dial(path, _BUSY_TIMEOUT)
            except Verdict:
                # Without its socket the daemon serves us as ever, but cannot be told.
                from shpool.client.lost import bring_back

                bring_back(path, patience=_BUSY_TIMEOUT)
                connection = dial(path, _BUSY_TIMEOUT)
            try:
                connection.send(SessionMessage(self._name, size))
                connection.receive()
                self._told = size.to_wire()
            finally:
                connection.close()
        except (ClientError, Verdict, WireError):
            pass

    def _switches(self, variables: "dict[str, str]") -> bool:
        return render(self._template, variables) != self._name

    def _suspend(self) -> None:
        """Stop, as a job does; while stopped the session is free, so that nothing waits for us."""
        self._terminal.leave()
        os.kill(os.getpid(), signal.SIGSTOP)


def _variables(
    connection: Call, wait: "Callable[[socket.socket], None] | None" = None
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


def _ttl(given: "str | None") -> "int | None":
    if given is None:
        return None
    from shpool.durations import parse_duration

    return parse_duration(given)


def _working_directory() -> str:
    try:
        return os.getcwd()
    except OSError:
        return "/"  # it was removed


def _is_utf8(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
