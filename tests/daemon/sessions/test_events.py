import errno
import os
import socket

import pytest

from shpool import peer
from shpool.daemon.loop import descriptors
from shpool.daemon.loop.outbound import Outbound
from shpool.daemon.loop.reactor import Reactor
from shpool.daemon.sessions.events import BACKLOG_CAP, Events
from tests.daemon.conftest import LogLines
from tests.daemon.turning import do_soon, turn, turn_until

CREATED = b'{"type":"session.created"}\n'
REMOVED = b'{"type":"session.removed"}\n'


@pytest.fixture
def events(reactor: Reactor) -> Events:
    return Events(reactor)


def subscribe(events: Events) -> socket.socket:
    """The subscriber's end of a new subscription."""
    far, near = socket.socketpair()
    near.setblocking(False)
    events.accepted(near)
    far.setblocking(False)
    return far


def received(sock: socket.socket) -> bytes:
    """What can be read without waiting."""
    data = b""
    try:
        while piece := sock.recv(1 << 16):
            data += piece
    except BlockingIOError:
        pass
    return data


def ended(sock: socket.socket) -> bool:
    """Whether the stream has ended, once what is left in it has been read."""
    received(sock)
    try:
        return sock.recv(1) == b""
    except BlockingIOError:
        return False


def test_an_event_is_one_line_without_a_space(events: Events) -> None:
    subscriber = subscribe(events)
    for kind in ("session.created", "session.attached", "session.detached", "session.removed"):
        events.publish(kind)
    assert received(subscriber) == (
        b'{"type":"session.created"}\n{"type":"session.attached"}\n'
        b'{"type":"session.detached"}\n{"type":"session.removed"}\n'
    )
    events.close()


def test_a_subscriber_is_told_nothing_of_the_time_before(events: Events) -> None:
    events.publish("session.created")
    subscriber = subscribe(events)
    assert received(subscriber) == b""
    events.publish("session.removed")
    assert received(subscriber) == REMOVED
    events.close()


def test_everybody_is_told_before_publish_returns(events: Events) -> None:
    subscribers = [subscribe(events) for _ in range(50)]
    events.publish("session.created")
    assert [received(subscriber) for subscriber in subscribers] == [CREATED] * 50
    events.close()
    for subscriber in subscribers:
        subscriber.close()


def test_one_who_is_gone_does_not_keep_it_from_the_others(events: Events) -> None:
    first, gone, last = subscribe(events), subscribe(events), subscribe(events)
    gone.close()
    events.publish("session.created")
    events.publish("session.removed")
    assert received(first) == received(last) == CREATED + REMOVED
    do_soon(events.reactor)
    assert len(events.subscribers) == 2
    events.close()


def test_one_who_goes_is_forgotten_without_an_event(events: Events) -> None:
    subscribe(events).close()
    turn_until(events.reactor, lambda: not events.subscribers)


def test_what_a_subscriber_writes_is_thrown_away(events: Events) -> None:
    subscriber = subscribe(events)
    for _ in range(20):
        received(subscriber)
        subscriber.send(b"x" * 50_000)
        turn(events.reactor)
    events.publish("session.created")
    assert received(subscriber) == CREATED
    events.close()


def test_one_who_will_write_no_more_still_reads(events: Events) -> None:
    subscriber = subscribe(events)
    subscriber.shutdown(socket.SHUT_WR)
    for _ in range(3):
        turn(events.reactor)
    events.publish("session.created")
    assert received(subscriber) == CREATED
    # And does not keep the loop awake with the end of its stream.
    assert events.reactor._selector.select(0) == []
    subscriber.close()
    turn_until(events.reactor, lambda: not events.subscribers)


def test_one_who_falls_behind_gets_a_stream_without_a_hole_and_then_its_end(
    events: Events, log: LogLines
) -> None:
    stuck, keen = subscribe(events), subscribe(events)
    count = 0
    while len(events.subscribers) == 2:
        events.publish("session.created")
        count += 1
        assert received(keen) == CREATED
        assert count < 100_000
        do_soon(events.reactor)
    got = b""
    while piece := stuck.recv(1 << 16):
        got += piece
    assert got == CREATED * (len(got) // len(CREATED)) + CREATED[: len(got) % len(CREATED)]
    assert count * len(CREATED) - len(got) > BACKLOG_CAP  # what was kept for it is freed
    assert log.read() == [
        f"WARN events: evicted a subscriber that is {count * len(CREATED) - len(got)} bytes behind"
    ]
    events.publish("session.removed")
    assert received(keen) == REMOVED
    events.close()


def test_one_who_catches_up_in_time_misses_nothing(events: Events) -> None:
    slow = subscribe(events)
    count = 0
    while not any(one.outbound.pending > BACKLOG_CAP // 2 for one in events.subscribers.values()):
        events.publish("session.created")
        count += 1
    got = b""

    def caught_up() -> bool:
        nonlocal got
        got += received(slow)
        return len(got) >= count * len(CREATED)

    turn_until(events.reactor, caught_up)
    assert got == CREATED * count
    events.close()


def test_closing_says_goodbye_by_the_end_of_the_stream(events: Events) -> None:
    subscribers = [subscribe(events) for _ in range(3)]
    events.publish("session.created")
    events.close()
    events.close()
    for subscriber in subscribers:
        assert received(subscriber) == CREATED
        assert ended(subscriber)
    assert events.subscribers == {}


def test_a_stranger_is_closed_at_once_and_told_nothing(
    events: Events, log: LogLines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(peer, "credentials", lambda sock: (1, os.geteuid() + 1))
    stranger = subscribe(events)
    events.publish("session.created")
    assert received(stranger) == b""
    assert ended(stranger)
    assert events.subscribers == {}
    assert log.read() == [f"WARN events: closed a connection of uid {os.geteuid() + 1}"]


def test_one_of_whom_nothing_is_known_is_a_stranger(
    events: Events, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(sock: socket.socket) -> tuple[int, int]:
        raise OSError("not told")

    monkeypatch.setattr(peer, "credentials", unknown)
    assert ended(subscribe(events))


class Defective(Outbound):
    def send(self, data: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")  # as epoll_ctl may


def test_what_goes_wrong_with_one_subscriber_ends_that_one_alone(
    events: Events, log: LogLines
) -> None:
    subscribers = [subscribe(events) for _ in range(3)]
    second = list(events.subscribers.values())[1]
    second.outbound = Defective(events.reactor, -1, 0, second)
    events.publish("session.created")
    assert received(subscribers[0]) == received(subscribers[2]) == CREATED
    assert ended(subscribers[1])
    assert len(events.subscribers) == 2
    assert "internal error: OSError: [Errno 28]" in log.read()[0]
    events.close()


def test_subscribers_leave_the_last_descriptors_to_others(
    events: Events, log: LogLines, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = subscribe(events)
    monkeypatch.setattr(descriptors, "suits_subscriber", lambda fd: False)
    assert ended(subscribe(events))
    assert not ended(first)
    assert log.read() == ["WARN events: refused a subscriber: Too many open files"]
    events.close()
