"""What the loop watches, and what becomes of who raises."""

import os
import signal
import socket
from collections.abc import Callable

import pytest

from shpool.daemon.loop.reactor import Owner, Reactor, each_alone
from tests.daemon.conftest import LogLines
from tests.daemon.loop.tracing import Pair, Trace, soon
from tests.daemon.turning import turn_until

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
