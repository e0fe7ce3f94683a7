"""Raw connections to shpool's two sockets: what is measured here is the daemon, not a client."""

from __future__ import annotations

import select
import socket
from pathlib import Path
from typing import Any

from shpool.protocol.attaching import AttachHeader
from shpool.protocol.msgpack import Decoder, pack
from shpool.protocol.requests import ListRequest, TtySize
from tests.bench.client import PATIENCE, Stuck

LIST = pack(ListRequest().to_wire())


def connect(path: Path) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.settimeout(PATIENCE)
    sock.connect(str(path))
    return sock


def answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        return sock.connect_ex(str(path)) == 0


def attach_request(name: str, command: str | None = None) -> bytes:
    return pack(AttachHeader(name, name, TtySize(24, 80), [], cmd=command).to_wire())


class Peer:
    """A connection to the main socket."""

    def __init__(self, path: Path) -> None:
        self.sock = connect(path)
        self._rest = b""
        self.receive()  # the greeting

    def receive(self) -> Any:
        decoder = Decoder()
        data, self._rest = self._rest, b""
        while not (data and decoder.feed(data)):
            data = self.sock.recv(1 << 16)
            if not data:
                raise Stuck("the daemon hung up")
        self._rest = decoder.rest
        return decoder.value

    def ask(self, request: bytes) -> Any:
        self.sock.sendall(request)
        return self.receive()

    def close(self) -> None:
        self.sock.close()


def attached(path: Path, request: bytes) -> Peer:
    """A peer attached to a session, as soon as that is free."""
    while True:
        peer = Peer(path)
        status = peer.ask(request)["status"]
        if isinstance(status, dict):
            if not {"Attached", "Created"} & set(status):
                raise Stuck(f"attach: {status}")
            return peer
        peer.close()  # Busy: the end of the client before has not been noticed yet


def settle(path: Path, connections: int) -> None:
    """Return when the daemon has served whatever came before, and accepted so many connections.

    It accepts some of them in a turn of its loop; a request takes a turn or more.
    """
    for _ in range(2 + connections // 16):
        peer = Peer(path)
        peer.ask(LIST)
        peer.close()


def readable(sock: socket.socket) -> bool:
    poll = select.poll()
    poll.register(sock, select.POLLIN)
    return bool(poll.poll(0))
