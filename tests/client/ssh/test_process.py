"""An ssh that runs, and the signals that come meanwhile."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator

import pytest

from shpool.client.signals import Signals
from shpool.client.ssh.process import Process, exit_status, read_rest

CAUGHT = (
    *(signal.SIGCHLD, signal.SIGCONT, signal.SIGINT, signal.SIGQUIT),
    *(signal.SIGTERM, signal.SIGHUP),
)


@pytest.fixture
def signals() -> Iterator[Signals]:
    before = {number: signal.getsignal(number) for number in CAUGHT}
    made = Signals()
    try:
        yield made
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        os.close(signal.set_wakeup_fd(-1))
        os.close(made.fd)


def test_it_ends_by_itself(signals: Signals) -> None:
    process = Process(["sh", "-c", "exit 3"], signals)
    assert process.wait() == 3
    assert process.take_signals() == 3  # and stays so
    assert (process.ended_by, process.interrupted) == (0, False)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_what_ends_us_ends_it(signals: Signals, number: int) -> None:
    process = Process(["sleep", "1000"], signals)
    os.kill(os.getpid(), number)
    assert process.wait() == -number
    assert exit_status(-number) == 128 + number
    assert process.ended_by == number


def test_it_is_killed_if_it_does_not_end(signals: Signals) -> None:
    process = Process(["sleep", "1000"], signals)
    process.limit(0.0)
    assert process.wait() == -signal.SIGKILL


def test_an_interrupt_is_its_own(signals: Signals) -> None:
    """A terminal sends it one; who sends it to us alone does not end it."""
    process = Process(["cat"], signals, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    os.kill(os.getpid(), signal.SIGINT)
    assert process.take_signals() is None
    assert process.interrupted
    assert process.popen.stdin is not None
    assert process.popen.stdout is not None
    process.popen.stdin.close()
    assert process.wait() == 0
    process.popen.stdout.close()


def test_what_is_ignored_stays_so(signals: Signals) -> None:
    """Under nohup; the children have it from us."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    process = Process(["sh", "-c", "kill -HUP $$; exit 4"], signals)
    os.kill(os.getpid(), signal.SIGHUP)
    assert process.wait() == 4
    assert process.ended_by == 0


def test_the_rest_in_a_pipe_is_read_though_somebody_keeps_it_open() -> None:
    read, write = os.pipe()
    os.set_blocking(read, False)
    os.write(write, b"x" * 5000)
    taken: list[bytes] = []
    read_rest(read, taken.append, 2000)
    assert [len(data) for data in taken] == [2000, 2000, 1000]
    os.close(write)
    read_rest(read, taken.append)
    os.close(read)
    assert len(taken) == 3
