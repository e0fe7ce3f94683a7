import os
import pathlib
import signal
from collections.abc import Iterator

import pytest

from shpool import logs
from shpool.config import Config
from shpool.daemon.loop.reactor import Reactor
from tests.daemon.core import Core
from tests.daemon.fakes import FakeLoop, FakePrograms
from tests.daemon.scene import Scene
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
