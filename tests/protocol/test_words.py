"""What is said of a message that cannot be read or written: it goes to a log, or to a user."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from shpool.protocol import (
    all_requests,
    attaching,
    chunks,
    msgpack,
    replies,
    shapes,
    upgrading,
    watching,
)
from shpool.protocol.msgpack import Decoder, WireError, pack


def decode(data: bytes, limit: int | None = None) -> Callable[[], object]:
    return lambda: (Decoder() if limit is None else Decoder(limit)).feed(data)


def request(value: object) -> Callable[[], object]:
    return lambda: all_requests.read_request(value)


SAID: list[tuple[Callable[[], object], str]] = [
    (decode(b"\x81\x91\x01\x01"), "a map key that is a container"),
    (decode(b"\x91" * 17), "a message nested deeper than 16"),
    (decode(b"\xc1"), "the byte 0xc1, which no message contains"),
    (decode(b"\xdb\0\0\0\xff", 100), "a message of more than 100 bytes"),
    (lambda: pack(object()), "a object has no place in a message"),
    (lambda: pack(1 << 64), f"{1 << 64} does not fit into 64 bits"),
    (
        lambda: msgpack.pack_head(bytearray(), 1 << 32, msgpack.BINARY),
        "a value of more than 4 GiB has no place in a message",
    ),
    (lambda: shapes.as_map(5, "it"), "it is not a map"),
    (lambda: shapes.pairs({"it": [5]}, "it"), "it is not an array of pairs"),
    (lambda: shapes.number({"it": -1}, "it", 0, 9), "it is not an integer from 0 to 9"),
    (
        request({"Upgrade": {"program": ["python3"]}}),
        "the program is not an absolute path with a few words behind it",
    ),
    (request({"Upgrade": {"program": ["/bin/a\0b"]}}), "the program has a word that is none"),
    (
        lambda: upgrading.UpgradeReply.from_wire({"status": {"Done": {}}}),
        "the unknown upgrade status 'Done'",
    ),
    (request("Nonsense"), "the unknown request 'Nonsense'"),
    (request({"SetLogLevel": {"level": "Loud"}}), "the unknown log level 'Loud'"),
    (request({"Send": {"items": [["mouse", "x"]]}}), "the unknown kind of input 'mouse'"),
    (request({"Wait": {"conditions": [["rain", ""]]}}), "the unknown condition 'rain'"),
    (request({"Wait": {"conditions": [["quiet", "x"]]}}), "the quiet of 'x' ms"),
    (
        request({"Wait": {"sessions": [str(number) for number in range(4097)]}}),
        "a wait for more than 4096 sessions or 64 conditions",
    ),
    (
        request({"Wait": {"conditions": [["exit", ""]] * 65}}),
        "a wait for more than 4096 sessions or 64 conditions",
    ),
    (lambda: watching.EventReader().feed(chunks.frame_data(pack(5))), "an event that is none"),
    (
        request({"SessionMessage": {"session_name": "one", "payload": "Dance"}}),
        "a session message of the unknown kind 'Dance'",
    ),
    (
        lambda: attaching.AttachReply.from_wire({"status": "Maybe"}),
        "the unknown attach status 'Maybe'",
    ),
    (lambda: replies.MaybeSwitch.from_bytes(b"\x81"), "half a message in a chunk"),
    (
        lambda: chunks.frame(0, bytes(chunks.MAX_PAYLOAD + 1)),
        f"a chunk of {chunks.MAX_PAYLOAD + 1} bytes, where {chunks.MAX_PAYLOAD} is the most",
    ),
    (
        lambda: chunks.ChunkReader().feed(b"\0\xff\xff\xff\xff"),
        f"a chunk of {(1 << 32) - 1} bytes, where {chunks.MAX_PAYLOAD} is the most",
    ),
]


@pytest.mark.parametrize(("do", "said"), SAID, ids=[said[:40] for _, said in SAID])
def test_it_is_said_what_is_wrong(do: Callable[[], object], said: str) -> None:
    with pytest.raises(WireError, match=f"^{re.escape(said)}$"):
        do()
