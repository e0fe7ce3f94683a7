"""A daemon that may have 64 files open: it says so to whom it must refuse, and loses nothing."""

import os
import re
import resource
import select
from collections.abc import Iterator

import pytest

from tests.e2e.harness import Peer, Place, Subscriber, attach_header, eventually

LIMIT = 64

SHORTAGE = "the daemon can have no more: Too many open files"
REASON = re.compile(f"{SHORTAGE}|cannot .*: Too many open files")


@pytest.fixture
def scarce(place: Place) -> Place:
    """A daemon that may have so many files open, as prlimit(1) would set it."""
    place.start()
    resource.prlimit(place.daemon_pid, resource.RLIMIT_NOFILE, (LIMIT, LIMIT))
    return place


@pytest.fixture
def witness(scarce: Place) -> Iterator[Peer]:
    """A session that must not notice any of it."""
    peer = scarce.raw_attach("witness", "sh -c 'stty -echo; echo ready; exec cat'")
    peer.output_until(b"ready\r\n")
    yield peer
    peer.send(b"still here\n")
    assert peer.output_until(b"here\r\n") == b"still here\r\n"


def refused(subscriber: Subscriber) -> bool:
    readable = select.select([subscriber.sock], [], [], 0)[0]
    return bool(readable) and subscriber.sock.recv(1) == b""


def subscribers_to_the_last(place: Place) -> "list[Subscriber]":
    """As many as there may be."""
    subscribers: list[Subscriber] = []
    while True:
        place.sessions()
        subscriber = Subscriber(place.events_socket)
        place.sessions()
        if refused(subscriber):
            subscriber.close()
            return subscribers
        subscribers.append(subscriber)


def test_a_hundred_subscribers_leave_room_for_sessions_and_answers(
    scarce: Place, witness: Peer
) -> None:
    before = scarce.descriptors()
    subscribers = [Subscriber(scarce.events_socket) for _ in range(100)]
    scarce.logged("events: refused a subscriber: Too many open files")
    assert set(scarce.sessions()) == {"witness"}
    subscribers = [subscriber for subscriber in subscribers if not refused(subscriber)]
    assert 10 < len(subscribers) < LIMIT / 2
    listed = scarce.run("list")
    assert (listed.status, listed.err) == (0, "")
    assert scarce.attach("another").ask("echo in") == "in\n"
    for subscriber in subscribers:
        assert subscriber.types(2) == ["session.created", "session.attached"]
        subscriber.close()
    scarce.kill("another")
    eventually(lambda: scarce.descriptors() == before, "all of theirs are closed")


def test_events_tells_why_it_ends_though_the_daemon_goes_on(scarce: Place) -> None:
    subscribers = subscribers_to_the_last(scarce)
    assert scarce.run("events") == (
        1,
        "",
        "shpool: the event stream was ended by the daemon, which goes on: "
        "too many files are open there, or this reader was too slow\n",
    )
    for subscriber in subscribers:
        subscriber.close()


def test_sessions_take_no_more_than_they_may_and_then_attach_tells_why(
    scarce: Place, witness: Peer
) -> None:
    before = scarce.descriptors()
    names: list[str] = []
    while True:
        names.append(f"s{len(names)}")
        made = scarce.raw_attach(names[-1], "sleep 1000")
        if "Created" not in made.status:
            break
        assert len(names) < LIMIT
    assert REASON.fullmatch(made.status["UnexpectedError"])
    refusal = scarce.run("attach", "-b", "more")
    assert (refusal.status, refusal.out) == (1, "")
    assert REASON.fullmatch(refusal.err, len("shpool: "), len(refusal.err) - 1)
    assert not (scarce.runtime / "sessions/more").exists()
    made.close()
    (*names, _) = names
    assert set(scarce.sessions()) == {"witness", *names}
    listed = scarce.run("list")
    assert (listed.status, listed.err) == (0, "")
    scarce.kill(*names)
    eventually(lambda: scarce.descriptors() == before, "all of theirs are closed")
    assert scarce.attach("more").ask("echo in") == "in\n"


def test_a_storm_of_attaches_is_answered_to_the_last(scarce: Place, witness: Peer) -> None:
    before = scarce.descriptors()
    peers = [scarce.peer(greeted=False) for _ in range(100)]
    for number, peer in enumerate(peers):
        peer.request(attach_header(f"s{number}", "sleep 1000"))
    listed = scarce.run("list")
    assert (listed.status, listed.err) == (0, "")
    made = 0
    for peer in peers:
        peer.message()
        status = peer.message()["status"]
        if "Created" in status:
            made += 1
        else:
            assert REASON.fullmatch(status["UnexpectedError"])
    assert made > 0
    assert len(scarce.sessions()) == made + 1
    scarce.kill(*(scarce.sessions().keys() - {"witness"}))
    eventually(lambda: scarce.descriptors() == before, "all of theirs are closed")


def test_those_who_connect_and_say_nothing_keep_nobody_from_an_answer(
    scarce: Place, witness: Peer
) -> None:
    """Not for long, at least."""
    peers = [scarce.peer(greeted=False) for _ in range(LIMIT)]
    listed = scarce.run("list")
    assert (listed.status, listed.err) == (0, "")
    scarce.logged("cannot accept connections for now: Too many open files")
    scarce.logged("no request in 1 s; closed")
    for peer in peers:
        peer.close()


def test_a_paste_that_the_program_does_not_read_waits(scarce: Place, witness: Peer) -> None:
    subscribers = subscribers_to_the_last(scarce)
    deaf = scarce.raw_attach("deaf", "sh -c 'stty raw -echo; echo ready; exec sleep 1000'")
    deaf.output_until(b"ready")
    paste = bytes(300_000)
    deaf.sock.setblocking(False)
    sent = 0
    while select.select([], [deaf.sock], [], 0.2)[1]:
        sent += os.write(deaf.sock.fileno(), paste[sent : sent + 65536])
    assert set(scarce.sessions()) == {"witness", "deaf"}
    deaf.close()
    for subscriber in subscribers:
        subscriber.close()
    eventually(lambda: scarce.statuses()["deaf"] == "Disconnected", "it is seen to be gone")
