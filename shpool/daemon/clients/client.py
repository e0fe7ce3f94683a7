"""An attached client: raw input from its terminal to the session, chunks of output back.

paging    the message of the day is shown in a pager, which has the keys
waiting   a picture of the screen is being prepared; what the program writes is in it
live      every byte the program writes is passed on
frozen    the client took nothing for too long, or it was stopped; what the program writes passes
          it by, and when it is there again it is waiting, and live again
leaving   it has been let go; what is still to be sent is sent, then the connection closed
"""

from time import monotonic

from shpool import logs
from shpool.daemon.clients.terminal_channel import TerminalUser
from shpool.terminal.leave import LEAVE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from shpool.daemon.clients.channel import Channel
    from shpool.daemon.clients.pager import Pager
    from shpool.daemon.loop.reactor import Reactor, Timer
    from shpool.daemon.sessions.session import Session
    from shpool.daemon.sessions.table import SessionTable
    from shpool.keys.scanner import Scanner
    from shpool.protocol.messages import AttachReply, TtySize

# A client that takes no byte for so many seconds while its buffer is full is frozen, and no
# longer holds the program back.
_FROZEN_AFTER = 2.0


class AttachedClient(TerminalUser):
    def __init__(
        self,
        reactor: "Reactor",
        table: "SessionTable",
        channel: "Channel",
        pid: int,
        template: str,
        scanner: "Scanner",
    ) -> None:
        self._reactor = reactor
        self._table = table
        self._channel = channel
        channel.user = self
        self.pid = pid
        self.template = template
        self._scanner = scanner
        self._session: Session | None = None
        self._pager: Pager | None = None
        self._fresh = False
        self._live = False
        self._frozen = False
        self._since: int | None = None  # frozen when the screen was there; None: from the first
        self._stall: Timer | None = None
        self._rest: Timer | None = None

    def begin(
        self, session: "Session", reply: "AttachReply", early: bytes, pager: "Pager | None"
    ) -> None:
        """Serve the session, in whose list of clients this one is.

        `early` is input that came with the request; `pager`, about to be started, is left first.
        """
        self._session = session
        self._pager = pager
        self._fresh = reply.status == "Created"
        self._channel.answer(reply)
        if self._session is None:
            return  # it did not wait for the reply
        if pager is None:
            self._enter()
        elif self._fresh:
            session.hold_output(self)  # its first words are for this client
        if early:
            self._channel.received(early)
        if self._session is not None:
            self._resume_input()

    def pager_done(self, unread: bytes) -> None:
        """The user has left the pager, or it did not start and `unread` was typed meanwhile."""
        self._pager = None
        if self._session is not None:
            self._session.release_output(self)
            self._enter()
            if unread:
                self.channel_input(unread)
            if self._session is not None:
                self._resume_input()

    def shell_ended(self) -> None:
        """What the shell wrote last is about to come; a pager must not stand before it."""
        if self._pager is not None:
            self._pager.hang_up()
            self._pager = None
            self.show(LEAVE)
            self._enter()

    def _enter(self) -> None:
        assert self._session is not None
        if self._fresh:
            self._live = True  # a new shell's first words go where the user's cursor is
            if self._channel.full:
                self.channel_full()
        else:
            self._session.screen.paint(self._show_picture)

    def leave(self, status: int, last_words: bytes) -> None:
        """Send what is left, then `last_words`, then `status`, and hang up.

        The session has let go already.
        """
        if self._session is not None:
            self._session.release_output(self)
        if self._frozen or self._pager is not None:
            last_words = LEAVE + b"\r\n"  # its terminal does not show the session's state
        self._let_go()
        self._channel.leave(last_words, status)

    # ---- output

    def take_output(self, data: bytes) -> None:
        """The program wrote `data`."""
        if self._live:
            self._channel.look()
        # Else the data is among what the client misses, and must not be shown besides.
        if self._live:
            self._channel.show(data)

    def send_vars(self, payload: bytes) -> None:
        """The variables have changed; `payload` is a packed MaybeSwitch."""
        self._channel.tell_vars(payload)

    def show(self, data: bytes) -> None:
        """Show what is not the program's: the pager's output."""
        self._channel.look()
        self._channel.show(data)

    def resized(self, size: "TtySize") -> None:
        """The terminal has another size; the session knows already."""
        if self._pager is not None:
            self._pager.resize(size)

    def _show_picture(self, picture: bytes) -> None:
        self._channel.look()
        # It is live already when several pictures were asked for before there was one.
        if self._session is not None and not self._frozen and not self._live:
            self._live = True
            self._channel.show(picture)

    def channel_full(self) -> None:
        if self._pager is not None:
            self._pager.hold_output(True)
        elif self._session is not None:
            self._session.hold_output(self)
            self._await_progress(_FROZEN_AFTER)

    def channel_drained(self) -> None:
        if self._stall is not None:
            self._stall.cancel()
        if self._pager is not None:
            self._pager.hold_output(False)
            return
        if self._session is None:
            return
        if self._frozen:
            logs.info(f"client {self.pid}: reads again")
            self._thaw()
        self._session.release_output(self)

    def _freeze(self) -> None:
        """Let what the program writes pass the client by."""
        if self._live and self._session is not None:
            self._since = self._session.screen.position()
        self._live = False
        self._frozen = True
        if self._session is not None:
            self._session.release_output(self)

    def _thaw(self) -> None:
        """Show the client what it has missed."""
        self._frozen = False
        if self._session is not None:
            self._session.redraw(self._show_picture, self._since)

    def channel_away(self) -> None:
        if self._pager is not None:
            self._pager.hold_output(True)
        else:
            self._freeze()

    def channel_back(self) -> None:
        if self._pager is not None:
            self._pager.hold_output(self._channel.full)
            return
        # What stopped the client may have written to its terminal, if only a prompt.
        self._freeze()
        if not self._channel.full:
            self._thaw()

    def _await_progress(self, delay: float) -> None:
        if self._stall is not None:
            self._stall.cancel()
        self._stall = self._reactor.call_later(delay, self._check_progress)

    def _check_progress(self) -> None:
        # A client that reads little at a time makes room long before it is said to.
        self._channel.retry()
        if self._session is None or not self._channel.full:
            return
        idle = monotonic() - self._channel.last_progress
        if idle < _FROZEN_AFTER:
            self._await_progress(_FROZEN_AFTER - idle)
            return
        logs.info(f"client {self.pid}: takes no output, so it is skipped until it does")
        self._freeze()

    # ---- input

    def hold_input(self) -> None:
        """The program does not read: stop reading the client, but notice when it goes."""
        self._channel.read(False)

    def release_input(self) -> None:
        """Read the client's input (again)."""
        self._channel.read(True)
        self._await_rest()

    def _resume_input(self) -> None:
        self._channel.read(not self._input_full)

    @property
    def _input_full(self) -> bool:
        whose = self._pager or self._session
        return whose is not None and whose.input_full

    def channel_input(self, data: bytes) -> None:
        if self._pager is not None:
            self._pager.take_input(data)
            return
        self._take(self._scanner.feed(data))
        self._await_rest()

    def _take(self, items: "list[bytes | str]") -> None:
        for item in items:
            if self._session is None:
                return
            if isinstance(item, bytes):
                self._session.take_input(item)
            elif item == "detach":
                self.detach()

    def _await_rest(self) -> None:
        """See to what the scanner waits for: the rest of a key, or of what is pasted."""
        if self._rest is not None:
            self._rest.cancel()
        self._rest = None
        if self._session is not None and self._scanner.pending:
            self._rest = self._reactor.call_later(self._scanner.pending, self._no_rest)

    def _no_rest(self) -> None:
        # While nothing is read it may well be there; release_input() has it waited for again.
        if not self._input_full:
            self._take(self._scanner.flush())

    def detach(self) -> None:
        """Let the client go; its session goes on."""
        session = self._session
        if session is not None:
            self._table.detach(session, self)
            self.leave(0, session.screen.leave())

    def channel_leave(self) -> None:
        self.detach()

    # ---- the end

    def drop(self) -> None:
        """Hang up without a status: the daemon ends."""
        self._close()

    def channel_gone(self) -> None:
        session = self._session
        self._let_go()
        if session is not None:
            self._table.detach(session, self)
            session.release_output(self)
        self._close()

    def _let_go(self) -> None:
        """Have nothing to do with the session, nor with the pager, any more."""
        self._session = None
        self._live = False
        if self._pager is not None:
            self._pager.hang_up()
            self._pager = None
        for timer in (self._stall, self._rest):
            if timer is not None:
                timer.cancel()

    def _close(self) -> None:
        self._let_go()
        self._channel.close()
