"""Who is at a session, and who of them drives.

driver   typed last, or came last to type; the pty has its size, and it alone may hold the program
         back
shared   types as well, and drives as soon as it does
watcher  types nothing, and has no say

When the driver goes, the one who typed most lately before it drives.  With watchers alone, or with
nobody, nobody drives, and the pty keeps the size that it had.
"""

from time import monotonic

from shpool.daemon.carried import References
from shpool.daemon.loop.reactor import Owner, each_alone
from shpool.daemon.sessions.participant import DRIVER, SHARED, WATCHER
from shpool.protocol.replies import Attachment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from shpool.daemon.loop.reactor import Reactor
    from shpool.daemon.sessions.participant import Participant
    from shpool.daemon.sessions.size import WindowSize
    from shpool.protocol.requests import TtySize


class Roles(Owner):
    """`clients` are all, in the order in which they came; `typing` those who may type, in the
    order in which they typed last."""

    CARRIED = {"clients": References("Participant"), "typing": References("Participant")}
    DERIVED = ("_reactor", "_size", "_telling")

    def __init__(self, reactor: "Reactor", size: "WindowSize") -> None:
        self.clients: list[Participant] = []
        self.typing: list[Participant] = []
        self.taken_on(reactor, size)

    def taken_on(self, reactor: "Reactor", size: "WindowSize") -> None:
        self._reactor = reactor
        self._size = size
        self._telling = False  # each client of its place, soon

    @property
    def driver(self) -> "Participant | None":
        return self.typing[-1] if self.typing else None

    def rows(self, *, watching: bool) -> "list[Attachment]":
        """What a List reply says of those who type, or of those who watch."""
        now = monotonic()
        return [
            Attachment(
                client.template,
                client.pid,
                client.role,
                client.size.rows,
                client.size.cols,
                int((now - client.typed_at) * 1000),
            )
            for client in self.clients
            if (client.role == WATCHER) == watching
        ]

    def enter(self, client: "Participant", *, fresh: bool) -> None:
        """A client has come; who types drives.  `fresh`: the program has drawn nothing yet."""
        client.typed_at = monotonic()
        self.clients.append(client)
        if client.role != WATCHER:
            self.typing.append(client)
            if fresh:
                self._size.set(client.size)
            else:
                self._size.fit(client.size)
        self._changed()

    def leave(self, client: "Participant") -> bool:
        """It goes.  Returns whether it was here."""
        if client not in self.clients:
            return False
        self.clients.remove(client)
        if client in self.typing:
            self.typing.remove(client)
            self._follow_driver()
        return True

    def clear(self) -> "list[Participant]":
        """The session has ended: nobody is here any more.  Returns who was."""
        clients, self.clients, self.typing = self.clients, [], []
        return clients

    def typed(self, client: "Participant") -> bool:
        """It typed something, and drives.  Returns whether another one did before."""
        client.typed_at = monotonic()
        if client is self.driver:
            return False
        self.typing.remove(client)
        self.typing.append(client)
        self._follow_driver()
        return True

    def resized(self, pid: int, size: "TtySize") -> None:
        """The process `pid` says that the terminal of its client has this size now."""
        if not self.clients:
            self._size.set(size)
            return
        client = self._whose(pid)
        if client is None:
            return
        size = size.usable()
        each_alone((client,), lambda client: client.resized(size))
        if client is self.driver:
            self._size.set(size)
        self._changed()

    def _whose(self, pid: int) -> "Participant | None":
        """The client that a Resize request from the process `pid` is about.

        The attach process itself sends it, on a connection of its own.  Where the system does not
        tell pids, or somebody sends it in its place, it is about the only one, or about the driver.
        """
        for client in self.clients:
            if client.pid == pid:
                return client
        return self.clients[0] if len(self.clients) == 1 else self.driver

    def _follow_driver(self) -> None:
        """Another one may drive."""
        driver = self.driver
        if driver is not None:
            self._size.set(driver.size)
        self._changed()

    def _changed(self) -> None:
        for client in self.typing:
            client.role = DRIVER if client is self.driver else SHARED
        if not self._telling:
            self._telling = True
            self._reactor.soon(self._tell_places)

    def _tell_places(self) -> None:
        self._telling = False
        size = self._size.current
        each_alone(self.clients, lambda client: client.place_changed(size))
        self._size.told()
