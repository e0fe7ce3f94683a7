"""The daemon as a whole: what it is made of, how it starts, and how it ends.

Everything that lives as long as the daemon is made here, once, and handed to whoever needs it.
"""

import os
import signal
import sys

from shpool import logs
from shpool.config import ConfigSource
from shpool.daemon import preload, state, stderr
from shpool.daemon.carried import PATH, Held
from shpool.daemon.clients.attach import Attaching
from shpool.daemon.clients.client import AttachedClient
from shpool.daemon.clients.connection import Connection
from shpool.daemon.clients.motd import Motd
from shpool.daemon.clients.waiting import Waiting, WaitingRoom
from shpool.daemon.loop.listener import Listener
from shpool.daemon.loop.reactor import Owner, Reactor, each_alone
from shpool.daemon.places import Places
from shpool.daemon.programs.spawn import Spawner
from shpool.daemon.requests import Requests
from shpool.daemon.sessions.events import Events, Subscriber
from shpool.daemon.sessions.hooks import Hooks
from shpool.daemon.sessions.session import Session
from shpool.daemon.sessions.table import SessionTable
from shpool.daemon.sessions.variables import Variables
from shpool.daemon.startup import (
    activation_socket,
    raise_descriptor_limit,
    release_launcher,
    tell_launcher,
)
from shpool.daemon.values import StateError
from shpool.errors import ShpoolError
from shpool.paths import AUTODAEMONIZED, Paths
from shpool.protocol.replies import PROTOCOL_VERSION

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator, Mapping

    from shpool.daemon.state import Descriptor

# For tests of what clients do about a daemon of another version.
VERSION_OVERRIDE = "SHPOOL_TEST__OVERRIDE_VERSION"

# What the state of a daemon is made of, besides the daemon itself, by names there.
_KINDS: "dict[str, type]" = {
    "session": Session,
    "client": AttachedClient,
    "connection": Connection,
    "subscriber": Subscriber,
    "waiting": Waiting,
}

_ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)


class Server:
    """Serves at `places`, which it occupies.

    `umask` is the shells'; the daemon's own is to be 077 by now.
    Raises PlaceError, ListenError, ConfigError or OSError if it cannot be made.
    """

    CARRIED = {
        "paths": ((PATH, PATH, PATH, PATH, PATH), bool),
        "_config_files": [PATH],
        "_places": Places,
        "_spawner": Spawner,
        "_variables": Variables,
        "_motd": Motd,
        "log": (int, (Held("log"), None), bool),
    }
    DERIVED = (
        *("_attaching", "_ending", "_events", "_events_listener", "_paths", "_reactor"),
        *("_requests", "_requests_listener", "_room", "_table", "_taken_log"),
        *("carried_over", "hooks"),
    )

    def __init__(
        self,
        paths: Paths,
        places: Places,
        config_files: "list[str]",
        environ: "Mapping[str, str]",
        umask: int,
        hooks: "Hooks | None" = None,
    ) -> None:
        self._paths = paths
        self._places = places
        self._config_files = config_files
        self._reactor = reactor = Reactor()
        # Before there is anything that a signal would leave behind.
        self._catch_ending(environ)
        places.occupy()
        # Only now: a daemon that is seen to catch it has lost its socket if nobody finds one.
        reactor.on_signal(signal.SIGUSR1, self._bind_anew)
        places.bind()
        config = ConfigSource(config_files, logs.warn)
        self._spawner = Spawner(reactor, umask, raise_descriptor_limit())
        self._variables = Variables(dict(config.current().var_default))
        self._motd = Motd()
        self._furnish(config, environ, hooks)
        self._listen()

    def _furnish(
        self, config: ConfigSource, environ: "Mapping[str, str]", hooks: "Hooks | None" = None
    ) -> None:
        """Make the rest that lives as long as the daemon."""
        self._ending = False
        self.hooks = hooks
        self.carried_over: state.State | None = None  # and not taken up yet
        if not hasattr(self, "_taken_log"):
            self._taken_log: tuple[int, int | None, bool] | None = None  # likewise
        reactor = self._reactor
        self._events = Events(reactor)
        self._table = table = SessionTable(reactor, self._events, hooks or Hooks())
        self._room = room = WaitingRoom()
        self._attaching = Attaching(
            reactor, table, room, self._spawner, config, self._paths.state, self._motd
        )
        version = environ.get(VERSION_OVERRIDE, PROTOCOL_VERSION)
        self._requests = Requests(reactor, table, room, self._attaching, version, self._variables)
        table.user = self._requests
        self._events_listener: Listener | None = None
        self._requests_listener: Listener | None = None

    def _catch_ending(self, environ: "Mapping[str, str]") -> None:
        for number in _ENDING:
            self._reactor.on_signal(number, self._end)
        if AUTODAEMONIZED in environ or signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
            signal.signal(signal.SIGHUP, signal.SIG_IGN)  # nohup
        else:
            self._reactor.on_signal(signal.SIGHUP, self._end)

    def run(self) -> None:
        """Serve until a signal says to end; then all sessions end, and nothing is left behind."""
        logs.info("STARTING DAEMON")
        try:
            self._reactor.run()
        finally:
            self._close()

    def _listen(self) -> None:
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

    def _bind_anew(self) -> None:
        """A client found no socket of ours: make again what is gone of what we had."""
        logs.info("a signal says to bind anew")
        self._places.again()
        for session in self._table.all():
            try:
                session.directory.make_again()
            except OSError as error:
                logs.warn(f"cannot make {session.directory.path} again: {error.strerror}")
        # Last, so that whoever is let in finds the rest as well.
        self._listen()

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

    # ---- from one process to another

    @property
    def paths(self) -> "tuple[tuple[str, ...], bool]":
        """What Paths.again() is told."""
        paths = self._paths
        names = (paths.base, paths.runtime, paths.socket, paths.events, paths.state)
        return names, paths.at_home

    @paths.setter
    def paths(self, found: "tuple[tuple[str, str, str, str, str], bool]") -> None:
        self._paths = Paths.again(*found[0], at_home=found[1])

    @property
    def log(self) -> "tuple[int, int | None, bool]":
        """The log's level, its descriptor if it has a file, and whether it goes to stderr."""
        if self._taken_log is not None:
            return self._taken_log
        level, fd = logs.log.level, logs.log.fd
        if fd is None or self._places.logs_to_stderr:
            return level, None, fd is not None
        return level, fd, False

    @log.setter
    def log(self, log: "tuple[int, int | None, bool]") -> None:
        self._taken_log = log

    def starting(self) -> str:
        """What is being started, for people; empty if nothing is.

        It cannot be carried over: what the process tells that is becoming a program is for who
        has forked it.
        """
        return next((each.purpose for each in self._spawner.starting), "")

    def write_state(self, out: "Callable[[bytes], object]") -> "list[Descriptor]":
        """Write all there is, in pieces, to `out`; the descriptors that go with it.

        To be called when the loop is settled.  Nothing is changed by it, but that output is
        dropped which would never be looked at.  Raises StateError, and what `out` raises.
        """
        if not self._reactor.settled or self.starting():
            raise StateError("the daemon is in the middle of something")
        pictures = [session.picture for session in self._table.all()]
        each_alone(pictures, lambda picture: picture.lighten())
        return state.write(self._things(), list(self.living()), out)

    def _things(self) -> "Iterator[tuple[str, str, object]]":
        """What the state is made of, in an order that is always the same."""
        yield "daemon", "daemon", self
        for session in self._table.all():
            yield "session", f"session {session.name!r}", session
        for client in sorted(self._attaching.clients, key=lambda client: client.fd):
            yield "client", f"client {client.pid}", client
        for connection in sorted(self._requests.connections, key=lambda each: each.fd):
            yield "connection", f"connection of pid {connection.pid}", connection
        for _, subscriber in sorted(self._events.subscribers.items()):
            yield "subscriber", "subscriber", subscriber
        for waiting in self._room.everybody():
            yield "waiting", "waiting request", waiting

    @classmethod
    def read_state(
        cls, data: "bytes | memoryview", environ: "Mapping[str, str]", *, rehearsing: bool
    ) -> "Server":
        """A server that goes on where another one was; no descriptor is touched before take_up().

        With `rehearsing` a configuration that cannot be read is an error, else there is none
        then.  Raises StateError or ConfigError.
        """
        reactor = Reactor()
        try:
            found = state.read(data, reactor, {**_KINDS, "daemon": cls})
            (server,) = found.things["daemon"]
            config = ConfigSource(server._config_files, logs.warn, must=not rehearsing)
            server._take_on(reactor, found, config, environ)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            reactor.close()
            raise StateError(f"the state does not fit together: {error}") from None
        except ShpoolError:
            reactor.close()
            raise
        made: Server = server
        return made

    def _take_on(
        self,
        reactor: Reactor,
        found: "state.State",
        config: ConfigSource,
        environ: "Mapping[str, str]",
    ) -> None:
        self._reactor = reactor
        self.carried_over = found
        self._places.taken_on(self._paths)
        self._spawner.taken_on(reactor)
        self._furnish(config, environ)
        things = found.things
        for session in things.get("session", ()):
            session.taken_on(reactor, self._table, self._spawner, self._paths.state)
            self._table.taken_on(session)
        for client in things.get("client", ()):
            client.taken_on(reactor, self._spawner, self._attaching)
            self._attaching.clients.add(client)
        for connection in things.get("connection", ()):
            connection.taken_on(reactor, self._requests)
            self._requests.taken_on(connection)
        for subscriber in things.get("subscriber", ()):
            subscriber.taken_on(self._events)
        self._room.taken_on(things.get("waiting", []))

    def unpack(self) -> None:
        """Take apart what waits for that until the loop has time.  Raises StateError."""
        for session in self._table.all():
            try:
                session.picture.unpack()
            except ValueError as error:
                raise StateError(f"session {session.name!r} in the state: {error}") from None

    def take_up(self) -> None:
        """Take the descriptors on, and go on with everything once run() is called.

        Signals are not caught yet: catch_signals().
        """
        assert self.carried_over is not None
        found, self.carried_over = self.carried_over, None
        assert self._taken_log is not None
        (level, fd, to_stderr), self._taken_log = self._taken_log, None
        logs.log.level = level
        if to_stderr:
            logs.log.to(*stderr.take())
        elif fd is not None:
            logs.log.to(fd, os.write)
        lost = found.take_descriptors()
        self._places.forget(lost)
        self._listen()
        owners = [each for each in self.living() if isinstance(each, Owner)]
        each_alone([self._spawner, *owners], lambda owner: owner.watch_again())
        if lost:
            self._bind_anew()

    def catch_signals(self, environ: "Mapping[str, str]") -> None:
        """As a server does that is new."""
        self._catch_ending(environ)
        self._reactor.on_signal(signal.SIGUSR1, self._bind_anew)
        self._spawner.catch_signals()
        self._spawner.reap()  # who has ended meanwhile

    def _end(self) -> None:
        """A signal says to end; several at once say it once, another one later ends it at once."""
        if self._ending:
            return
        self._ending = True
        logs.info("a signal says to end")
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
) -> None:
    """Be the daemon until it is told to end.

    `hooks` is for programs that embed it.  Raises PlaceError, ListenError, ConfigError, LogError
    or OSError when it cannot start.
    """
    umask = os.umask(0o077)
    preload.look_up_user()
    sys.unraisablehook = _unraisable
    daemonized = AUTODAEMONIZED in environ
    if log_file:
        logs.log.to_file(log_file)
    elif not daemonized:
        logs.log.to(*stderr.take())
    activated = activation_socket(environ)
    warn = tell_launcher if daemonized else logs.warn
    places = Places(paths, activated, log_file, daemonized, warn)
    try:
        server = Server(paths, places, config_files, environ, umask, hooks)
    except Exception as error:
        if log_file or daemonized:  # on stderr the caller says it, and once is enough
            logs.error(str(error))
        places.leave()
        raise
    if daemonized:
        release_launcher()
    server.run()


def _unraisable(what: "sys.UnraisableHookArgs") -> None:
    """An error in a destructor: Python's own way would read sources, and could wait for stderr."""
    if what.exc_value is not None:
        logs.defect(what.exc_value)
