"""The daemon as a whole: what it is made of, how it starts, and how it ends.

Everything that lives as long as the daemon is made here, once, and handed to whoever needs it.
"""

import os
import signal
import sys

from shpool import logs
from shpool.config import ConfigSource
from shpool.daemon import preload, stderr
from shpool.daemon.clients.attach import Attaching
from shpool.daemon.loop.listener import Listener, ListenError, bind
from shpool.daemon.loop.reactor import Reactor
from shpool.daemon.programs.directory import remove_leftovers
from shpool.daemon.programs.spawn import Spawner
from shpool.daemon.requests import Dispatch
from shpool.daemon.sessions.events import Events
from shpool.daemon.sessions.hooks import Hooks
from shpool.daemon.sessions.table import SessionTable
from shpool.daemon.startup import (
    activation_socket,
    lock_pid_file,
    make_private,
    raise_descriptor_limit,
)
from shpool.paths import LOG_FILE_NAME, PID_FILE_NAME, Paths
from shpool.protocol.messages import PROTOCOL_VERSION

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Mapping

# For tests of what clients do about a daemon of another version.
VERSION_OVERRIDE = "SHPOOL_TEST__OVERRIDE_VERSION"

# Set by a client that starts a daemon in the background.
AUTODAEMONIZED = "SHPOOL__AUTODAEMONIZED"

_ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)


class Server:
    """Raises StartError, ListenError, ConfigError or OSError if it cannot be made.

    `umask` is the shells'; the daemon's own is to be 077 by now.
    """

    def __init__(
        self,
        paths: Paths,
        config_files: "list[str]",
        environ: "Mapping[str, str]",
        umask: int,
        hooks: "Hooks | None" = None,
    ) -> None:
        self._bound: list[tuple[str, os.stat_result]] = []
        self._paths = paths
        self._ending = False
        config = ConfigSource(config_files, logs.warn)
        make_private(paths.runtime)
        make_private(paths.state)
        self._reactor = reactor = Reactor()
        self._spawner = spawner = Spawner(reactor, umask, raise_descriptor_limit())
        self._events = Events(reactor)
        self._table = SessionTable(self._events, hooks or Hooks())
        self._attaching = attaching = Attaching(reactor, self._table, spawner, config, paths.state)
        version = environ.get(VERSION_OVERRIDE, PROTOCOL_VERSION)
        variables = dict(config.current().var_default)
        dispatch = Dispatch(reactor, self._table, attaching, version, variables)
        for number in _ENDING:
            reactor.on_signal(number, self._end)
        if AUTODAEMONIZED in environ or signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
            signal.signal(signal.SIGHUP, signal.SIG_IGN)  # nohup
        else:
            reactor.on_signal(signal.SIGHUP, self._end)
        try:
            # The events socket first: whoever can ask for a session can subscribe before.
            activated = activation_socket(environ)
            self._listeners = [Listener(reactor, self._bind(paths.events), self._events.accepted)]
            # Whoever has that socket has the state: what is there is of a daemon that was killed.
            # It goes before anybody can ask for a session.
            remove_leftovers(paths.state)
            sock = activated or self._bind(paths.socket)
            self._listeners.append(Listener(reactor, sock, dispatch.accepted))
        except ListenError:
            self._unlink()
            raise

    def run(self) -> None:
        """Serve until a signal says to end; then all sessions end, and nothing is left behind."""
        logs.info("STARTING DAEMON")
        try:
            self._reactor.run()
        finally:
            self._close()

    def keep(self, path: str) -> None:
        """Remove the file at `path` too when the daemon ends."""
        self._bound.append((path, os.stat(path)))

    def _bind(self, path: str) -> "socket.socket":
        sock = bind(path)
        self.keep(path)
        return sock

    def _end(self) -> None:
        """A signal says to end; several at once say it once, another one later ends it at once."""
        if self._ending:
            return
        self._ending = True
        logs.info("a signal says to end")
        self._reactor.stop()
        self._unlink()
        for number in _ENDING:
            signal.signal(number, _exit_at_once)
        # A terminal that closes sends it twice, and systemd right after SIGTERM.
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    def _close(self) -> None:
        self._unlink()
        for listener in self._listeners:
            listener.close()
        for session in (*self._table.sessions.values(), *self._attaching.starting.values()):
            session.abandon()
        self._events.close()
        self._spawner.end()
        self._reactor.close()
        logs.info("ended")

    def _unlink(self) -> None:
        """Remove what was bound, unless it is gone, or somebody else's by now."""
        for path, made in self._bound:
            try:
                if _same_file(os.lstat(path), made):
                    os.unlink(path)
            except FileNotFoundError:
                pass
            except OSError as error:
                logs.warn(f"cannot remove {path}: {error.strerror}")
        self._bound.clear()


def run(
    paths: Paths,
    config_files: "list[str]",
    environ: "Mapping[str, str]",
    log_file: "str | None",
    hooks: "Hooks | None" = None,
) -> None:
    """Be the daemon until it is told to end.

    `hooks` is for programs that embed it.  Raises StartError, ListenError, ConfigError, LogError
    or OSError when it cannot start.
    """
    umask = os.umask(0o077)
    preload.look_up_user()
    sys.unraisablehook = _unraisable
    pid_file = None
    if AUTODAEMONIZED in environ:
        make_private(paths.runtime)
        pid_file = lock_pid_file(paths.beside_socket(PID_FILE_NAME), paths.socket)
        log_file = log_file or paths.beside_socket(LOG_FILE_NAME)
    if log_file:
        logs.log.to_file(log_file)
    else:
        logs.log.to(*stderr.take())
    try:
        server = Server(paths, config_files, environ, umask, hooks)
        if pid_file is not None:
            server.keep(pid_file)
    except Exception as error:
        if log_file:  # on stderr the caller says it, and once is enough
            logs.error(str(error))
        raise
    server.run()


def _unraisable(what: "sys.UnraisableHookArgs") -> None:
    """An error in a destructor: Python's own way would read sources, and could wait for stderr."""
    if what.exc_value is not None:
        logs.defect(what.exc_value)


def _exit_at_once(number: int, frame: object) -> None:
    os._exit(1)


def _same_file(found: os.stat_result, made: os.stat_result) -> bool:
    """The time is compared too, since the inode number of a file that is gone is soon reused."""
    return (found.st_dev, found.st_ino, found.st_mtime_ns) == (
        made.st_dev,
        made.st_ino,
        made.st_mtime_ns,
    )
