"""One ssh with the terminal: stdin is its, stdout and stderr come to us, until it has ended.

It has the terminal's modes, size and escapes, as when nobody stands between.  What it prints goes
to the terminal without what is told us among it.
"""

import errno
import os
import select
import signal
import subprocess
import termios
from time import monotonic

from shpool.client import tty
from shpool.client.ssh.retries import Ended
from shpool.client.streams import Downstream
from shpool.errors import ShpoolError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shpool.client.signals import Signals
    from shpool.client.ssh.complaints import Complaints
    from shpool.client.ssh.marks import Marks

_READ = 65_536

# Seconds that an ssh which was told to end may take, and the terminal for the last of its output.
_PATIENCE = 2.0

CAUGHT = (
    *(signal.SIGCHLD, signal.SIGCONT, signal.SIGINT, signal.SIGQUIT),
    *(signal.SIGTERM, signal.SIGHUP),
)


class SshError(ShpoolError):
    """ssh cannot be used; the message is for the user."""


def start(
    command: "Sequence[str]",
    stdin: "int | None" = None,
    stdout: "int | None" = None,
    stderr: "int | None" = None,
) -> "subprocess.Popen[bytes]":
    """Raises SshError."""
    try:
        return subprocess.Popen(command, stdin=stdin, stdout=stdout, stderr=stderr)
    except OSError as error:
        raise SshError(f"cannot run {command[0]}: {error.strerror}") from None
    except ValueError as error:
        raise SshError(f"cannot run {command[0]}: {error}") from None


def exit_status(code: int) -> int:
    """What a shell says of what Popen calls `code`."""
    return code if code >= 0 else 128 - code


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
        self._deadline: float | None = None

    def run(self, command: "Sequence[str]") -> Ended:
        """Raises SshError."""
        ssh = start(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self._ended = Ended(0, self._complaints)
        assert ssh.stdout is not None
        assert ssh.stderr is not None
        out, err = ssh.stdout.fileno(), ssh.stderr.fileno()
        try:
            for fd in (out, err):
                os.set_blocking(fd, False)
            code = self._relay(ssh, out, err)
        finally:
            ssh.stdout.close()
            ssh.stderr.close()
        self._show(self._marks.flush())
        self._finish()
        self._ended.status = exit_status(code)
        return self._ended

    def _relay(self, ssh: "subprocess.Popen[bytes]", out: int, err: int) -> int:
        """Until it has ended; what Popen calls its return code."""
        readers = {out: self._output, err: self._complaint}
        while True:
            code = self._take_signals(ssh)
            if code is not None:
                for fd in readers:
                    self._read_rest(fd, readers[fd])
                return code
            poll = select.poll()
            poll.register(self._signals.fd, select.POLLIN)
            if self._down.waits:
                poll.register(self._down.fd, select.POLLOUT)
            for fd in readers:
                if fd != out or not self._down.full:
                    poll.register(fd, select.POLLIN)
            timeout = None
            if self._deadline is not None:
                timeout = max(0.0, self._deadline - monotonic()) * 1000
            ready = poll.poll(timeout)
            if not ready and self._deadline is not None:
                _signal(ssh, signal.SIGKILL)
                self._deadline = None
            for fd, _ in ready:
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

    def _read_rest(self, fd: int, take: "Callable[[bytes], None]") -> None:
        """All that there is; a master in the background may keep the pipe open for ever."""
        while True:
            try:
                data = os.read(fd, _READ)
            except BlockingIOError:
                return
            if not data:
                return
            take(data)

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
            self._ended.words.append(word)
            self._ended.attached = self._ended.attached or kind == "name"
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

    # ---- signals

    def _take_signals(self, ssh: "subprocess.Popen[bytes]") -> "int | None":
        """What Popen calls its return code, if it has ended."""
        came = self._signals.take()
        for number in (signal.SIGTERM, signal.SIGHUP):
            if number in came and not self._ended.signal:
                self._ended.signal = number
                self._deadline = monotonic() + _PATIENCE
                _signal(ssh, number)
                _signal(ssh, signal.SIGCONT)
        if signal.SIGINT in came and not self._ended.seen:
            self._ended.interrupted = True
        if signal.SIGCONT in came:
            _signal(ssh, signal.SIGCONT)
        return self._reap(ssh)

    def _reap(self, ssh: "subprocess.Popen[bytes]") -> "int | None":
        try:
            pid, status = os.waitpid(ssh.pid, os.WNOHANG | os.WUNTRACED)
        except ChildProcessError:
            return 0
        if pid == 0:
            return None
        if os.WIFSTOPPED(status):
            # By ~^Z: it alone, which the shell outside would not notice.
            self._finish()
            os.kill(0, signal.SIGSTOP)
            _signal(ssh, signal.SIGCONT)
            return None
        code = -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
        ssh.returncode = code
        return code


def _signal(ssh: "subprocess.Popen[bytes]", number: int) -> None:
    if ssh.returncode is None:
        try:
            os.kill(ssh.pid, number)
        except OSError as error:
            if error.errno != errno.ESRCH:
                raise


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
