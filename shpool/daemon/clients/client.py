"""An attached client, between a session and a channel: what it is in front of, its keys, its end.

What it is shown, and in which states, is in output.py.
"""

import re
from time import monotonic

from shpool.daemon.carried import Deadline, OneOf, Reference
from shpool.daemon.clients.channel import READ, ChunkChannel
from shpool.daemon.clients.output import (
    DRAWN,
    FROZEN,
    GONE,
    LEAVING,
    LIVE,
    PAGING,
    WAITING,
    ClientOutput,
)
from shpool.daemon.clients.pager import Pager, PagerUser
from shpool.daemon.clients.terminal_channel import TerminalChannel
from shpool.daemon.loop.reactor import Owner
from shpool.daemon.sessions.participant import SHARED
from shpool.keys.scanner import Scanner
from shpool.protocol.requests import TtySize
from shpool.terminal.leave import LEAVE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from shpool.daemon.clients.channel import Channel
    from shpool.daemon.loop.peer import Device
    from shpool.daemon.loop.reactor import Reactor, Timer
    from shpool.daemon.programs.program import Program
    from shpool.daemon.programs.spawn import Spawner
    from shpool.daemon.sessions.participant import Front
    from shpool.daemon.sessions.session import Session
    from shpool.keys.scanner import Action
    from shpool.protocol.attaching import AttachReply, Comeback

# Seconds that a client has to go after it was told to go over to another session.
_GOES_WITHIN = 2.0


# Enter, or the keypad's, in every encoding, unless it is let go.
_ENTER = re.compile(
    rb"[\r\n] | \x1bOM | \x1b\[ (?:13|57414) (?: : [\d:]* )? (?: ; (?! \d* :3 ) [\d:;]* )? u",
    re.VERBOSE,
).search


class ClientUser(Owner):
    """Who keeps the list of clients."""

    __slots__ = ()

    def way_back(self, client: "AttachedClient") -> "bytes | None":
        """What to tell it to have it go back to the session before, a packed MaybeSwitch; None if
        it cannot."""
        return None

    def typed_ahead(self, pid: int, data: bytes) -> None:
        """It has left, on its way to another session, for which it typed `data`."""

    def client_gone(self, client: "AttachedClient") -> None:
        """Nothing is left of it."""


class AttachedClient(ClientOutput, PagerUser):
    """A client in a session's list of clients; `enter` puts it to work.

    `comeback`: how it is known to a later connection.  `version`: its program and version; empty if
    it does not say so.  The rest as in output.py.
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
        "env": [(str, str)],
        "version": str,
        "previous": (str, None),
        "entered": float,
        "token": str,
        "_session": Reference("Session"),
        "_pager": (Pager, None),
        "_rest": Deadline("_no_rest"),
        "_ahead": (bytes, None),
        "_staying": Deadline("_stay"),
    }
    DERIVED = ("_brought", "_user")  # of the former nothing is left when all that is to be done is

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
        super().__init__(reactor, channel, pid=pid, size=size, fresh=fresh, shows=shows)
        self._scanner = scanner
        self._user = user
        self.template = template
        self.role = role
        self.typed_at = 0.0
        self.device = device
        self.env = env or []
        self.version = version
        self.previous = previous
        self.entered = 0.0
        if comeback is not None:
            self.token = comeback.token
            self.first_line = comeback.since
        self._pager: Pager | None = None
        self._rest: Timer | None = None
        self._ahead: bytes | None = None  # typed since it was told to go over
        self._staying: Timer | None = None
        self._brought = b""

    def taken_on(self, reactor: "Reactor", spawner: "Spawner", user: ClientUser) -> None:
        self._reactor = reactor
        self._user = user
        self._brought = b""
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

    # ---- what its pager and it are told by the channel

    def resized(self, size: TtySize) -> None:
        super().resized(size)
        if self._pager is not None:
            self._pager.resize(size)

    def channel_full(self) -> None:
        self._check_pager()
        super().channel_full()

    def channel_drained(self) -> None:
        self._check_pager()
        super().channel_drained()

    def channel_away(self) -> None:
        self._check_pager()
        super().channel_away()

    def channel_back(self) -> None:
        self._check_pager()
        super().channel_back()

    def send_vars(self, payload: bytes) -> None:
        """The variables have changed; `payload` is a packed MaybeSwitch."""
        if self.state.now not in (LEAVING, GONE):
            self._channel.tell_vars(payload)

    def go_over(self, payload: bytes) -> None:
        if self.state.now in (LEAVING, GONE):
            return
        self._channel.tell_switch(payload)
        self._ahead = self._ahead or b""
        if self._staying is not None:
            self._staying.cancel()
        self._staying = self._reactor.call_later(_GOES_WITHIN, self._stay)

    def _stay(self) -> None:
        """It has not gone: what it types is for this session after all."""
        ahead = self._stop_going()
        if ahead:
            self._take(self._scanner.read_again(ahead))

    def _stop_going(self) -> "bytes | None":
        """What it has typed since it was told to go."""
        ahead, self._ahead = self._ahead, None
        if self._staying is not None:
            self._staying.cancel()
            self._staying = None
        return ahead

    def _leave_ahead(self) -> None:
        ahead, self._ahead = self._ahead, None
        if ahead:
            self._user.typed_ahead(self.pid, ahead)

    # ---- input

    def front_full(self) -> None:
        self._check_input()

    def front_drained(self) -> None:
        self._check_input()

    def _check_input(self) -> None:
        """Read what is typed while there is somebody to take it."""
        front = self._front
        if front is not None:
            self._channel.read(not front.full_for(self))
            self._await_rest()

    def channel_input(self, data: bytes) -> None:
        if self._pager is not None:
            self._pager.take_input(self, data)
            return
        self._take(self._scanner.feed(data))
        self._await_rest()

    def bring(self, data: bytes) -> None:
        """It has typed `data` before it came here."""
        self._brought = data
        self._reactor.soon(self._take_brought)

    def _take_brought(self) -> None:
        brought, self._brought = self._brought, b""
        self.channel_input(brought)

    def _take(self, items: "list[bytes | Action]") -> None:
        for item in items:
            if self._session is None:
                return
            if self._ahead is not None:
                # What a key does there it is to do there.
                self._ahead += item if isinstance(item, bytes) else item.keys
                if len(self._ahead) > READ:
                    self._stay()
            elif isinstance(item, bytes):
                if _ENTER(item):
                    self.entered = monotonic()
                self._session.take_input(self, item)
            elif item == "detach":
                self.detach()
            elif item == "switch-last":
                self._switch_back()

    def _switch_back(self) -> None:
        payload = self._user.way_back(self)
        if payload is not None:
            self.go_over(payload)

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
        if self._session is not None and not self._session.full_for(self):
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
        if self._session is not None and (self._ahead is not None or self._channel.goes_over):
            last_words = self._session.untitled() + last_words
        self._let_go()
        self._channel.leave(last_words, status)

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
        ahead = self._stop_going()
        if ahead:
            self._ahead = ahead
            self._reactor.soon(self._leave_ahead)
        self._leave_pager()
        self._stop_showing()
        self._stop_waiting_for_rest()
