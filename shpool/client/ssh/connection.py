"""One ssh with the terminal: stdin is its, stdout and stderr come to us, until it has ended.

It has the terminal's modes, size and escapes, as when nobody stands between.  What it prints goes
to the terminal without what is told us among it.
"""

import os
import select
import subprocess
import termios
from time import monotonic

from shpool.client import tty
from shpool.client.ssh.process import Process, exit_status, read_rest
from shpool.client.ssh.retries import Ended
from shpool.client.streams import Downstream

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shpool.client.signals import Signals
    from shpool.client.ssh.complaints import Complaints
    from shpool.client.ssh.marks import Marks

_READ = 65_536

# Seconds that the terminal may take for the last of its output.
_PATIENCE = 2.0


class Connection:
    """`told` is called with the word of each mark; `shows` before anything is written."""

    def __init__(
        self,
        terminal: tty.UserTerminal,
        signals: "Signals",
        marks: "Marks",
        complaints: "Complaints",
        shows: "Callable[[], None]",
        told: "Callable[[str], None]",
    ) -> None:
        self._signals = signals
        self._marks = marks
        self._complaints = complaints
        self._shows = shows
        self._told = told
        self._down = Downstream(terminal)

    def run(self, command: "Sequence[str]") -> Ended:
        """Raises SshError."""
        pipe = subprocess.PIPE
        ssh = Process(command, self._signals, stdout=pipe, stderr=pipe, stops=self._finish)
        self._ended = Ended(0, self._complaints)
        assert ssh.popen.stdout is not None
        assert ssh.popen.stderr is not None
        out, err = ssh.popen.stdout.fileno(), ssh.popen.stderr.fileno()
        try:
            for fd in (out, err):
                os.set_blocking(fd, False)
            code = self._relay(ssh, out, err)
        finally:
            ssh.popen.stdout.close()
            ssh.popen.stderr.close()
        self._show(self._marks.flush())
        self._finish()
        self._ended.status = exit_status(code)
        self._ended.killed = code < 0
        self._ended.signal = ssh.ended_by
        self._ended.interrupted = ssh.interrupted and not self._ended.seen
        return self._ended

    def _relay(self, ssh: Process, out: int, err: int) -> int:
        """Until it has ended; what Popen calls its return code."""
        readers = {out: self._output, err: self._complaint}
        while True:
            code = ssh.take_signals()
            if code is not None:
                for fd in readers:
                    read_rest(fd, readers[fd])
                return code
            poll = select.poll()
            poll.register(self._signals.fd, select.POLLIN)
            if self._down.waits:
                poll.register(self._down.fd, select.POLLOUT)
            for fd in readers:
                if fd != out or not self._down.full:
                    poll.register(fd, select.POLLIN)
            for fd, _ in poll.poll(ssh.timeout):
                if fd == self._down.fd:
                    self._write(b"")
                elif fd in readers and not self._read(fd, readers[fd]):
                    del readers[fd]

    # ---- what it prints

    def _read(self, fd: int, take: "Callable[[bytes], None]") -> bool:
        """Returns whether there may be more."""
        try:
            data = os.read(fd, _READ)
        except BlockingIOError:
            return True
        if data:
            take(data)
        return bool(data)

    def _output(self, data: bytes) -> None:
        for item in self._marks.feed(data):
            if isinstance(item, bytes):
                self._show(item)
            else:
                self._take_mark(item)

    def _take_mark(self, word: str) -> None:
        kind, _, value = word.partition(";")
        if kind == "seen":
            self._ended.seen = True
            self._shows()
        elif kind == "end" and value.isdigit():
            self._ended.end = int(value)
        else:
            self._ended.take(word)
        self._told(word)

    def _complaint(self, data: bytes) -> None:
        shown = self._complaints.feed(data)
        if shown:
            self._shows()
            self._finish()
            put_all(tty.STDERR, shown)

    def _show(self, data: bytes) -> None:
        if data:
            if self._ended.seen:
                self._ended.attached = True
            else:
                self._ended.printed = True
            self._shows()
            self._write(data)

    def _write(self, data: bytes) -> None:
        try:
            self._down.send(data)
        except OSError:
            pass  # hung up, which ssh sees as well

    def _finish(self) -> None:
        """Let the terminal have what it was sent."""
        deadline = monotonic() + _PATIENCE
        while self._down.waits and monotonic() < deadline:
            poll = select.poll()
            poll.register(self._down.fd, select.POLLOUT)
            if poll.poll(_PATIENCE * 1000):
                self._write(b"")


def put_all(fd: int, data: bytes) -> None:
    """Write what a terminal, or whatever it is, takes; what it does not take is lost."""
    while data:
        try:
            data = data[os.write(fd, data) :]
        except BlockingIOError:
            poll = select.poll()
            poll.register(fd, select.POLLOUT)
            if not poll.poll(_PATIENCE * 1000):
                return
        except OSError:
            return


class Modes:
    """The terminal's modes as they were at first."""

    def __init__(self) -> None:
        try:
            self._saved: list[int | list[bytes | int]] | None = termios.tcgetattr(tty.STDIN)
        except termios.error:
            self._saved = None

    def restore(self) -> None:
        self._set(self._saved)

    def without_echo(self) -> None:
        """For a try to connect: what is typed meanwhile is not for the screen; Ctrl-C works."""
        if self._saved is not None:
            iflag, oflag, cflag, lflag, *rest = self._saved
            assert isinstance(lflag, int)
            self._set([iflag, oflag, cflag, lflag & ~termios.ECHO, *rest])

    def _set(self, modes: "list[int | list[bytes | int]] | None") -> None:
        if modes is not None:
            try:
                termios.tcsetattr(tty.STDIN, termios.TCSANOW, modes)
            except termios.error:
                pass  # hung up: there is nothing left to be put in order
