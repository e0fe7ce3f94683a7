import os
import pathlib
import signal
from collections.abc import Callable, Iterator

import pytest

from shpool import logs
from shpool.config import Config
from shpool.daemon import handed_on
from shpool.daemon import server as server_module
from shpool.daemon.loop.reactor import Reactor
from shpool.daemon.places import Places
from shpool.daemon.server import Server
from shpool.paths import Paths
from tests.daemon.core import Core
from tests.daemon.fakes import FakeLoop, FakePrograms
from tests.daemon.scene import Scene
from tests.daemon.served import (
    ServedCore,
    answered,
    doomed,
    frozen,
    going_over,
    paging,
    passing,
    running,
    subscribed,
    together,
    waiting,
    watched,
)
from tests.daemon.upward import ReentryWatch


@pytest.fixture
def reactor() -> Iterator[Reactor]:
    """A loop of the test's own; signals are afterwards as they were."""
    handlers = {number: signal.getsignal(number) for number in signal.valid_signals()}
    reactor = Reactor()
    yield reactor
    reactor.close()
    for number, handler in handlers.items():
        if signal.getsignal(number) is not handler:
            signal.signal(number, handler)


@pytest.fixture
def loop(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeLoop]:
    """A loop whose events the test chooses."""
    loop = FakeLoop(monkeypatch)
    yield loop
    loop.close()


@pytest.fixture
def programs(loop: FakeLoop) -> Iterator[FakePrograms]:
    """Programs that run, write and end when the test says so."""
    programs = FakePrograms(loop)
    yield programs
    programs.close()


@pytest.fixture
def watch() -> ReentryWatch:
    return ReentryWatch()


@pytest.fixture
def core(
    loop: FakeLoop, programs: FakePrograms, tmp_path: pathlib.Path, watch: ReentryWatch
) -> Iterator[Core]:
    """The daemon's core, without processes, and watched for who calls back too early."""
    core = Core(loop, programs, tmp_path)
    with watch:
        yield core
        core.close()


class LogLines:
    """What has been logged, from info level on."""

    def __init__(self, path: pathlib.Path) -> None:
        self._path = path

    def read(self) -> list[str]:
        """Each line as `LEVEL text`."""
        lines = self._path.read_text().splitlines()
        return [" ".join(line.split(maxsplit=2)[1:]) for line in lines]


@pytest.fixture
def log(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LogLines]:
    monkeypatch.setattr(logs, "log", logs.Log())
    path = tmp_path / "log"
    logs.log.to_file(str(path))
    yield LogLines(path)
    assert logs.log.fd is not None
    os.close(logs.log.fd)


@pytest.fixture
def scene(core: Core, monkeypatch: pytest.MonkeyPatch, log: LogLines) -> Iterator[Scene]:
    core.config.config = Config({"pass_terminal": False})
    scene = Scene(core, monkeypatch)
    yield scene
    scene.check_witness()
    assert any("Injected" in line for line in log.read())


@pytest.fixture
def new_served(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[], ServedCore]]:
    """Makes a whole server on a loop of its own, whose events the test chooses."""
    made: list[ServedCore] = []
    hangup = signal.getsignal(signal.SIGHUP)
    monkeypatch.setattr(server_module, "raise_descriptor_limit", lambda: None)
    monkeypatch.setattr("shpool.daemon.clients.motd.message", lambda arguments: b"today")
    monkeypatch.setattr(os, "umask", lambda mask: 0o022)  # nobody else is to notice

    def make() -> ServedCore:
        loop = FakeLoop(monkeypatch)
        programs = FakePrograms(loop)
        for module in (server_module, handed_on):
            monkeypatch.setattr(module, "Reactor", lambda: loop)
        monkeypatch.setattr(server_module, "Spawner", lambda loop, umask, limits: programs)
        paths = Paths({"XDG_RUNTIME_DIR": str(tmp_path / str(len(made)))})
        os.mkdir(paths.base)
        server = Server(paths, Places(paths, None, None, True, print), [], {}, 0o022)
        made.append(ServedCore(server, loop, programs))
        return made[-1]

    yield make
    for core in made:
        core.close()
        server = core.server
        for listener in (server._events_listener, server._requests_listener):
            assert listener is not None
            listener.close()
        server._events.close()
        server._places.leave()
        core.programs.close()
        core.loop.close()
    signal.signal(signal.SIGHUP, hangup)


@pytest.fixture
def served(new_served: Callable[[], ServedCore]) -> ServedCore:
    return new_served()


@pytest.fixture
def busy(served: ServedCore) -> Iterator[ServedCore]:
    """Everything that there can be, at once."""
    ends: list[int] = []
    subscriber = subscribed(served)
    running(served)
    frozen(served)
    paging(served)
    doomed(served)
    answered(served)
    passing(served, "passed", ends)
    killed = passing(served, "killed", ends)
    killed.hang_up()
    going_over(served, ends)
    watched(served)
    served.attached("escaping").send(b"\x1b")
    together(served)
    waiting(served)
    served.call().send(b"\x81")
    yield served
    subscriber.close()
    for fd in ends:
        os.close(fd)
