"""Running a reactor until something has happened."""

from collections.abc import Callable
from time import monotonic

from shpool.daemon.loop.reactor import Reactor

# Longer than anything here takes on a busy machine, in seconds.
PATIENCE = 40.0


def turn(reactor: Reactor) -> None:
    """Turn the loop once, without waiting for long."""
    guard = reactor.call_later(0.02, _nothing)
    reactor._turn()
    guard.cancel()


def do_soon(reactor: Reactor) -> None:
    """Do what callbacks have asked to be done when they have returned."""
    while reactor._soon:
        reactor._do_soon()


def turn_until(reactor: Reactor, done: Callable[[], bool]) -> None:
    """Turn the loop until `done`; fail if that takes too long."""
    deadline = monotonic() + PATIENCE
    while not done():
        turn(reactor)
        assert monotonic() < deadline, "it did not happen"


def _nothing() -> None:
    pass
