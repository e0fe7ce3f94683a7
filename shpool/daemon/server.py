"""The daemon as a whole: what it is made of, how it starts, and how it ends.

Everything that lives as long as the daemon is made here, once, and handed to whoever needs it.
"""

import os
import signal
import sys

from shpool import logs
from shpool.config import ConfigSource
from shpool.daemon import preload, stderr
from shpool.daemon.clients.ahead import TypedAhead
from shpool.daemon.clients.attach import Attaching
from shpool.daemon.clients.motd import Motd
from shpool.daemon.clients.waiting import WaitingRoom
from shpool.daemon.handed_on import HandedOn
from shpool.daemon.loop.listener import Listener
from shpool.daemon.loop.reactor import Owner, Reactor
from shpool.daemon.places import Places
from shpool.daemon.programs.spawn import Spawner
from shpool.daemon.replace import Replacement
from shpool.daemon.requests import Requests
from shpool.daemon.sessions.events import Events
from shpool.daemon.sessions.hooks import Hooks
from shpool.daemon.sessions.table import SessionTable
from shpool.daemon.sessions.variables import Variables
from shpool.daemon.startup import (
    activation_socket,
    raise_descriptor_limit,
    release_launcher,
    tell_launcher,
)
from shpool.paths import AUTODAEMONIZED, Paths
from shpool.protocol.replies import PROTOCOL_VERSION

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator, Mapping


# For tests of what clients do about a daemon of another version.
VERSION_OVERRIDE = "SHPOOL_TEST__OVERRIDE_VERSION"

_ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)

# These end or stop a process that says nothing of them, and are never meant for this one: somebody
# has mistaken a number or a name, or a program in a session its parent.  With SIGXCPU the limit of
# processor time is told that can still be raised.
_NOT_MEANT = ("USR2", "ALRM", "VTALRM", "PROF", "IO", "XCPU", "TTIN", "TTOU")


class Server(HandedOn):
    """Serves at `places`, which it occupies.

    `umask` is the shells'; the daemon's own is to be 077 by now.  `options` are those that it was
    started with, to be started again with them; None where another program embeds it.
    Raises PlaceError, ListenError, ConfigError or OSError if it cannot be made.
    """

    def __init__(
        self,
        paths: Paths,
        places: Places,
        config_files: "list[str]",
        environ: "Mapping[str, str]",
        umask: int,
        hooks: "Hooks | None" = None,
        options: "list[str] | None" = None,
    ) -> None:
        self._paths = paths
        self._places = places
        self._config_files = config_files
        self._reactor = reactor = Reactor()
        # Before there is anything that a signal would leave behind.
        self._catch_ending(environ)
        places.occupy()
        # Only now: a daemon that is seen to catch it has lost its socket if nobody finds one.
        reactor.on_signal(signal.SIGUSR1, self.bind_anew)
        places.bind()
        config = ConfigSource(config_files, logs.warn)
        self._spawner = Spawner(reactor, umask, raise_descriptor_limit())
        self._variables = Variables(dict(config.current().var_default))
        self._motd = Motd()
        self._ahead = TypedAhead()
        self.furnish(config, environ, hooks, options)
        self.listen()

    def furnish(
        self,
        config: ConfigSource,
        environ: "Mapping[str, str]",
        hooks: "Hooks | None",
        options: "list[str] | None",
    ) -> None:
        """Make the rest that lives as long as the daemon."""
        self._ending = False
        reactor = self._reactor
        self._events = Events(reactor)
        self._table = table = SessionTable(reactor, self._events, hooks or Hooks())
        self._room = room = WaitingRoom()
        self._attaching = Attaching(
            *(reactor, table, room, self._spawner, config, self._paths.state),
            *(self._motd, self._ahead),
        )
        version = environ.get(VERSION_OVERRIDE, PROTOCOL_VERSION)
        self._requests = Requests(reactor, table, room, self._attaching, version, self._variables)
        table.user = self._requests
        self._replacement = self._requests.replacement = Replacement(
            reactor, self._spawner, self, None if hooks else options, self._paths.state
        )
        self._events_listener: Listener | None = None
        self._requests_listener: Listener | None = None

    def _catch_ending(self, environ: "Mapping[str, str]") -> None:
        for number in _ENDING:
            self._reactor.on_signal(number, self._end)
        if AUTODAEMONIZED in environ or signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
            signal.signal(signal.SIGHUP, signal.SIG_IGN)  # nohup
        else:
            self._reactor.on_signal(signal.SIGHUP, self._end)

        # A daemon that was started in a terminal is stopped there if its user says so (^Z).
        for name in (*_NOT_MEANT, *(["TSTP"] if AUTODAEMONIZED in environ else [])):
            other = getattr(signal, f"SIG{name}", None)
            if other is not None and signal.getsignal(other) is signal.SIG_DFL:
                signal.signal(other, signal.SIG_IGN)

    def run(self) -> None:
        """Serve until a signal says to end; then all sessions end, and nothing is left behind."""
        try:
            while not self._ending:
                self._reactor.run()
                # Or it is not any more: it may be called off in the turn in which the loop stops.
                if self._replacement.due:
                    self._replacement.carry_out()
        finally:
            self._close()

    def listen(self) -> None:
        """Listen at the sockets that are there now."""
        # The events socket first: whoever can ask for a session can subscribe before.
        places, events, requests = self._places, self._events_listener, self._requests_listener
        self._events_listener = self._listener(events, places.events, self._events.accepted)
        self._requests_listener = self._listener(requests, places.requests, self._requests.accepted)

    def _listener(
        self,
        before: "Listener | None",
        sock: "socket.socket | None",
        accepted: "Callable[[socket.socket], None]",
    ) -> "Listener | None":
        if sock is None or (before is not None and before.sock is sock):
            return before
        if before is not None:
            before.close()
        return Listener(self._reactor, sock, accepted)

    def bind_anew(self) -> None:
        """A client found no socket of ours: make again what is gone of what we had."""
        logs.info("a signal says to bind anew")
        self._places.again()
        for session in self._table.all():
            try:
                session.directory.make_again()
            except OSError as error:
                logs.warn(f"cannot make {session.directory.path} again: {error.strerror}")
        # Last, so that whoever is let in finds the rest as well.
        self.listen()

    def living(self) -> "Iterator[object]":
        """Every object that may outlive this turn of the loop, once, for who wants to see them
        all."""
        pending: list[object] = [
            *(self._events_listener, self._requests_listener),
            *self._events.subscribers.values(),
            *self._requests.connections,
            *(request for waiting in self._room.waiting.values() for _, request in waiting),
            *self._table.all(),
            *self._attaching.clients,
            *self._spawner.children.values(),
        ]
        seen: set[int] = set()
        while pending:
            found = pending.pop()
            if found is None or id(found) in seen:
                continue
            seen.add(id(found))
            yield found
            if isinstance(found, Owner):
                pending += found.parts()

    def catch_signals(self, environ: "Mapping[str, str]") -> None:
        """As a server does that is new."""
        self._catch_ending(environ)
        self._reactor.on_signal(signal.SIGUSR1, self.bind_anew)
        self._spawner.catch_signals()
        self._spawner.reap()  # who has ended meanwhile

    def _end(self) -> None:
        """A signal says to end; several at once say it once, another one later ends it at once."""
        if self._ending:
            return
        self._ending = True
        logs.info("a signal says to end")
        self._replacement.call_off("the daemon is about to end")
        # By this a client tells a daemon that ends from one that has lost its socket.
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)
        self._reactor.stop()
        self._places.withdraw()
        for number in _ENDING:
            signal.signal(number, self._end_at_once)
        # A terminal that closes sends it twice, and systemd right after SIGTERM.
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    def _end_at_once(self, number: int, frame: object) -> None:
        try:
            self._places.leave()
        finally:
            os._exit(1)

    def _close(self) -> None:
        self._places.withdraw()
        for listener in (self._events_listener, self._requests_listener):
            if listener is not None:
                listener.close()
        for session in self._table.all():
            session.abandon()
        self._attaching.drop_all()
        self._requests.close_all()
        self._events.close()
        self._spawner.end()
        self._places.leave()
        self._reactor.close()
        logs.info("ended")


def run(
    paths: Paths,
    config_files: "list[str]",
    environ: "Mapping[str, str]",
    log_file: "str | None",
    hooks: "Hooks | None" = None,
    options: "list[str] | None" = None,
) -> None:
    """Be the daemon until it is told to end.

    `hooks` is for programs that embed it; `options` are those of a command line that is all the
    daemon's own (Server).  Raises PlaceError, ListenError, ConfigError, LogError
    or OSError when it cannot start.
    """
    umask = os.umask(0o077)
    preload.look_up_user()
    sys.unraisablehook = unraisable
    daemonized = AUTODAEMONIZED in environ
    if log_file:
        logs.log.to_file(log_file)
    elif not daemonized:
        logs.log.to(*stderr.take())
    activated = activation_socket(environ)
    warn = tell_launcher if daemonized else logs.warn
    places = Places(paths, activated, log_file, daemonized, warn)
    try:
        server = Server(paths, places, config_files, environ, umask, hooks, options)
    except Exception as error:
        if log_file or daemonized:  # on stderr the caller says it, and once is enough
            logs.error(str(error))
        places.leave()
        raise
    if daemonized:
        release_launcher()
    logs.info("STARTING DAEMON")
    server.run()


def unraisable(what: "sys.UnraisableHookArgs") -> None:
    """An error in a destructor: Python's own way would read sources, and could wait for stderr."""
    if what.exc_value is not None:
        logs.defect(what.exc_value)
