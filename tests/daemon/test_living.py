"""Whatever lives longer than a turn of the loop can be listed from the server: a daemon that is
replaced in place hands all of it over, and nothing is known to a callback alone."""

from __future__ import annotations

import gc
import os
import signal
import socket
import tty
from collections.abc import Iterator
from pathlib import Path

import pytest

from shpool.config import Config
from shpool.config_values import Motd
from shpool.daemon import server as server_module
from shpool.daemon.clients.passed_terminal import Mourner, PassedTerminal
from shpool.daemon.loop.outbound import Outbound
from shpool.daemon.loop.reactor import Owner, Timer
from shpool.daemon.places import Places
from shpool.daemon.server import Server
from shpool.paths import Paths
from shpool.protocol import chunks
from shpool.protocol.msgpack import pack
from shpool.protocol.requests import AttachHeader, TtySize
from tests.daemon.core import Caller, Core, FixedConfig
from tests.daemon.fakes import FakeLoop, FakePrograms

# Of these there is one for the daemon, or they are its doubles; the server knows each by name.
ONE_EACH = {
    *("Server", "Places", "Requests", "Attaching", "SessionTable", "WaitingRoom", "Variables"),
    *("Events", "Hooks", "FakeLoop", "FakePrograms", "LockFile", "PidFile", "FixedConfig"),
}

# What others are made of, without a descriptor, a deadline or a buffer of its own.
PLAIN = {
    *("State", "Program", "SessionDir", "_Interest", "Timer", "_Output", "RuntimeDir"),
    # Sentinels, so that what is closed keeps nobody in memory.
    *("ChannelUser", "ConnectionUser", "StreamUser", "OutboundUser", "PagerUser"),
    *("PtyUser", "PictureUser", "Caller", "Core", "NotedEvents"),
}


def of_the_daemon(found: object) -> bool:
    kind = type(found)
    if not isinstance(kind, type) or issubclass(kind, (type, BaseException)):
        return False
    return any(base.__module__.startswith("shpool.daemon.") for base in kind.__mro__)


class ServedCore(Core):
    """A server's own core, on the test's loop."""

    def __init__(self, server: Server, loop: FakeLoop, programs: FakePrograms) -> None:
        self.loop = loop
        self.programs = programs
        self.server = server
        self.table = server._table
        self.room = server._room
        self.attaching = server._attaching
        self.requests = server._requests
        self.config = FixedConfig(Config({"pass_terminal": False}))
        self.attaching._config = self.config
        self.callers: list[Caller] = []

    def living(self) -> list[object]:
        return list(self.server.living())

    def names(self) -> set[str]:
        return {type(each).__name__ for each in self.living()}


@pytest.fixture
def served(
    loop: FakeLoop, programs: FakePrograms, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ServedCore]:
    monkeypatch.setattr(server_module, "Reactor", lambda: loop)
    monkeypatch.setattr(server_module, "Spawner", lambda loop, umask, limits: programs)
    monkeypatch.setattr(server_module, "raise_descriptor_limit", lambda: None)
    monkeypatch.setattr("shpool.daemon.clients.motd.message", lambda arguments: b"today")
    monkeypatch.setattr(os, "umask", lambda mask: 0o022)  # nobody else is to notice
    hangup = signal.getsignal(signal.SIGHUP)
    paths = Paths({"XDG_RUNTIME_DIR": str(tmp_path)})
    server = Server(paths, Places(paths, None, None, True, print), [], {}, 0o022)
    core = ServedCore(server, loop, programs)
    yield core
    core.close()
    for listener in (server._events_listener, server._requests_listener):
        assert listener is not None
        listener.close()
    server._events.close()
    server._places.leave()
    signal.signal(signal.SIGHUP, hangup)


def frozen(core: ServedCore) -> None:
    core.attached("frozen")
    for _ in range(60):
        core.programs.started[-1].write(b"flood" * 1600)
    core.loop.pass_time(3)


def paging(core: ServedCore) -> None:
    core.config.config = Config({"pass_terminal": False, "motd": Motd("pager", "less", 0)})
    core.attached("paging")
    core.programs.started[-1].run()
    core.config.config = Config({"pass_terminal": False})


def waiting(core: ServedCore) -> None:
    core.attach("waiting")
    core.attach("waiting")


def doomed(core: ServedCore) -> None:
    core.attached("doomed", ttl_secs=1000)
    core.call().ask({"Kill": {"sessions": ["doomed"]}})


def answered(core: ServedCore) -> None:
    """Who does not read its answer."""
    caller = core.call()
    caller._near.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)
    for _ in range(200):
        core.requests.variables.change(os.urandom(4).hex().replace("0", "a"), "x" * 20)
    caller.ask("GetVars")


def passing(core: ServedCore, name: str, ends: list[int]) -> Caller:
    master, slave = os.openpty()
    tty.setraw(slave)
    ends += [master, slave]
    core.config.config = Config({})
    caller = core.call()
    header = AttachHeader(name, name, TtySize(24, 80), [("TERM", "xterm")])
    socket.send_fds(caller.far, [pack(header.to_wire())], [slave])
    core.loop.readable(caller.near)
    core.programs.started[-1].run()
    core.config.config = Config({"pass_terminal": False})
    return caller


def going_over(core: ServedCore, ends: list[int]) -> None:
    """Whose client is on its way to another session."""
    caller = passing(core, "left", ends)
    caller.send(chunks.frame(chunks.DETACH, chunks.GOES_OVER))


def subscribed(core: ServedCore) -> socket.socket:
    near, far = socket.socketpair()
    near.setblocking(False)
    core.server._events.accepted(near)
    return far


@pytest.fixture
def busy(served: ServedCore) -> Iterator[ServedCore]:
    """Everything that there can be, at once."""
    ends: list[int] = []
    subscriber = subscribed(served)
    frozen(served)
    paging(served)
    doomed(served)
    answered(served)
    passing(served, "passed", ends)
    killed = passing(served, "killed", ends)
    killed.hang_up()
    going_over(served, ends)
    served.attached("escaping").send(b"\x1b")
    waiting(served)
    served.call().send(b"\x81")
    yield served
    subscriber.close()
    for fd in ends:
        os.close(fd)


def test_everything_that_lives_is_listed(served: ServedCore) -> None:
    gc.collect()
    before = {id(each) for each in gc.get_objects()}
    for make in (frozen, paging, doomed, answered, waiting):
        make(served)
    ends: list[int] = []
    passing(served, "passed", ends)
    passing(served, "killed", ends).hang_up()
    going_over(served, ends)
    served.attached("escaping").send(b"\x1b")
    served.call().send(b"\x81")
    subscriber = subscribed(served)
    listed = {id(each) for each in served.living()}
    gc.collect()
    found = [each for each in gc.get_objects() if of_the_daemon(each) and id(each) not in before]
    missing = {
        type(each).__name__
        for each in found
        if id(each) not in listed and type(each).__name__ not in ONE_EACH | PLAIN
    }
    assert missing == set()
    subscriber.close()
    for fd in ends:
        os.close(fd)


def test_the_busy_daemon_has_one_of_each_kind(busy: ServedCore) -> None:
    assert busy.names() >= {
        *("Listener", "Subscriber", "Outbound", "Connection", "AttachHeader", "Session", "Pty"),
        *("AttachedClient", "ChunkChannel", "TerminalChannel", "Line", "PassedTerminal"),
        *("Mourner", "Pager", "FakeChild", "PtyEnds", "ModelPicture", "WindowSize", "Typist"),
        "AwaitEnd",
    }
    assert sum(isinstance(each, Mourner) for each in busy.living()) == 1
    assert sum(isinstance(each, PassedTerminal) for each in busy.living()) == 3


def test_nothing_is_listed_twice(busy: ServedCore) -> None:
    listed = busy.living()
    assert len({id(each) for each in listed}) == len(listed)


def test_whoever_the_loop_would_call_is_listed(busy: ServedCore) -> None:
    """So that a deadline, or what is watched, is found by its owner."""
    loop, listed = busy.loop, {id(each) for each in busy.living()}
    callbacks = [
        *(timer.callback for timer in loop.deadlines()),
        *(watch.reader for watch in loop._watches.values()),
        *(watch.writer for watch in loop._watches.values()),
        *loop._hangup_callbacks.values(),
    ]
    owners = [getattr(callback, "__self__", None) for callback in callbacks if callback is not None]
    assert len(owners) > 15
    assert {type(owner).__name__ for owner in owners if id(owner) not in listed} <= {
        "FakeLoop",
        "FakePrograms",
        "Server",
    }
    assert all(isinstance(owner, (Owner, FakeLoop, Server)) for owner in owners)


def test_what_waits_to_go_out_is_listed(busy: ServedCore) -> None:
    kept = [each for each in busy.living() if isinstance(each, Outbound) and each.pending]
    assert len(kept) >= 2  # the frozen client's output and an answer that is not read
    assert any(isinstance(timer, Timer) for timer in busy.loop.deadlines())
