"""The waiting room: requests about a session that is just coming or going.

They are asked again, in order, when it has come or gone.  Plain data, so that it can be seen from
the server who waits for what.
"""

from shpool.daemon.carried import REQUEST, Reference, References

TYPE_CHECKING = False
if TYPE_CHECKING:
    from shpool.daemon.clients.connection import Connection
    from shpool.daemon.sessions.session import Session
    from shpool.protocol.all_requests import Request


class AwaitEnd:
    """What is left of a Kill request when the kills are under way: to be answered at their end."""

    CARRIED = {"sessions": References("Session"), "not_found": [str]}

    def __init__(self, sessions: "list[Session]", not_found: "list[str]") -> None:
        self.sessions = sessions
        self.not_found = not_found


class Waiting:
    """Who waits for the session `name`, and with what; one of `request` and `end` is None."""

    CARRIED = {
        "name": str,
        "connection": Reference("Connection"),
        "request": (REQUEST, None),
        "end": (AwaitEnd, None),
    }

    def __init__(self, name: str, connection: "Connection", asked: "Request | AwaitEnd") -> None:
        self.name = name
        self.connection = connection
        ends = isinstance(asked, AwaitEnd)
        self.request = None if ends else asked
        self.end = asked if ends else None


class WaitingRoom:
    """`waiting`: by the name of the session, in the order in which they came."""

    DERIVED = ("waiting",)  # is carried as one Waiting for each

    def __init__(self) -> None:
        self.waiting: dict[str, list[tuple[Connection, Request | AwaitEnd]]] = {}

    def __contains__(self, name: str) -> bool:
        return name in self.waiting

    def everybody(self) -> "list[Waiting]":
        return [
            Waiting(name, connection, request)
            for name, waiting in self.waiting.items()
            for connection, request in waiting
        ]

    def taken_on(self, everybody: "list[Waiting]") -> None:
        for each in everybody:
            asked = each.request or each.end
            if asked is not None:
                self.waiting.setdefault(each.name, []).append((each.connection, asked))

    def wait(self, name: str, connection: "Connection", request: "Request | AwaitEnd") -> None:
        """Ask again when what becomes of the session `name` is known, if it is still there."""
        connection.notice_end()
        self.waiting.setdefault(name, []).append((connection, request))

    def forget(self, name: str, connection: "Connection") -> None:
        """It does not wait for the session `name` any more, if it did."""
        left = [each for each in self.leave(name) if each[0] is not connection]
        if left:
            self.waiting[name] = left

    def leave(self, name: str) -> "list[tuple[Connection, Request | AwaitEnd]]":
        """Whoever waits for the session `name`, who does not any more."""
        return self.waiting.pop(name, [])
