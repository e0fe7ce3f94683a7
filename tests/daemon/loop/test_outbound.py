import fcntl
import os
import random
import socket
import struct
import termios
from collections.abc import Callable

import pytest

from shpool.daemon.loop import outbound
from shpool.daemon.loop.outbound import Outbound, OutboundUser
from shpool.daemon.loop.reactor import Reactor
from tests.daemon.turning import do_soon, turn, turn_until

CAP = 10_000


class Owner(OutboundUser):
    """Notes what it is told, and does what a test wants done then."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.then: dict[str, Callable[[], None]] = {}

    def _told(self, what: str) -> None:
        self.told.append(what)
        if what in self.then:
            self.then[what]()

    def outbound_full(self) -> None:
        self._told("full")

    def outbound_drained(self) -> None:
        self._told("drained")

    def outbound_empty(self) -> None:
        self._told("empty")

    def outbound_writable(self) -> bool:
        if "writable" in self.then:
            self._told("writable")
        return "writable" not in self.then

    def outbound_failed(self, error: OSError) -> None:
        self._told("failed")


class Wire:
    """An Outbound, and the far end that may or may not read."""

    def __init__(self, reactor: Reactor) -> None:
        self.reactor = reactor
        self.near, self.far = socket.socketpair()
        self.near.setblocking(False)
        self.far.setblocking(False)
        self.near.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        self.owner = Owner()
        self.outbound = Outbound(reactor, self.near.fileno(), CAP, self.owner)
        self.sent = b""
        self.received = b""

    def send(self, data: bytes) -> None:
        self.sent += data
        self.outbound.send(data)

    def fill(self, beyond: int) -> None:
        """Send until at least `beyond` bytes are waiting."""
        while self.outbound.pending < beyond:
            self.send(random.Random(len(self.sent)).randbytes(500))

    def told(self) -> list[str]:
        """What the owner has been told, once the loop has come to it."""
        do_soon(self.reactor)
        return self.owner.told

    def read(self, most: int = 1 << 20) -> None:
        """Take what is there, at most one piece of it."""
        try:
            self.received += self.far.recv(most)
        except BlockingIOError:
            pass

    def read_all(self) -> None:
        def done() -> bool:
            self.read()
            return len(self.received) == len(self.sent)

        turn_until(self.reactor, done)

    def close(self) -> None:
        self.outbound.close()
        self.near.close()
        self.far.close()


@pytest.fixture
def wire(reactor: Reactor) -> Wire:
    return Wire(reactor)


def watched(wire: Wire) -> bool:
    return wire.near.fileno() in wire.reactor._watches


def test_what_the_kernel_takes_is_written_at_once_without_the_loop(wire: Wire) -> None:
    wire.send(b"one")
    wire.send(b"two")
    assert wire.far.recv(100) == b"onetwo"
    assert wire.outbound.pending == 0
    assert not watched(wire)
    wire.close()


def test_nothing_to_send_is_nothing_done(wire: Wire) -> None:
    wire.send(b"")
    assert (wire.outbound.pending, wire.told()) == (0, [])
    wire.close()


def test_what_the_kernel_does_not_take_follows_in_order_when_it_can(wire: Wire) -> None:
    wire.fill(CAP // 2)
    assert watched(wire)
    for size in (1, 7, 300, 2, 1000):
        wire.send(os.urandom(size))
    wire.read_all()
    assert wire.received == wire.sent
    assert wire.outbound.pending == 0
    assert not watched(wire)
    assert wire.told() == []
    wire.close()


def test_who_closes_it_before_it_is_told_something_is_not_told(wire: Wire) -> None:
    wire.fill(CAP + 1)
    wire.outbound.close()
    assert wire.told() == []
    wire.far.close()
    outbound = Outbound(wire.reactor, wire.near.fileno(), CAP, wire.owner)
    outbound.send(b"x")
    assert outbound.closed  # it has failed
    outbound.close()
    assert wire.told() == []
    wire.close()


def test_very_many_small_pieces_arrive_in_order(wire: Wire) -> None:
    wire.fill(1)
    for number in range(3000):
        wire.send(b"%d," % number)
    wire.read_all()
    assert wire.received == wire.sent
    wire.close()


@pytest.mark.parametrize("trouble", [None, OSError(12, "no memory"), MemoryError()])
def test_megabytes_in_pieces_are_kept_outside_of_the_heap_and_arrive_in_order(
    wire: Wire, monkeypatch: pytest.MonkeyPatch, trouble: "Exception | None"
) -> None:
    def short(pieces: object) -> memoryview:
        assert trouble is not None
        raise trouble

    if trouble is not None:
        monkeypatch.setattr(outbound, "apart", short)
    pieces = [number.to_bytes(2, "big") * 500 for number in range(2000)]
    for piece in pieces:
        wire.send(piece)
    loose = sum(len(each) for each in wire.outbound._queue if isinstance(each, bytes))
    assert (loose <= outbound._APART) is (trouble is None)
    assert wire.outbound.kept == wire.sent[-wire.outbound.pending :]
    assert wire.outbound.drop_last(700_000) == 700_000
    wire.sent = wire.sent[:-700_000]
    wire.send(b"the end")
    wire.read_all()
    assert wire.received == wire.sent
    wire.close()


def test_one_very_large_piece_arrives_whole(wire: Wire) -> None:
    wire.send(random.Random(1).randbytes(1 << 20))
    assert 0 < wire.outbound.pending < 1 << 20
    wire.read_all()
    assert wire.received == wire.sent
    wire.close()


def test_pending_is_what_was_sent_and_not_yet_taken(wire: Wire) -> None:
    wire.fill(CAP // 2)
    taken = len(wire.sent) - wire.outbound.pending
    wire.send(b"x" * 123)
    assert wire.outbound.pending == len(wire.sent) - taken
    wire.read()
    turn(wire.reactor)
    left = wire.outbound.pending
    wire.read()
    assert len(wire.received) + left == len(wire.sent)
    wire.close()


def test_full_is_told_once_past_the_cap_and_drained_once_below_a_quarter(wire: Wire) -> None:
    wire.fill(1)
    wire.send(b"x" * (CAP - wire.outbound.pending))
    assert wire.told() == []  # at the cap, not past it
    wire.send(b"x")
    assert wire.told() == ["full"]
    assert wire.outbound.full
    wire.send(b"x" * 5000)
    assert wire.told() == ["full"]
    while wire.outbound.pending > CAP // 4:
        assert wire.told() == ["full"]
        wire.read(500)
        turn(wire.reactor)
    assert wire.told() == ["full", "drained"]
    assert not wire.outbound.full
    wire.read_all()
    assert wire.received == wire.sent
    wire.fill(CAP + 1)
    assert wire.told() == ["full", "drained", "full"]
    wire.close()


def test_with_another_cap_it_is_full_until_a_quarter_of_that(wire: Wire) -> None:
    wire.fill(CAP + 1)
    wire.outbound.limit(2 * wire.outbound.pending)
    assert wire.told() == ["full"]
    wire.outbound.limit(4 * wire.outbound.pending)
    assert wire.told() == ["full", "drained"]
    wire.outbound.limit(wire.outbound.pending)
    assert wire.told() == ["full", "drained"]
    wire.outbound.limit(0)
    assert wire.told() == ["full", "drained", "full"]


def test_one_piece_larger_than_the_cap_is_kept_whole(wire: Wire) -> None:
    wire.send(b"x" * (20 * CAP))
    assert wire.told() == ["full"]
    wire.read_all()
    assert wire.told() == ["full", "drained"]
    wire.close()


def test_sending_more_when_drained_keeps_the_order(wire: Wire) -> None:
    wire.owner.then["drained"] = lambda: wire.send(b"after the drain" * 10)
    wire.fill(CAP + 1)
    assert wire.told() == ["full"]
    wire.read_all()
    assert wire.received == wire.sent
    assert wire.sent.endswith(b"after the drain")
    wire.close()


# ---- the end


def test_finishing_with_nothing_waiting_is_told_when_the_owner_has_returned(wire: Wire) -> None:
    wire.send(b"bye")
    wire.outbound.finish()
    assert wire.owner.told == []
    assert wire.told() == ["empty"]
    wire.close()


def test_finishing_is_told_when_all_has_left(wire: Wire) -> None:
    wire.fill(CAP // 2)
    wire.outbound.finish()
    assert wire.told() == []
    wire.read_all()
    assert wire.told() == ["empty"]
    assert wire.received == wire.sent
    wire.close()


def test_the_end_is_told_once_although_finish_is_called_when_drained(wire: Wire) -> None:
    wire.owner.then["drained"] = wire.outbound.finish
    wire.fill(CAP + 1)
    assert wire.told() == ["full"]
    # From more than the cap to nothing in one write.
    wire.near.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
    wire.read_all()
    turn_until(wire.reactor, lambda: "empty" in wire.told())
    assert wire.told() == ["full", "drained", "empty"]
    wire.close()


def test_a_far_end_that_is_gone_is_told_once_and_the_outbound_is_closed(wire: Wire) -> None:
    wire.far.close()
    wire.send(b"x")
    wire.send(b"y")
    assert wire.owner.told == []
    assert wire.told() == ["failed"]
    assert wire.outbound.closed
    wire.close()


def test_a_far_end_that_goes_while_bytes_wait_is_told_by_the_loop(wire: Wire) -> None:
    wire.fill(CAP // 2)
    wire.far.close()
    turn_until(wire.reactor, lambda: wire.told() == ["failed"])
    assert wire.outbound.closed
    assert wire.outbound.pending == 0
    assert not watched(wire)
    wire.close()


def test_a_failure_while_finishing_is_no_empty(wire: Wire) -> None:
    wire.fill(CAP // 2)
    wire.outbound.finish()
    wire.far.close()
    turn_until(wire.reactor, lambda: bool(wire.told()))
    assert wire.told() == ["failed"]
    wire.close()


def test_closing_forgets_what_waits_and_leaves_the_descriptor_open(wire: Wire) -> None:
    wire.fill(CAP // 2)
    wire.outbound.close()
    wire.outbound.close()
    assert wire.outbound.pending == 0
    assert not watched(wire)
    wire.outbound.send(b"into nothing")
    wire.outbound.finish()
    assert wire.told() == []
    assert wire.near.fileno() >= 0
    os.fstat(wire.near.fileno())
    wire.close()


@pytest.mark.parametrize("moment", ["full", "drained", "empty", "failed"])
def test_the_owner_may_close_it_whenever_it_is_told_something(wire: Wire, moment: str) -> None:
    def close() -> None:
        wire.outbound.close()
        wire.reactor.drop(wire.near.fileno())
        wire.near.close()

    wire.owner.then[moment] = close
    wire.fill(1)
    wire.send(b"x" * (2 * CAP))
    wire.outbound.finish()
    if moment == "failed":
        wire.far.close()

    def done() -> bool:
        if moment != "failed":
            wire.read()
        return moment in wire.told()

    turn_until(wire.reactor, done)
    wire.outbound.send(b"into nothing")
    assert wire.told()[-1] == moment
    assert wire.told().count(moment) == 1
    assert wire.outbound.closed


def test_progress_is_stamped_when_the_far_end_takes_something(wire: Wire) -> None:
    wire.fill(CAP // 2)
    first = wire.outbound.last_progress
    assert first > 0
    wire.send(b"more does not count")
    wire.reactor.call_later(0.01, lambda: None)
    turn(wire.reactor)
    assert wire.outbound.last_progress == first

    def progressed() -> bool:
        wire.read()
        return wire.outbound.last_progress > first

    turn_until(wire.reactor, progressed)
    wire.close()


def test_it_serves_a_pty_too(reactor: Reactor) -> None:
    master, slave = os.openpty()
    attributes = termios.tcgetattr(slave)
    attributes[3] &= ~(termios.ICANON | termios.ECHO)
    termios.tcsetattr(slave, termios.TCSANOW, attributes)
    os.set_blocking(master, False)
    owner = Owner()
    outbound = Outbound(reactor, master, CAP, owner)
    typed = bytes(value % 64 + 64 for value in random.Random(1).randbytes(60_000))
    outbound.send(typed)
    do_soon(reactor)
    assert owner.told == ["full"]
    got = b""

    def done() -> bool:
        nonlocal got
        (waiting,) = struct.unpack("i", fcntl.ioctl(slave, termios.FIONREAD, bytes(4)))
        if waiting:
            got += os.read(slave, waiting)
        return got == typed

    turn_until(reactor, done)
    do_soon(reactor)
    assert owner.told == ["full", "drained"]
    outbound.close()
    os.close(master)
    os.close(slave)


def test_while_it_is_paused_everything_is_kept_and_then_sent_in_order(wire: Wire) -> None:
    wire.outbound.pause(True)
    wire.send(b"one")
    wire.send(b"two")
    wire.outbound.retry()
    turn(wire.reactor)
    wire.read()
    assert wire.received == b""
    assert wire.outbound.pending == 6
    assert wire.outbound.kept == b"onetwo"
    assert not watched(wire)
    wire.outbound.pause(False)
    wire.send(b"three")
    wire.read_all()
    assert wire.received == b"onetwothree"
    assert not watched(wire)


def test_it_can_be_paused_in_the_middle_and_filled_meanwhile(wire: Wire) -> None:
    wire.fill(100)
    wire.outbound.pause(True)
    assert not watched(wire)
    wire.fill(CAP + 1)
    assert wire.told() == ["full"]
    wire.outbound.pause(False)
    wire.read_all()
    assert wire.received == wire.sent
    assert wire.told() == ["full", "drained"]


def test_its_owner_can_say_no_when_it_could_write(wire: Wire) -> None:
    wire.fill(100)
    wire.owner.then["writable"] = lambda: wire.outbound.pause(True)
    waiting = wire.outbound.pending
    wire.read()
    turn_until(wire.reactor, lambda: "writable" in wire.told())
    assert wire.outbound.pending == waiting
    assert not watched(wire)
    del wire.owner.then["writable"]
    wire.outbound.pause(False)
    wire.read_all()
    assert wire.received == wire.sent
