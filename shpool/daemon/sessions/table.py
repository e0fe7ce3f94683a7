"""The session table: which sessions there are and who is attached to them.

It has four verbs, and each publishes its event after its change and before anything else runs.
Nothing else in the daemon publishes.  So a subscriber sees events in the order of their causes,
and whoever has read an event never sees an older state in a List reply:

    create   -> session.created
    attach   -> session.attached
    detach   -> session.detached    only for a client that was attached, so once for each
    remove   -> session.removed     clients still attached are let go without a detached
"""

from time import time

from shpool import logs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from shpool.daemon.clients.client import AttachedClient
    from shpool.daemon.sessions.events import Events
    from shpool.daemon.sessions.hooks import Hooks
    from shpool.daemon.sessions.session import Session


class SessionTable:
    def __init__(self, events: "Events", hooks: "Hooks") -> None:
        self._events = events
        self._hooks = hooks
        self.sessions: dict[str, Session] = {}  # in order of creation

    def create(self, session: "Session") -> None:
        """Enter a session whose shell runs."""
        self.sessions[session.name] = session
        session.started_at_ms = session.last_connected_at_ms = _now_ms()
        logs.info(f"session {session.name!r}: created, pid {session.pid}")
        self._events.publish("session.created")
        self._call_hook("on_new_session", session.name)

    def attach(self, session: "Session", client: "AttachedClient") -> None:
        """Give a client to a session that has room for it."""
        session.clients.append(client)
        session.last_connected_at_ms = _now_ms()
        logs.info(f"session {session.name!r}: attached pid {client.pid}")
        self._events.publish("session.attached")

    def detach(self, session: "Session", client: "AttachedClient") -> None:
        """Take a client from its session; nothing if it is not attached (any more)."""
        if client not in session.clients:
            return
        session.clients.remove(client)
        session.last_disconnected_at_ms = _now_ms()
        logs.info(f"session {session.name!r}: detached pid {client.pid}")
        self._events.publish("session.detached")
        self._call_hook("on_client_disconnect", session.name)

    def remove(self, session: "Session") -> "list[AttachedClient]":
        """Strike a session whose shell has ended off; the clients it had are returned."""
        if self.sessions.get(session.name) is not session:
            return []
        del self.sessions[session.name]
        clients, session.clients = session.clients, []
        logs.info(f"session {session.name!r}: removed")
        self._events.publish("session.removed")
        self._call_hook("on_shell_disconnect", session.name)
        return clients

    def reattached(self, session: "Session") -> None:
        """Tell the embedder that an attach found this session."""
        self._call_hook("on_reattach", session.name)

    def busy(self, session: "Session") -> None:
        """Tell the embedder that an attach was refused; no event: nothing has changed."""
        self._call_hook("on_busy", session.name)

    def _call_hook(self, hook: str, name: str) -> None:
        try:
            getattr(self._hooks, hook)(name)
        except Exception as error:
            # Hooks are the embedder's code: their defects are not the sessions'.
            logs.error(f"hook {hook}: {type(error).__name__}: {error}")


def _now_ms() -> int:
    return int(time() * 1000)
