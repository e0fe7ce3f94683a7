"""What an attached client is shown of its session, and when: its states.

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
from shpool.daemon.carried import Deadline, Life
from shpool.daemon.clients.channel import ChannelUser
from shpool.daemon.clients.drawn_terminal import DrawnTerminal
from shpool.daemon.life import State
from shpool.daemon.sessions.participant import DRIVER, Participant
from shpool.protocol.attaching import mark
from shpool.terminal.drawn import WIPE
from shpool.terminal.leave import LEAVE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from shpool.daemon.clients.channel import Channel
    from shpool.daemon.loop.reactor import Reactor, Timer
    from shpool.daemon.sessions.session import Session
    from shpool.protocol.requests import TtySize

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


class ClientOutput(Participant, ChannelUser):
    """An attached client, as far as its terminal is written.

    `fresh`: the session was made for it, so what the shell writes first is for this client.
    `shows`: it has a terminal for that.
    """

    CARRIED = {
        "_fresh": bool,
        "_shows": bool,
        "first_line": (int, None),
        "_seen": int,
        "state": Life(LIFE, State),
        "_drawn": DrawnTerminal,
        "since": (int, None),
        "_live_rows": int,
        "_stall": Deadline("_check_progress"),
        "_thawing": Deadline("_end_wait"),
        "_wanted_at": float,
        "_thaw_at": float,
    }
    DERIVED: "tuple[str, ...]" = ("_reactor",)

    _channel: "Channel"

    def __init__(
        self,
        reactor: "Reactor",
        channel: "Channel",
        *,
        pid: int,
        size: "TtySize",
        fresh: bool,
        shows: bool,
    ) -> None:
        self._reactor = reactor
        self._channel = channel
        channel.user = self
        self.pid = pid
        self.size = size
        self._fresh = fresh
        self._shows = shows
        self._seen = -1  # the number of the line that it was told last
        self.state = State(f"client {pid}", LIFE, ASKED)
        self._session: Session | None = None
        self._drawn = DrawnTerminal(channel, size)
        self.since: int | None = None  # not live when the screen was there; None: from the first
        self._live_rows = size.rows  # of its terminal when it was live last
        self._stall: Timer | None = None
        self._thawing: Timer | None = None
        self._wanted_at = 0.0  # monotonic: when it asked for a picture last
        self._thaw_at = 0.0  # and before when it is not to ask for another

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

    def resized(self, size: "TtySize") -> None:
        self.size = size
        if self.state.now == DRAWN:
            self._draw()

    def place_changed(self) -> None:
        if self._thawing is not None and (self.role == DRIVER or not self._fits):
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
        if self.state.now in (LIVE, WAITING):
            self._check_output()
            self._await_progress(_FROZEN_AFTER)

    def channel_drained(self) -> None:
        self._stop_waiting()
        if self.state.now == FROZEN:
            if self.role == DRIVER:
                logs.info(f"client {self.pid}: reads again")
            self._thaw()
        self._drawn.free()
        self._check_output()

    def channel_away(self) -> None:
        if self.state.now in (LIVE, WAITING):
            self._freeze()
            self._check_output()

    def channel_back(self) -> None:
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

    def _drawn_last(self) -> bytes:
        """The last words for a terminal that is drawn on, or was about to be."""
        words = LEAVE
        if self._drawn.on and self._session is not None:
            words = WIPE + self._session.farewell_drawn()
        if self.since is not None:
            return words + b"\r\n"  # it was live, and a line may have begun
        return words if self._drawn.on else b""

    def _stop_showing(self) -> None:
        """Nothing more is to be shown."""
        self._drawn.end()
        self._stop_waiting()
        self._stop_thawing()
