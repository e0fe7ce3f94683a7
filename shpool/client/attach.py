"""shpool attach: work out which session is meant, attach to it, and stay until it ends.

The session's name may depend on variables; when they change while attached, the client goes over
to the session that is then meant, in the same process and terminal.  So it does when it is told to
(shpool switch), and then it comes back if it cannot have the other session.
"""

import os
import signal

from shpool import __version__
from shpool.client import tty
from shpool.client.asking import Aside, Asking, Busy, Interrupted, NotThere, ask_variables
from shpool.client.connect import Call, ClientError, LostDaemon, dial
from shpool.client.hands import DaemonsHands, OurHands
from shpool.client.reach import Nobody, ask, reach
from shpool.client.relay import Outcome, Relay, interruption
from shpool.client.signals import Signals
from shpool.client.streams import Upstream
from shpool.client.wanted import MAIN, Wanted, directory, from_switch, from_words, working_directory
from shpool.errors import ShpoolError, UsageError
from shpool.forwarded import client_variables
from shpool.names import check_name_template, check_session_name
from shpool.output import complain, unwritable
from shpool.protocol.attaching import AttachHeader, AttachReply
from shpool.protocol.replies import PROGRAM, Destination
from shpool.protocol.requests import DetachRequest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from shpool.client.caller import Caller
    from shpool.client.context import Context
    from shpool.client.relay import Hands
    from shpool.options import Parsed

_OURS = f"{PROGRAM} {__version__}"

# Without a name: how often a free session is looked for, where somebody else is faster.
_LOOKS = 5

# Seconds for which it can be read why we come back, unless a key is typed.
_READING = 2.0


def run(context: "Context", parsed: "Parsed") -> int:
    return Attach(context, parsed).run()


class Attach:
    def __init__(self, context: "Context", parsed: "Parsed") -> None:
        self._context = context
        self._named = bool(parsed.arguments)
        self._wanted = from_words(parsed.arguments[0] if self._named else MAIN, parsed)
        self._new = self._wanted  # what is made where there is nothing
        if self._wanted.read_only and not self._named:
            raise UsageError("attach --read-only needs a NAME")
        self._background = bool(parsed.count("background"))
        self._config = context.config()
        # Who may be lost in it is who types.
        self._nested = (
            bool(parsed.count("nested"))
            or self._background
            or self._config.nested
            or not os.isatty(tty.STDIN)
        )
        self._here = working_directory()
        self._terminal = tty.UserTerminal()
        self._signals = Signals()
        self._asking = Asking(context, self._signals, self._terminal)
        self._aside: Aside
        self._name = ""
        self._previous: str | None = None  # the session that we were in before that
        self._left: tuple[Wanted, str | None] | None = None  # what to come back to, if need be
        self._excuse = ""  # why we come back
        self._returns = False  # to what was there; if it has ended it is not made again
        # Where we come from, while nobody else would put the terminal in order if we were killed.
        self._behind: tuple[Call, DaemonsHands] | None = None
        self._switched = False
        self._resumes = False  # it was stopped, and goes on
        self._looks = 0  # for a session that is free
        self._caller = _caller(context.environ)
        if self._caller is not None and self._caller.literal:
            self._wanted.literal = True

    def run(self) -> int:
        try:
            variables: dict[str, str] | None = self._greet()
        except Nobody:
            wanted = self._wanted
            if not wanted.to.existing or self._context.no_daemonize:
                raise
            if self._caller is not None and self._caller.gone():
                return 1
            raise NotThere(f"not found: {wanted.name({})}") from None
        try:
            while True:
                try:
                    outcome = self._turn(variables)
                except ShpoolError as error:
                    if self._left is None or isinstance(error, LostDaemon):
                        raise
                    self._come_back(error)
                    continue
                if outcome.kind == "switch":
                    self._switched = True
                    self._go_over(outcome.destination)
                    self._terminal.clean()
                elif outcome.kind == "suspended":
                    self._suspend()
                elif outcome.kind != "gone before":
                    return self._status(outcome)
                variables = None  # they may be others by now
        finally:
            self._terminal.leave()
            self._let_go_behind()

    def _go_over(self, to: "Destination | None") -> None:
        """Want the session that we were told to go to, or else what the variables name now."""
        before, self._previous = self._previous, self._name
        if to is not None:
            self._left = self._wanted, before
            self._wanted = from_switch(to, self._wanted)

    def _come_back(self, error: ShpoolError) -> None:
        """We cannot have what we were told to go to."""
        assert self._left is not None
        (self._wanted, self._previous), self._left = self._left, None
        self._returns = True
        self._excuse = str(error)

    def _turn(self, variables: "dict[str, str] | None") -> Outcome:
        """Attach to one session and stay there; `variables` are asked for if they are not known."""
        try:
            self._say_excuse()
            if not self._named:
                self._find_free()
            if variables is None:
                variables = {} if self._wanted.literal else self._asking.variables()
            self._name = self._name_for(variables)
            attached = self._attach(variables)
        except Interrupted as interrupted:
            return interruption(interrupted.number)
        except Busy as busy:
            if self._looks_again():
                return Outcome("gone before")
            if self._left is not None:
                raise
            self._terminal.leave()
            if self._caller is None or not self._caller.busy(busy.daemon):
                # Scripts match the line of the original, people see what to do.
                joins = ", -x joins, -r watches" if busy.daemon.knows("Attach.share") else ""
                hint = f"-f takes it over{joins}\n" if self._terminal.is_terminal else ""
                complain(f"{busy}\n{hint}")
            # Not an error at first, scripts test for that; after a switch it is one.
            return Outcome("busy", 1 if self._switched else 0)
        except NotThere:
            if self._looks_again():
                return Outcome("gone before")
            if self._caller is None or self._left is not None or not self._caller.gone():
                raise
            return Outcome("gone")
        self._left = None
        self._returns = self._resumes = False
        self._wanted = self._wanted.settled()
        self._named = True
        if self._background:
            self._let_session_go(attached[0])
            return Outcome("exited", 0)
        return self._stay(*attached)

    def _find_free(self) -> None:
        """Want the session that nobody types in and that was left last."""
        from shpool.client.free import find

        self._looks += 1
        found = find(self._context)
        if found is None:
            self._wanted = self._new
        else:
            self._wanted = Wanted(Destination(found, existing=True), literal=True)

    def _looks_again(self) -> bool:
        """Returns whether somebody was faster at the session that was found."""
        return not self._named and self._looks < _LOOKS

    def _let_session_go(self, connection: Call) -> None:
        """A daemon of ours has done so itself by now, or does when nothing more comes."""
        if connection.server:
            connection.hang_up()
        connection.close()
        if not connection.server:
            ask(self._context, DetachRequest([self._name]))

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
        # Where no daemon is, no session is either.
        connection = reach(self._context, start=not self._wanted.to.existing)
        if self._caller is None and connection.server not in ("", _OURS):
            complain(
                f"shpool: warn: the daemon is {connection.server} and this is {_OURS};"
                " shpool upgrade makes it the same, and sessions go on\n"
            )
        if connection.warning:
            connection.close()
            self._warn_of_version(connection.warning)
            connection = dial(self._context.paths.socket)
        self._take_wishes(connection)
        return ask_variables(connection)

    def _take_wishes(self, connection: Call) -> None:
        """Before anything is asked: a daemon that does not know what it was to do would do harm."""
        wanted, usual = self._wanted, self._config.attach
        to = wanted.to
        try:
            for wish, wished in (("read_only", wanted.read_only), ("share", to.share)):
                if wished:
                    connection.require(f"Attach.{wish}")
        except ClientError:
            connection.close()
            raise
        said = wanted.read_only or to.share or to.force or self._background
        if not said and self._caller is None:
            to.force = usual == "force"
            to.share = usual == "share" and connection.knows("Attach.share")

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

    def _say_excuse(self) -> None:
        """The session that we come back to is about to be drawn over it, so it stands a while."""
        excuse, self._excuse = self._excuse, ""
        if excuse:
            complain(f"shpool: {excuse}{self._newline}")
            if self._terminal.is_raw:
                self._asking.pause(_READING, tty.STDIN)

    @property
    def _newline(self) -> str:
        return "\r\n" if self._terminal.is_raw else "\n"

    # ---- asking

    def _name_for(self, variables: "dict[str, str]") -> str:
        name = self._wanted.name(variables)
        check_session_name(name, self._wanted.to.name)
        check_name_template(self._wanted.to.name)
        return name

    def _attach(self, variables: "dict[str, str]") -> "tuple[Call, AttachReply]":
        """The connection on which the session's output follows.  Raises as Asking.attach()."""
        descriptor = None
        if not self._background:
            # Caught from before the size is asked for, so that no change of it is missed.
            self._signals.catch_resizes()
            if self._config.pass_terminal and self._terminal.is_terminal:
                self._signals.catch_all()
                descriptor = tty.STDIN if self._terminal.offer() else None
        connection, reply = self._asking.attach(self._header(variables), descriptor)
        if self._caller is not None:
            wanted = self._wanted
            literal = wanted.literal and "{" in wanted.to.name
            self._caller.attached(wanted.to.name, connection, self._newline, literal=literal)
        for warning in reply.warnings:
            complain(f"shpool: warn: {warning}{self._newline}")
        return connection, reply

    def _header(self, variables: "dict[str, str]") -> AttachHeader:
        wanted, to = self._wanted, self._wanted.to

        def filled(text: "str | None") -> "str | None":
            return None if text is None else wanted.filled(text, variables)

        where = filled(to.dir)
        if not wanted.literal:
            where = directory(self._context, where, self._here)
        size = tty.size()
        self._aside = Aside(self._context.paths.socket, self._name, size)
        return AttachHeader(
            self._name,
            to.name,
            size,
            self._forwarded(),
            to.ttl_secs,
            filled(to.cmd),
            where,
            filled(to.start_cmd),
            background=self._background,
            existing=to.existing or self._returns,
            force=to.force,
            share=to.share,
            read_only=wanted.read_only,
            client=_OURS,
            previous=self._previous,
            nested=self._nested,
            resumes=self._resumes,
            comeback=self._caller.comeback if self._caller is not None else None,
        )

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
            can_ask = self._terminal.is_terminal and connection.knows("Detach.pid")
            hands: Hands = OurHands(self._terminal, self._aside.detach if can_ask else None)
            if reply.passed:
                hands = DaemonsHands(self._terminal, upstream)
            hands.take()
            self._let_go_behind()
            # What resizing may need, while it is there: we may stay for months.
            import shpool.client.lost  # noqa: F401

            relay = Relay(
                connection.sock,
                connection.rest,
                upstream,
                hands,
                self._terminal,
                self._signals,
                self._aside.resize,
                self._switches,
            )
            self._catch_up(relay)
            outcome = relay.run()
            if outcome.kind == "switch" and isinstance(hands, DaemonsHands):
                self._behind = connection, hands
            return outcome
        finally:
            if self._behind is None:
                connection.close()

    def _let_go_behind(self) -> None:
        """The terminal is in good hands again, or as it was."""
        if self._behind is not None:
            (connection, hands), self._behind = self._behind, None
            hands.let_go()
            connection.close()

    def _catch_up(self, relay: Relay) -> None:
        """Nobody told us of changes since we asked, or while we left another session."""
        variables = self._aside.variables() if self._wanted.varies else None
        if variables is not None:
            relay.hear(variables)

    def _switches(self, variables: "dict[str, str]") -> bool:
        return self._wanted.name(variables) != self._name

    def _suspend(self) -> None:
        """Stop, as a job does; while stopped the session is free, so that nothing waits for us."""
        self._terminal.leave()
        self._let_go_behind()
        if self._signals.may_stop():
            os.kill(os.getpid(), signal.SIGSTOP)
        self._resumes = True


def _caller(environ: "Mapping[str, str]") -> "Caller | None":
    """Who has run us from another host.  What says so is not passed on."""
    said = environ.get("SHPOOL__SSH")
    if said is None:
        return None
    os.environ.pop("SHPOOL__SSH", None)
    from shpool.client.caller import Caller

    return Caller(said)


def _is_utf8(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
