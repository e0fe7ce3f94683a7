"""Signals that have come, in their order."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from shpool.client.signals import Signals


@pytest.fixture
def signals() -> Iterator[Signals]:
    before = {number: signal.getsignal(number) for number in signal.valid_signals()}
    signals = Signals()
    signals.catch_all()
    yield signals
    wakeup = signal.set_wakeup_fd(-1)
    for number, handler in before.items():
        if signal.getsignal(number) != handler:
            signal.signal(number, handler)
    os.close(wakeup)
    os.close(signals.fd)


def come(*numbers: int) -> None:
    for number in numbers:
        os.kill(os.getpid(), number)


def test_a_stop_that_was_taken_back_is_none(signals: Signals) -> None:
    come(signal.SIGTSTP, signal.SIGCONT)
    assert signals.leaving() is None
    assert signals.take() == {signal.SIGCONT}
    come(signal.SIGTSTP, signal.SIGCONT, signal.SIGTERM)
    assert signals.take() == {signal.SIGCONT, signal.SIGTERM}


def test_a_stop_that_comes_last_counts(signals: Signals) -> None:
    come(signal.SIGCONT, signal.SIGTSTP)
    assert signals.take() == {signal.SIGTSTP}
    assert signals.may_stop()


def test_a_stop_may_be_taken_back_after_it_was_taken(signals: Signals) -> None:
    come(signal.SIGTSTP)
    assert signals.leaving() == signal.SIGTSTP
    come(signal.SIGCONT)
    assert not signals.may_stop()
    assert signals.take() == {signal.SIGCONT}
    come(signal.SIGTSTP)
    assert signals.leaving() == signal.SIGTSTP
    assert signals.may_stop()
