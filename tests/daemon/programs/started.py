"""A program that was started, and what its owner heard of it."""

from __future__ import annotations

import os
import signal

from shpool.daemon.loop.reactor import Reactor
from shpool.daemon.programs.program import Program
from shpool.daemon.programs.pty_ends import PtyEnds
from shpool.daemon.programs.spawn import Child, ProgramOwner, Spawner
from shpool.protocol.requests import TtySize
from tests.daemon.turning import turn_until

SIZE = TtySize(31, 97)


class Owner(ProgramOwner):
    """Notes what it hears, and keeps the pty."""

    def __init__(self) -> None:
        self.heard: list[object] = []
        self.ends: PtyEnds | None = None
        self.output = b""

    def started(self, ends: PtyEnds) -> None:
        self.heard.append("started")
        self.ends = ends

    def failed(self, reason: str) -> None:
        self.heard.append(reason)

    def exited(self, status: int) -> None:
        self.heard.append(status)

    def broken(self) -> None:
        self.heard.append("broken")

    def read(self) -> bytes:
        """All there is to read on the pty."""
        assert self.ends is not None
        while True:
            try:
                piece = os.read(self.ends.master, 4096)
            except OSError:
                return self.output
            if not piece:
                return self.output
            self.output += piece


class Started:
    """One spawner with what it has started."""

    def __init__(self, reactor: Reactor) -> None:
        self.reactor = reactor
        self.spawner = Spawner(reactor, 0o027, None)
        self.owner = Owner()

    def start(self, *argv: str, directory: str = "/", keep_slave: bool = False) -> Child:
        env = {"PATH": os.environ["PATH"], "A": "b"}
        program = Program(argv[0], list(argv), env, directory)
        return self.spawner.start(program, SIZE, self.owner, keep_slave=keep_slave)

    def sh(self, script: str) -> Child:
        return self.start("sh", "-c", script)

    def wait(self, *heard: object) -> None:
        turn_until(self.reactor, lambda: self.owner.heard == list(heard))

    def close(self) -> None:
        for child in list(self.spawner.children.values()):
            child.signal_group(signal.SIGKILL)
        turn_until(self.reactor, lambda: not self.spawner.children)
        if self.owner.ends is not None:
            self.owner.ends.close()
