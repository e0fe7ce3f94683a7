"""The main socket, byte for byte as clients of the original speak and hear it."""

import struct

from shpool.protocol.msgpack import pack
from tests.e2e.harness import Place, attach_header
from tests.e2e.test_original import OURS

GREETING = OURS


def asked(shpool: Place, request: bytes) -> bytes:
    """The whole of what the daemon says to `request`."""
    peer = shpool.peer(greeted=False)
    peer.send(request)
    return peer.remainder()


def test_the_daemon_greets_and_answers_list_with_nothing(shpool: Place) -> None:
    assert asked(shpool, b"\xa4List") == GREETING + b"\x81\xa8sessions\x90"


def test_the_greeting_comes_before_anything_was_asked(shpool: Place) -> None:
    peer = shpool.peer(greeted=False)
    assert peer.sock.recv(len(GREETING)) == GREETING


def test_variables(shpool: Place) -> None:
    none = GREETING + b"\x82\xa9switch_to\xc0\xa4vars\x90"
    assert asked(shpool, b"\xa7GetVars") == none
    assert asked(shpool, b"\x81\xa9ModifyVar\x82\xa3var\xa1a\xa3val\xa1b") == GREETING + b"\x80"
    one = GREETING + b"\x82\xa9switch_to\xc0\xa4vars\x91\x92\xa1a\xa1b"
    assert asked(shpool, b"\xa7GetVars") == one
    assert asked(shpool, b"\x81\xa9ModifyVar\x82\xa3var\xa1a\xa3val\xc0") == GREETING + b"\x80"
    assert asked(shpool, b"\xa7GetVars") == none


def test_attach_as_the_originals_client_asks(shpool: Place) -> None:
    peer = shpool.peer(greeted=False)
    peer.send(
        b"\x81\xa6Attach\x88\xa4name\xa3one\xadname_template\xa3one\xaelocal_tty_size"
        b"\x84\xa4rows\x18\xa4colsP\xa6xpixel\x00\xa6ypixel\x00"
        b"\xa9local_env\x91\x92\xa4TERM\xa5xterm\xa8ttl_secs\xcd\x0e\x10"
        b"\xa3cmd\xc0\xa3dir\xc0\xa9start_cmd\xc0"
    )
    wanted = GREETING + b"\x81\xa6status\x81\xa7Created\x81\xa8warnings\x90"
    received = b""
    while len(received) < len(wanted):
        received += peer.sock.recv(len(wanted) - len(received))
    assert received == wanted
    peer.send(b"exit 7\n")
    assert peer.to_exit_status()[1] == 7
    assert peer.remainder() == b""


def test_detach_of_what_is_free_and_what_is_unknown(shpool: Place) -> None:
    shpool.raw_session("one")
    assert asked(shpool, b"\x81\xa6Detach\x81\xa8sessions\x92\xa3one\xa3zzz") == (
        GREETING + b"\x82\xb2not_found_sessions\x91\xa3zzz\xb5not_attached_sessions\x91\xa3one"
    )


def test_kill_and_set_log_level(shpool: Place) -> None:
    assert asked(shpool, b"\x81\xa4Kill\x81\xa8sessions\x91\xa3zzz") == (
        GREETING + b"\x81\xb2not_found_sessions\x91\xa3zzz"
    )
    assert asked(shpool, b"\x81\xabSetLogLevel\x81\xa5level\xa5Debug") == GREETING + b"\x80"


def test_a_second_attach_is_busy(shpool: Place) -> None:
    shpool.raw_attach("one", "sleep 1000")
    assert asked(shpool, pack(attach_header("one"))) == GREETING + b"\x81\xa6status\xa4Busy"


def test_a_reattach(shpool: Place) -> None:
    shpool.raw_session("one")
    peer = shpool.peer(greeted=False)
    peer.request(attach_header("one"))
    wanted = GREETING + b"\x81\xa6status\x81\xa8Attached\x81\xa8warnings\x90"
    received = b""
    while len(received) < len(wanted):
        received += peer.sock.recv(len(wanted) - len(received))
    assert received == wanted


def test_session_messages(shpool: Place) -> None:
    def message(name: str, payload: object) -> bytes:
        return pack({"SessionMessage": {"session_name": name, "payload": payload}})

    peer = shpool.raw_attach("one", "sleep 1000")
    size = {"rows": 30, "cols": 90, "xpixel": 0, "ypixel": 0}
    resize = {"Resize": {"tty_size": size}}
    assert asked(shpool, message("one", resize)) == GREETING + b"\x81\xa6Resize\xa2Ok"
    assert asked(shpool, message("zzz", resize)) == GREETING + b"\xa8NotFound"
    assert asked(shpool, message("zzz", "Detach")) == GREETING + b"\xa8NotFound"
    assert asked(shpool, message("one", "Detach")) == GREETING + b"\x81\xa6Detach\xa2Ok"
    assert peer.remainder().endswith(b"\x02\x00\x00\x00\x00")
    assert asked(shpool, message("one", "Detach")) == GREETING + b"\x81\xa6Detach\xa2Ok"


def test_output_comes_in_chunks_that_the_originals_clients_accept(shpool: Place) -> None:
    peer = shpool.raw_attach("one", "sh -c 'stty raw; head -c 3000000 /dev/zero; exit 7'")
    stream = peer.remainder()
    position = total = 0
    while stream[position] != 2:
        kind, length = struct.unpack_from("<BI", stream, position)
        assert kind == 0
        assert 0 < length <= 16_384
        total += length
        position += 5 + length
    assert total == 3_000_000
    assert stream[position:] == b"\x02\x07\x00\x00\x00"


def test_a_change_of_variables_is_a_chunk_for_every_client(shpool: Place) -> None:
    peers = [shpool.raw_attach(name, "sleep 1000") for name in ("one", "two")]
    shpool.request({"ModifyVar": {"var": "a", "val": "b"}})
    for peer in peers:
        assert peer.chunk() == (3, b"\x82\xa9switch_to\xc0\xa4vars\x91\x92\xa1a\xa1b")
