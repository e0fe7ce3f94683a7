"""Fixtures: a place without a daemon, and one in which a daemon runs."""

from collections.abc import Iterator

import pytest

from tests.e2e.harness import Place


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "many: measures the daemon with hundreds of sessions")


@pytest.fixture
def place() -> Iterator[Place]:
    """No daemon runs yet, so the test can say how it is started and configured."""
    with Place() as made:
        yield made


@pytest.fixture
def shpool(place: Place) -> Place:
    """A daemon runs in the foreground, with the default configuration."""
    place.start()
    return place
