"""Raw peers of the daemon: who speaks its protocol byte by byte, and who listens to its events."""

from __future__ import annotations

import array
import re
import select
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from shpool.protocol.chunks import ChunkReader
from shpool.protocol.msgpack import Decoder, pack
from tests.e2e.waiting import DEADLINE


class Peer:
    """A raw connection to the main socket."""

    def __init__(self, path: Path, *, greeted: bool = True) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(DEADLINE)
        self.sock.connect(str(path))
        self.rest = b""
        self._chunks = ChunkReader()
        self._found: list[tuple[int, bytes | int]] = []
        self.status: Any = None  # what the attach reply said
        self.greeting = self.message() if greeted else None

    def send(self, data: bytes, descriptors: Sequence[int] = ()) -> None:
        """Send `data`, in one piece if descriptors go with it."""
        if descriptors:
            rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))
            assert self.sock.sendmsg([data], [rights]) == len(data)
        else:
            self.sock.sendall(data)

    def request(self, value: Any) -> None:
        self.send(pack(value))

    def message(self) -> Any:
        """The next message."""
        decoder = Decoder()
        data, self.rest = self.rest, b""
        while not decoder.feed(data):
            data = self.sock.recv(65536)
            if not data:
                raise EOFError("the daemon closed the connection")
        self.rest = decoder.rest
        return decoder.value

    def chunk(self) -> tuple[int, bytes | int]:
        """The next chunk of what follows an attach reply."""
        data, self.rest = self.rest, b""
        while True:
            self._found += self._chunks.feed(data)
            if self._found:
                return self._found.pop(0)
            data = self.sock.recv(65536)
            if not data:
                raise EOFError("the daemon closed the connection")

    def output_until(self, pattern: bytes) -> bytes:
        """Data chunks joined, read until `pattern` matches somewhere in them."""
        output = b""
        while not re.search(pattern, output, re.DOTALL):
            kind, payload = self.chunk()
            if kind == 0:
                assert isinstance(payload, bytes)
                output += payload
        return output

    def to_exit_status(self) -> tuple[bytes, int]:
        """All output up to the exit status, and that."""
        output = b""
        while True:
            kind, payload = self.chunk()
            if kind == 0:
                assert isinstance(payload, bytes)
                output += payload
            elif kind == 2:
                assert isinstance(payload, int)
                return output, payload

    def remainder(self) -> bytes:
        """What is still to come, up to the end of the connection."""
        data = self.rest
        self.rest = b""
        while True:
            try:
                piece = self.sock.recv(65536)
            except ConnectionResetError:
                return data
            if not piece:
                return data
            data += piece

    def close(self) -> None:
        self.sock.close()


class Subscriber:
    """A raw connection to the events socket."""

    def __init__(self, path: Path) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(DEADLINE)
        self.sock.connect(str(path))
        self.received = b""

    def lines(self, count: int) -> list[bytes]:
        """The next `count` lines."""
        while self.received.count(b"\n") < count:
            data = self.sock.recv(65536)
            if not data:
                raise EOFError(f"the stream ended after {self.received!r}")
            self.received += data
        *lines, self.received = self.received.split(b"\n", count)
        return lines

    def types(self, count: int) -> list[str]:
        """The next `count` events, each of which must be written exactly as the contract has it."""
        found = []
        for line in self.lines(count):
            match = re.fullmatch(rb'\{"type":"(session\.[a-z]+)"\}', line)
            assert match, line
            found.append(match[1].decode())
        return found

    def nothing_waits(self) -> bool:
        return not self.received and not select.select([self.sock], [], [], 0)[0]

    def ended(self) -> bool:
        """Whether nothing but the end of the stream is still to come."""
        return not self.received and not self.sock.recv(65536)

    def close(self) -> None:
        self.sock.close()


def attach_header(name: str, cmd: str | None = None, **fields: Any) -> Any:
    """An Attach request; `rows`, `cols` and the header's own fields can be given."""
    size = {
        "rows": fields.pop("rows", 24),
        "cols": fields.pop("cols", 80),
        "xpixel": 0,
        "ypixel": 0,
    }
    header = {
        "name": name,
        "name_template": name,
        "local_tty_size": size,
        "local_env": [["TERM", "xterm"]],
        "ttl_secs": None,
        "cmd": cmd,
        "dir": None,
        "start_cmd": None,
        **fields,
    }
    return {"Attach": header}
