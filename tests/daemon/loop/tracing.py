"""What a loop calls, in order, and what there is for it to watch."""

import socket
from collections.abc import Callable

from shpool.daemon.loop.reactor import Reactor


class Trace(list[str]):
    """What was called, in order."""

    def note(self, what: str) -> Callable[[], None]:
        return lambda: self.append(what)


class Pair:
    """Two ends of a stream; `near` is the one that the loop watches."""

    def __init__(self) -> None:
        self.near, self.far = socket.socketpair()
        self.fd = self.near.fileno()

    def close(self) -> None:
        self.near.close()
        self.far.close()


def soon(reactor: Reactor) -> Callable[[], bool]:
    """A condition that comes true once what is due now has been done."""
    done: list[bool] = []
    reactor.call_later(0.02, lambda: done.append(True))
    return lambda: bool(done)
