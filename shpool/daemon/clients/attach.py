"""Attach requests: take an existing session, or make one, or say why not.

An attach to a session that is being started or killed waits for that to end and is then looked
at afresh, so that two clients who ask for one new name at once end up with one session.
"""

from math import inf
from time import monotonic

from shpool import logs
from shpool.daemon.clients import motd
from shpool.daemon.clients.channel import Channel
from shpool.daemon.clients.client import AttachedClient
from shpool.daemon.clients.pager import Pager
from shpool.daemon.clients.terminal_channel import PassedTerminal, Refused, TerminalChannel
from shpool.daemon.loop import peer
from shpool.daemon.programs.command import prepare, update
from shpool.daemon.programs.directory import SessionDir
from shpool.daemon.programs.spawn import Command
from shpool.daemon.sessions.session import Session
from shpool.errors import ShpoolError
from shpool.keys.scanner import Scanner
from shpool.names import InvalidName, check_session_name
from shpool.protocol.messages import AttachHeader, AttachReply

TYPE_CHECKING = False
if TYPE_CHECKING:
    from shpool.config import Config, ConfigSource
    from shpool.daemon.clients.connection import Connection
    from shpool.daemon.loop.reactor import Reactor
    from shpool.daemon.programs.spawn import Spawner
    from shpool.daemon.sessions.table import SessionTable


class Attaching:
    def __init__(
        self,
        reactor: "Reactor",
        table: "SessionTable",
        spawner: "Spawner",
        config: "ConfigSource",
        state_dir: str,
    ) -> None:
        self._reactor = reactor
        self._table = table
        self._spawner = spawner
        self._config = config
        self._state_dir = state_dir
        self._motd_shown = -inf  # monotonic seconds
        self.starting: dict[str, Session] = {}  # not in the table before they run
        # Who asked for a session that is being started, or killed; the first one of a session
        # being started is who it is started for.
        self._waiting: dict[str, list[tuple[Connection, AttachHeader]]] = {}

    def attach(self, connection: "Connection", header: AttachHeader) -> None:
        """Answer the request, now or when its session can be told to exist or not."""
        name = header.name
        try:
            check_session_name(name)
        except InvalidName as error:
            logs.warn(f"attach refused: {error}")
            _refuse(connection, f"invalid session name {_quoted(name)}")
            return
        if name in self._waiting:
            self._waiting[name].append((connection, header))
            return
        # A shell may have died in this very turn of the loop.
        self._spawner.reap()
        session = self._table.sessions.get(name)
        if session is None:
            self._create(connection, header)
        elif session.doomed:
            self._waiting[name] = [(connection, header)]
            session.when_gone.append(self._gone)
        elif _inside(session, connection):
            # With --force it would be shown its own output, without end.
            _refuse(connection, f"session {_quoted(name)} cannot be attached to from inside it")
        elif session.clients:
            logs.info(f"session {name!r}: busy, attach of pid {connection.pid} refused")
            connection.reply(AttachReply("Busy").to_wire())
            self._table.busy(session)
        else:
            self._reattach(session, connection, header)

    def _gone(self, session: Session) -> None:
        self._retry(self._waiting.pop(session.name, []))

    def _retry(self, waiting: "list[tuple[Connection, AttachHeader]]") -> None:
        for connection, header in waiting:
            self.attach(connection, header)

    # ---- an existing session

    def _reattach(self, session: Session, connection: "Connection", header: AttachHeader) -> None:
        config = self._config.current()
        warnings = update(session.directory, config, header)
        reply = AttachReply("Attached", warnings)
        client = self._client(connection, header, config, reply)
        self._table.attach(session, client)
        session.fit(header.size)
        self._begin(client, session, reply, connection, header)
        self._table.reattached(session)

    def _begin(
        self,
        client: AttachedClient,
        session: Session,
        reply: AttachReply,
        connection: "Connection",
        header: AttachHeader,
    ) -> None:
        command = self._pager_command(session)
        pager = Pager(self._reactor, client) if command else None
        client.begin(session, reply, connection.early_input, pager)
        if pager is not None and command is not None and client in session.clients:
            pager.start(self._spawner, command, header.size.usable())

    def _pager_command(self, session: Session) -> "Command | None":
        """What shows the message of the day before this attach; None if nothing is due."""
        wanted = self._config.current().motd
        if wanted.mode != "pager":
            return None
        now = monotonic()
        if now - self._motd_shown < (wanted.show_every or 0):
            return None
        text = motd.pager_form(motd.message(self._config.current().motd_args))
        if not text:
            return None
        try:
            path = session.directory.write("motd", text)
        except OSError as error:
            logs.warn(f"the message of the day is not shown: {error.strerror}")
            return None
        self._motd_shown = now
        return Command(wanted.pager, [wanted.pager, path], session.env, "/")

    def _client(
        self, connection: "Connection", header: AttachHeader, config: "Config", reply: AttachReply
    ) -> AttachedClient:
        terminal = _passed_terminal(connection, config, reply)
        sock = connection.hand_over()
        reply.passed = terminal is not None
        return AttachedClient(
            self._reactor,
            self._table,
            TerminalChannel(self._reactor, sock, terminal)
            if terminal is not None
            else Channel(self._reactor, sock),
            connection.pid,
            header.name_template or header.name,
            Scanner(config.keybinding),
        )

    # ---- a new session

    def _create(self, connection: "Connection", header: AttachHeader) -> None:
        config = self._config.current()
        directory = SessionDir(self._state_dir, header.name)
        session = Session(self._reactor, self._table, header.name, directory, self._ready)
        try:
            directory.create()
            update(directory, config, header)
            command = prepare(config, header, directory)
            session.start(self._spawner, command, header.size.usable(), config)
        except ShpoolError as error:
            directory.remove()
            _refuse(connection, str(error))
            return
        except OSError as error:
            directory.remove()
            _refuse(connection, f"cannot make {directory.path}: {error.strerror}")
            return
        self.starting[header.name] = session
        self._waiting[header.name] = [(connection, header)]

    def _ready(self, session: Session, failure: "str | None") -> None:
        """The shell runs, or it does not: answer the first who asked, look again at the rest."""
        del self.starting[session.name]
        waiting = self._waiting.pop(session.name)
        connection, header = waiting.pop(0)
        if failure is not None:
            _refuse(connection, failure)
            self._retry(waiting)
            return
        config = self._config.current()
        reply = AttachReply("Created")
        client = self._client(connection, header, config, reply)
        self._table.create(session)
        self._table.attach(session, client)
        if header.ttl_secs is not None:
            session.expire_after(header.ttl_secs)
        self._begin(client, session, reply, connection, header)
        if config.motd.mode == "dump":
            session.show(motd.dump_form(motd.message(config.motd_args)))
        self._retry(waiting)


def _passed_terminal(
    connection: "Connection", config: "Config", reply: AttachReply
) -> "PassedTerminal | None":
    """The terminal that came with the request, if it may and can be used.

    With warnings the client keeps it: it shows them before anything else is shown.
    """
    if connection.offered is None or not config.pass_terminal or reply.warnings:
        return None
    try:
        return PassedTerminal(connection.offered, connection.pid)
    except Refused as error:
        logs.debug(f"the terminal of pid {connection.pid} is left to it: {error}")
        return None


def _inside(session: Session, connection: "Connection") -> bool:
    """Whether the client runs on the session's own pty, as far as the system tells."""
    theirs = peer.controlling_terminal(connection.pid)
    return theirs is not None and theirs == peer.controlling_terminal(session.pid)


def _refuse(connection: "Connection", reason: str) -> None:
    connection.reply(AttachReply("UnexpectedError", reason=reason).to_wire())


def _quoted(name: str) -> str:
    return "'" + "".join(c if c.isprintable() else ascii(c)[1:-1] for c in name) + "'"
