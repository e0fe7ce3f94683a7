"""An attached client: raw input from its terminal to the session, chunks of output back.

live      every byte the program writes is passed on
waiting   it is not: a picture of the screen is being prepared for this client, after which
          it is live.  So it begins, and so it goes on after it was frozen.
leaving   it has been let go; what is still to be sent is sent, then the connection closed
"""

from time import monotonic

from shpool import logs
from shpool.daemon.outbound import Outbound, Policy
from shpool.protocol import chunks
from shpool.protocol.messages import AttachReply
from shpool.protocol.msgpack import pack

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket

    from shpool.daemon.reactor import Reactor, Timer
    from shpool.daemon.session import Session
    from shpool.daemon.table import SessionTable
    from shpool.keybindings import Scanner

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
        self._live = False
        self._frozen = False
        self._stall: Timer | None = None
        self._vars: bytes | None = None  # a chunk that a frozen client has not been sent

    def begin(self, session: "Session", reply: AttachReply, preface: bytes, early: bytes) -> None:
        """Serve the session, in whose list of clients this one is.

        `preface` is shown before anything of the session; `early` is input that came with the
        request.
        """
        self._session = session
        self._outbound.send(pack(reply.to_wire()) + chunks.frame_data(preface))
        session.screen.paint(self._show)
        if early:
            self._input(early)
        if self._session is not None and not session.input_full:
            self.release_input()

    def leave(self, status: int) -> None:
        """Send what is left, then `status`, and hang up.  The session has let go already."""
        if self._session is not None:
            self._session.release_output(self)
            self._session = None
        self._live = False
        if self._stall is not None:
            self._stall.cancel()
        if self._outbound.closed:
            return
        # Its input is read on, into nothing, so that it is noticed if the client goes first.
        self._reactor.on_readable(self._fd, self._read_input)
        self._outbound.send(chunks.frame_exit_status(status))
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

    def _show(self, picture: bytes) -> None:
        if self._session is None:
            return
        self._live = True
        self._outbound.send(chunks.frame_data(picture))

    def outbound_full(self) -> None:
        if self._session is not None:
            self._session.hold_output(self)
            self._await_progress(_FROZEN_AFTER)

    def outbound_drained(self) -> None:
        if self._stall is not None:
            self._stall.cancel()
        if self._session is None:
            return
        if self._frozen:
            logs.info(f"client {self.pid}: reads again")
            self._frozen = False
            if self._vars is not None:
                self._outbound.send(self._vars)
                self._vars = None
            self._session.screen.paint(self._show, in_place=True)
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

    def _input(self, data: bytes) -> None:
        for item in self._scanner.feed(data):
            if self._session is None:
                return
            if isinstance(item, bytes):
                self._session.take_input(item)
            elif item == "detach":
                self.detach()

    def detach(self) -> None:
        """Let the client go; its session goes on."""
        if self._session is not None:
            self._table.detach(self._session, self)
            self.leave(0)

    # ---- the end

    def drop(self) -> None:
        """Hang up without a status: the daemon ends."""
        self._session = None
        self._close()

    def _gone(self) -> None:
        """The connection is of no use any more."""
        session = self._session
        self._session = None
        self._live = False
        if session is not None:
            self._table.detach(session, self)
            session.release_output(self)
        self._close()

    def _close(self) -> None:
        if self._fd < 0:
            return
        if self._stall is not None:
            self._stall.cancel()
        self._outbound.close()
        self._reactor.drop(self._fd)
        self._fd = -1
        self._sock.close()
