"""What runs while a client is attached: keys to the daemon, output to the terminal.

Both directions are kept apart: output that the terminal does not take (Ctrl-S, a stopped ssh)
never keeps a ^C from the daemon, and input that the daemon does not take never keeps output from
the terminal.
"""

import os
import select
import signal
from time import monotonic

from shpool.client import tty
from shpool.protocol.chunks import DATA, MAYBE_SWITCH, ChunkReader
from shpool.protocol.messages import MaybeSwitch
from shpool.protocol.msgpack import WireError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

# One read, in bytes.
_READ = 65_536

# Bytes waiting in one direction before nothing more is read for it.
_CAP = 65_536

# Seconds that a shell has to end after the end of its input.
_LAST_WORDS = 0.3

# Signals that end the attachment, or interrupt it.
LEAVING = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP)


class Outcome:
    """How it ended.

    `kind` is exited (with the status), lost, hung-up (after the end of the input), switch (with
    the variables), signal (with its number as status), suspended or unwritable (with the error).
    """

    __slots__ = ("error", "kind", "status", "variables")

    def __init__(
        self,
        kind: str,
        status: int = 1,
        variables: "list[tuple[str, str]] | None" = None,
        error: "OSError | None" = None,
    ) -> None:
        self.kind = kind
        self.status = status
        self.variables = variables or []
        self.error = error


class Signals:
    """Signals as bytes in a pipe, for a poll."""

    def __init__(self) -> None:
        self.fd = -1
        self._noticed: set[int] = set()

    def catch_resizes(self) -> None:
        """Note changes of the window size; other signals still do what they do."""
        if self.fd < 0:
            self.fd, write = os.pipe()
            os.set_blocking(self.fd, False)
            os.set_blocking(write, False)
            signal.set_wakeup_fd(write, warn_on_full_buffer=False)
        signal.signal(signal.SIGWINCH, _noted)

    def catch_all(self) -> None:
        """Note every signal that would leave the terminal in a state nobody can use."""
        self.catch_resizes()
        for number in (*LEAVING, signal.SIGCONT):
            signal.signal(number, _noted)

    def take(self) -> "set[int]":
        """The signals that have come."""
        noticed, self._noticed = self._look(), set()
        return noticed

    def leaving(self) -> "int | None":
        """One of LEAVING, if it has come; others are kept for take()."""
        self._noticed = self._look()
        for number in sorted(self._noticed.intersection(LEAVING)):
            self._noticed.discard(number)
            return number
        return None

    def _look(self) -> "set[int]":
        if self.fd < 0:
            return self._noticed
        try:
            return self._noticed.union(os.read(self.fd, 256))
        except BlockingIOError:
            return self._noticed


def _noted(number: int, frame: object) -> None:
    """Python only writes to the wake-up descriptor for signals that have a handler."""


class Relay:
    """One attachment, from the reply on, with the terminal in our hands.

    `early` is what followed the reply on the stream; `resized` is called when the terminal may
    have a new size; `switches` says of changed variables whether they name another session.
    """

    def __init__(
        self,
        sock: "socket.socket",
        early: bytes,
        terminal: tty.Terminal,
        signals: Signals,
        resized: "Callable[[], None]",
        switches: "Callable[[list[tuple[str, str]]], bool]",
    ) -> None:
        self._sock = sock
        self._terminal = terminal
        self._output_fd = terminal.output()
        self._signals = signals
        self._resized = resized
        self._switches = switches
        self._chunks = ChunkReader()
        self._to_daemon = b""
        self._to_terminal = b""
        self._input_ended = False
        self._deadline: float | None = None
        self._outcome: Outcome | None = None
        self._poll = select.poll()
        self._watched: dict[int, int] = {}
        self._early = early
        sock.setblocking(False)

    def run(self) -> Outcome:
        """Relay until one side ends."""
        sock = self._sock.fileno()
        self._watch(self._signals.fd, select.POLLIN)
        if self._early:
            self._take_chunks(self._early)
        while self._outcome is None or self._to_terminal:
            # Once it is over only the rest of the output is seen to.
            over = self._outcome is not None
            self._watch(tty.STDIN, 0 if over or not self._wants_input() else select.POLLIN)
            interest = select.POLLOUT if self._to_daemon else 0
            if len(self._to_terminal) < _CAP:
                interest |= select.POLLIN
            self._watch(sock, 0 if over else interest)
            self._watch(self._output_fd, select.POLLOUT if self._to_terminal else 0)
            if not self._turn(sock):
                break
        return self._outcome or Outcome("hung-up")

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
            elif fd == self._output_fd:
                self._write_output()
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
        if self._to_daemon:
            self._write_input()
        if len(self._to_terminal) >= _CAP or self._outcome is not None:
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
        try:
            for kind, content in self._chunks.feed(data):
                if isinstance(content, int):
                    self._end(Outcome("exited", content))
                    break
                if kind == DATA:
                    output.append(content)
                elif kind == MAYBE_SWITCH:
                    self.hear(MaybeSwitch.from_bytes(content).vars)
                else:
                    self._take_news(kind, content)
        except WireError:
            self._end(Outcome("lost"))
        if output:
            self._to_terminal += b"".join(output)
            self._write_output()

    def hear(self, variables: "list[tuple[str, str]]") -> None:
        """These are the variables now."""
        if self._switches(variables):
            self._switch(Outcome("switch", variables=variables))

    def _switch(self, outcome: Outcome) -> None:
        self._end(outcome)

    def _take_news(self, kind: int, content: bytes) -> None:
        """Another chunk: a heartbeat."""

    def _write_output(self) -> None:
        try:
            taken = os.write(self._output_fd, self._to_terminal)
        except BlockingIOError:
            return
        except OSError as error:
            self._to_terminal = b""
            if self._outcome is not None and self._outcome.kind == "exited":
                # Whatever the shell says, not all of what it wrote has arrived.
                self._outcome = None
            self._end(Outcome("unwritable", error=error))
            return
        self._terminal.watch.output(self._to_terminal[:taken])
        self._to_terminal = self._to_terminal[taken:]

    # ---- from the terminal to the daemon

    def _wants_input(self) -> bool:
        return not self._input_ended and len(self._to_daemon) < _CAP

    def _read_input(self) -> None:
        try:
            data = tty.read(_READ)
        except BlockingIOError:
            return
        if data:
            self._to_daemon += data
            self._write_input()
            return
        self._input_ended = True
        self._deadline = monotonic() + _LAST_WORDS

    def _write_input(self) -> None:
        try:
            taken = self._sock.send(self._to_daemon)
        except BlockingIOError:
            return
        except OSError:
            self._to_daemon = b""  # reading the socket will tell why
            return
        self._to_daemon = self._to_daemon[taken:]

    # ---- signals and the end

    def _take_signals(self) -> bool:
        """False when one of them says to leave at once, whatever the terminal has not taken."""
        signals = self._signals.take()
        stays = True
        for number in LEAVING:
            if number in signals:
                suspends = number == signal.SIGTSTP
                stays = self._leave(Outcome("suspended") if suspends else Outcome("signal", number))
                break
        # Also when we leave: a client that was told to end while it was stopped is only let go
        # on, and has to make its terminal raw again to leave it well.
        if signal.SIGCONT in signals:
            self.continued()
        elif signal.SIGWINCH in signals:
            self._resized()
        return stays

    def continued(self) -> None:
        """We may have been stopped, and the terminal in the hands of others."""
        if not self._terminal.again():
            self._end(Outcome("hung-up"))
            return
        self._resized()  # of a change in the background nobody tells

    def _leave(self, outcome: Outcome) -> bool:
        self._outcome = outcome
        return False

    def _end(self, outcome: Outcome) -> None:
        if self._outcome is None:
            self._outcome = outcome
            self._deadline = None
