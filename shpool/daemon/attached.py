"""An attached client: raw input from its terminal to the session, chunks of output back.

paging    the message of the day is shown in a pager, which has the keys
waiting   a picture of the screen is being prepared; what the program writes is in it
live      every byte the program writes is passed on
frozen    the client took nothing for too long; what the program writes passes it by, and
          when it reads again it is waiting, and live again
leaving   it has been let go; what is still to be sent is sent, then the connection closed
"""

from time import monotonic

from shpool import logs
from shpool.daemon.outbound import Outbound, Policy
from shpool.protocol import chunks
from shpool.protocol.messages import AttachReply
from shpool.protocol.msgpack import pack
from shpool.terminal.leave import LEAVE

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket

    from shpool.daemon.pager import Pager
    from shpool.daemon.reactor import Reactor, Timer
    from shpool.daemon.session import Session
    from shpool.daemon.table import SessionTable
    from shpool.keybindings import Scanner
    from shpool.protocol.messages import TtySize

# Bytes of output kept for a client before the pty is held back; the kernel's socket buffer comes
# on top.  What is kept here delays the effect of a ^C.
_OUTPUT_CAP = 65_536

# One read of a client's input, in bytes.
_READ = 65_536

# A client that takes no byte for so many seconds while its buffer is full is frozen, and no
# longer holds the program back.
_FROZEN_AFTER = 2.0


class AttachedClient(Policy):
    def __init__(
        self,
        reactor: "Reactor",
        table: "SessionTable",
        sock: "socket.socket",
        pid: int,
        template: str,
        scanner: "Scanner",
    ) -> None:
        self._reactor = reactor
        self._table = table
        self._sock = sock
        self._fd = sock.fileno()
        self.pid = pid
        self.template = template
        self._scanner = scanner
        self._session: Session | None = None
        self._outbound = Outbound(reactor, self._fd, _OUTPUT_CAP, self)
        self._pager: Pager | None = None
        self._fresh = False
        self._live = False
        self._frozen = False
        self._stall: Timer | None = None
        self._vars: bytes | None = None  # a chunk that a frozen client has not been sent

    def begin(
        self, session: "Session", reply: AttachReply, early: bytes, pager: "Pager | None"
    ) -> None:
        """Serve the session, in whose list of clients this one is.

        `early` is input that came with the request; `pager`, about to be started, is left first.
        """
        self._session = session
        self._pager = pager
        self._fresh = reply.status == "Created"
        self._outbound.send(pack(reply.to_wire()))
        if self._session is None:
            return  # it did not wait for the reply
        if pager is None:
            self._enter()
        elif self._fresh:
            session.hold_output(self)  # its first words are for this client
        if early:
            self._input(early)
        if self._session is not None:
            self._resume_input()

    def pager_done(self, unread: bytes) -> None:
        """The user has left the pager, or it did not start and `unread` was typed meanwhile."""
        self._pager = None
        if self._session is not None:
            self._session.release_output(self)
            self._enter()
            if unread:
                self._input(unread)
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
            if self._outbound.full:
                self.outbound_full()
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
        if self._outbound.closed:
            return
        # Its input is read on, into nothing, so that it is noticed if the client goes first.
        self._reactor.on_readable(self._fd, self._read_input)
        self._outbound.send(chunks.frame_data(last_words) + chunks.frame_exit_status(status))
        self._outbound.finish()

    # ---- output

    def take_output(self, data: bytes) -> None:
        """The program wrote `data`."""
        if self._live:
            self._outbound.send(chunks.frame_data(data))

    def send_vars(self, payload: bytes) -> None:
        """The variables have changed; `payload` is a packed MaybeSwitch."""
        chunk = chunks.frame(chunks.MAYBE_SWITCH, payload)
        if self._frozen:
            self._vars = chunk  # the latest is all that counts
        else:
            self._outbound.send(chunk)

    def show(self, data: bytes) -> None:
        """Send what is not the program's: the pager's output."""
        self._outbound.send(chunks.frame_data(data))

    def resized(self, size: "TtySize") -> None:
        """The terminal has another size; the session knows already."""
        if self._pager is not None:
            self._pager.resize(size)

    def _show_picture(self, picture: bytes) -> None:
        if self._session is not None:
            self._live = True
            self.show(picture)

    def outbound_full(self) -> None:
        if self._pager is not None:
            self._pager.hold_output(True)
        elif self._session is not None:
            self._session.hold_output(self)
            self._await_progress(_FROZEN_AFTER)

    def outbound_drained(self) -> None:
        if self._stall is not None:
            self._stall.cancel()
        if self._pager is not None:
            self._pager.hold_output(False)
            return
        if self._session is None:
            return
        if self._frozen:
            logs.info(f"client {self.pid}: reads again")
            self._frozen = False
            if self._vars is not None:
                self._outbound.send(self._vars)
                self._vars = None
            self._session.redraw(self._show_picture)
        self._session.release_output(self)

    def outbound_empty(self) -> None:
        self._close()

    def outbound_failed(self, error: OSError) -> None:
        self._gone()

    def _await_progress(self, delay: float) -> None:
        if self._stall is not None:
            self._stall.cancel()
        self._stall = self._reactor.call_later(delay, self._check_progress)

    def _check_progress(self) -> None:
        # A client that reads little at a time makes room long before it is said to.
        self._outbound.retry()
        if self._session is None or not self._outbound.full:
            return
        idle = monotonic() - self._outbound.last_progress
        if idle < _FROZEN_AFTER:
            self._await_progress(_FROZEN_AFTER - idle)
            return
        logs.info(f"client {self.pid}: takes no output, so it is skipped until it does")
        self._live = False
        self._frozen = True
        self._session.release_output(self)

    # ---- input

    def hold_input(self) -> None:
        """The program does not read: stop reading the client, but notice when it goes."""
        self._reactor.on_readable(self._fd, None)
        self._reactor.on_hangup(self._fd, self._gone)

    def _resume_input(self) -> None:
        if self._input_full:
            self.hold_input()
        else:
            self.release_input()

    def release_input(self) -> None:
        """Read the client's input (again)."""
        if self._fd >= 0:
            self._reactor.on_hangup(self._fd, None)
            self._reactor.on_readable(self._fd, self._read_input)

    def _read_input(self) -> None:
        try:
            data = self._sock.recv(_READ)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if data:
            self._input(data)
        else:
            self._gone()

    @property
    def _input_full(self) -> bool:
        whose = self._pager or self._session
        return whose is not None and whose.input_full

    def _input(self, data: bytes) -> None:
        if self._pager is not None:
            self._pager.take_input(data)
            return
        for item in self._scanner.feed(data):
            if self._session is None:
                return
            if isinstance(item, bytes):
                self._session.take_input(item)
            elif item == "detach":
                self.detach()

    def detach(self) -> None:
        """Let the client go; its session goes on."""
        session = self._session
        if session is not None:
            self._table.detach(session, self)
            self.leave(0, session.screen.leave())

    # ---- the end

    def drop(self) -> None:
        """Hang up without a status: the daemon ends."""
        self._close()

    def _gone(self) -> None:
        """The connection is of no use any more."""
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
        if self._stall is not None:
            self._stall.cancel()

    def _close(self) -> None:
        if self._fd < 0:
            return
        self._let_go()
        self._outbound.close()
        self._reactor.drop(self._fd)
        self._fd = -1
        self._sock.close()
