"""Starting a daemon in the background, and waiting for its socket."""

import os
import sys
import time

from shpool.client.connect import ClientError, listening

TYPE_CHECKING = False
if TYPE_CHECKING:
    from shpool.client.context import Context

# The name is the daemon's (server.py): it takes its pid file and log then, and ignores SIGHUP.
_AUTODAEMONIZED = "SHPOOL__AUTODAEMONIZED"

# Seconds to wait for the socket, unless the configuration says nodaemonize_timeout.
_TIMEOUT = 5.0

# Seconds between looks at the socket: the first, and the longest.
_FIRST_LOOK = 0.005
_LONGEST_LOOK = 0.1


def start_daemon(context: "Context") -> None:
    """Launch a daemon and return when it answers.

    Of several clients that do so at once, one daemon comes out of it, which serves them all.
    Raises ClientError when none comes up.
    """
    _launch(_command_line(context), {**context.environ, _AUTODAEMONIZED: "1"})
    started = time.monotonic()
    pause = _FIRST_LOOK
    while not listening(context.paths.socket):
        waited = time.monotonic() - started
        if waited > _TIMEOUT and not context.config().nodaemonize_timeout:
            raise ClientError("daemonizing: launched daemon, but control socket never came up")
        time.sleep(pause)
        pause = min(2 * pause, _LONGEST_LOOK)


def _command_line(context: "Context") -> "list[str]":
    """The daemon's, as ps shows it.

    Isolated (-I) and without site (-S): what a user's environment or site-packages does to
    Python programs is not for a process that outlives the login.
    """
    import shpool

    program = os.path.join(os.path.dirname(os.path.abspath(shpool.__file__)), "__main__.py")
    words = [sys.executable, "-I", "-S", program]
    words += ["-v"] * context.verbose
    if context.config_file:
        words += ["--config-file", context.config_file]
    return [*words, "--socket", context.paths.socket, "daemon"]


def _launch(words: "list[str]", environ: "dict[str, str]") -> None:
    """Run `words` as a process of its own session, of which nobody is the parent any more."""
    # Twice, so that the daemon leads no session and cannot come to a controlling terminal.
    pid = os.fork()
    if pid:
        _, status = os.waitpid(pid, 0)
        if status:
            raise ClientError("daemonizing: cannot start a process")
        return
    try:
        os.setsid()
        if os.fork():
            os._exit(0)
        os.chdir("/")
        null = os.open("/dev/null", os.O_RDWR)
        for fd in range(3):
            os.dup2(null, fd)
        os.closerange(3, os.sysconf("SC_OPEN_MAX"))
        os.execve(words[0], words, environ)
    finally:
        # Whatever went wrong, this is not the client any more.
        os._exit(1)
