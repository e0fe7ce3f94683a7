"""The daemon's core put together as the server does it, on a loop whose events a test chooses."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

from shpool.config import Config, ConfigSource
from shpool.daemon.clients.ahead import TypedAhead
from shpool.daemon.clients.attach import Attaching
from shpool.daemon.clients.motd import Motd
from shpool.daemon.clients.waiting import WaitingRoom
from shpool.daemon.requests import Requests
from shpool.daemon.sessions.events import Events
from shpool.daemon.sessions.hooks import Hooks
from shpool.daemon.sessions.table import SessionTable
from shpool.daemon.sessions.variables import Variables
from shpool.protocol.attaching import AttachHeader
from shpool.protocol.chunks import EXIT_STATUS, ChunkReader
from shpool.protocol.msgpack import Decoder, pack
from shpool.protocol.requests import TtySize
from tests.daemon.fakes import FakeLoop, FakePrograms


class NotedEvents(Events):
    """Events that are noted, with the names of the sessions that a List would show then."""

    def __init__(self, loop: FakeLoop) -> None:
        super().__init__(loop)
        self.seen: list[str] = []

    def publish(self, kind: str) -> None:
        self.seen.append(kind.removeprefix("session."))
        super().publish(kind)


class FixedConfig(ConfigSource):
    """A configuration that no file is behind."""

    def __init__(self, config: Config) -> None:
        self.config = config

    def current(self) -> Config:
        return self.config


class Core:
    """`config` may be replaced at any time."""

    def __init__(self, loop: FakeLoop, programs: FakePrograms, state: Path) -> None:
        self.loop = loop
        self.state = state
        self.programs = programs
        self.config = FixedConfig(Config({"pass_terminal": False}))
        self.events = NotedEvents(loop)
        self.hooks = Hooks()
        self.table = SessionTable(loop, self.events, self.hooks)
        self.room = WaitingRoom()
        self.attaching = Attaching(
            *(loop, self.table, self.room, programs, self.config, str(state)),
            *(Motd(), TypedAhead()),
        )
        self.requests = Requests(
            loop, self.table, self.room, self.attaching, "0.4.2", Variables({})
        )
        self.table.user = self.requests
        self.callers: list[Caller] = []

    def call(self) -> Caller:
        """Somebody connects, and is greeted."""
        caller = Caller(self)
        self.callers.append(caller)
        return caller

    def ask(self, request: Any) -> Any:
        """What is answered to a request at once."""
        caller = self.call()
        caller.ask(request)
        return caller.message()

    def attach(self, name: str, size: tuple[int, int] = (24, 80), **fields: Any) -> Caller:
        """Somebody asks to be attached."""
        caller = self.call()
        caller.ask(AttachHeader(name, name, TtySize(*size), [("TERM", "xterm")], **fields))
        return caller

    def attached(self, name: str, **fields: Any) -> Caller:
        """Somebody is attached, to a session whose shell runs."""
        caller = self.attach(name, **fields)
        if self.table.get(name) not in self.table.listed():
            self.programs.started[-1].run()
        caller.reply = caller.message()
        return caller

    def close(self) -> None:
        for session in self.table.all():
            session.abandon()
        self.attaching.drop_all()
        self.requests.close_all()
        self.loop.settle()
        for caller in self.callers:
            caller.far.close()


class Caller:
    """Who connects to the main socket; `near` is the daemon's end."""

    def __init__(self, core: Core) -> None:
        self.core = core
        near, self.far = socket.socketpair()
        near.setblocking(False)
        self.far.setblocking(False)
        self._near = near
        self._unread = b""
        self._chunks = ChunkReader()
        self.reply: Any = None
        core.requests.accepted(near)
        core.loop.settle()
        self.greeting = self.message()

    @property
    def near(self) -> int:
        """-1 when the daemon has closed it."""
        return self._near.fileno()

    def ask(self, request: Any) -> None:
        self.send(pack(request.to_wire() if hasattr(request, "to_wire") else request))

    def send(self, data: bytes) -> None:
        """It sends, and the loop sees it if anybody reads."""
        while data:
            try:
                data = data[self.far.send(data[:16_384]) :]
            except OSError:
                return  # the daemon has hung up, or does not read
            self.core.loop.readable(self.near)

    def hang_up(self) -> None:
        """It is gone, and the loop sees that."""
        self.far.close()
        self.core.loop.hung_up(self.near)
        while self.core.loop.reads(self.near):  # what it sent before may be there
            self.core.loop.readable(self.near)

    def received(self) -> bytes:
        """What has come, and was not asked for before."""
        data, self._unread = self._unread, b""
        while True:
            try:
                piece = self.far.recv(1 << 20)
            except (BlockingIOError, ConnectionResetError):
                return data
            if not piece:
                return data
            data += piece

    def message(self) -> Any:
        """The next message; None if there is none (yet)."""
        decoder = Decoder()
        data = self.received()
        if not decoder.feed(data):
            self._unread = data
            return None
        self._unread = decoder.rest
        return decoder.value

    def output(self) -> tuple[bytes, int | None]:
        """What was shown since this was asked last, and the status, if that has come."""
        shown, status = b"", None
        for kind, content in self._chunks.feed(self.received()):
            if kind == EXIT_STATUS:
                assert isinstance(content, int)
                status = content
            elif isinstance(content, bytes):
                shown += content
        return shown, status

    @property
    def ended(self) -> bool:
        """The daemon has hung up."""
        try:
            return self.far.recv(1, socket.MSG_PEEK) == b""
        except BlockingIOError:
            return False
        except OSError:
            return True
