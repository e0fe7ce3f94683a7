"""The pause between two tries: which keys count, and when."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from shpool.client import tty
from shpool.client.signals import Signals
from shpool.client.ssh.pause import GIVE_UP, GO_ON, Line, Pause


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """What is typed is written there; our end has the place of all three descriptors."""
    master, slave = os.openpty()
    for name in ("STDIN", "STDOUT", "STDERR"):
        monkeypatch.setattr(tty, name, slave)
    yield master
    os.close(slave)
    os.close(master)


@pytest.mark.parametrize(
    ("typed", "outcome"), [(b"x\x03", GIVE_UP), (b"x\r", GO_ON), (b"xyz", GO_ON), (b"", GO_ON)]
)
def test_what_was_typed_counts_though_no_time_is_left(
    terminal: int, typed: bytes, outcome: str
) -> None:
    signals = Signals()
    before = signal.getsignal(signal.SIGCONT)
    signals.catch(signal.SIGCONT)
    try:
        user = tty.UserTerminal((tty.STDIN, tty.STDOUT))
        user.enter()
        os.write(terminal, typed)
        pause = Pause(user, signals, Line())
        assert pause.count_down(0.0, lambda left: f"{left:.0f} left") == outcome
        assert b"0 left" in os.read(terminal, 1000)
        user.leave()
    finally:
        os.close(signal.set_wakeup_fd(-1))
        signal.signal(signal.SIGCONT, before)
        os.close(signals.fd)
