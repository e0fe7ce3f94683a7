import pytest

from tests.daemon.loop.tracing import Trace


@pytest.fixture
def trace() -> Trace:
    return Trace()
