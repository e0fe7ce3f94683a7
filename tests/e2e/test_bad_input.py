"""Bad input on the main socket: each costs its sender the connection, and nobody else anything."""

import contextlib
import os
import random
import select
import signal
import socket
import struct
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from shpool.protocol.msgpack import pack
from tests.e2e.harness import Peer, Place, attach_header, eventually
from tests.programs import as_root


@pytest.fixture
def witness(shpool: Place) -> Iterator[Peer]:
    yield from witnessing(shpool)


@pytest.fixture
def onlooker(standing: Place) -> Iterator[Peer]:
    yield from witnessing(standing)


def witnessing(place: Place) -> Iterator[Peer]:
    """A session that must not notice any of it."""
    peer = place.raw_attach("witness", "sh -c 'stty -echo; echo ready; exec cat'")
    peer.output_until(b"ready\r\n")
    yield peer
    peer.send(b"still here\n")
    assert peer.output_until(b"here\r\n") == b"still here\r\n"


def string32(length: int, content: bytes = b"") -> bytes:
    return b"\xdb" + struct.pack(">I", length) + content


CLOSED = {
    "garbage": (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "is not a string|unknown request"),
    "a byte that no message has": (b"\xc1", "0xc1"),
    "zeros": (bytes(5000), "is not a string"),
    "ones": (b"\xff" * 5000, "is not a string"),
    "an unknown request": (pack("Nonsense"), "unknown request 'Nonsense'"),
    "an unknown request with content": (pack({"Nonsense": {}}), "unknown request 'Nonsense'"),
    "a map of two requests": (pack({"List": 1, "GetVars": 2}), "is not a string"),
    "a number": (pack(5), "is not a string"),
    "nil": (pack(None), "is not a string"),
    "a string of 4 GiB": (string32(0xFFFFFFFF, b"x" * 1000), "more than 1048576 bytes"),
    "an array of 4 G items": (b"\xdd\xff\xff\xff\xff" + b"\x01" * 1000, "more than 1048576"),
    "a map of 4 G items": (b"\xdf\xff\xff\xff\xff" + b"\x01" * 1000, "more than 1048576"),
    "a string over 1 MiB": (string32((1 << 20) + 1, b"x" * ((1 << 20) + 1)), "more than 1048576"),
    "strings over 1 MiB together": (b"\x9f" + string32(70_000, b"x" * 70_000) * 15, "1048576"),
    "nested deeper than 16": (b"\x91" * 17 + b"\xc0", "nested deeper than 16"),
    "nested by the thousand": (b"\x91" * 100_000, "nested deeper than 16"),
    "maps nested by the thousand": (b"\x81\xa1a" * 100_000, "nested deeper than 16"),
    "a request that is not UTF-8": (b"\xa4\xff\xfe\xfd\xfc", "not UTF-8"),
    "a name that is not UTF-8": (
        pack(attach_header("NAME")).replace(b"\xa4NAME", b"\xa4\xff\xfe\xfd\xfc"),
        "not UTF-8",
    ),
    "a name that is a number": (pack(attach_header(5)), "name is not a string"),  # type: ignore[arg-type]
    "a size that is too large": (pack(attach_header("x", rows=70_000)), "rows"),
    "a size below nothing": (pack(attach_header("x", cols=-1)), "cols"),
    "a time to live below nothing": (pack(attach_header("x", ttl_secs=-1)), "ttl_secs"),
    "an environment that is no list": (pack(attach_header("x", local_env=5)), "local_env"),
    "an environment that is not of pairs": (
        pack(attach_header("x", local_env=[["A"]])),
        "local_env",
    ),
    "names that are no list": (pack({"Kill": {"sessions": "x"}}), "sessions is not an array"),
    "names that are not names": (pack({"Kill": {"sessions": [[]]}}), "not a string"),
    "content that is no map": (pack({"Detach": 5}), "not a map"),
    "an unknown log level": (pack({"SetLogLevel": {"level": "Loud"}}), "log level 'Loud'"),
    "an unknown session message": (
        pack({"SessionMessage": {"session_name": "x", "payload": "Dance"}}),
        "'Dance'",
    ),
    "a map with a map as key": (b"\x81\x80\xc0", "map key"),
}


@pytest.mark.parametrize("what", CLOSED)
def test_what_is_no_request_closes_the_connection_with_a_warning(
    standing: Place, onlooker: Peer, what: str
) -> None:
    data, reason = CLOSED[what]
    memory = standing.memory()
    for _ in range(3):
        peer = standing.peer()
        # It may be closed before all of it was sent.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            peer.send(data)
        assert peer.remainder() == b""
        peer.close()
    standing.logged(rf"WARN  connection of pid {os.getpid()}: .*({reason}).*; closed")
    assert standing.statuses() == {"witness": "Attached"}
    assert standing.memory() - memory < 6 * 1024, "no more than the message itself"


def test_half_a_message_and_the_end_is_worth_a_warning(shpool: Place, witness: Peer) -> None:
    peer = shpool.peer()
    peer.send(pack(attach_header("x"))[:-1])
    peer.close()
    shpool.logged("WARN .*ended in the middle of a request")
    assert shpool.statuses() == {"witness": "Attached"}


def test_a_liveness_probe_is_not_worth_a_warning(shpool: Place, witness: Peer) -> None:
    for _ in range(5):
        shpool.answers()
        shpool.peer().close()
    shpool.request("List")
    assert "WARN" not in shpool.log_text()


def test_a_message_may_come_a_byte_at_a_time(shpool: Place) -> None:
    peer = shpool.peer()
    for byte in pack(attach_header("one", "sh -c 'exit 3'")):
        peer.send(bytes([byte]))
    assert "Created" in peer.message()["status"]
    assert peer.to_exit_status()[1] == 3


def test_what_follows_the_request_is_the_sessions_input(shpool: Place) -> None:
    peer = shpool.peer()
    peer.send(pack(attach_header("one", "sh -c 'read x; exit $x'")) + b"9\n")
    assert "Created" in peer.message()["status"]
    assert peer.to_exit_status()[1] == 9


def test_two_hundred_silent_peers_keep_nobody_waiting_and_are_closed_after_5_s(
    shpool: Place, witness: Peer
) -> None:
    descriptors = shpool.descriptors()
    started = time.monotonic()
    silent = [shpool.peer() for _ in range(200)]
    for peer in silent[::2]:
        peer.send(b"\xa4")  # half a request is as silent as none
    for number in range(5):
        shpool.raw_session(f"s{number}")
        shpool.kill(f"s{number}")
    witness.send(b"hello\n")
    assert witness.output_until(b"\r\n") == b"hello\r\n"
    if time.monotonic() - started < 5:
        assert not select.select([peer.sock for peer in silent], [], [], 0)[0]
    for peer in silent:
        assert peer.remainder() == b""
    assert time.monotonic() - started >= 5
    shpool.logged("WARN .*no request in 5 s; closed")
    eventually(lambda: shpool.descriptors() <= descriptors)


@pytest.mark.parametrize("seed", range(4))
def test_peers_that_disappear_at_any_point_leave_nothing_behind(
    shpool: Place, witness: Peer, seed: int
) -> None:
    rng = random.Random(seed)
    descriptors = shpool.descriptors()
    requests = [
        pack(attach_header("x", "sleep 1000")) + b"input",
        pack("List"),
        pack({"Kill": {"sessions": ["x"]}}),
        pack({"Detach": {"sessions": ["x", "y"]}}),
        pack({"ModifyVar": {"var": "a", "val": "b"}}),
    ]
    for _ in range(60):
        data = rng.choice(requests)
        greeted = rng.random() < 0.5
        peer = shpool.peer(greeted=greeted)
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            peer.send(data[: rng.randrange(len(data) + 1)])
            if rng.random() < 0.3:
                peer.sock.shutdown(socket.SHUT_WR)
            if not greeted and rng.random() < 0.5:
                peer.sock.recv(5)  # what it leaves unread makes its end a reset
        peer.close()
    # The last attach may only now be turning into a session, so one kill may come too early.
    eventually(
        lambda: (
            shpool.request({"Kill": {"sessions": ["x"]}})
            and shpool.statuses() == {"witness": "Attached"}
        )
    )
    eventually(lambda: shpool.descriptors() <= descriptors + 1)


@pytest.mark.parametrize("pager", [False, True], ids=["no pager", "pager"])
def test_a_client_that_goes_before_it_is_answered_leaves_a_session_that_works(
    place: Place, pager: bool
) -> None:
    if pager:
        script = place.scratch / "pager"
        script.write_text("#!/bin/sh\nexec sleep 1234\n")
        script.chmod(0o755)
        (place.scratch / "motd").write_text("news\n")
        place.configure(
            f'motd_args = ["motd={place.scratch}/motd"]\n'
            f'motd = {{ pager = {{ bin = "{script}", show_every = "1d" }} }}'
        )
    place.start()
    events = place.subscribe()
    # Who waits for a new session and goes meanwhile is not attached to it any more.
    for expected in (["created"], ["attached", "detached"]):
        peer = place.peer()
        os.kill(place.daemon_pid, signal.SIGSTOP)
        peer.request(attach_header("one", "sh -c 'stty -echo; echo ready; exec cat'"))
        peer.close()
        os.kill(place.daemon_pid, signal.SIGCONT)
        wanted = [f"session.{name}" for name in expected]
        assert events.types(len(wanted)) == wanted
        assert place.statuses() == {"one": "Disconnected"}
    eventually(lambda: place.pids("sleep 1234") == [], "the pager ends")
    again = place.raw_attach("one")
    again.send(b"still here\n")
    again.output_until(b"still here")


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("x" * 256, "session name templates may not be longer than 255 bytes"),
        ("a\x9b", r"session name template 'a\x9b' may not have control characters"),
        ("a\nb", r"session name template 'a\nb' may not have whitespace"),
    ],
)
def test_a_template_that_is_no_names_is_refused_by_the_daemon(
    shpool: Place, template: str, reason: str
) -> None:
    peer = shpool.raw_attach("one", "sleep 1000", name_template=template)
    assert peer.status == {"UnexpectedError": reason}
    assert peer.remainder() == b""
    assert shpool.statuses() == {}


@pytest.mark.parametrize(
    "name",
    [
        *(
            "",
            "a b",
            "a\tb",
            "a\nb",
            "a\x1bb",
            "a\x7fb",
            "a\x9bb",
            "a\u202eb",
            "a/b",
            "/",
            ".",
            "..",
        ),
        *("../../x", "x" * 300),
    ],
)
def test_a_name_that_the_client_let_through_is_refused_by_the_daemon(
    standing: Place, onlooker: Peer, name: str
) -> None:
    peer = standing.raw_attach(name, "sleep 1000")
    shown = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in name)
    assert peer.status == {"UnexpectedError": f"invalid session name '{shown}'"}
    assert peer.remainder() == b""
    standing.logged("WARN .*attach refused: ")
    assert standing.statuses() == {"witness": "Attached"}
    assert [path.name for path in (standing.runtime / "sessions").iterdir()] == ["witness"]


def test_commands_and_values_with_odd_bytes_do_no_harm(shpool: Place, witness: Peer) -> None:
    for fields in (
        {"cmd": "a\0b"},
        {"cmd": "x" * 200_000},
        {"cmd": "sleep 1000", "dir": "a\0b"},
        {"cmd": "sleep 1000", "dir": "x" * 10_000},
    ):
        peer = shpool.raw_attach("one", **fields)
        assert "UnexpectedError" in peer.status
    env = [["TERM", "a\0b"], ["LANG", "x" * 100_000], ["", ""], ["A=B", "C"]]
    peer = shpool.raw_attach("one", "sh -c 'exit 4'", local_env=env)
    assert "Created" in peer.status
    assert peer.to_exit_status()[1] == 4


def test_a_peer_that_does_not_read_its_reply_holds_nobody_up(shpool: Place, witness: Peer) -> None:
    for number in range(50):
        shpool.raw_session("s" * 240 + str(number))
    deaf = []
    for _ in range(50):
        peer = shpool.peer()
        peer.request("List")
        deaf.append(peer)
    assert len(shpool.sessions()) == 51
    assert len(deaf[0].message()["sessions"]) == 51
    shpool.kill(*["s" * 240 + str(number) for number in range(50)])


def test_requests_in_other_forms_of_messagepack_are_understood(shpool: Place) -> None:
    shpool.raw_session("one")
    for data in (
        b"\xd9\x04List",  # str 8
        b"\xda\x00\x04List",  # str 16
        b"\xdb\x00\x00\x00\x04List",  # str 32
        b"\xc4\x04List",  # bin 8
        b"\x81\xa4List\xc0",  # a map of one with nothing in it
    ):
        peer = shpool.peer()
        peer.send(data)
        assert [row["name"] for row in peer.message()["sessions"]] == ["one"]
        assert peer.remainder() == b""
    peer = shpool.peer()
    peer.send(b"\xde\x00\x01\xa4Kill\x82\xa7unknown\x05\xc4\x08sessions\xdc\x00\x01\xc4\x03one")
    assert peer.message() == {"not_found_sessions": []}


# ---- somebody else


@as_root
def test_another_user_is_refused_even_where_the_files_would_let_them_in(
    shpool: Place, witness: Peer
) -> None:
    for path in (shpool.root, shpool.xdg_runtime, shpool.runtime):
        path.chmod(0o755)
    for path in (shpool.socket, shpool.events_socket):
        path.chmod(0o666)
    uid = 65_534

    forbidden = _as_user(uid, shpool.socket, pack(attach_header("witness")))
    reason = f"uid {uid} may not attach to sessions of uid 0".encode()
    assert forbidden.endswith(pack({"status": {"Forbidden": reason.decode()}}))
    greeting = _as_user(uid, shpool.socket, pack("List"))
    assert b"version" in greeting
    assert b"sessions" not in greeting
    assert _as_user(uid, shpool.events_socket, b"") == b""
    shpool.logged(rf"WARN .*its uid is {uid}")
    shpool.logged(rf"WARN .*events: closed a connection of uid {uid}")
    assert shpool.statuses() == {"witness": "Attached"}


def _as_user(uid: int, path: Path, data: bytes) -> bytes:
    """All that a peer of another user is told."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.setuid(uid)
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
                sock.settimeout(30)
                sock.connect(str(path))
                sock.sendall(data)
                while piece := sock.recv(65536):
                    os.write(write, piece)
        finally:
            os._exit(0)
    os.close(write)
    with open(read, "rb") as file:
        told = file.read()
    os.waitpid(pid, 0)
    return told
