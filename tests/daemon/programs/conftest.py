from __future__ import annotations

from collections.abc import Iterator

import pytest

from shpool.daemon.loop.reactor import Reactor
from tests.daemon.programs.started import Started


@pytest.fixture
def started(reactor: Reactor) -> Iterator[Started]:
    started = Started(reactor)
    yield started
    started.close()
