"""Fixtures: a place without a daemon, and one in which a daemon runs."""

import os
import shlex
from collections.abc import Iterator

import pytest

from tests.e2e.harness import Place, eventually


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "many: measures the daemon with hundreds of sessions")


# For modules whose subject is what passes between a client's terminal and its session: each test
# once with the terminal in the daemon's hands, once in the client's.
BOTH_WAYS = pytest.mark.parametrize("place", ["passed", "chunks"], indirect=True)


@pytest.fixture
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    """No daemon runs yet, so the test can say how it is started and configured."""
    with Place() as made:
        made.passes = getattr(request, "param", "passed") == "passed"
        made.configure()
        yield made


@pytest.fixture
def shpool(place: Place) -> Place:
    """A daemon runs in the foreground, with the default configuration."""
    place.start()
    return place


@pytest.fixture(scope="module")
def _standing() -> Iterator[Place]:
    with Place() as place:
        place.start()
        yield place


@pytest.fixture
def standing(_standing: Place) -> Iterator[Place]:
    """A daemon for all tests of a module that ask for it: for those of many cases, which change
    nothing but sessions, as it takes longer to start one than they do. Its log is the test's own.
    """
    os.truncate(_standing.log, 0)
    yield _standing
    _standing.kill(*_standing.sessions())
    eventually(lambda: not _standing.sessions(), "all sessions end")
    log = _standing.log_text()
    assert "internal error" not in log
    assert "Traceback" not in log


@pytest.fixture
def inside(place: Place) -> Place:
    """A daemon whose shells know the command."""
    names = ("PYTHONPATH", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME")
    settings = " ".join(f"{name}={shlex.quote(place.env[name])}" for name in names)
    command = f'shpool() {{ {settings} {shlex.join(place.command())} "$@"; }}'
    setup = f"PS1='$ '\nunset HISTFILE\n{command}\n"
    for name in (".bashrc", ".profile"):
        (place.home / name).write_text(setup)
    place.start()
    return place
