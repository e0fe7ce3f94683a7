"""The session table: which sessions there are and who is attached to them.

It has few verbs, and those of a session that runs publish their event after their change and
before anything else runs.  Nothing else in the daemon publishes.  So a subscriber sees events in
the order of their causes, and whoever has read an event never sees an older state in a List reply:

    enter            ->                     a session that is being started; no List shows it yet
    session_running  -> session.created
    session_failed   ->                     it never ran
    attach           -> session.attached
    session_left     -> session.detached    once for each client
    session_ended    -> session.removed     clients still attached are let go without a detached

Who waits for one of these is told when the loop has the stack back.
"""

from time import time

from shpool import logs
from shpool.daemon.loop.memory import give_back
from shpool.daemon.sessions.participant import WATCHER
from shpool.daemon.sessions.session import STARTING, SessionKeeper

TYPE_CHECKING = False
if TYPE_CHECKING:
    from shpool.daemon.loop.reactor import Reactor
    from shpool.daemon.sessions.events import Events
    from shpool.daemon.sessions.hooks import Hooks
    from shpool.daemon.sessions.participant import Participant
    from shpool.daemon.sessions.session import Session


class TableUser:
    """Who is told, from the loop, when it is worth to ask again for a session."""

    def sessions_changed(self) -> None:
        """Sessions have come or gone: take_changes() says which."""


class SessionTable(SessionKeeper):
    """`user` has to be set before anything is entered."""

    user: TableUser

    def __init__(self, reactor: "Reactor", events: "Events", hooks: "Hooks") -> None:
        self._reactor = reactor
        self._events = events
        self._hooks = hooks
        self._sessions: dict[str, Session] = {}  # in order of creation
        self._changes: list[tuple[str, str | None]] = []  # not told to the user yet

    def taken_on(self, session: "Session") -> None:
        """It runs already, as everybody knows."""
        self._sessions[session.name] = session

    def get(self, name: str) -> "Session | None":
        """The session of that name, which may not run yet, or be about to end."""
        return self._sessions.get(name)

    def all(self) -> "list[Session]":
        """Every session, those included that are being started, in order of creation."""
        return list(self._sessions.values())

    def listed(self) -> "list[Session]":
        """Every session whose shell has been run, in order of creation."""
        return [each for each in self._sessions.values() if each.state.now != STARTING]

    def take_changes(self) -> "list[tuple[str, str | None]]":
        """The sessions that have come or gone, in order, and why one's shell could not be run."""
        changes, self._changes = self._changes, []
        return changes

    # ---- the verbs

    def enter(self, session: "Session") -> None:
        """A session's shell is being started."""
        self._sessions[session.name] = session

    def session_running(self, session: "Session") -> None:
        # In order of creation: as the one that was entered last has come to run last.
        self._sessions[session.name] = self._sessions.pop(session.name)
        session.started_at_ms = session.last_connected_at_ms = _now_ms()
        logs.info(f"session {session.name!r}: created, pid {session.pid}")
        self._events.publish("session.created")
        self._call_hook("on_new_session", session.name)
        self._changed(session, None)

    def session_failed(self, session: "Session", reason: str) -> None:
        if self._sessions.get(session.name) is session:
            del self._sessions[session.name]
            self._changed(session, reason)

    def attach(self, session: "Session", client: "Participant") -> None:
        """Give a client to a session that has room for it."""
        session.enter(client)
        if client.role != WATCHER:
            session.last_connected_at_ms = _now_ms()
        logs.info(f"session {session.name!r}: attached pid {client.pid}")
        self._events.publish("session.attached")

    def session_left(self, session: "Session", client: "Participant") -> None:
        if client.role != WATCHER and not session.typing:
            session.last_disconnected_at_ms = _now_ms()
        logs.info(f"session {session.name!r}: detached pid {client.pid}")
        self._events.publish("session.detached")
        if client.role != WATCHER:
            self._call_hook("on_client_disconnect", session.name)

    def session_ended(self, session: "Session") -> None:
        if self._sessions.get(session.name) is session:
            del self._sessions[session.name]
            logs.info(f"session {session.name!r}: removed")
            self._events.publish("session.removed")
            self._call_hook("on_shell_disconnect", session.name)
            self._reactor.when_idle(give_back)
            self._changed(session, None)

    # ---- who else is told

    def reattached(self, session: "Session") -> None:
        """Tell the embedder that an attach found this session."""
        self._call_hook("on_reattach", session.name)

    def busy(self, session: "Session") -> None:
        """Tell the embedder that an attach was refused; no event: nothing has changed."""
        self._call_hook("on_busy", session.name)

    def _changed(self, session: "Session", failure: "str | None") -> None:
        if not self._changes:
            self._reactor.soon(self.user.sessions_changed)
        self._changes.append((session.name, failure))

    def _call_hook(self, hook: str, name: str) -> None:
        try:
            getattr(self._hooks, hook)(name)
        except Exception as error:
            # Hooks are the embedder's code: their defects are not the sessions'.
            logs.error(f"hook {hook}: {type(error).__name__}: {error}")


def _now_ms() -> int:
    return int(time() * 1000)
