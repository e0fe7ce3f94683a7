import functools
import os
import pathlib
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from time import monotonic

import pytest

from shpool.daemon.loop import reactor as loop
from shpool.daemon.loop.reactor import Owner, Reactor, each_alone
from tests.daemon.conftest import LogLines
from tests.daemon.turning import turn_until
from tests.programs import lacking, need

CHECKOUT = pathlib.Path(__file__).parents[3]


class Trace(list[str]):
    """What was called, in order."""

    def note(self, what: str) -> Callable[[], None]:
        return lambda: self.append(what)


@pytest.fixture
def trace() -> Trace:
    return Trace()


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


# ---- descriptors


def test_readers_and_writers_are_called_while_there_is_reason(
    reactor: Reactor, trace: Trace
) -> None:
    pair = Pair()
    reactor.on_readable(pair.fd, trace.note("read"))
    reactor.on_writable(pair.fd, trace.note("write"))
    reactor._turn()
    assert trace == ["write"]
    pair.far.send(b"x")
    reactor._turn()
    reactor._turn()
    assert trace == ["write", "read", "write", "read", "write"]
    reactor.on_writable(pair.fd, None)
    reactor._turn()
    assert trace[5:] == ["read"]
    reactor.on_readable(pair.fd, None)
    turn_until(reactor, soon(reactor))
    assert trace[6:] == []
    pair.close()


def test_a_reader_is_told_of_the_end(reactor: Reactor, trace: Trace) -> None:
    pair = Pair()
    reactor.on_readable(pair.fd, trace.note("read"))
    pair.far.close()
    reactor._turn()
    assert trace == ["read"]
    reactor.drop(pair.fd)
    pair.close()


def test_a_callback_can_be_replaced_by_another(reactor: Reactor, trace: Trace) -> None:
    pair = Pair()
    pair.far.send(b"x")
    reactor.on_readable(pair.fd, trace.note("one"))
    reactor.on_readable(pair.fd, trace.note("two"))
    reactor._turn()
    assert trace == ["two"]
    reactor.drop(pair.fd)
    pair.close()


def test_what_is_not_watched_can_be_dropped_and_stopped(reactor: Reactor) -> None:
    pair = Pair()
    reactor.drop(pair.fd)
    reactor.on_readable(pair.fd, None)
    reactor.on_writable(pair.fd, None)
    reactor.on_hangup(pair.fd, None)
    pair.close()


def test_a_descriptor_dropped_in_a_callback_is_not_served_in_that_turn(
    reactor: Reactor, trace: Trace
) -> None:
    pairs = [Pair(), Pair()]

    def drop_the_other(index: int) -> Callable[[], None]:
        def callback() -> None:
            trace.append(f"{index}")
            reactor.drop(pairs[1 - index].fd)
            pairs[1 - index].near.close()

        return callback

    for index, pair in enumerate(pairs):
        reactor.on_readable(pair.fd, drop_the_other(index))
        pair.far.send(b"x")
    reactor._turn()
    assert len(trace) == 1
    for pair in pairs:
        reactor.drop(pair.fd)
        pair.close()


def test_a_reader_that_drops_its_descriptor_is_not_asked_to_write(
    reactor: Reactor, trace: Trace
) -> None:
    pair = Pair()
    reactor.on_readable(pair.fd, lambda: reactor.drop(pair.fd))
    reactor.on_writable(pair.fd, trace.note("write"))
    pair.far.send(b"x")
    reactor._turn()
    assert trace == []
    pair.close()


def test_a_number_used_again_in_the_same_turn_is_not_taken_for_the_old_one(
    reactor: Reactor, trace: Trace
) -> None:
    first, second, fresh = Pair(), Pair(), Pair()

    def swap() -> None:
        trace.append("swap")
        served, other = (first, second) if trace == ["swap"] else (second, first)
        reactor.drop(served.fd)
        reactor.drop(other.fd)
        os.dup2(fresh.fd, other.fd)
        reactor.on_readable(other.fd, trace.note("fresh"))

    for pair in (first, second):
        reactor.on_readable(pair.fd, swap)
        pair.far.send(b"x")
    reactor._turn()
    assert trace == ["swap"]
    turn_until(reactor, soon(reactor))
    assert trace == ["swap"]
    fresh.far.send(b"x")
    reactor._turn()
    assert trace == ["swap", "fresh"]
    for pair in (first, second, fresh):
        reactor.drop(pair.fd)
        pair.close()


def test_an_exception_costs_the_descriptor_and_nobody_else(
    reactor: Reactor, trace: Trace, log: LogLines
) -> None:
    bad, good = Pair(), Pair()

    def fail() -> None:
        trace.append("bad")
        raise RuntimeError("a defect")

    reactor.on_readable(bad.fd, fail)
    reactor.on_readable(good.fd, trace.note("good"))
    for pair in (bad, good):
        pair.far.send(b"x")
    reactor._turn()
    reactor._turn()
    assert sorted(trace) == ["bad", "good", "good"]
    (line,) = log.read()
    assert line.startswith("ERROR internal error: RuntimeError: a defect (reactor.py:")
    assert line.endswith(" fail)")
    for pair in (bad, good):
        reactor.drop(pair.fd)
        pair.close()


class Defective(Owner):
    """Its callback raises; how it ends is up to it."""

    def __init__(self, trace: Trace, *, to_the_end: bool) -> None:
        self.trace = trace
        self.to_the_end = to_the_end

    def serve(self) -> None:
        raise RuntimeError("a defect")

    def broken(self) -> None:
        self.trace.append("broken")
        if not self.to_the_end:
            raise RuntimeError("another defect")


@pytest.mark.parametrize("to_the_end", [True, False])
def test_the_owner_of_a_callback_that_raised_is_told_to_end_and_nobody_else_is_disturbed(
    reactor: Reactor, trace: Trace, log: LogLines, to_the_end: bool
) -> None:
    owner, pair = Defective(trace, to_the_end=to_the_end), Pair()
    reactor.on_readable(pair.fd, owner.serve)
    pair.far.send(b"x")
    turn_until(reactor, lambda: trace == ["broken"])
    reactor.call_later(0, owner.serve)
    reactor.soon(owner.serve)
    reactor.soon(trace.note("the next"))
    turn_until(reactor, lambda: len(trace) == 4)
    assert trace == ["broken", "broken", "broken", "the next"]
    assert len(log.read()) == (3 if to_the_end else 6)
    pair.close()


def test_an_error_with_one_of_several_ends_that_one_alone(log: LogLines) -> None:
    traces = {word: Trace() for word in ("one", "two", "three")}
    owners = {Defective(trace, to_the_end=True): word for word, trace in traces.items()}

    def what(owner: Defective) -> None:
        word = owners.pop(owner)  # they become fewer meanwhile
        traces[word].append("done")
        if word == "two":
            raise ZeroDivisionError

    each_alone(owners, what)
    assert traces == {"one": ["done"], "two": ["done", "broken"], "three": ["done"]}
    assert len(log.read()) == 1


def test_what_is_to_be_done_soon_is_done_when_the_callback_has_returned(
    reactor: Reactor, trace: Trace
) -> None:
    def first() -> None:
        reactor.soon(later)
        trace.append("first")

    def later() -> None:
        trace.append("soon")
        reactor.soon(trace.note("after that"))

    reactor.call_later(0, first)
    reactor.call_later(0, trace.note("second"))
    turn_until(reactor, lambda: len(trace) == 4)
    assert trace == ["first", "soon", "second", "after that"]


def test_who_asks_for_ever_to_be_called_soon_does_not_hold_the_loop(
    reactor: Reactor, trace: Trace
) -> None:
    def again() -> None:
        reactor.soon(again)

    again()
    reactor.call_later(0.01, trace.note("due"))
    turn_until(reactor, lambda: bool(trace))


def test_signals_are_served_before_what_else_is_ready(reactor: Reactor, trace: Trace) -> None:
    pairs = [Pair() for _ in range(4)]
    reactor.on_signal(signal.SIGUSR2, trace.note("signal"))
    for pair in pairs:
        reactor.on_readable(pair.fd, trace.note("read"))
        pair.far.send(b"x")
    os.kill(os.getpid(), signal.SIGUSR2)
    reactor._turn()
    assert trace == ["signal", *["read"] * 4]
    for pair in pairs:
        reactor.drop(pair.fd)
        pair.close()


# ---- hang-ups of descriptors that are not read from


def test_a_hang_up_is_noticed_while_nothing_is_read(reactor: Reactor, trace: Trace) -> None:
    pair = Pair()
    pair.far.send(b"unread")
    reactor.on_readable(pair.fd, trace.note("read"))
    reactor.on_readable(pair.fd, None)
    reactor.on_hangup(pair.fd, trace.note("gone"))
    turn_until(reactor, soon(reactor))
    assert trace == []
    pair.far.close()
    turn_until(reactor, soon(reactor))
    assert trace == ["gone"]  # once
    pair.close()


def test_shutting_down_one_direction_is_no_hang_up(reactor: Reactor, trace: Trace) -> None:
    pair = Pair()
    reactor.on_hangup(pair.fd, trace.note("gone"))
    pair.far.shutdown(socket.SHUT_WR)
    turn_until(reactor, soon(reactor))
    assert trace == []
    reactor.drop(pair.fd)
    pair.close()


def test_a_hang_up_before_it_was_asked_for_is_noticed_too(reactor: Reactor, trace: Trace) -> None:
    pair = Pair()
    pair.far.close()
    reactor.on_hangup(pair.fd, trace.note("gone"))
    turn_until(reactor, lambda: trace == ["gone"])
    pair.close()


def test_a_hang_up_is_not_told_of_after_drop_or_when_called_off(
    reactor: Reactor, trace: Trace
) -> None:
    dropped, called_off = Pair(), Pair()
    for pair in (dropped, called_off):
        reactor.on_hangup(pair.fd, trace.note("gone"))
        pair.far.close()
    reactor.drop(dropped.fd)
    reactor.on_hangup(called_off.fd, None)
    turn_until(reactor, soon(reactor))
    assert trace == []
    for pair in (dropped, called_off):
        pair.close()


def test_of_two_hang_ups_the_callback_of_one_can_drop_the_other(
    reactor: Reactor, trace: Trace
) -> None:
    pairs = [Pair(), Pair()]

    def gone() -> None:
        trace.append("gone")
        for pair in pairs:
            reactor.drop(pair.fd)
            pair.near.close()

    for pair in pairs:
        reactor.on_hangup(pair.fd, gone)
        pair.far.close()
    turn_until(reactor, soon(reactor))
    assert trace == ["gone"]


def test_a_hang_up_and_a_reader_of_one_descriptor_do_not_disturb_each_other(
    reactor: Reactor, trace: Trace
) -> None:
    pair = Pair()
    reactor.on_hangup(pair.fd, trace.note("gone"))
    reactor.on_readable(pair.fd, trace.note("read"))
    pair.far.send(b"x")
    reactor._turn()
    assert trace == ["read"]
    pair.far.close()
    turn_until(reactor, lambda: "gone" in trace)
    reactor.drop(pair.fd)
    pair.close()


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
    turn_deadline = monotonic() + 10
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
