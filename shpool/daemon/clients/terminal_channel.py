"""An attached client whose terminal the daemon reads and writes itself, without the client between.

The terminal is given back by closing it before the last words and the exit status are sent over
the connection, for the client to write.  Before what is typed is read, and, less often, before
output is written, a look is taken whether the client has its terminal; if not, all is left alone
and kept until the client says that it has it again.  Until it says so first, which is when it has
made it raw, what is to be shown is only kept.

A client that goes over to another session has its terminal back in the same way, but the daemon
keeps its own description of it until the client says that the other session has the terminal, or
is gone: it may be killed in between.
"""

import os
from time import monotonic

from shpool import logs
from shpool.daemon.clients.channel import NOBODY, OUTPUT_CAP, READ, Channel, ChannelUser, Line
from shpool.daemon.clients.passed_terminal import Mourner, MournerUser, PassedTerminal
from shpool.daemon.loop.outbound import Outbound, OutboundUser
from shpool.protocol import chunks
from shpool.protocol.msgpack import WireError
from shpool.terminal.leave import ASKED, Watch

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket

    from shpool.daemon.loop.reactor import Reactor
    from shpool.protocol.attaching import AttachReply

# Seconds between two looks at the client on behalf of output.
_LOOK_EVERY = 0.01


class TerminalChannel(Channel, MournerUser):
    """Output and input by the terminal, everything else by the connection.

    Bytes written to the connection are news, of which the latest are kept; what is shown waits in
    an Outbound of the terminal's, whose user is this object's other half, _Output.
    """

    CARRIED = {
        "_line": Line,
        "_terminal": (PassedTerminal, None),
        "_output": Outbound,
        "_news": chunks.ChunkReader,
        "_watch": Watch,
        "_told": int,
        "_reads": bool,
        "_away": bool,
        "_looked": float,
        "_killed": bool,
        "_begun": bool,
        "_goes_over": bool,
        "_kept": (PassedTerminal, None),
        "_words": bytes,
        "_asked_back": bool,
        "_mourner": (Mourner, None),
    }
    DERIVED = ("_reactor",)

    def __init__(
        self, reactor: "Reactor", sock: "socket.socket", early: bytes, terminal: PassedTerminal
    ) -> None:
        self._reactor = reactor
        self._line = Line(reactor, sock, early, self)
        self._terminal: PassedTerminal | None = terminal
        self._output = Outbound(reactor, terminal.fd, OUTPUT_CAP, _Output(self))
        self._news = chunks.ChunkReader()
        self._watch = Watch()
        self._told = 0  # the state that the client knows
        self._reads = False
        self._away = False
        self._looked = 0.0
        self._killed = False  # the client went without a word
        self._begun = False  # the client has said that it has its terminal
        self._goes_over = False
        self._kept: PassedTerminal | None = None  # while it is on its way
        self._words = b""  # what turns off what it has on
        self._asked_back = False  # the client has asked for it, and may go on in it
        self._mourner: Mourner | None = None
        self._output.pause(not terminal.ready)
        reactor.on_readable(sock.fileno(), self._line_readable)
        if early:
            reactor.soon(self._line_readable)

    def taken_on(self, reactor: "Reactor", user: ChannelUser) -> None:
        super().taken_on(reactor, user)
        self._reactor = reactor
        self._line.taken_on(reactor, self)
        terminal = self._terminal
        self._output.taken_on(reactor, -1 if terminal is None else terminal.fd, _Output(self))
        if self._mourner is not None:
            self._mourner.taken_on(self)

    def watch_again(self) -> None:
        if self._line.fd >= 0:
            self._reactor.on_readable(self._line.fd, self._line_readable)
            if self._line.has_early:
                self._reactor.soon(self._line_readable)
        self.read(self._reads)

    @property
    def fd(self) -> int:
        return self._mourner.fd if self._mourner is not None else self._line.fd

    # ---- the terminal

    @property
    def full(self) -> bool:
        return self._output.full

    @property
    def away(self) -> bool:
        return self._away

    @property
    def goes_over(self) -> bool:
        return self._goes_over

    @property
    def last_progress(self) -> float:
        return self._output.last_progress

    def limit(self, cap: int) -> None:
        self._output.limit(cap)

    def retry(self) -> None:
        self._output.retry()

    def look(self) -> bool:
        if self._away or monotonic() - self._looked <= _LOOK_EVERY:
            return not self._away
        return not self._ready or self._has_terminal()

    def show(self, data: bytes) -> None:
        if self._terminal is None or not data:
            return
        self._watch.output(data, monotonic())
        if self._watch.state != self._told:
            self._told = self._watch.state
            self._line.out.send(chunks.frame(chunks.STATE, bytes([self._told])))
        self._output.send(data)

    def read(self, wanted: bool) -> None:
        self._reads = wanted
        if self._terminal is None:
            return
        wanted = wanted and self._ready and not self._away
        self._reactor.on_readable(self._terminal.fd, self._typed if wanted else None)
        self._reactor.on_hangup(self._terminal.fd, None if wanted else self._hung_up)

    @property
    def _ready(self) -> bool:
        return self._terminal is not None and self._terminal.ready

    def _typed(self) -> None:
        if self._terminal is None or not self._looked_at():
            return
        try:
            data = os.read(self._terminal.fd, READ)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if data:
            self.user.channel_input(data)
        else:
            self._hung_up()

    def _hung_up(self) -> None:
        """There is no terminal any more, and so no client, whether it knows or not."""
        self.user.channel_gone()

    def _looked_at(self) -> bool:
        """As look(), now, for who is called by the loop: the user is told."""
        if self._away:
            return False
        if self._has_terminal():
            return True
        self._reactor.soon(self._tell_away)
        return False

    def _tell_away(self) -> None:
        if self._away:
            self.user.channel_away()

    def _has_terminal(self) -> bool:
        """Returns whether the terminal is to be read and written; if not, the client is asked."""
        self._looked = monotonic()
        if self._terminal is None:
            return False
        if self._terminal.is_ours():
            return True
        logs.debug("a client does not have its terminal, so that is left alone until it does")
        self._away = True
        self._output.pause(True)
        self.read(self._reads)
        self._line.out.send(chunks.frame(chunks.HEARTBEAT, b""))
        return False

    # ---- what the terminal's Outbound tells, through _Output

    def output_full(self) -> None:
        self.user.channel_full()

    def output_drained(self) -> None:
        self.user.channel_drained()

    def output_writable(self) -> bool:
        if self._away:
            return False
        return monotonic() - self._looked <= _LOOK_EVERY or self._looked_at()

    def output_failed(self) -> None:
        self._hung_up()

    # ---- the connection

    def answer(self, reply: "AttachReply") -> None:
        self._line.answer(reply)

    def tell_vars(self, payload: bytes) -> None:
        self._line.tell_vars(payload)

    def tell_switch(self, payload: bytes) -> None:
        self._line.tell_switch(payload)

    def outbound_drained(self) -> None:
        self._line.send_waiting()

    def outbound_failed(self, error: OSError) -> None:
        self._lost()

    def _line_readable(self) -> None:
        if self._line.fd < 0:
            return
        data = self._line.receive()
        if data is None:
            self._lost()
        elif data and (self._kept is not None or not self._line.leaving):
            self._received(data)

    def _received(self, data: bytes) -> None:
        try:
            news = self._news.feed(data)
        except WireError as error:
            logs.warn(f"an attached client is hung up on: {error}")
            self._hung_up()
            return
        for kind, content in news:
            if self._kept is not None and kind == chunks.DETACH:
                kept, self._kept = self._kept, None
                kept.close()
                self.close()
            if self._terminal is None:
                return
            if kind == chunks.MODES and isinstance(content, bytes):
                self._terminal.before = content[: chunks.MODES_MAX]
            elif kind == chunks.BACK:
                self._back()
            elif kind == chunks.DETACH:
                self._goes_over = content == chunks.GOES_OVER
                self._asked_back = True
                self.user.channel_leave()

    def _back(self) -> None:
        assert self._terminal is not None
        # Who comes from another session has it raw from the first, and nothing to be shown again.
        first = not self._ready or not (self._begun or self._away)
        self._begun = True
        try:
            if not self._terminal.renew():
                # Stopped again; or in the background, which it does not notice if nobody stops
                # it there.  To ask it again would be to ask it for ever.
                if not first:
                    self._looked_at()
                return
        except OSError:
            self._hung_up()
            return
        self._away = False
        self.read(self._reads)
        self._output.pause(False)
        if not first:
            self.user.channel_back()

    def _lost(self) -> None:
        """The connection has ended; with the terminal still ours the client was killed."""
        self._killed = self._terminal is not None or self._kept is not None
        self.user.channel_gone()

    # ---- the end

    def leave(self, last_words: bytes, status: int) -> None:
        if self._line.fd < 0:
            return
        if self._terminal is not None:
            asked = self._watch.asked(monotonic())
            if asked:
                # The answer comes when the terminal is the client's again.
                self._line.out.send(chunks.frame(chunks.STATE, bytes([self._told | ASKED])))
            self._watch.output(last_words)
            self._words = self._watch.words()
            last_words += self._watch.farewell()
            unsent = self._output.kept
            terminal = self._give_up()
            if self._goes_over:
                self._kept = terminal
            else:
                if not (self._asked_back or asked or self._watch.reports or unsent):
                    # As the client is about to do, who may be killed before it can.
                    terminal.restore()
                # Before the status: whoever waits for the terminal's end waits for ours too.
                terminal.close()
            self._line.out.send(chunks.frame_data(unsent))
        self._line.leave(last_words, status)

    def outbound_empty(self) -> None:
        if self._kept is None:
            self.close()

    def close(self) -> None:
        if self._line.fd < 0:
            return
        self._line.close(self._reactor)
        terminal, self._kept = self._kept, None
        if self._terminal is not None:
            terminal = self._give_up()
            self._words = self._watch.words() if terminal.ready else b""
        if terminal is not None and self._killed:
            self._mourner = Mourner(self._reactor, terminal, self._words, self)
            return
        if terminal is not None:
            terminal.close()
        self._reactor.soon(self._tell_closed)

    def mourned(self) -> None:
        self._mourner = None
        self._tell_closed()

    def _tell_closed(self) -> None:
        user, self.user = self.user, NOBODY
        user.channel_closed()

    def drop(self) -> None:
        if self._mourner is not None:
            self._mourner.close()
            self._mourner = None
        if self._terminal is not None:
            self._give_up().close()
        if self._kept is not None:
            self._kept.close()
            self._kept = None
        self._line.close(self._reactor)

    def broken(self) -> None:
        self.user.broken()

    def parts(self) -> "tuple[object, ...]":
        return (
            *(self._line, self._line.out, self._terminal, self._output, self._mourner),
            self._kept,
        )

    def _give_up(self) -> PassedTerminal:
        terminal, self._terminal = self._terminal, None
        assert terminal is not None
        self._output.close()
        self._reactor.drop(terminal.fd)
        return terminal


class _Output(OutboundUser):
    """What becomes of output means something else than what becomes of news."""

    __slots__ = ("_channel",)

    def __init__(self, channel: TerminalChannel) -> None:
        self._channel = channel

    def outbound_full(self) -> None:
        self._channel.output_full()

    def outbound_drained(self) -> None:
        self._channel.output_drained()

    def outbound_writable(self) -> bool:
        return self._channel.output_writable()

    def outbound_failed(self, error: OSError) -> None:
        self._channel.output_failed()

    def broken(self) -> None:
        self._channel.broken()
