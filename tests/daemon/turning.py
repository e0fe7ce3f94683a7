"""Running a reactor until something has happened."""

from collections.abc import Callable
from time import monotonic

from shpool.daemon.reactor import Reactor

# Longer than anything here takes on a busy machine, in seconds.
PATIENCE = 10.0


def turn_until(reactor: Reactor, done: Callable[[], bool]) -> None:
    """Turn the loop until `done`; fail if that takes too long."""
    deadline = monotonic() + PATIENCE
    while not done():
        # Something is always due, so that a turn ends even if nothing else happens.
        guard = reactor.call_later(0.05, _nothing)
        reactor._turn()
        guard.cancel()
        assert monotonic() < deadline, "it did not happen"


def _nothing() -> None:
    pass
