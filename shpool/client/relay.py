"""What runs while a client is attached: keys to the daemon, output to the terminal.

Both directions are kept apart: output that the terminal does not take (Ctrl-S, a stopped ssh)
never keeps a ^C from the daemon, and input that the daemon does not take never keeps output from
the terminal.

There is one end, `outcome`.  Where the daemon has the terminal, it is asked for it first: `_wish`
is why, and becomes the outcome when the terminal is back, or overdue.  A signal that says to end
counts for more than one that says to stop, and that for more than a switch to another session.
"""

import select
import signal
from time import monotonic

from shpool.client import tty
from shpool.client.signals import LEAVING
from shpool.client.streams import Downstream
from shpool.protocol.chunks import DATA, MAYBE_SWITCH, ChunkReader
from shpool.protocol.msgpack import WireError
from shpool.protocol.replies import MaybeSwitch
from shpool.terminal.leave import ALTERNATE, ASKED, REPORTS

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from typing import Union

    from shpool.client.hands import DaemonsHands, OurHands
    from shpool.client.signals import Signals
    from shpool.client.streams import Upstream
    from shpool.protocol.replies import Destination

    Hands = Union[OurHands, DaemonsHands]

# One read, in bytes.
_READ = 65_536

# Seconds that a shell has to end after the end of its input.
_LAST_WORDS = 0.3

# Seconds that the daemon has to give the terminal back, and that to take the last words.
_GIVE_BACK = 2.0


class Outcome:
    """How it ended.

    `kind` is exited (with the status), lost, hung-up (after the end of the input), switch (to the
    destination, or else the session that the variables name now), signal (with its number as
    status), suspended, unwritable (with the error), busy, or gone (before it was attached to).
    """

    __slots__ = ("destination", "error", "kind", "status")

    def __init__(
        self,
        kind: str,
        status: int = 1,
        error: "OSError | None" = None,
        destination: "Destination | None" = None,
    ) -> None:
        self.kind = kind
        self.status = status
        self.error = error
        self.destination = destination


def interruption(number: int) -> Outcome:
    """How one of LEAVING ends an attachment."""
    return Outcome("suspended") if number == signal.SIGTSTP else Outcome("signal", number)


class Relay:
    """One attachment, from the reply on.

    `early` is what followed the reply on the stream; `resized` is called when the terminal may
    have a new size; `switches` says of changed variables whether they name another session.
    """

    def __init__(
        self,
        sock: "socket.socket",
        early: bytes,
        upstream: "Upstream",
        hands: "Hands",
        terminal: tty.UserTerminal,
        signals: "Signals",
        resized: "Callable[[], None]",
        switches: "Callable[[dict[str, str]], bool]",
    ) -> None:
        self._sock = sock
        self._early = early
        self._hands = hands
        self._terminal = terminal
        self._signals = signals
        self._resized = resized
        self._switches = switches
        self._chunks = ChunkReader()
        self._up = upstream
        self._down = Downstream(terminal)
        self._input_ended = False
        self._deadline: float | None = None
        self._wish: Outcome | None = None
        self._outcome: Outcome | None = None
        self._poll = select.poll()
        self._watched: dict[int, int] = {}

    def run(self) -> Outcome:
        """Relay until one side ends."""
        sock = self._sock.fileno()
        self._watch(self._signals.fd, select.POLLIN)
        if self._early:
            self._take_chunks(self._early)
        while self._outcome is None or self._down.waits:
            # Once it is over only the rest of the output is seen to.
            over = self._outcome is not None
            self._watch(tty.STDIN, 0 if over or not self._wants_input() else select.POLLIN)
            interest = select.POLLOUT if self._up.waits else 0
            if not self._down.full:
                interest |= select.POLLIN
            self._watch(sock, 0 if over else interest)
            self._watch(self._down.fd, select.POLLOUT if self._down.waits else 0)
            if not self._turn(sock):
                break
        if self._down.waits and not self._hands.passes_keys:
            # It took no more, and what it has on may be what this would have turned off.
            self._terminal.watch.unseen(ALTERNATE | REPORTS)
        outcome = self._outcome or self._wish or Outcome("hung-up")
        if outcome.kind == "lost" and not self._hands.passes_keys:
            # It was not told whether somebody had asked something.
            self._terminal.watch.unseen(self._terminal.watch.state | ASKED)
        return outcome

    def _turn(self, sock: int) -> bool:
        """False when there is nothing more to wait for."""
        timeout = None
        if self._deadline is not None:
            timeout = max(0, (self._deadline - monotonic()) * 1000)
        ready = self._poll.poll(timeout)
        if not ready and self._deadline is not None:
            return False
        for fd, _ in ready:
            if fd == sock:
                self._serve_socket()
            elif fd == tty.STDIN:
                self._read_input()
            elif fd == self._down.fd:
                self._show(b"")
            elif not self._take_signals():
                return False
        return True

    def _watch(self, fd: int, interest: int) -> None:
        if self._watched.get(fd, 0) == interest:
            return
        self._watched[fd] = interest
        if interest:
            self._poll.register(fd, interest)
        else:
            self._poll.unregister(fd)

    # ---- from the daemon to the terminal

    def _serve_socket(self) -> None:
        self._up.flush()
        if self._down.full or self._outcome is not None:
            return
        try:
            data = self._sock.recv(_READ)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if data:
            self._take_chunks(data)
        else:
            self._end(Outcome("lost"))

    def _take_chunks(self, data: bytes) -> None:
        output = []
        changed: MaybeSwitch | None = None
        to: Destination | None = None
        ended: Outcome | None = None
        try:
            for kind, content in self._chunks.feed(data):
                if isinstance(content, int):
                    ended = Outcome("exited", content)
                    break
                if kind == DATA:
                    output.append(content)
                elif kind == MAYBE_SWITCH:
                    told = MaybeSwitch.from_bytes(content)
                    if told.switch_to is None:
                        changed = told
                    else:
                        to = told.switch_to
                elif self._hands.told(kind, content):
                    self._continued()
            # Of several that were waiting for us only the last is true.
            if to is not None:
                self._switch(to)
            elif changed is not None and ended is None:
                self.hear(dict(changed.vars))
            if ended is not None:
                self._end(ended)
        except WireError:
            self._end(Outcome("lost"))
        if output:
            last = b"".join(output)
            if self._outcome is not None and self._outcome.kind == "exited":
                self._terminal.restore_early(line_feeds=self._down.waits or b"\n" in last)
            self._show(last)

    def hear(self, variables: "dict[str, str]") -> None:
        """These are the variables now."""
        if self._switches(variables):
            self._switch(None)

    def _switch(self, to: "Destination | None") -> None:
        if self._outcome is not None:
            return
        outcome = Outcome("switch", destination=to)
        if self._wish is not None:
            if self._wish.kind == "switch" and to is not None:
                self._wish = outcome
        elif self._hands.give_back(goes_over=True):
            self._end(outcome)
        else:
            self._wait_for_terminal(outcome)

    def _show(self, data: bytes) -> None:
        try:
            self._down.send(data)
        except OSError as error:
            if self._outcome is not None and self._outcome.kind == "exited":
                # Whatever the shell says, not all of what it wrote has arrived.
                self._outcome = None
            self._end(Outcome("unwritable", error=error))

    # ---- from the terminal to the daemon

    def _wants_input(self) -> bool:
        # What is typed on the way is for the session that we go to.
        waits = self._input_ended or self._wish is not None
        return self._hands.passes_keys and not waits and not self._up.full

    def _read_input(self) -> None:
        try:
            data = tty.read(_READ)
        except BlockingIOError:
            return
        if data:
            self._up.send(data)
            return
        self._input_ended = True
        self._deadline = monotonic() + _LAST_WORDS

    # ---- signals and the end

    def _take_signals(self) -> bool:
        """False when one of them says to leave at once, whatever the terminal has not taken."""
        signals = self._signals.take()
        stays = True
        for number in LEAVING:
            if number in signals:
                stays = self._leave(interruption(number))
                break
        # Also when we leave: a client that was told to end while it was stopped is only let go
        # on, and has to make its terminal raw again to leave it well.
        if signal.SIGCONT in signals:
            self._continued()
        elif signal.SIGWINCH in signals:
            self._resized()
        return stays

    def _continued(self) -> None:
        """We may have been stopped, and the terminal in the hands of others."""
        if not self._terminal.again():
            self._end(Outcome("hung-up"))
            return
        self._resized()  # of a change in the background nobody tells
        if self._outcome is None:
            self._hands.taken_again()

    def _leave(self, outcome: Outcome) -> bool:
        """False to leave at once."""
        if self._outcome is not None:
            # The terminal is ours again, but takes nothing.
            if self._outcome.kind in ("switch", "suspended"):
                self._outcome = outcome
            return False
        if self._wish is not None:
            if self._wish.kind != "signal":
                self._wish = outcome
            return True
        if self._hands.give_back():
            self._outcome = outcome
            return False
        self._wait_for_terminal(outcome)
        return True

    def _wait_for_terminal(self, wish: Outcome) -> None:
        self._wish = wish
        self._deadline = monotonic() + _GIVE_BACK

    def _end(self, outcome: Outcome) -> None:
        if self._outcome is not None:
            return
        self._outcome = self._wish or outcome
        if self._outcome.kind not in ("signal", "suspended"):
            self._deadline = None  # there is time for the terminal to take the last words
