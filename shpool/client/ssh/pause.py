"""The time between two tries: a line that counts down in place, and the keys that count.

Everything else that is typed meanwhile is thrown away: it was meant for the session.
"""

import os
import select
import signal
import termios
from time import monotonic

from shpool.client import tty
from shpool.client.ssh.connection import put_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from shpool.client.signals import Signals

# What may become of it.
GO_ON, GIVE_UP, GONE = "go on", "give up", "gone"

_ENTER = b"\r\n"
_INTERRUPT = b"\x03"

_READ = 4096


class Line:
    """A line of ours on the terminal, written over until something else is to be shown."""

    def __init__(self) -> None:
        self._open = False
        # stderr may be a file; whoever is to press a key has to see it.
        self._fd = tty.STDERR if os.isatty(tty.STDERR) else tty.STDOUT

    def write(self, text: str) -> None:
        width = tty.size().usable().cols - 1
        put_all(self._fd, b"\r" + text[:width].encode(errors="replace") + b"\x1b[K")
        self._open = True

    def end(self) -> None:
        """What comes now begins on a line of its own."""
        if self._open:
            self._open = False
            put_all(self._fd, b"\r\n")


class Pause:
    """`signals` are caught; `number` is the one that has come, when it is gone."""

    def __init__(self, terminal: tty.UserTerminal, signals: "Signals", line: Line) -> None:
        self._terminal = terminal
        self._signals = signals
        self._line = line
        self.number = 0

    def count_down(self, seconds: float, text: "Callable[[float], str]") -> str:
        """What became of it, at the end of so many seconds at the latest."""
        return self._wait(monotonic() + seconds, text)

    def ask(self, text: str) -> str:
        return self._wait(None, lambda left: text)

    def _wait(self, deadline: "float | None", text: "Callable[[float], str]") -> str:
        self._terminal.enter()
        poll = select.poll()
        poll.register(self._signals.fd, select.POLLIN)
        poll.register(tty.STDIN, select.POLLIN)
        while True:
            left = max(0.0, deadline - monotonic()) if deadline is not None else 0.0
            self._line.write(text(left))
            timeout = None
            if deadline is not None:
                # Until the number changes.
                timeout = (left % 1.0 or min(left, 1.0)) * 1000 + (left > 0)
            # When there is no time at all as well: Ctrl-C may have been typed at the line.
            ready = [fd for fd, _ in poll.poll(timeout)]
            outcome = self._signalled() or (self._typed() if tty.STDIN in ready else "")
            if not outcome and not ready and deadline is not None and monotonic() >= deadline:
                outcome = GO_ON
            if outcome:
                self._throw_away()
                return outcome

    def _signalled(self) -> str:
        came = self._signals.take()
        for number in (signal.SIGTERM, signal.SIGHUP):
            if number in came:
                self.number = number
                return GONE
        if signal.SIGINT in came:
            return GIVE_UP
        if signal.SIGCONT in came:
            self._terminal.again()
        return ""

    def _typed(self) -> str:
        try:
            data = os.read(tty.STDIN, _READ)
        except BlockingIOError:
            return ""
        except OSError:
            data = b""
        if not data:
            self.number = signal.SIGHUP
            return GONE
        for byte in data:
            if byte in _INTERRUPT:
                return GIVE_UP
            if byte in _ENTER:
                return GO_ON
        return ""

    def _throw_away(self) -> None:
        try:
            termios.tcflush(tty.STDIN, termios.TCIFLUSH)
        except termios.error:
            pass
