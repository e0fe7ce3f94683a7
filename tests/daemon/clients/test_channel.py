"""A client that is reached over its connection: chunks to it, in order, and what it types."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from shpool.daemon.clients.channel import ChannelUser, ChunkChannel, Line
from shpool.daemon.loop.outbound import OutboundUser
from shpool.protocol import chunks
from shpool.protocol.attaching import AttachReply
from shpool.protocol.chunks import ChunkReader
from shpool.protocol.msgpack import Decoder
from shpool.protocol.replies import MaybeSwitch
from tests.daemon.fakes import FakeLoop

VARS = MaybeSwitch([("a", "1")]).to_bytes()


class Listener(ChannelUser):
    """Notes what it hears."""

    def __init__(self) -> None:
        self.heard: list[object] = []

    def channel_input(self, data: bytes) -> None:
        self.heard.append(data)

    def channel_full(self) -> None:
        self.heard.append("full")

    def channel_drained(self) -> None:
        self.heard.append("drained")

    def channel_gone(self) -> None:
        self.heard.append("gone")

    def channel_closed(self) -> None:
        self.heard.append("closed")

    def broken(self) -> None:
        self.heard.append("broken")


class Wired:
    """A channel and its client's end of the connection."""

    def __init__(self, loop: FakeLoop, early: bytes = b"") -> None:
        self.loop = loop
        self.near, self.far = socket.socketpair()
        for end in (self.near, self.far):
            end.setblocking(False)
        self.channel = ChunkChannel(loop, self.near, early)
        self.user = Listener()
        self.channel.user = self.user

    def type(self, data: bytes) -> None:
        self.far.send(data)
        self.loop.readable(self.near.fileno())

    def received(self) -> bytes:
        data = b""
        while True:
            try:
                piece = self.far.recv(1 << 20)
            except BlockingIOError:
                return data
            if not piece:
                return data
            data += piece
            self.loop.writable(self.near.fileno())

    def fill(self) -> None:
        while not self.channel.full:
            self.channel.show(b"x" * 10_000)
        self.loop.settle()

    @property
    def hung_up(self) -> bool:
        return self.far.recv(1) == b""

    def close(self) -> None:
        self.channel.drop()
        self.far.close()


@pytest.fixture
def wired(loop: FakeLoop) -> Iterator[Wired]:
    wired = Wired(loop)
    yield wired
    wired.close()


def test_the_answer_comes_first_and_then_what_is_shown_in_order(wired: Wired) -> None:
    wired.channel.answer(AttachReply("Created"))
    wired.channel.show(b"one")
    wired.channel.tell_vars(VARS)
    wired.channel.show(b"two")
    decoder = Decoder()
    assert decoder.feed(wired.received())
    assert decoder.value == {"status": {"Created": {"warnings": []}}}
    assert ChunkReader().feed(decoder.rest) == [
        *((chunks.DATA, b"one"), (chunks.MAYBE_SWITCH, VARS), (chunks.DATA, b"two")),
    ]


def test_nothing_is_read_until_somebody_takes_it(wired: Wired) -> None:
    wired.type(b"early")
    assert wired.user.heard == []
    wired.channel.read(True)
    wired.loop.readable(wired.near.fileno())
    wired.channel.read(False)
    wired.type(b"late")
    assert wired.user.heard == [b"early"]


def test_what_came_behind_the_request_is_typed_first(loop: FakeLoop) -> None:
    wired = Wired(loop, b"behind")
    wired.channel.read(True)
    assert wired.user.heard == []  # not in the middle of the user's call
    loop.settle()
    wired.type(b"later")
    assert wired.user.heard == [b"behind", b"later"]
    wired.close()


def test_what_came_behind_the_request_waits_if_nobody_takes_it_after_all(loop: FakeLoop) -> None:
    wired = Wired(loop, b"behind")
    wired.channel.read(True)
    wired.channel.read(False)
    loop.settle()
    assert wired.user.heard == []
    wired.channel.read(True)
    loop.settle()
    assert wired.user.heard == [b"behind"]
    wired.close()


def test_who_takes_nothing_fills_it_and_is_told_of_when_there_is_room(wired: Wired) -> None:
    wired.fill()
    assert wired.user.heard == ["full"]
    wired.received()
    assert wired.user.heard == ["full", "drained"]
    assert not wired.channel.full


def test_of_variables_the_latest_are_told_when_there_is_room(wired: Wired) -> None:
    wired.fill()
    for value in ("1", "2", "3"):
        wired.channel.tell_vars(MaybeSwitch([("a", value)]).to_bytes())
    told = [
        content
        for kind, content in ChunkReader().feed(wired.received())
        if kind == chunks.MAYBE_SWITCH
    ]
    assert told == [MaybeSwitch([("a", "3")]).to_bytes()]


@pytest.mark.parametrize("reads", [True, False])
def test_a_client_that_goes_is_noticed_whether_or_not_it_is_read_from(
    wired: Wired, reads: bool
) -> None:
    wired.channel.read(reads)
    fd = wired.near.fileno()
    wired.far.close()
    wired.loop.readable(fd)
    wired.loop.hung_up(fd)
    assert wired.user.heard == ["gone"]


def test_a_client_that_goes_is_noticed_when_something_is_shown(wired: Wired) -> None:
    wired.far.close()
    wired.channel.show(b"into nothing")
    assert wired.user.heard == []  # not in the middle of the user's call
    wired.loop.settle()
    assert wired.user.heard == ["gone"]


def test_who_is_let_go_gets_the_last_words_and_the_status_and_an_end(wired: Wired) -> None:
    wired.channel.show(b"shown")
    wired.channel.leave(b"bye", 3)
    wired.loop.settle()
    assert wired.user.heard == ["closed"]
    assert ChunkReader().feed(wired.received()) == [
        *((chunks.DATA, b"shown"), (chunks.DATA, b"bye"), (chunks.EXIT_STATUS, 3)),
    ]
    assert wired.hung_up


def test_who_is_let_go_with_much_to_read_gets_all_of_it(wired: Wired) -> None:
    wired.fill()
    wired.channel.leave(b"bye", 0)
    wired.loop.settle()
    wired.type(b"which nobody takes any more")
    assert wired.user.heard == ["full"]
    *shown, (kind, status) = ChunkReader().feed(wired.received())
    assert (kind, status) == (chunks.EXIT_STATUS, 0)
    assert shown[-1] == (chunks.DATA, b"bye")
    assert wired.user.heard == ["full", "closed"]


def test_who_goes_while_it_is_let_go_is_noticed(wired: Wired) -> None:
    wired.fill()
    wired.channel.leave(b"bye", 0)
    fd = wired.near.fileno()
    wired.far.close()
    wired.loop.readable(fd)
    assert wired.user.heard == ["full", "gone"]


def test_it_is_closed_once_and_takes_nothing_afterwards(wired: Wired) -> None:
    wired.channel.close()
    wired.channel.close()
    wired.channel.show(b"shown")
    wired.channel.tell_vars(VARS)
    wired.channel.read(True)
    wired.channel.retry()
    wired.channel.leave(b"bye", 0)
    assert wired.user.heard == []
    wired.loop.settle()
    assert wired.user.heard == ["closed"]
    assert wired.hung_up


def test_dropped_it_tells_nobody(wired: Wired) -> None:
    wired.channel.drop()
    wired.loop.settle()
    assert wired.user.heard == []
    assert wired.hung_up


def test_an_error_in_it_is_its_users(wired: Wired) -> None:
    wired.channel.broken()
    assert wired.user.heard == ["broken"]


def test_a_line_tells_an_end_from_nothing(loop: FakeLoop) -> None:
    near, far = socket.socketpair()
    near.setblocking(False)
    line = Line(loop, near, b"early", OutboundUser())
    assert line.has_early
    assert line.receive() == b"early"
    assert line.receive() == b""
    far.send(b"later")
    assert line.receive() == b"later"
    far.close()
    assert line.receive() is None
    line.close(loop)
    line.close(loop)
    assert line.fd == -1
