"""Attach requests: who may attach; take an existing session, or make one, or say why not.

An attach to a session that is being started or about to end waits for that and is then looked at
afresh, so that two clients who ask for one new name at once end up with one session.
"""

from shpool import logs
from shpool.daemon.clients.ahead import TypedAhead
from shpool.daemon.clients.channel import Channel, ChunkChannel
from shpool.daemon.clients.client import AttachedClient, ClientUser
from shpool.daemon.clients.motd import Motd
from shpool.daemon.clients.passed_terminal import PassedTerminal, Refused
from shpool.daemon.clients.switching import SwitchErrand, check, message_for, where_to, who_goes
from shpool.daemon.clients.terminal_channel import TerminalChannel
from shpool.daemon.loop import peer
from shpool.daemon.loop.reactor import each_alone, end_broken
from shpool.daemon.programs.command import prepare, update
from shpool.daemon.programs.directory import SessionDir
from shpool.daemon.sessions.inside import (
    closes_ring,
    nested_refused,
    ring_refused,
    session_on,
)
from shpool.daemon.sessions.participant import SHARED, WATCHER
from shpool.daemon.sessions.session import RUNNING, Session
from shpool.errors import ShpoolError
from shpool.keys.scanner import Scanner
from shpool.names import InvalidName, check_name_template, check_session_name, shown
from shpool.protocol.attaching import AttachHeader, AttachReply
from shpool.protocol.replies import Destination
from shpool.protocol.switching import SwitchReply

TYPE_CHECKING = False
if TYPE_CHECKING:
    from shpool.config import Config, ConfigSource
    from shpool.daemon.clients.connection import Connection
    from shpool.daemon.clients.waiting import WaitingRoom
    from shpool.daemon.loop.peer import Device
    from shpool.daemon.loop.reactor import Reactor
    from shpool.daemon.programs.spawn import Spawner
    from shpool.daemon.sessions.table import SessionTable
    from shpool.protocol.requests import DetachRequest
    from shpool.protocol.switching import SwitchRequest


class Attaching(ClientUser):
    """`clients` are all there are, those included whose end is not over yet."""

    def __init__(
        self,
        reactor: "Reactor",
        table: "SessionTable",
        room: "WaitingRoom",
        spawner: "Spawner",
        config: "ConfigSource",
        state_dir: str,
        motd: Motd,
        ahead: TypedAhead,
    ) -> None:
        self._reactor = reactor
        self._table = table
        self._room = room
        self._spawner = spawner
        self._config = config
        self._state_dir = state_dir
        self._motd = motd
        self._ahead = ahead
        self.clients: set[AttachedClient] = set()

    def attach(self, connection: "Connection", header: AttachHeader) -> None:
        """Answer the request, or have it wait until the session can be told to exist or not."""
        name = header.name
        try:
            check_session_name(name)
        except InvalidName as error:
            logs.warn(f"attach refused: {error}")
            refuse(connection, f"invalid session name {_quoted(name)}")
            return
        try:
            check_name_template(header.name_template)
        except InvalidName as error:
            logs.warn(f"attach refused: {error}")
            refuse(connection, str(error))
            return
        if not header.nested:
            inside = session_on(self._table, peer.controlling_terminal(connection.pid))
            if inside is not None and inside.name != name:  # else it is told that it is a ring
                refuse(connection, nested_refused(inside.name, name))
                return
        # A shell may have died in this very turn of the loop.  One that was just started has its
        # last words and its status for the client that it was started for.
        self._spawner.reap()
        session = self._table.get(name)
        if self._is_coming_or_going(name):
            self._room.wait(name, connection, header)
        elif session is not None:
            self._take(session, connection, header)
        elif header.existing or header.read_only:
            connection.reply(AttachReply("NotFound").to_wire())
        else:
            self._create(connection, header)

    def switch(
        self, connection: "Connection", named: "Session | None", request: "SwitchRequest"
    ) -> None:
        """Have an attached client go over to another session, or say why not.

        `named` is the session that the request names, if it names one that is there.
        """
        try:
            session, client = who_goes(self._table, named, request)
            to = where_to(self._table, client, request.destination, back=request.back)
            self._spawner.reap()
            if to.name == session.name:
                connection.reply(SwitchReply().to_wire())
            elif self._is_coming_or_going(to.name):
                self._room.wait(to.name, connection, request)
            else:
                errand = SwitchErrand(self._table, connection, session, client, to)
                errand.begin(self._spawner, self._config.current(), self._state_dir)
        except ShpoolError as error:
            connection.reply(SwitchReply(str(error)).to_wire())

    def _is_coming_or_going(self, name: str) -> bool:
        """Returns whether what becomes of the session has to be waited for."""
        session = self._table.get(name)
        if name in self._room:
            return True
        return session is not None and (
            session.state.now != RUNNING or (session.shell_gone and not session.fresh)
        )

    def way_back(self, client: AttachedClient) -> "bytes | None":
        try:
            wish = self._config.current().attach
            wanted = Destination("", force=wish == "force", share=wish == "share")
            to = where_to(self._table, client, wanted, back=True)
            if not client.version or self._is_coming_or_going(to.name):
                return None
            check(self._table, client, to)
            return message_for(to)
        except ShpoolError:
            return None

    def typed_ahead(self, pid: int, data: bytes) -> None:
        self._ahead.keep(pid, data)

    def client_gone(self, client: AttachedClient) -> None:
        self.clients.discard(client)

    def drop_all(self) -> None:
        """The daemon ends: hang up on who is left, those included that are leaving."""
        each_alone(self.clients, lambda client: client.drop())
        self.clients.clear()

    # ---- an existing session

    def _take(self, session: Session, connection: "Connection", header: AttachHeader) -> None:
        device = peer.controlling_terminal(connection.pid)
        if closes_ring(self._table, session, device):
            refuse(connection, ring_refused(session.name))
            return
        if header.force and not header.read_only:
            detach_all(session)
        replaces = _replace(session, header)
        typed_at = session.roles.gone.take(_names_before(connection, header))
        joins = replaces or typed_at or header.share or header.read_only
        if header.previous is not None and not header.resumes:
            typed_at = 0.0  # it has been elsewhere
        if session.typing and not joins:
            logs.info(f"session {session.name!r}: busy, attach of pid {connection.pid} refused")
            connection.reply(AttachReply("Busy").to_wire())
            self._table.busy(session)
        elif session.fresh and not (header.existing or header.read_only):
            reply = AttachReply("Created", session.warnings)
            self._serve(session, reply, connection, header, device, typed_at)
            self._motd.dump(session, self._config.current())
        else:
            warnings = []
            if not header.read_only:  # a watcher's agent and variables are of no use to the shell
                warnings = update(session.directory, self._config.current(), header)
            elif not session.picture.remembers:
                warnings = [f"session {_quoted(session.name)} {_UNSEEN}"]
            reply = AttachReply("Attached", warnings)
            self._serve(session, reply, connection, header, device, typed_at)
            if not header.read_only:
                self._table.reattached(session)

    def _serve(
        self,
        session: Session,
        reply: AttachReply,
        connection: "Connection",
        header: AttachHeader,
        device: "Device | None",
        typed_at: float,
    ) -> None:
        config = self._config.current()
        client = self._client(connection, header, config, reply, device)
        client.typed_at = typed_at
        try:
            self._table.attach(session, client)
            client.answer(reply)
            if header.background:
                client.enter(session)
                client.detach()
                return
            pager = self._motd.pager(session, config)
            if pager is None:
                client.enter(session)
            else:
                client.page(session, self._spawner, pager)
            ahead = self._ahead.take(client.pid)
            if ahead:
                client.bring(ahead)
        except Exception as error:
            end_broken(error, client)  # the connection is not ours any more
            session.detach(client)

    def _client(
        self,
        connection: "Connection",
        header: AttachHeader,
        config: "Config",
        reply: AttachReply,
        device: "Device | None",
    ) -> AttachedClient:
        channel = self._channel(connection, _passed_terminal(connection, config, reply))
        reply.passed = isinstance(channel, TerminalChannel)
        client = AttachedClient(
            self._reactor,
            channel,
            Scanner(config.keybinding),
            self,
            pid=connection.pid,
            template=header.name_template or header.name,
            size=header.size.usable(),
            device=device,
            fresh=reply.status == "Created",
            shows=not header.background,
            env=header.env,
            version=header.client,
            comeback=header.comeback,
            role=WATCHER if header.read_only else SHARED,
            previous=_name(header.previous),
        )
        self.clients.add(client)
        return client

    def _channel(self, connection: "Connection", terminal: "PassedTerminal | None") -> Channel:
        sock, early = connection.hand_over()
        try:
            if terminal is None:
                return ChunkChannel(self._reactor, sock, early)
            return TerminalChannel(self._reactor, sock, early, terminal)
        except BaseException:
            sock.close()
            if terminal is not None:
                terminal.close()
            raise

    # ---- a new session

    def _create(self, connection: "Connection", header: AttachHeader) -> None:
        """Start its shell, and have the request wait for how that goes."""
        config = self._config.current()
        directory = SessionDir(self._state_dir, header.name)
        size = header.size.usable()
        session = Session(
            self._reactor, self._table, header.name, directory, config, size, header.ttl_secs
        )
        try:
            directory.create()
            session.warnings = update(directory, config, header)
            program = prepare(config, header, directory)
            session.start(self._spawner, program, echo=not config.noecho)
        except Exception as error:
            session.abandon()
            if isinstance(error, ShpoolError):
                refuse(connection, str(error))
            elif isinstance(error, OSError):
                refuse(connection, f"cannot make {directory.path}: {error.strerror}")
            else:
                raise
            return
        self._table.enter(session)
        self._room.wait(header.name, connection, header)


_UNSEEN = "keeps no screen: you see what is printed from now on"


def refuse(connection: "Connection", reason: str) -> None:
    """Answer an attach request with the reason why it is not done."""
    connection.reply(AttachReply("UnexpectedError", reason=reason).to_wire())


def detach_all(session: Session) -> None:
    """Let everybody go who types at a session."""
    each_alone(session.typing, lambda client: client.detach())


def detach(session: Session, request: "DetachRequest") -> bool:
    """Let the clients go that are meant.  Returns whether there was one."""
    if request.pid is not None:
        going = [client for client in session.clients if client.pid == request.pid]
    else:
        everybody = session.clients if request.watchers else session.typing
        going = [client for client in everybody if client.pid != request.except_pid]
    each_alone(going, lambda client: client.detach())
    return bool(going)


def _replace(session: Session, header: AttachHeader) -> bool:
    """Let go who is there by a connection that was lost, for who comes back by the next one.

    Returns whether there was somebody to be replaced.
    """
    tokens = header.comeback.replaces if header.comeback is not None else []
    replaced = [each for each in session.clients if each.token and each.token in tokens]
    each_alone(replaced, lambda client: client.detach())
    return bool(replaced)


def _names_before(connection: "Connection", header: AttachHeader) -> "list[str]":
    """What the client was known as (Participant.known_as) if it was at the session before."""
    comeback = header.comeback
    names = list(comeback.replaces) if comeback is not None else []
    if header.resumes or header.previous is not None:
        names.append(str(connection.pid) if comeback is None else comeback.token)
    return names


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


def _name(said: "str | None") -> "str | None":
    """What a client says that a session is called, if one may be called so."""
    try:
        check_session_name(said or "")
    except InvalidName:
        return None
    return said


def _quoted(name: str) -> str:
    return f"'{shown(name)}'"
