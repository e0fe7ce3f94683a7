"""What a wait for text is sent of a session: its screen, then raw output, and rows of the screen.

If lines from some number on are wanted, those of history and screen come first.  The search is the
client's.  Rows are sent besides where programs put the cursor somewhere, or use the alternate
screen, for raw output says little there.
"""

import re

from shpool.daemon.carried import Deadline, Reference
from shpool.daemon.loop.reactor import Owner
from shpool.daemon.sessions.participant import Errand, Onlooker
from shpool.protocol.watching import LINES, LOST, MISSED, OUTPUT, ROWS, SCREEN, event
from shpool.terminal.past import PastLines

TYPE_CHECKING = False
if TYPE_CHECKING:
    from shpool.daemon.clients.connection import Connection
    from shpool.daemon.loop.reactor import Reactor, Timer
    from shpool.daemon.sessions.session import Session
    from shpool.terminal.screen_lines import ScreenLines

# Seconds between two looks at the screen.
_LOOK = 0.05

# What puts the cursor elsewhere, or changes the screen: see the same in client/lines.py.
_PLACES = re.compile(
    rb"\x1b(?: [M8c] | \[[0-9;]*[ABEFHLMSTadefkru] | \[\?[0-9;]*(?:47|1047|1049)[hl] )", re.VERBOSE
).search

# Bytes that such a sequence may have.
_SEQUENCE = 24


class TextUser(Owner):
    """Whose wait it is."""

    __slots__ = ()

    def text_shown(self) -> None:
        """The screen was sent, and with `since` the lines from that number on."""


class TextWatch(Onlooker, Errand):
    """`skipping`: the reader took nothing for too long, and misses what is written.  `shown`: all
    was sent that was there when the wait began."""

    CARRIED = {
        "_number": int,
        "_session": Reference("Session"),
        "skipping": bool,
        "_missed": int,
        "shown": bool,
        "_since": (int, None),
        "_past": (PastLines, None),
        "_drawing": bool,
        "_rows": {int: str},
        "_alternate": bool,
        "_cut": bytes,
        "_look": Deadline("_ask_for_rows"),
        "_looking": bool,
    }
    DERIVED = ("_connection", "_reactor", "_user")

    def __init__(
        self,
        reactor: "Reactor",
        connection: "Connection",
        number: int,
        session: "Session",
        user: TextUser,
        since: "int | None",
    ) -> None:
        self._reactor = reactor
        self._connection = connection
        self._number = number
        self._session: Session | None = session
        self._user = user
        self.skipping = False
        self._missed = 0  # bytes, and not told yet
        self.shown = False
        self._since = since
        self._past: PastLines | None = None  # what is to be sent yet of the lines from there on
        self._drawing = True  # the screen is asked for, and output is in it
        self._rows: dict[int, str] = {}  # as they were sent last, by the number of the row
        self._alternate = False
        self._cut = b""  # what may be the beginning of such a sequence
        self._look: Timer | None = None
        self._looking = False  # rows are asked for
        session.admit(self)
        session.when_caught_up(self)

    def taken_on(self, reactor: "Reactor", connection: "Connection", user: TextUser) -> None:
        self._reactor = reactor
        self._connection = connection
        self._user = user

    def watch_again(self) -> None:
        if self._past is not None:
            self._reactor.when_idle(self._send_past)

    @property
    def holds(self) -> bool:
        return self._connection.full and not self.skipping

    def take_output(self, data: bytes) -> None:
        if self._drawing:
            return
        if self.skipping:
            self._missed += len(data)
            return
        self._tell(OUTPUT, data)
        data = self._cut + data
        if self._look is None and not self._looking and (self._alternate or _PLACES(data)):
            self._look = self._reactor.call_later(_LOOK, self._ask_for_rows)
        last = data.rfind(b"\x1b", -_SEQUENCE)
        self._cut = data[last:] if last >= 0 and not _PLACES(data, last) else b""

    def caught_up(self) -> None:
        session = self._session
        if session is None:
            return
        if self._drawing:
            self._show_screen(session)
        else:
            self._show_rows(session)

    def shell_ended(self, status: int) -> None:
        session = self._session
        if session is None:
            return
        if self._missed:
            self._tell_missed()
        if self._drawing:
            self._show_screen(session)
        elif self._look is not None or self._looking:
            self._show_rows(session)
        self._session = None
        self._stop_looking()

    def check(self) -> None:
        """The reader takes more, or no more."""
        session = self._session
        if session is None:
            return
        if self._past is not None:
            self._reactor.when_idle(self._send_past)
        if self._missed and not self._connection.full:
            self.skipping = False
            self._tell_missed()
            session.when_caught_up(self)
        session.check_output()

    def stop(self) -> None:
        session, self._session = self._session, None
        self._past = None
        self._stop_looking()
        if session is not None:
            session.dismiss(self)

    def broken(self) -> None:
        self._connection.close()

    def _tell_missed(self) -> None:
        self._tell(MISSED, self._missed)
        self._missed = 0
        self._drawing = True

    def _show_screen(self, session: "Session") -> None:
        self._drawing = False
        lines = session.picture.lines()
        if lines is not None:
            self._note(lines)
            row = lines.rows[lines.cursor]
            self._tell(SCREEN, lines.texts, lines.cursor, lines.alternate, row)
        if self.shown or self._past is not None:
            return
        if self._since is not None:
            self._past = session.picture.past(self._since)
        if self._past is not None:
            self._reactor.when_idle(self._send_past)
        else:
            self._all_shown()

    def _send_past(self) -> bool:
        """Send some lines; returns whether there are more that can be sent now."""
        past = self._past
        if past is None or self._connection.full:
            return False
        lines = past.part()
        if lines:
            self._tell(LINES, lines)
        if not past.over:
            return True
        if past.lost:
            self._tell(LOST, past.lost)
        self._past = None
        self._all_shown()
        return False

    def _all_shown(self) -> None:
        self.shown = True
        self._user.text_shown()

    def _ask_for_rows(self) -> None:
        self._look = None
        self._looking = True
        if self._session is not None:
            self._session.when_caught_up(self)

    def _show_rows(self, session: "Session") -> None:
        self._stop_looking()
        self._looking = False
        lines = session.picture.lines()
        if lines is None:
            return
        before = self._rows
        self._note(lines)
        changed = [(row, text) for row, text in self._rows.items() if before.get(row) != text]
        if changed:
            self._tell(ROWS, changed, lines.rows[lines.cursor])

    def _note(self, lines: "ScreenLines") -> None:
        self._alternate = lines.alternate
        self._rows = dict(zip(lines.rows, lines.texts))

    def _stop_looking(self) -> None:
        if self._look is not None:
            self._look.cancel()
            self._look = None

    def _tell(self, kind: str, *said: object) -> None:
        self._connection.stream(event(kind, self._number, *said))
