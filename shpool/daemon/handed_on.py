"""The server, as far as it goes from one process to another: what of it is written and read.

The rest of what is carried over says so beside its own code, see carried.py.
"""

import os

from shpool import __version__, logs
from shpool.config import ConfigSource
from shpool.daemon import state, stderr
from shpool.daemon.carried import PATH, Held
from shpool.daemon.clients.ahead import TypedAhead
from shpool.daemon.clients.attach import Attaching
from shpool.daemon.clients.client import AttachedClient
from shpool.daemon.clients.connection import Connection
from shpool.daemon.clients.motd import Motd
from shpool.daemon.clients.waiting import Waiting, WaitingRoom
from shpool.daemon.loop.memory import uncollected
from shpool.daemon.loop.reactor import Owner, Reactor, each_alone
from shpool.daemon.places import Places
from shpool.daemon.programs.process import Process
from shpool.daemon.programs.spawn import Spawner
from shpool.daemon.replace import Replaceable, UpgradeErrand
from shpool.daemon.requests import Requests
from shpool.daemon.sessions.events import Events, Subscriber
from shpool.daemon.sessions.session import Session
from shpool.daemon.sessions.table import SessionTable
from shpool.daemon.sessions.variables import Variables
from shpool.daemon.values import StateError
from shpool.errors import ShpoolError
from shpool.paths import Paths

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any

    from shpool.daemon.sessions.hooks import Hooks
    from shpool.daemon.state import Descriptor

# What the state of a daemon is made of, besides the daemon itself, by names there.
_KINDS: "dict[str, type]" = {
    "session": Session,
    "client": AttachedClient,
    "connection": Connection,
    "subscriber": Subscriber,
    "waiting": Waiting,
}

# And all that a state is made of, which others may have more of.
KNOWN = {*_KINDS, "daemon", "descriptors"}


class HandedOn(Replaceable):
    """What a server is made of, and how it comes to be another process's."""

    CARRIED = {
        "paths": ((PATH, PATH, PATH, PATH, PATH), bool),
        "_config_files": [PATH],
        "_places": Places,
        "_spawner": Spawner,
        "_variables": Variables,
        "_motd": Motd,
        "_ahead": TypedAhead,
        "log": (int, (Held("log"), None), bool),
    }
    DERIVED = (
        *("_attaching", "_ending", "_events", "_events_listener", "_paths", "_reactor"),
        *("_replacement", "_requests", "_requests_listener", "_room", "_table", "_taken_log"),
        "carried_over",
    )

    _attaching: Attaching
    _config_files: "list[str]"
    _events: Events
    _motd: Motd
    _ahead: TypedAhead
    _paths: Paths
    _places: Places
    _reactor: Reactor
    _requests: Requests
    _room: WaitingRoom
    _spawner: Spawner
    _table: SessionTable
    _variables: Variables

    # Those that were read, and not taken up yet.
    carried_over: "state.CarriedOver | None" = None
    _taken_log: "tuple[int, int | None, bool] | None" = None

    def furnish(
        self,
        config: ConfigSource,
        environ: "Mapping[str, str]",
        hooks: "Hooks | None",
        options: "list[str] | None",
    ) -> None:
        """Make the rest that lives as long as the daemon."""
        raise NotImplementedError

    def living(self) -> "Iterator[object]":
        """Every object that may outlive this turn of the loop."""
        raise NotImplementedError

    def listen(self) -> None:
        """Listen at the sockets that are there now."""
        raise NotImplementedError

    def bind_anew(self) -> None:
        """Make again what is gone."""
        raise NotImplementedError

    def catch_signals(self, environ: "Mapping[str, str]") -> None:
        """As a server does that is new, and notice who has ended meanwhile."""
        raise NotImplementedError

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
        look = state.look
        known = None
        if self.carried_over is not None:
            look = self.carried_over.look
            known = self.carried_over.numbered
        else:
            pictures = [session.picture for session in self._table.all()]
            each_alone(pictures, lambda picture: picture.lighten())
        with uncollected():
            return state.write(self._things(), list(self.living()), out, look, known)

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
        cls,
        data: "bytes | memoryview",
        environ: "Mapping[str, str]",
        *,
        rehearsing: bool,
        options: "list[str] | None" = None,
    ) -> "Any":
        """A server that goes on where another one was; no descriptor is touched before take_up().

        With `rehearsing` a configuration that cannot be read is an error, else there is none
        then.  Raises StateError or ConfigError.
        """
        reactor = Reactor()
        try:
            with uncollected():
                found = state.read(data, reactor, {**_KINDS, "daemon": cls})
            (server,) = found.things["daemon"]
            config = ConfigSource(server._config_files, logs.warn, must=not rehearsing)
            server._take_on(reactor, found, config, environ, options)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            reactor.close()
            raise StateError(f"the state does not fit together: {error}") from None
        except ShpoolError:
            reactor.close()
            raise
        return server

    def _take_on(
        self,
        reactor: Reactor,
        found: "state.CarriedOver",
        config: ConfigSource,
        environ: "Mapping[str, str]",
        options: "list[str] | None",
    ) -> None:
        self._reactor = reactor
        self._places.taken_on(self._paths)
        self._spawner.taken_on(reactor)
        self.furnish(config, environ, None, options)
        self.carried_over = found
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
            self._places.limit_log()
        lost = found.take_descriptors()
        self._places.forget(lost)
        self.listen()
        owners = [each for each in self.living() if isinstance(each, Owner)]
        each_alone([self._spawner, *owners], lambda owner: owner.watch_again())
        if lost:
            self.bind_anew()

    def counts(self) -> "tuple[int, int, int]":
        sessions = self._table.listed()
        clients = sum(len(session.clients) for session in sessions)
        return len(sessions), clients, len(self._events.subscribers)

    def renew_pid(self) -> None:
        self._places.renew_pid()

    def expect_end(self, guardian: int) -> None:
        """A child of that pid is about to end, or has; to be called before any is waited for."""
        self._spawner.children[guardian] = Process(guardian)

    def took_over(self) -> None:
        """This is the new program, and serves."""
        for connection in tuple(self._requests.connections):
            errand = connection.streams
            if isinstance(errand, UpgradeErrand):
                logs.info(f"the upgrade from version {errand.before} to {__version__} is done")
                errand.tell("Upgraded", __version__, self.counts())
