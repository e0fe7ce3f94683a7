"""Starting a daemon in the background, and waiting for its socket.

Its stderr is a pipe to us until it serves, so that whatever keeps it from doing so is known at
once, also where its program cannot be run at all.
"""

import os
import select
import signal
import time

from shpool import program
from shpool.client.connect import ClientError, listening
from shpool.errors import ALREADY_RUNNING
from shpool.files import close_from
from shpool.output import complain
from shpool.paths import AUTODAEMONIZED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from shpool.client.context import Context

# Seconds to wait for the socket, unless the configuration says nodaemonize_timeout.
_TIMEOUT = 5.0

# Seconds between looks at the socket: the first, and the longest.
_FIRST_LOOK = 0.005
_LONGEST_LOOK = 0.1

# Of what a daemon says, so many bytes at the end are kept.
_SAID_MAX = 16_384


def start_daemon(context: "Context") -> None:
    """Launch a daemon and return when it answers.

    Of several clients that do so at once, one daemon comes out of it, which serves them all.
    Raises ClientError when none comes up.
    """
    launched = _Launched(_launch(_command_line(context), _environment(context.environ)))
    try:
        _wait(context, launched)
    finally:
        os.close(launched.fd)


def _wait(context: "Context", launched: "_Launched") -> None:
    started = time.monotonic()
    pause = _FIRST_LOOK
    while not listening(context.paths.socket):
        if launched.ended and not listening(context.paths.socket):
            reason = launched.last_words()
            if not reason.endswith(ALREADY_RUNNING):
                raise ClientError(f"cannot start a daemon: {reason}")
        waited = time.monotonic() - started
        if waited > _TIMEOUT and not context.config().nodaemonize_timeout:
            raise ClientError("daemonizing: launched daemon, but control socket never came up")
        launched.listen(pause)
        pause = min(2 * pause, _LONGEST_LOOK)
    launched.listen(0)
    for line in launched.lines():
        if line.startswith("shpool: warn: "):
            complain(f"{line}\n")


class _Launched:
    """What is known of the daemon that was launched; `fd` is where it says it."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self.ended = False
        self._said = b""

    def listen(self, seconds: float) -> None:
        """Wait until it says something, serves, or has ended."""
        if self.ended:
            time.sleep(seconds)
            return
        if select.select([self.fd], [], [], seconds)[0]:
            piece = os.read(self.fd, _SAID_MAX)
            self.ended = not piece
            self._said = (self._said + piece)[-_SAID_MAX:]

    def lines(self) -> "list[str]":
        return self._said.decode("utf-8", "replace").splitlines()

    def last_words(self) -> str:
        lines = [line for line in self.lines() if line.strip()]
        return lines[-1].removeprefix("shpool: ") if lines else "it ended without a word"


def _environment(environ: "Mapping[str, str]") -> "dict[str, str]":
    # A socket that was passed to us is not the daemon's.
    passed = ("LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES")
    kept = {name: value for name, value in environ.items() if name not in passed}
    return {**kept, AUTODAEMONIZED: "1"}


def _command_line(context: "Context") -> "list[str]":
    """The daemon's, as ps shows it."""
    words = program.words()
    words += ["-v"] * context.verbose
    if context.config_file:
        words += ["--config-file", context.config_file]
    return [*words, "--socket", context.paths.socket, "daemon"]


def _launch(words: "list[str]", environ: "dict[str, str]") -> int:
    """Run `words` as a process of its own session, of which nobody is the parent any more.

    Returns what to read its stderr from.
    """
    said, report = os.pipe()
    # Twice, so that the daemon leads no session and cannot come to a controlling terminal.
    try:
        pid = os.fork()
    except OSError as error:
        os.close(said)
        os.close(report)
        raise ClientError(f"cannot start a daemon: cannot fork: {error.strerror}") from None
    if pid == 0:
        _become(words, environ, report)
    os.close(report)
    os.waitpid(pid, 0)
    return said


def _become(words: "list[str]", environ: "dict[str, str]", report: int) -> None:
    """In the child: become the daemon.  Never returns."""
    try:
        os.dup2(report, 2)
        os.setsid()
        if os.fork():
            os._exit(0)
        os.chdir("/")
        null = os.open("/dev/null", os.O_RDWR)
        os.dup2(null, 0)
        os.dup2(null, 1)
        close_from(3)
        # Until it can bind anew it ignores who asks it to, and is seen to do so (lost.py).
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)
        os.execve(words[0], words, environ)
    except OSError as error:
        os.write(2, f"cannot run {words[0]}: {error.strerror}".encode("utf-8", "replace"))
    finally:
        # Whatever went wrong, this is not the client any more.
        os._exit(1)
