"""What is done in a turn of the loop and in which order: deadlines, idle work, signals."""

import functools
import os
import pathlib
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from time import monotonic

import pytest

from shpool.daemon.loop import reactor as loop
from shpool.daemon.loop.reactor import Reactor
from tests.daemon.conftest import LogLines
from tests.daemon.loop.tracing import Pair, Trace, soon
from tests.daemon.turning import turn_until
from tests.programs import lacking, need

CHECKOUT = pathlib.Path(__file__).parents[3]


# ---- deadlines


def test_deadlines_come_in_order_and_not_too_early(reactor: Reactor, trace: Trace) -> None:
    started = monotonic()
    reactor.call_later(0.03, trace.note("late"))
    reactor.call_later(0.01, trace.note("early"))
    reactor.call_later(0.01, trace.note("early, asked for later"))
    turn_until(reactor, lambda: len(trace) == 3)
    assert trace == ["early", "early, asked for later", "late"]
    assert monotonic() - started >= 0.03


def test_a_deadline_that_is_called_off_is_not_kept_and_causes_no_wake_up(
    reactor: Reactor, trace: Trace
) -> None:
    timers = [reactor.call_later(0.01, trace.note("called off")) for _ in range(3)]
    assert reactor._timeout() is not None
    for timer in timers:
        timer.cancel()
        timer.cancel()
    assert reactor._timeout() is None
    assert reactor._timers == []


def test_the_loop_sleeps_until_the_first_deadline_that_still_counts(reactor: Reactor) -> None:
    reactor.call_later(0.01, Trace().note("")).cancel()
    reactor.call_later(100, Trace().note(""))
    reactor.call_later(0.02, Trace().note("")).cancel()
    timeout = reactor._timeout()
    assert timeout is not None
    assert 99 < timeout <= 100


def test_a_deadline_can_be_called_off_by_another_one_of_the_same_turn(
    reactor: Reactor, trace: Trace
) -> None:
    def first() -> None:
        trace.append("first")
        second.cancel()

    reactor.call_later(0, first)
    second = reactor.call_later(0, trace.note("second"))
    turn_until(reactor, soon(reactor))
    assert trace == ["first"]


def test_a_deadline_that_sets_itself_again_does_not_hold_the_loop(
    reactor: Reactor, trace: Trace
) -> None:
    def again() -> None:
        trace.append("again")
        reactor.call_later(0, again)

    again()
    reactor._turn()
    assert len(trace) == 2


def test_a_deadline_that_raises_does_not_end_the_loop(
    reactor: Reactor, trace: Trace, log: LogLines
) -> None:
    def fail() -> None:
        raise RuntimeError("a defect")

    reactor.call_later(0, fail)
    reactor.call_later(0, trace.note("next"))
    turn_until(reactor, lambda: trace == ["next"])
    assert "a defect" in log.read()[0]


# ---- the order of a turn, and idle work


def test_a_turn_serves_what_is_ready_then_what_is_due_and_idle_work_last(
    reactor: Reactor, trace: Trace
) -> None:
    pair = Pair()

    def read() -> None:
        trace.append("ready")
        pair.near.recv(10)

    def work() -> bool:
        trace.append("idle")
        return False

    reactor.when_idle(work)
    reactor.call_later(0, trace.note("due"))
    reactor.on_readable(pair.fd, read)
    pair.far.send(b"x")
    reactor._turn()
    assert trace == ["ready", "due"]
    reactor._turn()
    assert trace == ["ready", "due", "idle"]
    reactor.drop(pair.fd)
    pair.close()


def test_idle_work_goes_on_while_it_says_so_and_takes_turns(reactor: Reactor, trace: Trace) -> None:
    def work(name: str, slices: int) -> Callable[[], bool]:
        left = [slices]

        def one() -> bool:
            trace.append(name)
            left[0] -= 1
            return left[0] > 0

        return one

    reactor.when_idle(work("a", 3))
    reactor.when_idle(work("b", 1))
    for _ in range(4):
        assert reactor._timeout() == 0
        reactor._turn()
    assert trace == ["a", "b", "a", "a"]
    assert reactor._timeout() is None  # nothing to wake up for


def test_idle_work_asked_for_twice_is_done_once(reactor: Reactor, trace: Trace) -> None:
    def work() -> bool:
        trace.append("work")
        return False

    reactor.when_idle(work)
    reactor.when_idle(work)
    turn_until(reactor, soon(reactor))
    assert trace == ["work"]


def test_idle_work_that_raises_is_not_done_again(
    reactor: Reactor, trace: Trace, log: LogLines
) -> None:
    def fail() -> bool:
        trace.append("work")
        raise RuntimeError("a defect")

    reactor.when_idle(fail)
    turn_until(reactor, soon(reactor))
    assert trace == ["work"]
    assert "a defect" in log.read()[0]


def test_run_serves_until_it_is_stopped_and_finishes_the_turn(
    reactor: Reactor, trace: Trace
) -> None:
    def stop() -> None:
        trace.append("stop")
        reactor.stop()

    reactor.call_later(0, stop)
    reactor.call_later(0, trace.note("same turn"))
    reactor.call_later(60, trace.note("never"))
    reactor.run()
    assert trace == ["stop", "same turn"]


# ---- signals


def test_a_signal_is_served_on_the_loop(reactor: Reactor, trace: Trace) -> None:
    reactor.on_signal(signal.SIGUSR1, trace.note("usr1"))
    reactor.on_signal(signal.SIGUSR2, trace.note("usr2"))
    os.kill(os.getpid(), signal.SIGUSR1)
    assert trace == []
    reactor._turn()
    assert trace == ["usr1"]
    os.kill(os.getpid(), signal.SIGUSR2)
    reactor._turn()
    assert trace == ["usr1", "usr2"]


def test_many_signals_are_one_call_and_fill_no_pipe(reactor: Reactor, trace: Trace) -> None:
    reactor.on_signal(signal.SIGUSR1, trace.note("usr1"))
    for _ in range(200_000):
        signal.raise_signal(signal.SIGUSR1)
    turn_until(reactor, soon(reactor))
    assert 1 <= len(trace) <= 65_536 // 4096 + 1
    count = len(trace)
    os.kill(os.getpid(), signal.SIGUSR1)
    turn_until(reactor, lambda: len(trace) == count + 1)


def test_blocked_signals_that_have_come_are_served_and_later_ones_wait(
    reactor: Reactor, trace: Trace
) -> None:
    assert not reactor.take_signals()
    reactor.on_signal(signal.SIGUSR1, trace.note("usr1"))
    reactor.on_signal(signal.SIGUSR2, trace.note("usr2"))
    assert not reactor.take_signals()
    os.kill(os.getpid(), signal.SIGUSR1)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR2})
    try:
        # To this thread: one of the test runner's would take it.
        signal.pthread_kill(threading.get_ident(), signal.SIGUSR2)
        assert reactor.take_signals()
        assert not reactor.take_signals()
        assert trace == ["usr1"]
        assert signal.SIGUSR2 in signal.sigpending()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    assert reactor.take_signals()
    assert trace == ["usr1", "usr2"]


def test_a_loop_settles_once_nothing_more_is_to_be_done_soon(
    reactor: Reactor, trace: Trace
) -> None:
    reactor.soon(lambda: reactor.soon(trace.note("second")))
    assert reactor.settle()
    assert trace == ["second"]


def test_a_loop_in_which_one_thing_always_leads_to_the_next_does_not_settle(
    reactor: Reactor, trace: Trace
) -> None:
    def again() -> None:
        reactor.soon(again)

    again()
    assert not reactor.settle()


def test_a_signal_ends_the_wait(reactor: Reactor, trace: Trace) -> None:
    reactor.on_signal(signal.SIGALRM, trace.note("alarm"))
    signal.setitimer(signal.ITIMER_REAL, 0.02)
    reactor.call_later(30, trace.note("too late"))
    reactor._turn()
    if not trace:  # the wait was begun again after the signal, with the pipe readable
        reactor._turn()
    assert trace == ["alarm"]


# ---- nothing to do


def test_with_nothing_to_do_the_process_makes_no_system_call(tmp_path: pathlib.Path) -> None:
    strace = need("strace")
    script = """
import os, signal, socket, sys
from shpool.daemon.loop.reactor import Owner, Reactor
reactor = Reactor()
near, far = socket.socketpair()
reactor.on_readable(near.fileno(), print)
reactor.on_hangup(far.fileno(), print)
reactor.on_signal(signal.SIGCHLD, print)
reactor.on_signal(signal.SIGTERM, reactor.stop)
reactor.call_later(3600, print)
reactor.call_later(0.01, print).cancel()
reactor.call_later(0.02, lambda: print("quiet from here on", flush=True))
reactor.run()
"""
    process = subprocess.Popen(
        [sys.executable, "-c", script], cwd=CHECKOUT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "quiet from here on\n"
    log = tmp_path / "strace"
    tracer = subprocess.Popen([strace, "-o", str(log), "-p", str(process.pid)])
    turn_deadline = monotonic() + 40
    while not log.exists() or "epoll_wait" not in log.read_text():
        if tracer.poll() is not None:
            process.kill()
            lacking("strace may not attach here")
        assert monotonic() < turn_deadline
    try:
        tracer.wait(0.3)
    except subprocess.TimeoutExpired:
        pass
    text = log.read_text()
    process.terminate()
    process.wait(10)
    tracer.wait(10)
    assert text.count("(") == 1, text  # the wait it was in


def test_deadlines_that_were_called_off_are_forgotten_long_before_they_are_due(
    reactor: Reactor,
) -> None:
    kept = [reactor.call_later(1e6, lambda: None) for _ in range(3)]
    for _ in range(10_000):
        reactor.call_later(2e6, lambda: None).cancel()
    assert len(reactor._timers) < 100
    assert {id(timer) for timer in kept} <= {id(timer) for _, _, timer in reactor._timers}
    done: list[int] = []
    for number in (3, 1, 2):
        reactor.call_later(number / 1000, functools.partial(done.append, number))
    for _ in range(100):
        reactor.call_later(0, lambda: None).cancel()
    turn_until(reactor, lambda: len(done) == 3)
    assert done == [1, 2, 3]


def test_a_turn_for_which_there_is_no_memory_is_not_the_end(
    reactor: Reactor, trace: Trace, monkeypatch: pytest.MonkeyPatch
) -> None:
    select = reactor._selector.select
    short = [MemoryError(), MemoryError()]

    def waits(timeout: "float | None" = None) -> object:
        if short:
            raise short.pop()
        return select(timeout)

    breaths: list[float] = []
    monkeypatch.setattr(loop, "sleep", breaths.append)
    monkeypatch.setattr(reactor._selector, "select", waits)
    pair = Pair()
    pair.far.send(b"x")
    reactor.on_readable(pair.fd, reactor.stop)
    reactor.run()
    assert breaths == [loop._BREATH] * 2
    pair.close()
