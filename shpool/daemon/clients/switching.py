"""Switch requests: an attached client is told to go over to another session.

What can be known beforehand is answered to who asked, and the client stays: that the other session
is occupied, would show itself, or could not be made, for which a process is started that tries all
but to run it.  Then the client is told, detaches, and attaches there like any other.
"""

from shpool.daemon.clients.connection import StreamUser
from shpool.daemon.programs.command import draft
from shpool.daemon.programs.directory import SessionDir
from shpool.daemon.programs.spawn import ProgramOwner
from shpool.daemon.sessions.inside import closes_ring, ring_refused, who_typed
from shpool.daemon.sessions.participant import WATCHER
from shpool.errors import ShpoolError
from shpool.names import InvalidName, check_session_name, shown
from shpool.protocol.attaching import AttachHeader
from shpool.protocol.chunks import MAX_PAYLOAD
from shpool.protocol.replies import Destination, MaybeSwitch
from shpool.protocol.switching import SwitchReply

TYPE_CHECKING = False
if TYPE_CHECKING:
    from shpool.config import Config
    from shpool.daemon.clients.connection import Connection
    from shpool.daemon.programs.pty_ends import PtyEnds
    from shpool.daemon.programs.spawn import Child, Spawner
    from shpool.daemon.sessions.participant import Participant
    from shpool.daemon.sessions.session import Session
    from shpool.daemon.sessions.table import SessionTable
    from shpool.protocol.switching import SwitchRequest


class CannotSwitch(ShpoolError):
    """Why a client stays where it is; the text is for the user."""


def who_goes(
    table: "SessionTable", session: "Session | None", request: "SwitchRequest"
) -> "tuple[Session, Participant]":
    """The client meant, and its session; `session` is the one that was named, or one is inside.

    Raises CannotSwitch.
    """
    if session is None and request.session_name == ".":
        raise CannotSwitch(
            "this is not inside a session; from outside: shpool switch --from OLD NAME"
        )
    if session is None and (request.session_name or request.pid is None):
        raise CannotSwitch(f"not found: {shown(request.session_name)}")
    client: Participant | None
    if request.pid is None:
        assert session is not None
        client = who_typed(session) if request.session_name == "." else session.driver
    else:
        session, client = _by_pid(table, session, request.pid)
    if client is None:
        raise CannotSwitch(f"nobody is attached to '{shown(session.name)}'")
    if not client.version:
        raise CannotSwitch(
            f"the client of '{shown(session.name)}' (pid {client.pid}) cannot go over:"
            " it is the original's or too old"
        )
    return session, client


def _by_pid(
    table: "SessionTable", session: "Session | None", pid: int
) -> "tuple[Session, Participant]":
    for each in table.listed() if session is None else [session]:
        for client in each.clients:
            if client.pid == pid:
                return each, client
    where = "any session" if session is None else f"'{shown(session.name)}'"
    raise CannotSwitch(f"no client with pid {pid} is attached to {where}")


def where_to(
    table: "SessionTable", client: "Participant", wanted: Destination, *, back: bool
) -> Destination:
    """Where it is to go, with `back` to the session that it was in before.  Raises CannotSwitch."""
    if not back:
        return wanted
    name = client.previous
    if name is None:
        raise CannotSwitch("there is no session before this one")
    if table.get(name) is None:
        raise CannotSwitch(f"the session before this one has ended: '{shown(name)}'")
    return Destination(name, existing=True, force=wanted.force, share=wanted.share)


def check(table: "SessionTable", client: "Participant", to: Destination) -> None:
    """Raises CannotSwitch if the client could not attach to the session, if that is there, and
    InvalidName if it could not be."""
    check_session_name(to.name)
    session = table.get(to.name)
    watches = client.role == WATCHER
    if session is None:
        if to.existing or watches:
            raise CannotSwitch(f"not found: {shown(to.name)}")
        return
    if closes_ring(table, session, client.device):
        raise CannotSwitch(ring_refused(to.name))
    joins = to.force or to.share or watches or session.roles.gone.outstayed(client.known_as)
    if session.typing and not joins:
        raise CannotSwitch(f"session '{shown(to.name)}' already has a terminal attached")


def message_for(to: Destination) -> bytes:
    """What a client is told.  Raises CannotSwitch."""
    payload = MaybeSwitch([], to).to_bytes()
    if len(payload) > MAX_PAYLOAD:
        raise CannotSwitch(
            f"command and directory together may not take more than {MAX_PAYLOAD} bytes"
        )
    return payload


class SwitchErrand(ProgramOwner, StreamUser):
    """From the request to its answer: `client` is to go from `session` to `to`."""

    def __init__(
        self,
        table: "SessionTable",
        connection: "Connection",
        session: "Session",
        client: "Participant",
        to: Destination,
    ) -> None:
        self._table = table
        self._connection = connection
        self._session = session
        self._client = client
        self._to = to
        self._child: Child | None = None

    @property
    def called(self) -> str:
        return f"session '{shown(self._to.name)}'"

    def begin(self, spawner: "Spawner", config: "Config", state_dir: str) -> None:
        """Raises ShpoolError, and nothing has changed."""
        to = self._to
        check(self._table, self._client, to)
        message_for(to)
        if self._table.get(to.name) is not None:
            self._go()
            return
        header = AttachHeader(
            *(to.name, to.name, self._client.size, self._client.env),
            *(to.ttl_secs, to.cmd, to.dir, to.start_cmd),
        )
        program, _ = draft(config, header, SessionDir(state_dir, to.name).path)
        self._child = spawner.start(program, self._client.size, self, trial=True)
        self._connection.notice_end(self)

    def stream_gone(self) -> None:
        """Nobody waits for the answer any more, or it was given."""
        child, self._child = self._child, None
        if child is not None:
            child.hang_up()

    # ---- the process that tries

    def started(self, ends: "PtyEnds") -> None:
        ends.close()
        if not self._tried():
            return
        try:
            # It may have been made meanwhile, by somebody else.
            check(self._table, self._client, self._to)
            self._go()
        except (CannotSwitch, InvalidName) as error:
            self._answer(str(error))

    def failed(self, reason: str) -> None:
        if self._tried():
            self._answer(reason)

    def _tried(self) -> bool:
        """Returns whether somebody still waits for the answer."""
        self._child = None
        alive = self._connection.alive
        if alive:
            self._connection.notice_end()  # for which we are not needed
        return alive

    # ---- the answer

    def _go(self) -> None:
        if self._client not in self._session.clients:
            raise CannotSwitch(f"nobody is attached to '{shown(self._session.name)}'")
        self._client.go_over(message_for(self._to))
        self._answer(None)

    def _answer(self, error: "str | None") -> None:
        if self._connection.alive:
            self._connection.reply(SwitchReply(error).to_wire())

    def broken(self) -> None:
        self._connection.close()
