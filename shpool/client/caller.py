"""Who runs an attach from another host, shpool ssh, and is told by marks what becomes of it.

It says who it is in the environment, SHPOOL__SSH=TOKEN;TOKEN,TOKEN...;LINE;literal: the client's
own token, those of clients that it may replace, the number of the first line that its terminal has
not had, and whether no variables are named in the session's name.  Only where that is set is this
loaded.
"""

from shpool import __version__
from shpool.output import complain, put
from shpool.program import interpreter, path
from shpool.protocol.attaching import COMEBACK, REPLACES_MAX, Comeback, is_token, mark
from shpool.protocol.replies import PROGRAM

TYPE_CHECKING = False
if TYPE_CHECKING:
    from shpool.client.connect import Call


class Caller:
    """`comeback` is None if what the environment says makes no sense: then it is told nothing.

    `literal`: a brace in the session's name is a brace.
    """

    def __init__(self, said: str) -> None:
        self._met = False  # a daemon, and said what is to be said of it
        token, _, rest = said.partition(";")
        replaces, _, rest = rest.partition(";")
        line, _, how = rest.partition(";")
        self.literal = how == "literal"
        self.comeback: Comeback | None = None
        if is_token(token):
            tokens = [each for each in replaces.split(",") if is_token(each)]
            since = int(line) if line.isascii() and line.isdigit() else None
            self.comeback = Comeback(token, tokens[-REPLACES_MAX:], since)

    def busy(self, daemon: "Call") -> bool:
        """Tell that somebody else is attached; returns whether that is the caller's to say."""
        if self.comeback is None or not self.comeback.replaces:
            return False
        self._tell("busy" if daemon.knows(COMEBACK) else "busy;original")
        return True

    def gone(self) -> bool:
        """Tell that the session is not there any more; returns as busy() does."""
        if self.comeback is None or not self.comeback.replaces:
            return False
        self._tell("gone")
        return True

    def attached(self, name: str, daemon: "Call", newline: str, *, literal: bool = False) -> None:
        """Tell by which name the session is to be asked for again; and say what to do about a
        daemon of ours that is not of this version."""
        if self.comeback is None:
            return
        ours = f"{PROGRAM} {__version__}"
        if not self._met and not self.comeback.replaces and daemon.server not in ("", ours):
            complain(
                f"shpool: the daemon here is {daemon.server}; to have {__version__} in its place,"
                f" with all its sessions: {interpreter()} {path()} upgrade{newline}"
            )
        self._met = True
        how = ";literal" if literal else ""
        self._tell(f"name;{name.encode(errors='replace').hex()}{how}")
        # Of another session, which variables or a switch lead to, it has had no line.
        self.comeback = Comeback(self.comeback.token, [], None)

    def _tell(self, word: str) -> None:
        if self.comeback is not None:
            put(mark(self.comeback.token, word))
