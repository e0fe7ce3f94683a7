"""In whose hands the terminal is while a client is attached: the client's own, or the daemon's."""

from shpool.protocol import chunks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from shpool.client.streams import Upstream
    from shpool.client.tty import UserTerminal


class OurHands:
    """What is typed goes to the daemon as it is, and output comes in chunks.

    `detach` has the daemon detach us, who knows all that the session has on; it returns whether
    that will be.
    """

    passes_keys = True

    def __init__(
        self, terminal: "UserTerminal", detach: "Callable[[], bool] | None" = None
    ) -> None:
        self._terminal = terminal
        self._detach = detach

    def take(self) -> None:
        """Have the terminal raw."""
        self._terminal.enter()

    def taken_again(self) -> None:
        """We were stopped, perhaps, and have made it raw again."""

    def told(self, kind: int, content: bytes) -> bool:
        """A chunk of another kind came; returns whether the daemon asks if we are there."""
        return False

    def give_back(self, *, goes_over: bool = False) -> bool:
        """Returns whether we can leave now; `goes_over`: for another session."""
        return not goes_over or self._detach is None or not self._detach()


class DaemonsHands:
    """The daemon reads and writes the terminal, and we tell it when that is well.

    Data comes only when it has given the terminal back.
    """

    passes_keys = False

    def __init__(self, terminal: "UserTerminal", upstream: "Upstream") -> None:
        self._terminal = terminal
        self._upstream = upstream

    def take(self) -> None:
        """Have the terminal raw once the daemon can undo that, should we be killed.

        It has what was sent to it, whatever becomes of us.
        """
        self._terminal.watch.unseen(0)
        self._tell(chunks.MODES, self._terminal.before)
        self._terminal.enter()
        self._tell(chunks.BACK)

    def taken_again(self) -> None:
        self._tell(chunks.BACK)

    def told(self, kind: int, content: bytes) -> bool:
        if kind == chunks.STATE and content:
            self._terminal.watch.unseen(content[0])
        return kind == chunks.HEARTBEAT

    def give_back(self, *, goes_over: bool = False) -> bool:
        self._tell(chunks.DETACH, chunks.GOES_OVER if goes_over else b"")
        return False

    def let_go(self) -> None:
        """After a give_back() to go over: should we be killed from now on, it is for others to put
        the terminal in order."""
        self._tell(chunks.DETACH)

    def _tell(self, kind: int, payload: bytes = b"") -> None:
        self._upstream.send(chunks.frame(kind, payload))
