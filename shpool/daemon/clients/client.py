"""An attached client: its state, its keys and its output, between a session and a channel.

paging    the message of the day is shown in a pager, which has the keys
waiting   a picture of the screen is being prepared; what the program writes is in it
live      every byte the program writes is passed on
frozen    the client took nothing for too long, or it was stopped; what the program writes passes
          it by, and when it is there again it is waiting, and live again
drawn     its terminal has another size than the pty, so the session is drawn on it; a picture that
          it cannot take is left out
leaving   it has been let go, or is gone; what is still to be done is done, by the channel
gone      nothing is left of it

Before the first of them it is `asked`: its request is answered and its session known.
"""

from time import monotonic

from shpool import logs
from shpool.daemon.carried import Deadline, Life, OneOf, Reference
from shpool.daemon.clients.channel import ChannelUser, ChunkChannel
from shpool.daemon.clients.drawn_terminal import DrawnTerminal
from shpool.daemon.clients.pager import Pager, PagerUser
from shpool.daemon.clients.terminal_channel import TerminalChannel
from shpool.daemon.loop.reactor import Owner
from shpool.daemon.sessions.participant import DRIVER, SHARED, Participant
from shpool.daemon.states import State
from shpool.keys.scanner import Scanner
from shpool.protocol.requests import TtySize, mark
from shpool.terminal.drawn import WIPE
from shpool.terminal.leave import LEAVE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from shpool.daemon.clients.channel import Channel
    from shpool.daemon.loop.peer import Device
    from shpool.daemon.loop.reactor import Reactor, Timer
    from shpool.daemon.programs.spawn import Program, Spawner
    from shpool.daemon.sessions.participant import Front
    from shpool.daemon.sessions.session import Session
    from shpool.protocol.replies import AttachReply
    from shpool.protocol.requests import Comeback

# A client that takes no byte for so many seconds while its buffer is full is frozen, and no
# longer holds the program back.
_FROZEN_AFTER = 2.0

# One who does not drive holds nothing back: it is frozen as soon as its buffer is full.  When it
# has drained, what it missed is drawn, but not before so many seconds since that was done last,
# and not before so many times as long as it took.
_DRAWN_AFTER = 0.2
_DRAWN_SHARE = 9

ASKED, PAGING, WAITING, LIVE = "asked", "paging", "waiting", "live"
FROZEN, DRAWN, LEAVING, GONE = "frozen", "drawn", "leaving", "gone"

LIFE = {
    ASKED: (PAGING, WAITING, LIVE, DRAWN, LEAVING),
    PAGING: (WAITING, LIVE, DRAWN, LEAVING),
    WAITING: (LIVE, FROZEN, DRAWN, LEAVING),
    LIVE: (FROZEN, DRAWN, LEAVING),
    FROZEN: (WAITING, DRAWN, LEAVING),
    DRAWN: (WAITING, FROZEN, LEAVING),
    LEAVING: (GONE,),
    GONE: (),
}


class ClientUser(Owner):
    """Who keeps the list of clients."""

    __slots__ = ()

    def client_gone(self, client: "AttachedClient") -> None:
        """Nothing is left of it."""


class AttachedClient(Participant, ChannelUser, PagerUser):
    """A client in a session's list of clients; `enter` puts it to work.

    `fresh`: the session was made for it, so what the shell writes first is for this client.
    `shows`: it has a terminal for that.  `comeback`: how it is known to a later connection.
    `version`: its program and version; empty if it does not say so.
    """

    CARRIED = {
        "_channel": OneOf(chunks=ChunkChannel, terminal=TerminalChannel),
        "_scanner": Scanner,
        "pid": int,
        "template": str,
        "size": TtySize,
        "role": str,
        "typed_at": float,
        "device": ((int, int), None),
        "_fresh": bool,
        "_shows": bool,
        "env": [(str, str)],
        "version": str,
        "previous": (str, None),
        "entered": float,
        "token": str,
        "first_line": (int, None),
        "_seen": int,
        "state": Life(LIFE, State),
        "_session": Reference("Session"),
        "_pager": (Pager, None),
        "_drawn": DrawnTerminal,
        "since": (int, None),
        "_live_rows": int,
        "_stall": Deadline("_check_progress"),
        "_thawing": Deadline("_end_wait"),
        "_wanted_at": float,
        "_thaw_at": float,
        "_rest": Deadline("_no_rest"),
    }
    DERIVED = ("_reactor", "_user")

    def __init__(
        self,
        reactor: "Reactor",
        channel: "Channel",
        scanner: Scanner,
        user: ClientUser,
        *,
        pid: int,
        template: str,
        size: TtySize,
        device: "Device | None",
        fresh: bool,
        shows: bool = True,
        env: "list[tuple[str, str]] | None" = None,
        version: str = "",
        previous: "str | None" = None,
        comeback: "Comeback | None" = None,
        role: str = SHARED,
    ) -> None:
        self._reactor = reactor
        self._channel = channel
        channel.user = self
        self._scanner = scanner
        self._user = user
        self.pid = pid
        self.template = template
        self.size = size
        self.role = role
        self.typed_at = 0.0
        self.device = device
        self.env = env or []
        self.version = version
        self.previous = previous
        self.entered = 0.0
        self._fresh = fresh
        self._shows = shows
        if comeback is not None:
            self.token = comeback.token
            self.first_line = comeback.since
        self._seen = -1  # the number of the line that it was told last
        self.state = State(f"client {pid}", LIFE, ASKED)
        self._session: Session | None = None
        self._pager: Pager | None = None
        self._drawn = DrawnTerminal(channel, size)
        self.since: int | None = None  # not live when the screen was there; None: from the first
        self._live_rows = size.rows  # of its terminal when it was live last
        self._stall: Timer | None = None
        self._thawing: Timer | None = None
        self._wanted_at = 0.0  # monotonic: when it asked for a picture last
        self._thaw_at = 0.0  # and before when it is not to ask for another
        self._rest: Timer | None = None

    def taken_on(self, reactor: "Reactor", spawner: "Spawner", user: ClientUser) -> None:
        self._reactor = reactor
        self._user = user
        self._channel.taken_on(reactor, self)
        session = self._session
        self._drawn.taken_on(self._channel, session.picture.drawings if session else None)
        if self._pager is not None:
            self._pager.taken_on(reactor, spawner, self)

    @property
    def fd(self) -> int:
        """A descriptor that is its own."""
        return self._channel.fd

    # ---- what it is in front of

    def answer(self, reply: "AttachReply") -> None:
        """Tell the client what became of its request."""
        self._channel.answer(reply)

    def enter(self, session: "Session") -> None:
        """Show it the session, in whose list it is."""
        self._session = session
        self._show_session()
        self._check_input()

    def page(self, session: "Session", spawner: "Spawner", program: "Program") -> None:
        """Show it a pager, and the session when that was left."""
        self._session = session
        self.state.become(PAGING)
        self._pager = Pager(self._reactor, spawner, program, self.size, self)
        session.check_output()
        self._check_input()

    def _show_session(self) -> None:
        session = self._session
        if session is None:
            return
        fresh, self._fresh = self._fresh, False
        if not self._fits:
            self._draw()
        elif fresh:
            self.state.become(LIVE)  # a new shell's first words go where the user's cursor is
            session.check_output()
        else:
            self._wait_for_picture()
        if self._channel.full:
            self.channel_full()

    @property
    def _front(self) -> "Front | None":
        return self._pager or self._session

    def pager_output(self, data: bytes) -> None:
        # When it is away all that is shown is kept, and the pager is not read until it is back.
        self._channel.look()
        self._channel.show(data)
        self._check_pager()

    def pager_done(self, unread: bytes) -> None:
        self._pager = None
        if self.state.now != PAGING:
            return
        self._show_session()
        if unread:
            self.channel_input(unread)
        self._check_input()

    def shell_ended(self) -> None:
        if self.state.now == PAGING:
            self._leave_pager()
            self._channel.show(LEAVE)
            # What there is to see is shown at once: there is no time to wait for anything.
            self.state.become(LIVE if self._fresh else WAITING)
            self.since = None

    def _leave_pager(self) -> None:
        if self._pager is not None:
            self._pager.hang_up()
            self._pager = None

    def _check_pager(self) -> None:
        if self._pager is not None:
            self._pager.read(not self._channel.full and not self._channel.away)

    # ---- output

    @property
    def holds(self) -> bool:
        if self.state.now == PAGING:
            return self._fresh  # the shell's first words are for this client
        return self._channel.full and self.state.now in (LIVE, WAITING)

    @property
    def live(self) -> bool:
        return self._shows and self.state.now == LIVE

    @property
    def waiting(self) -> bool:
        return self.state.now == WAITING

    def take_output(self, data: bytes) -> None:
        if self.state.now == PAGING:
            self._fresh = False  # the shell's first words have passed it by
        if self.state.now != LIVE:
            return
        if self._channel.look() and (self.role == DRIVER or not self._channel.full):
            self._channel.show(data)
        else:
            # The data is among what the client misses, and must not be shown besides.
            self._freeze()

    def show_picture(self, picture: bytes) -> None:
        if not self._channel.look() or (self._channel.full and self.role != DRIVER):
            self._freeze()
            return
        self.state.become(LIVE)
        self._live_rows = self.size.rows
        self.first_line = None
        if self._drawn.on:
            # If nothing is remembered any more the program draws itself.
            picture = WIPE + (picture or LEAVE)
        self._drawn.lost()
        self._channel.show(picture)
        now = monotonic()
        self._thaw_at = now + max(_DRAWN_AFTER, _DRAWN_SHARE * (now - self._wanted_at))

    def seen_up_to(self, line: int) -> None:
        if line == self._seen or self._channel.full:
            return
        if self._channel.look():
            self._seen = line
            self._channel.show(mark(self.token, f"line;{line}"))
        else:
            self._freeze()

    def send_vars(self, payload: bytes) -> None:
        """The variables have changed; `payload` is a packed MaybeSwitch."""
        if self.state.now not in (LEAVING, GONE):
            self._channel.tell_vars(payload)

    def go_over(self, payload: bytes) -> None:
        if self.state.now not in (LEAVING, GONE):
            self._channel.tell_switch(payload)

    def resized(self, size: TtySize) -> None:
        self.size = size
        if self._pager is not None:
            self._pager.resize(size)
        if self.state.now == DRAWN:
            self._draw()

    def place_changed(self, pty_size: TtySize) -> None:
        if self.role == DRIVER and self._thawing is not None:
            self._end_wait()
        if self.state.now in (LIVE, WAITING) and not self._fits:
            self._draw()
            self._check_output()
        elif self.state.now == LIVE:
            self._live_rows = self.size.rows
        elif self.state.now == DRAWN and self._fits:
            self._drawn.end()
            if self.since is not None:
                # All that it has missed is drawn, and what a terminal that has grown has taken
                # out of its scrollback.
                self.first_line = self.since - max(self.size.rows - self._live_rows, 0)
            if self._channel.away:
                self.state.become(FROZEN)
            else:
                self._wait_for_picture()

    @property
    def _fits(self) -> bool:
        """What the program writes can be passed on as it is."""
        session = self._session
        if session is None or not self._shows or session.picture.drawings is None:
            return True
        return self.size.cells == session.size.current.cells

    def _draw(self) -> None:
        """Have the session drawn on the client's terminal, for it has another size."""
        session = self._session
        if session is None or session.picture.drawings is None:
            return
        if self.state.now == LIVE:
            self.since = session.size.position_before()
        if self.state.now != DRAWN:
            self.state.become(DRAWN)
        self._stop_waiting()
        self._drawn.begin(session.picture.drawings, self.size)

    def _wait_for_picture(self) -> None:
        self.state.become(WAITING)
        self._wanted_at = monotonic()
        if self._session is not None:
            self._session.want_picture()

    def channel_full(self) -> None:
        self._check_pager()
        if self.state.now in (LIVE, WAITING):
            self._check_output()
            self._await_progress(_FROZEN_AFTER)

    def channel_drained(self) -> None:
        self._stop_waiting()
        self._check_pager()
        if self.state.now == FROZEN:
            if self.role == DRIVER:
                logs.info(f"client {self.pid}: reads again")
            self._thaw()
        self._drawn.free()
        self._check_output()

    def channel_away(self) -> None:
        self._check_pager()
        if self.state.now in (LIVE, WAITING):
            self._freeze()
            self._check_output()

    def channel_back(self) -> None:
        self._check_pager()
        # What stopped the client may have written to its terminal, if only a prompt.
        self._drawn.lost()
        if self.state.now in (LIVE, WAITING):
            self._freeze()
        if self.state.now == FROZEN and not self._channel.full:
            self._thaw()
        self._check_output()

    def _check_output(self) -> None:
        if self._session is not None:
            self._session.check_output()

    def _freeze(self) -> None:
        """Let what the program writes pass the client by."""
        if self.state.now == LIVE and self._session is not None:
            self.since = self._session.picture.position()
        self.state.become(FROZEN)

    def _thaw(self) -> None:
        """Show the client what it has missed, now or in a while."""
        if not self._fits:
            self._stop_thawing()
            self._draw()
        if self._thawing is not None or self.state.now != FROZEN:
            return
        wait = self._thaw_at - monotonic()
        if wait > 0 and self.role != DRIVER:
            self._thawing = self._reactor.call_later(wait, self._end_wait)
            return
        self.state.become(WAITING)
        self._wanted_at = monotonic()
        if self._session is not None:
            self._session.redraw(jiggle=self.role == DRIVER)

    def _end_wait(self) -> None:
        self._stop_thawing()
        if self.state.now == FROZEN and not (self._channel.full or self._channel.away):
            self._thaw_at = 0.0
            self._thaw()

    def _stop_thawing(self) -> None:
        if self._thawing is not None:
            self._thawing.cancel()
            self._thawing = None

    def _await_progress(self, delay: float) -> None:
        self._stop_waiting()
        self._stall = self._reactor.call_later(delay, self._check_progress)

    def _stop_waiting(self) -> None:
        if self._stall is not None:
            self._stall.cancel()
            self._stall = None

    def _check_progress(self) -> None:
        # A client that reads little at a time makes room long before it is said to.
        self._channel.retry()
        if self.state.now not in (LIVE, WAITING) or not self._channel.full:
            return
        idle = monotonic() - self._channel.last_progress
        if idle < _FROZEN_AFTER:
            self._await_progress(_FROZEN_AFTER - idle)
            return
        logs.info(f"client {self.pid}: takes no output, so it is skipped until it does")
        self._freeze()
        self._check_output()

    # ---- input

    def front_full(self) -> None:
        self._check_input()

    def front_drained(self) -> None:
        self._check_input()

    def _check_input(self) -> None:
        """Read what is typed while there is somebody to take it."""
        front = self._front
        if front is not None:
            self._channel.read(not front.full)
            self._await_rest()

    def channel_input(self, data: bytes) -> None:
        if self._pager is not None:
            self._pager.take_input(self, data)
            return
        self._take(self._scanner.feed(data))
        self._await_rest()

    def _take(self, items: "list[bytes | str]") -> None:
        for item in items:
            if self._session is None:
                return
            if isinstance(item, bytes):
                if b"\r" in item or b"\n" in item:
                    self.entered = monotonic()
                self._session.take_input(self, item)
            elif item == "detach":
                self.detach()

    def _await_rest(self) -> None:
        """See to what the scanner waits for: the rest of a key, or of what is pasted."""
        if self._rest is not None:
            self._stop_waiting_for_rest()
        if self._session is not None and self._scanner.pending:
            self._rest = self._reactor.call_later(self._scanner.pending, self._no_rest)

    def _stop_waiting_for_rest(self) -> None:
        if self._rest is not None:
            self._rest.cancel()
            self._rest = None

    def _no_rest(self) -> None:
        # While nothing is read it may well be there; _check_input() has it waited for again.
        if self._session is not None and not self._session.full:
            self._take(self._scanner.flush())

    def channel_leave(self) -> None:
        self.detach()

    # ---- the end

    def detach(self) -> None:
        """Let the client go; its session goes on."""
        session = self._session
        if session is not None:
            session.detach(self)
            self.leave(0, session.farewell())

    def leave(self, status: int, last_words: bytes) -> None:
        if self.state.now in (FROZEN, PAGING):
            last_words = LEAVE + b"\r\n"  # its terminal does not show the session's state
        elif self._drawn.on or self.state.now == DRAWN:
            last_words = self._drawn_last()
        self._let_go()
        self._channel.leave(last_words, status)

    def _drawn_last(self) -> bytes:
        """The last words for a terminal that is drawn on, or was about to be."""
        words = LEAVE
        if self._drawn.on and self._session is not None:
            words = WIPE + self._session.farewell_drawn()
        if self.since is not None:
            return words + b"\r\n"  # it was live, and a line may have begun
        return words if self._drawn.on else b""

    def drop(self) -> None:
        if self.state.now != GONE:
            self._let_go()
            self.state.become(GONE)
            self._channel.drop()

    def broken(self) -> None:
        """There is an error in it, or in its channel: hang up, so that the client sees an end."""
        self.channel_gone()

    def parts(self) -> "tuple[object, ...]":
        return (self._channel, self._pager, self._drawn)

    def channel_gone(self) -> None:
        if self.state.now == GONE:
            return
        session = self._session
        if session is not None:
            session.detach(self)
        self._let_go()
        self._channel.close()

    def channel_closed(self) -> None:
        self.state.become(GONE)
        self._user.client_gone(self)

    def _let_go(self) -> None:
        """Have nothing to do with the session, nor with the pager, any more."""
        if self.state.now != LEAVING:
            self.state.become(LEAVING)
        self._session = None
        self._drawn.end()
        self._leave_pager()
        self._stop_waiting()
        self._stop_thawing()
        self._stop_waiting_for_rest()
