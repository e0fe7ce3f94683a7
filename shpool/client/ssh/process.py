"""An ssh that runs, and the signals that come meanwhile, which are its or ours."""

import errno
import os
import select
import signal
import subprocess
from time import monotonic

from shpool.errors import ShpoolError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shpool.client.signals import Signals

# Seconds that an ssh which was told to end may take.
_PATIENCE = 2.0

_CAUGHT = (signal.SIGCONT, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGHUP)


class SshError(ShpoolError):
    """ssh cannot be used; the message is for the user."""


def exit_status(code: int) -> int:
    """What a shell says of what Popen calls `code`."""
    return code if code >= 0 else 128 - code


def _is_heeded(number: int) -> bool:
    """Not ignored, as nohup has it, which ssh leaves as it is, too."""
    return signal.getsignal(number) != signal.SIG_IGN


class Process:
    """`popen` has the ends of its pipes.  Signals are caught from the first one on.

    `ended_by`: SIGTERM or SIGHUP, if that was sent to us, and is to end us as well; 0 if not.
    `interrupted`: SIGINT came, which is ssh's: it has to put the terminal in order before it ends.
    """

    def __init__(
        self,
        command: "Sequence[str]",
        signals: "Signals",
        *,
        stdin: "int | None" = None,
        stdout: "int | None" = None,
        stderr: "int | None" = None,
        stops: "Callable[[], None]" = lambda: None,
    ) -> None:
        """`stops` is called before we stop because it has.  Raises SshError."""
        # When it is interrupted it puts the terminal in order, and it is not to be left behind.
        signals.catch(signal.SIGCHLD, *filter(_is_heeded, _CAUGHT))
        self._signals = signals
        self._stops = stops
        self._deadline: float | None = None
        self.ended_by = 0
        self.interrupted = False
        try:
            self.popen = subprocess.Popen(command, stdin=stdin, stdout=stdout, stderr=stderr)
        except OSError as error:
            raise SshError(f"cannot run {command[0]}: {error.strerror}") from None
        except ValueError as error:
            raise SshError(f"cannot run {command[0]}: {error}") from None

    @property
    def timeout(self) -> "float | None":
        """Milliseconds after which take_signals() is to be called if none has come."""
        if self._deadline is None:
            return None
        return max(0.0, self._deadline - monotonic()) * 1000

    def take_signals(self) -> "int | None":
        """What Popen calls its return code, if it has ended."""
        came = self._signals.take()
        for number in (signal.SIGTERM, signal.SIGHUP):
            if number in came and not self.ended_by:
                self.ended_by = number
                self.limit(_PATIENCE)
                self._signal(number)
                self._signal(signal.SIGCONT)
        self.interrupted = self.interrupted or signal.SIGINT in came
        if signal.SIGCONT in came:
            self._signal(signal.SIGCONT)
        if self._deadline is not None and monotonic() >= self._deadline:
            self._signal(signal.SIGKILL)
            self._deadline = None
        return self._reap()

    def limit(self, seconds: float) -> None:
        """Have it killed if it has not ended by then."""
        if self._deadline is None:
            self._deadline = monotonic() + seconds

    def wait(self) -> int:
        """Its return code, when it has ended."""
        while True:
            code = self.take_signals()
            if code is not None:
                return code
            poll = select.poll()
            poll.register(self._signals.fd, select.POLLIN)
            poll.poll(self.timeout)

    def _reap(self) -> "int | None":
        if self.popen.returncode is not None:
            return int(self.popen.returncode)
        try:
            pid, status = os.waitpid(self.popen.pid, os.WNOHANG | os.WUNTRACED)
        except ChildProcessError:
            self.popen.returncode = 0
            return 0
        if pid == 0:
            return None
        if os.WIFSTOPPED(status):
            # By ~^Z: it alone, which the shell outside would not notice.
            self._stops()
            os.kill(0, signal.SIGSTOP)
            self._signal(signal.SIGCONT)
            return None
        code = -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
        self.popen.returncode = code
        return code

    def _signal(self, number: int) -> None:
        if self.popen.returncode is None:
            try:
                os.kill(self.popen.pid, number)
            except OSError as error:
                if error.errno != errno.ESRCH:
                    raise


def read_rest(fd: int, take: "Callable[[bytes], None]", most: int = 65_536) -> None:
    """All that there is in a pipe that does not block, of an ssh that has ended.

    A master in the background may keep it open for ever.
    """
    while True:
        try:
            data = os.read(fd, most)
        except BlockingIOError:
            return
        if not data:
            return
        take(data)
