"""What a session remembers of its terminal, and what a client is shown of it.

This is the seam between the session and the terminal model.  A Picture takes every byte of output
and every change of size, and draws the bytes that bring a terminal to the session's state; output
that comes after them is live.  Output is interpreted when the loop has time, so who wants it drawn
asks for that, and draws when told that it is ready.

Here is what every Picture does, and the one that remembers nothing; model_picture.py has the other.
"""

from shpool.daemon.loop.reactor import Owner
from shpool.daemon.sessions.drawings import DrawingsUser
from shpool.keys.encoding import KeyModes
from shpool.terminal.leave import LEAVE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from shpool.daemon.loop.reactor import Reactor
    from shpool.daemon.sessions.drawings import Drawings
    from shpool.protocol.requests import TtySize
    from shpool.terminal.past import PastLines
    from shpool.terminal.screen_lines import ScreenLines
    from shpool.terminal.snapshot import Snapshot


def no_screen(name: str) -> str:
    """What is said to users of a session, by its name, whose Picture remembers nothing."""
    return f"session '{name}' keeps no screen: its restore mode is simple"


class PictureUser(Owner):
    """Whose picture it is."""

    __slots__ = ()

    def picture_ready(self) -> None:
        """After want(): draw() has nothing to catch up with."""

    def picture_passed_on(self) -> None:
        """What was written meanwhile has its number of lines, by line()."""

    def picture_relieved(self) -> None:
        """must_hold has become false."""

    def picture_answers(self, answers: bytes) -> None:
        """To be typed to the program, whose questions reached no terminal."""

    def picture_broken(self) -> None:
        """It has an error in it, and is of no use any more."""


# So that what is closed does not keep its owner in memory.
_NOBODY = PictureUser()


class Reports:
    """What the program has terminals report: the mouse, perhaps in characters (?1005), and the
    focus."""

    __slots__ = ("focus", "mouse", "mouse_utf8")

    def __init__(self, mouse: bool, mouse_utf8: bool, focus: bool) -> None:
        self.mouse = mouse
        self.mouse_utf8 = mouse_utf8
        self.focus = focus


class Picture(DrawingsUser):
    """Restore mode `simple`: nothing is remembered, the program is made to draw itself."""

    # There is something to be drawn.  If not, a client that comes gets its picture from the
    # program, which draws itself when the pty is resized back and forth.
    remembers = False

    # The pty must be read more slowly for now, because remembering cannot keep up.
    must_hold = False

    # For clients whose terminals have another size; without it they are passed what comes.
    drawings: "Drawings | None" = None

    DERIVED: "tuple[str, ...]" = ("_reactor", "_user")

    def __init__(self, reactor: "Reactor", user: PictureUser) -> None:
        self.taken_on(reactor, user)

    def taken_on(self, reactor: "Reactor", user: PictureUser) -> None:
        self._reactor = reactor
        self._user = user

    def lighten(self) -> None:
        """Let go what need not be carried over to another process."""

    def unpack(self) -> None:
        """Take apart what has been carried over, which else is done when there is time.

        Raises ValueError.
        """

    def output(self, data: bytes, unanswered: bool = False) -> None:
        """The pty produced `data`, which is not empty; `unanswered`: no terminal is shown it."""

    def typed(self, data: bytes) -> None:
        """`data` is typed to the program."""

    def resize(self, size: "TtySize") -> None:
        """The pty has a new size."""

    def want(self) -> None:
        """Have picture_ready() called, soon."""
        self._reactor.soon(self._user.picture_ready)

    def draw(self, since: "int | None" = None, first_line: "int | None" = None) -> bytes:
        """What a terminal in an unknown state has to be sent.

        With `since` the terminal shows this session already, as it was at that position(): it is
        drawn over.  With `first_line` it has shown all up to the line with that number.
        """
        return b""

    def position(self) -> int:
        """The number of the line at the top of the screen: those before it have left it."""
        return 0

    def line(self) -> int:
        """The number of the line that the cursor is in; not too high in the midst of output."""
        return 0

    def key_modes(self) -> KeyModes:
        """What the program has made of the keyboard, as far as it was interpreted."""
        return KeyModes()

    def reports(self) -> Reports:
        """What may be a report of the terminal's, as far as was interpreted; where nothing is known
        all that looks like one."""
        return Reports(mouse=True, mouse_utf8=False, focus=True)

    def lines(self) -> "ScreenLines | None":
        """What stands on the screen; None where that is not known."""
        return None

    def note_line(self) -> "int | None":
        """The number of the line that the cursor stands on, for past(); None where that is not
        known."""
        return None

    def past(self, since: int) -> "PastLines | None":
        """The lines from number `since` on as far as output was interpreted, and all of a screen
        that has been begun anew since that was note_line(), or that ends before it."""
        return None

    def pastes(self) -> bool:
        """Returns whether the program has bracketed paste on."""
        return False

    def snapshot(
        self, *, history: bool, last: "int | None", since: "int | None"
    ) -> "Snapshot | None":
        """The screen as far as output was interpreted, and what is wanted of the history (see
        PeekRequest); None where nothing is remembered."""
        return None

    def quiet(self) -> float:
        """Seconds since the program has written something, or since there is this picture."""
        return 0.0

    def farewell(self) -> bytes:
        """What a client that is let go is sent last: it turns off what the session turned on.

        Nothing where nothing is on, or where that is not known.  Clients of ours clean a terminal
        up themselves, without knowing as much; others do not.
        """
        return b""

    def farewell_drawn(self) -> bytes:
        """The same for a client on whose terminal the session was drawn."""
        return LEAVE

    def untitled(self) -> bytes:
        """For who goes over to another session: what takes away the title that this one has set."""
        return b""

    def close(self) -> None:
        """The session has ended."""
        self._user = _NOBODY

    def broken(self) -> None:
        user = self._user
        self.close()
        self._reactor.soon(user.picture_broken)
