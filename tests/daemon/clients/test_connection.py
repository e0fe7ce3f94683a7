"""A connection from the greeting to the one reply, and every way in which a peer can be odd."""

from __future__ import annotations

import gc
import os
import socket
import sys
from collections.abc import Iterator

import pytest

from shpool.daemon.clients.connection import CLOSED, Connection, ConnectionUser
from shpool.daemon.loop import descriptors
from shpool.protocol.attaching import AttachHeader
from shpool.protocol.msgpack import Decoder, pack
from shpool.protocol.requests import ListRequest, TtySize
from shpool.protocol.running import RunRequest
from shpool.protocol.watching import FollowRequest, WaitRequest, WatchHead
from tests.daemon.conftest import LogLines
from tests.daemon.fakes import FakeLoop

ATTACH = AttachHeader("one", "one", TtySize(24, 80), [])


class Handler(ConnectionUser):
    """Notes what is asked."""

    def __init__(self) -> None:
        self.asked: list[object] = []
        self.closed = 0

    def connection_asked(self, connection: Connection, request: object) -> None:
        self.asked.append(request)

    def connection_closed(self, connection: Connection) -> None:
        self.closed += 1


class Connected:
    """`far` is the peer's end."""

    def __init__(self, loop: FakeLoop) -> None:
        self.loop = loop
        self.near, self.far = socket.socketpair()
        for end in (self.near, self.far):
            end.setblocking(False)
        self.handler = Handler()
        self.connection = Connection(loop, self.near, "0.4.2", self.handler)

    def send(self, data: bytes) -> None:
        self.far.send(data)
        self.loop.readable(self.near.fileno())

    def messages(self) -> list[object]:
        found = []
        data = b""
        while True:
            try:
                piece = self.far.recv(1 << 16)
            except (BlockingIOError, ConnectionResetError):
                break
            if not piece:
                break
            data += piece
        while data:
            decoder = Decoder()
            assert decoder.feed(data)
            found.append(decoder.value)
            data = decoder.rest
        return found

    @property
    def is_closed(self) -> bool:
        return self.connection.state.now == CLOSED and self.near.fileno() < 0

    def close(self) -> None:
        self.connection.close()
        self.near.close()
        self.far.close()


@pytest.fixture
def connected(loop: FakeLoop) -> Iterator[Connected]:
    connected = Connected(loop)
    yield connected
    connected.close()


def test_a_peer_is_greeted_asks_and_is_answered(connected: Connected) -> None:
    (greeting,) = connected.messages()
    assert isinstance(greeting, dict)
    assert greeting["version"] == "0.4.2"
    connected.send(pack(ListRequest().to_wire()))
    (request,) = connected.handler.asked
    assert isinstance(request, ListRequest)
    assert connected.connection.alive
    connected.connection.reply({"answer": 42})
    connected.loop.settle()
    assert connected.messages() == [{"answer": 42}]
    assert connected.is_closed
    assert connected.handler.closed == 1
    assert connected.loop.deadlines() == []


def test_a_request_may_come_a_byte_at_a_time(connected: Connected) -> None:
    for byte in pack(ATTACH.to_wire()):
        assert connected.handler.asked == []
        connected.send(bytes([byte]))
    (request,) = connected.handler.asked
    assert isinstance(request, AttachHeader)
    assert request.name == "one"


def test_what_comes_behind_a_request_goes_with_the_socket(connected: Connected) -> None:
    connected.send(pack(ATTACH.to_wire()) + b"typed ahead")
    sock, early = connected.connection.hand_over()
    assert sock is connected.near
    assert early == b"typed ahead"
    connected.connection.close()
    connected.loop.settle()
    assert sock.fileno() >= 0
    assert connected.handler.closed == 1
    assert not connected.loop.reads(sock.fileno())


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (b"", ""),
        (b"\x82\xa1a", "ended in the middle of a request"),
        (b"\xc1", "closed"),
        (pack({"NoSuchRequest": {}}), "closed"),
        (pack(42), "closed"),
    ],
)
def test_a_peer_that_asks_nothing_that_can_be_answered_is_hung_up_on(
    connected: Connected, log: LogLines, sent: bytes, said: str
) -> None:
    if sent:
        connected.send(sent)
    connected.far.shutdown(socket.SHUT_WR)
    connected.loop.readable(connected.near.fileno())
    assert connected.is_closed
    assert connected.handler.asked == []
    assert connected.handler.closed == 1
    assert [said in line for line in log.read()] == [True] * bool(said)


def test_a_peer_that_says_nothing_is_not_waited_for(connected: Connected, log: LogLines) -> None:
    connected.loop.pass_time(4.9)
    assert not connected.is_closed
    connected.loop.pass_time(0.2)
    assert connected.is_closed
    assert log.read() == [f"WARN connection of pid {os.getpid()}: no request in 5 s; closed"]


def test_a_peer_that_trickles_has_no_more_time(connected: Connected) -> None:
    for byte in pack(ATTACH.to_wire())[:5]:
        assert not connected.is_closed
        connected.send(bytes([byte]))
        connected.loop.pass_time(1)
    assert connected.is_closed


def test_a_reply_that_is_not_read_is_not_waited_for(connected: Connected, log: LogLines) -> None:
    connected.near.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    connected.send(pack(ListRequest().to_wire()))
    connected.connection.reply("x" * 500_000)
    connected.loop.settle()
    connected.loop.pass_time(4.9)
    assert not connected.is_closed
    connected.loop.pass_time(0.2)
    assert connected.is_closed
    assert log.read() == [
        f"WARN connection of pid {os.getpid()}: the reply is not read in 5 s; closed"
    ]


def test_a_long_reply_that_is_being_read_is_waited_for(connected: Connected) -> None:
    connected.near.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    connected.send(pack(ListRequest().to_wire()))
    connected.connection.reply("x" * 500_000)
    connected.loop.settle()
    for _ in range(4):
        connected.loop.pass_time(4)
        assert not connected.is_closed
        assert connected.far.recv(50_000)
        connected.loop.writable(connected.near.fileno())
    connected.loop.pass_time(5.1)
    assert connected.is_closed


def test_one_who_waits_for_an_answer_and_goes_is_noticed(connected: Connected) -> None:
    connected.send(pack(ATTACH.to_wire()))
    connected.connection.notice_end()
    fd = connected.near.fileno()
    connected.far.close()
    connected.loop.hung_up(fd)
    assert connected.is_closed
    assert not connected.connection.alive


def test_of_the_descriptors_that_come_along_the_last_is_kept_and_closed_at_the_end(
    connected: Connected,
) -> None:
    gc.collect()  # what tests before this one left open
    before = len(os.listdir("/proc/self/fd"))
    null = os.open(os.devnull, os.O_RDONLY)
    for _ in range(3):
        socket.send_fds(connected.far, [pack(ATTACH.to_wire())[:1]], [null, null])
        connected.loop.readable(connected.near.fileno())
        if connected.is_closed:
            break
        offered = connected.connection.offered
        assert offered is not None
        assert not os.get_inheritable(offered)
        assert len(os.listdir("/proc/self/fd")) == before + 2
    os.close(null)
    connected.connection.close()
    assert connected.connection.offered is None


def test_another_users_peer_is_told_so_and_only_if_it_wants_to_attach(
    loop: FakeLoop, monkeypatch: pytest.MonkeyPatch, log: LogLines
) -> None:
    monkeypatch.setattr("shpool.peer.credentials", lambda sock: (4711, os.geteuid() + 1))
    reason = f"uid {os.geteuid() + 1} may not attach to sessions of uid {os.geteuid()}"
    asks_to_attach, asks = Connected(loop), Connected(loop)
    asks_to_attach.send(pack(ATTACH.to_wire()))
    assert asks_to_attach.messages()[1:] == [{"status": {"Forbidden": reason}}]
    asks.send(pack(ListRequest().to_wire()))
    assert asks.messages()[1:] == []
    assert asks.is_closed
    assert asks.handler.asked == asks_to_attach.handler.asked == []
    assert set(log.read()) == {
        f"WARN connection of pid 4711: refused, its uid is {os.geteuid() + 1}"
    }
    asks_to_attach.close()
    asks.close()


def test_one_who_cannot_be_told_is_nobody(
    loop: FakeLoop, monkeypatch: pytest.MonkeyPatch, log: LogLines
) -> None:
    def refuse(sock: socket.socket) -> tuple[int, int]:
        raise OSError(92, "Protocol not available")

    monkeypatch.setattr("shpool.peer.credentials", refuse)
    connected = Connected(loop)
    connected.send(pack(ListRequest().to_wire()))
    assert connected.is_closed
    assert connected.handler.asked == []
    assert log.read()[0] == "WARN cannot tell who connected: Protocol not available"
    connected.close()


def test_where_descriptors_are_short_who_asks_is_answered_and_who_attaches_is_told(
    loop: FakeLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(descriptors, "suits_session", lambda fd: False)
    attaches, asks, says_nothing = (Connected(loop) for _ in range(3))
    attaches.send(pack(ATTACH.to_wire()))
    (_, reply) = attaches.messages()
    reason = "the daemon can have no more: Too many open files"
    assert reply == {"status": {"UnexpectedError": reason}}
    asks.send(pack(ListRequest().to_wire()))
    assert len(asks.handler.asked) == 1
    loop.pass_time(1.1)
    assert says_nothing.is_closed
    for each in (attaches, asks, says_nothing):
        each.close()


@pytest.mark.parametrize(
    "request_",
    [
        WaitRequest(["a"], [("exit", "")]),
        FollowRequest("a", from_screen=False, restores=False),
        RunRequest("a", ["true"]),
    ],
)
def test_where_descriptors_are_short_nobody_stays_for_an_answer(
    connected: Connected,
    monkeypatch: pytest.MonkeyPatch,
    request_: WaitRequest | FollowRequest | RunRequest,
) -> None:
    monkeypatch.setattr(descriptors, "suits_session", lambda fd: False)
    connected.messages()
    connected.send(pack(request_.to_wire()))
    (head,) = map(WatchHead.from_wire, connected.messages())
    assert head.error == "the daemon can have no more: Too many open files"
    assert connected.handler.asked == []


def test_a_descriptor_that_comes_with_anything_but_an_attach_is_closed_at_once(
    connected: Connected,
) -> None:
    near, far = os.pipe()
    rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, far.to_bytes(4, sys.byteorder))
    connected.far.sendmsg([pack(ListRequest().to_wire())], [rights])
    os.close(far)
    connected.loop.readable(connected.near.fileno())
    assert len(connected.handler.asked) == 1
    os.set_blocking(near, False)
    assert os.read(near, 1) == b""  # nobody has its other end open
    os.close(near)


def test_closed_it_tells_once(connected: Connected) -> None:
    connected.connection.close()
    connected.connection.broken()
    connected.loop.settle()
    assert connected.handler.closed == 1
    assert connected.loop.deadlines() == []
