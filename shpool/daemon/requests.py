"""What each request does, and what is answered.  Attach, the long one, is in clients/attach.py."""

from shpool import logs
from shpool.daemon.clients.connection import Connection
from shpool.protocol import messages
from shpool.protocol.chunks import MAX_PAYLOAD

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket

    from shpool.daemon.clients.attach import Attaching
    from shpool.daemon.loop.reactor import Reactor
    from shpool.daemon.sessions.session import Session
    from shpool.daemon.sessions.table import SessionTable
    from shpool.protocol.messages import Request


class Dispatch:
    """`accepted` is for the listener of the main socket; peers are greeted with `version`."""

    def __init__(
        self,
        reactor: "Reactor",
        table: "SessionTable",
        attaching: "Attaching",
        version: str,
        variables: "dict[str, str]",
    ) -> None:
        self._reactor = reactor
        self._table = table
        self._attaching = attaching
        self._version = version
        self.variables = variables

    def accepted(self, sock: "socket.socket") -> None:
        Connection(self._reactor, sock, self._version, self.asked)

    def asked(self, connection: Connection, request: "Request") -> None:
        """Answer `request`, now or later."""
        session = self._starting(request)
        if session is not None:
            session.when_ready.append(_Postponed(self, connection, request).look_again)
        elif isinstance(request, messages.AttachHeader):
            self._attaching.attach(connection, request)
        elif isinstance(request, messages.ListRequest):
            rows = [session.row() for session in self._table.sessions.values()]
            connection.reply(messages.list_reply(rows))
        elif isinstance(request, messages.SessionMessage):
            self._session_message(connection, request)
        elif isinstance(request, messages.DetachRequest):
            self._detach(connection, request)
        elif isinstance(request, messages.KillRequest):
            self._kill(connection, request)
        elif isinstance(request, messages.ModifyVar):
            self._modify_var(connection, request)
        elif isinstance(request, messages.GetVars):
            connection.reply(self._switch().to_wire())
        else:
            logs.log.level = messages.LOG_LEVELS.index(request.level)
            logs.info(f"log level {request.level.lower()}")
            connection.reply({})

    def _starting(self, request: "Request") -> "Session | None":
        """A session that `request` names and that is neither there nor unknown yet."""
        names: list[str] = []
        if isinstance(request, (messages.KillRequest, messages.DetachRequest)):
            names = request.sessions
        elif isinstance(request, messages.SessionMessage):
            names = [request.session_name]
        starting = self._attaching.starting
        return next((starting[name] for name in names if name in starting), None)

    def _session_message(self, connection: Connection, message: messages.SessionMessage) -> None:
        kind = "Resize" if message.size else "Detach"
        session = self._table.sessions.get(message.session_name)
        outcome = "Ok"
        if session is None:
            outcome = "NotFound"
        elif message.size is not None:
            session.resize(message.size)
        else:
            _detach_all(session)
        connection.reply(messages.session_message_reply(kind, outcome))

    def _detach(self, connection: Connection, request: messages.DetachRequest) -> None:
        not_found: list[str] = []
        not_attached: list[str] = []
        for name in request.sessions:
            session = self._table.sessions.get(name)
            if session is None:
                not_found.append(name)
            elif not session.clients:
                not_attached.append(name)
            else:
                _detach_all(session)
        connection.reply(messages.detach_reply(not_found, not_attached))

    def _kill(self, connection: Connection, request: messages.KillRequest) -> None:
        doomed: list[Session] = []
        not_found: list[str] = []
        for name in dict.fromkeys(request.sessions):
            session = self._table.sessions.get(name)
            if session is None:
                not_found.append(name)
            else:
                doomed.append(session)
        _Killing(connection, doomed, not_found)

    def _modify_var(self, connection: Connection, request: messages.ModifyVar) -> None:
        changed = dict(self.variables)
        if request.val is None:
            changed.pop(request.var, None)
        else:
            changed[request.var] = request.val
        payload = messages.MaybeSwitch(list(changed.items())).to_bytes()
        if len(payload) > MAX_PAYLOAD:
            # Clients of the original refuse a larger chunk, and they would all be sent one.
            reason = f"all variables together may not take more than {MAX_PAYLOAD} bytes"
            connection.reply({"error": reason})
            return
        self.variables.clear()
        self.variables.update(changed)
        for session in self._table.sessions.values():
            for client in tuple(session.clients):
                client.send_vars(payload)
        connection.reply({})

    def _switch(self) -> messages.MaybeSwitch:
        return messages.MaybeSwitch(list(self.variables.items()))


class _Postponed:
    """A request about a session whose shell is being started: it waits for how that goes."""

    def __init__(self, dispatch: Dispatch, connection: Connection, request: "Request") -> None:
        self._dispatch = dispatch
        self._connection = connection
        self._request = request

    def look_again(self, session: "Session") -> None:
        self._dispatch.asked(self._connection, self._request)


class _Killing:
    """A Kill request, answered when all of its sessions are off the table."""

    def __init__(
        self, connection: Connection, doomed: "list[Session]", not_found: "list[str]"
    ) -> None:
        self._connection = connection
        self._left = len(doomed)
        self._not_found = not_found
        for session in doomed:
            session.when_gone.append(self._one_gone)
            session.kill()
        if not doomed:
            self._answer()

    def _one_gone(self, session: "Session") -> None:
        self._left -= 1
        if not self._left:
            self._answer()

    def _answer(self) -> None:
        self._connection.reply(messages.kill_reply(self._not_found))


def _detach_all(session: "Session") -> None:
    for client in list(session.clients):
        client.detach()
