"""What each request does, and what is answered.  Attach, the long one, is in clients/attach.py.

A request is answered at once, or waits in the waiting room for a session that is just coming or
going, to be asked again.  A new one needs a class in protocol/, a line in the table at the end of
this file, and what it does.
"""

from shpool import logs
from shpool.daemon.clients.attach import Attaching, detach, detach_all, refuse
from shpool.daemon.clients.connection import Connection, ConnectionUser
from shpool.daemon.clients.follow_errand import FollowErrand
from shpool.daemon.clients.peek_errand import PeekErrand
from shpool.daemon.clients.run_errand import RunErrand
from shpool.daemon.clients.typing_errand import TypingErrand
from shpool.daemon.clients.wait_errand import WaitErrand
from shpool.daemon.clients.waiting import AwaitEnd, WaitingRoom
from shpool.daemon.loop import peer
from shpool.daemon.loop.reactor import each_alone, end_broken
from shpool.daemon.replace import Replacement
from shpool.daemon.sessions.inside import session_on, who_typed
from shpool.daemon.sessions.session import DOOMED, STARTING
from shpool.daemon.sessions.table import TableUser
from shpool.daemon.sessions.variables import TooManyVariables, Variables
from shpool.protocol import replies, requests
from shpool.protocol.attaching import AttachHeader
from shpool.protocol.outside import PeekRequest, SendRequest
from shpool.protocol.running import RunRequest
from shpool.protocol.switching import SwitchRequest
from shpool.protocol.upgrading import UpgradeRequest
from shpool.protocol.watching import FollowRequest, WaitRequest, WatchHead

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from typing import Any

    from shpool.daemon.loop.reactor import Reactor
    from shpool.daemon.sessions.session import Session
    from shpool.daemon.sessions.table import SessionTable
    from shpool.protocol.all_requests import Request


class Requests(ConnectionUser, TableUser):
    """`accepted` is for the listener of the main socket; peers are greeted with `version`.

    `connections` are those that have not been answered, or not read their answer yet, and `waits`
    those whose answer goes on.
    """

    replacement: Replacement  # to be set before anything is accepted

    def __init__(
        self,
        reactor: "Reactor",
        table: "SessionTable",
        room: WaitingRoom,
        attaching: Attaching,
        version: str,
        variables: Variables,
    ) -> None:
        self._reactor = reactor
        self._table = table
        self._room = room
        self._attaching = attaching
        self._version = version
        self.variables = variables
        self.connections: set[Connection] = set()
        self.waits: dict[Connection, WaitErrand] = {}

    def taken_on(self, connection: Connection) -> None:
        """It was accepted by another process."""
        self.connections.add(connection)
        if isinstance(connection.streams, WaitErrand):
            self.waits[connection] = connection.streams

    def accepted(self, sock: "socket.socket") -> None:
        self.connections.add(Connection(self._reactor, sock, self._version, self))

    def connection_closed(self, connection: Connection) -> None:
        self.connections.discard(connection)
        self.waits.pop(connection, None)
        for name in tuple(self._room.waiting):
            session = self._table.get(name)
            if session is not None and session.state.now == DOOMED:
                self._room.forget(name, connection)  # else kept until its end, which may not come

    def close_all(self) -> None:
        """The daemon ends: nobody is answered any more."""
        for connection in tuple(self.connections):
            connection.close()

    def connection_asked(self, connection: Connection, request: "Request") -> None:
        self._ask(connection, request)

    def _ask(self, connection: Connection, request: "Request | AwaitEnd") -> None:
        names, handle = _TABLE[type(request)]
        for name in names(request):
            session = self._table.get(name)
            if session is not None and session.state.now == STARTING:
                # Neither there nor unknown yet.
                self._room.wait(name, connection, request)
                return
        handle(self, connection, request)

    def sessions_changed(self) -> None:
        for name, failure in self._table.take_changes():
            self._ask_again(name, failure)
            session = self._table.get(name)
            if session is not None and session.state.now != STARTING:
                self._tell_waits(session)

    def _tell_waits(self, session: "Session") -> None:
        each_alone(self.waits.values(), lambda wait: wait.came(session))

    def _ask_again(self, name: str, failure: "str | None") -> None:
        for connection, request in self._room.leave(name):
            try:
                if failure is not None:
                    reason, failure = failure, None  # it was made for who came first
                    if connection.alive:
                        refuse(connection, reason)
                elif connection.alive:
                    self._ask(connection, request)
            except Exception as error:
                end_broken(error, connection)

    # ---- what each does

    def _attach(self, connection: Connection, request: AttachHeader) -> None:
        self._attaching.attach(connection, request)

    def _list(self, connection: Connection, request: requests.ListRequest) -> None:
        rows = [session.row() for session in self._table.listed()]
        connection.reply(replies.list_reply(rows, self._here(connection) if rows else None))

    def _here(self, connection: Connection) -> "replies.Here | None":
        session = self._named(connection, ".")
        if session is None:
            return None
        client = who_typed(session)
        return replies.Here(session.name, None if client is None else client.pid)

    def _session_message(self, connection: Connection, message: requests.SessionMessage) -> None:
        kind = "Resize" if message.size else "Detach"
        session = self._table.get(message.session_name)
        outcome = "Ok"
        if session is None:
            outcome = "NotFound"
        elif message.size is not None:
            session.resize(connection.pid, message.size)
        else:
            detach_all(session)
        connection.reply(replies.session_message_reply(kind, outcome))

    def _detach(self, connection: Connection, request: requests.DetachRequest) -> None:
        not_found: list[str] = []
        not_attached: list[str] = []
        for name in request.sessions:
            session = self._table.get(name)
            if session is None:
                not_found.append(name)
            elif not detach(session, request):
                not_attached.append(name)
        connection.reply(replies.detach_reply(not_found, not_attached))

    def _kill(self, connection: Connection, request: requests.KillRequest) -> None:
        doomed: list[Session] = []
        not_found: list[str] = []
        for name in dict.fromkeys(request.sessions):
            session = self._table.get(name)
            if session is None:
                not_found.append(name)
            else:
                doomed.append(session)
        each_alone(doomed, lambda session: session.kill())
        self._await_end(connection, AwaitEnd(doomed, not_found))

    def _await_end(self, connection: Connection, request: AwaitEnd) -> None:
        for session in request.sessions:
            if self._table.get(session.name) is session:
                self._room.wait(session.name, connection, request)
                return
        connection.reply(replies.kill_reply(request.not_found))

    def _send(self, connection: Connection, request: SendRequest) -> None:
        session = self._named(connection, request.session_name)
        if session is None:
            connection.reply("NotFound")
        else:
            TypingErrand(connection, session, request).begin()

    def _wait(self, connection: Connection, request: WaitRequest) -> None:
        sessions: dict[str, Session | None] = {}
        for name in request.sessions:
            session = self._named(connection, name)
            sessions[name if session is None else session.name] = session
        wait = WaitErrand(self._reactor, connection, request)
        if wait.begin(sessions):
            self.waits[connection] = wait

    def _peek(self, connection: Connection, request: PeekRequest) -> None:
        session = self._named(connection, request.session_name)
        if session is None:
            connection.reply("NotFound")
        else:
            PeekErrand(self._reactor, connection, session, request).begin()

    def _follow(self, connection: Connection, request: FollowRequest) -> None:
        session = self._named(connection, request.session_name)
        if session is None:
            connection.reply(WatchHead([], [request.session_name]).to_wire())
        else:
            FollowErrand(connection, session, request).begin()

    def _run(self, connection: Connection, request: RunRequest) -> None:
        session = self._named(connection, request.session_name)
        if session is None:
            connection.reply(WatchHead([], [request.session_name]).to_wire())
        else:
            RunErrand(self._reactor, connection, session, request).begin()

    def _named(self, connection: Connection, name: str) -> "Session | None":
        """The session of that name, or with "." the one on whose pty the client runs."""
        if name != ".":
            return self._table.get(name)
        return session_on(self._table, peer.controlling_terminal(connection.pid))

    def _switch(self, connection: Connection, request: SwitchRequest) -> None:
        self._attaching.switch(connection, self._named(connection, request.session_name), request)

    def _modify_var(self, connection: Connection, request: requests.ModifyVar) -> None:
        try:
            payload = self.variables.change(request.var, request.val)
        except TooManyVariables as error:
            connection.reply({"error": str(error)})
            return
        each_alone(self._attaching.clients, lambda client: client.send_vars(payload))
        connection.reply({})

    def _get_vars(self, connection: Connection, request: requests.GetVars) -> None:
        connection.reply(self.variables.message().to_wire())

    def _upgrade(self, connection: Connection, request: UpgradeRequest) -> None:
        self.replacement.ask(connection, request)

    def _set_log_level(self, connection: Connection, request: requests.SetLogLevel) -> None:
        logs.log.level = logs.NAMES.index(request.level.lower())
        logs.info(f"log level {request.level.lower()}")
        connection.reply({})


def _nobody(request: "Any") -> "list[str]":
    return []


def _its_sessions(request: "Any") -> "list[str]":
    names: list[str] = request.sessions
    return names


def _its_session(request: "Any") -> "list[str]":
    return [request.session_name]


# The sessions that a request names, of which none may be just being started, and what it does.
_TABLE: "dict[type, tuple[Callable[[Any], list[str]], Callable[[Requests, Connection, Any], None]]]"
_TABLE = {
    AttachHeader: (_nobody, Requests._attach),  # sees to that itself
    requests.ListRequest: (_nobody, Requests._list),
    requests.SessionMessage: (_its_session, Requests._session_message),
    requests.DetachRequest: (_its_sessions, Requests._detach),
    requests.KillRequest: (_its_sessions, Requests._kill),
    AwaitEnd: (_nobody, Requests._await_end),
    SendRequest: (_its_session, Requests._send),
    WaitRequest: (_its_sessions, Requests._wait),
    PeekRequest: (_its_session, Requests._peek),
    FollowRequest: (_its_session, Requests._follow),
    RunRequest: (_its_session, Requests._run),
    SwitchRequest: (_its_session, Requests._switch),
    requests.ModifyVar: (_nobody, Requests._modify_var),
    requests.GetVars: (_nobody, Requests._get_vars),
    requests.SetLogLevel: (_nobody, Requests._set_log_level),
    UpgradeRequest: (_nobody, Requests._upgrade),
}
