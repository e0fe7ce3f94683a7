"""A reply that goes on: a head, then chunks, until its filler ends it or nobody reads it."""

from __future__ import annotations

import socket

import pytest

from shpool.daemon.clients.connection import Connection, ConnectionUser, StreamUser
from shpool.protocol.chunks import ChunkReader
from shpool.protocol.msgpack import Decoder, pack
from shpool.protocol.requests import ListRequest
from tests.daemon.fakes import FakeLoop


class Filler(ConnectionUser, StreamUser):
    """Answers each request with a stream, and notes what it hears."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def connection_asked(self, connection: Connection, request: object) -> None:
        connection.open_stream({"name": "one"}, 1000, self)

    def connection_closed(self, connection: Connection) -> None:
        self.heard.append("closed")

    def stream_full(self) -> None:
        self.heard.append("full")

    def stream_drained(self) -> None:
        self.heard.append("drained")

    def stream_gone(self) -> None:
        self.heard.append("gone")


class Stream:
    def __init__(self, loop: FakeLoop) -> None:
        near, self.far = socket.socketpair()
        for end in (near, self.far):
            end.setblocking(False)
        near.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        self.loop = loop
        self.near = near
        self.filler = Filler()
        self.connection = Connection(loop, near, "0.4.2", self.filler)
        self.far.send(pack(ListRequest().to_wire()))
        loop.readable(near.fileno())

    def read(self) -> bytes:
        """All that comes."""
        found = b""
        while True:
            try:
                piece = self.far.recv(1 << 16)
            except BlockingIOError:
                return found
            if not piece:
                return found
            found += piece
            if self.near.fileno() >= 0:
                self.loop.writable(self.near.fileno())


@pytest.fixture
def stream(loop: FakeLoop) -> Stream:
    return Stream(loop)


def messages_and_chunks(data: bytes) -> tuple[list[object], list[tuple[int, bytes | int]]]:
    found: list[object] = []
    for _ in range(2):
        decoder = Decoder()
        assert decoder.feed(data)
        found.append(decoder.value)
        data = decoder.rest
    return found, ChunkReader().feed(data)


def test_a_head_is_followed_by_chunks_and_a_status(stream: Stream) -> None:
    stream.connection.stream(b"some")
    stream.connection.stream(b"more")
    stream.connection.end_stream(3)
    stream.loop.settle()
    (_, head), chunks = messages_and_chunks(stream.read())
    assert head == {"name": "one"}
    assert chunks == [(0, b"some"), (0, b"more"), (2, 3)]
    assert stream.filler.heard == ["closed"]
    assert stream.far.recv(1) == b""


def test_its_filler_is_told_when_much_waits_and_when_there_is_room(stream: Stream) -> None:
    while not stream.connection.full:
        stream.connection.stream(b"x" * 500)
    stream.loop.settle()
    assert stream.filler.heard == ["full"]
    stream.read()
    assert stream.filler.heard == ["full", "drained"]
    assert not stream.connection.full


def test_its_filler_is_told_when_nobody_reads_it_any_more(stream: Stream) -> None:
    stream.far.close()
    stream.loop.hung_up(stream.near.fileno())
    assert stream.filler.heard == ["closed", "gone"]
    stream.connection.stream(b"into nothing")


def test_a_long_reply_that_is_being_read_is_not_given_up(stream: Stream) -> None:
    stream.connection.stream(b"x" * 500_000)
    stream.connection.end_stream()
    stream.loop.settle()
    stream.loop.pass_time(4)
    stream.far.recv(1 << 16)
    stream.loop.writable(stream.near.fileno())
    stream.loop.pass_time(4)
    assert stream.near.fileno() >= 0
    stream.loop.pass_time(2)
    assert stream.near.fileno() < 0
