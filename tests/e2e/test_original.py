"""Peers that speak the original's bytes: its daemon, whom our client attaches to, and its client.

Every message is sent in pieces, as the original's writers flush them.  What our daemon answers to
whole messages is in test_wire.py.
"""

from __future__ import annotations

import fcntl
import os
import re
import signal
import socket
import struct
import termios
from collections.abc import Iterator

import pytest

from shpool import __version__
from shpool.protocol.all_requests import KNOWN
from shpool.protocol.msgpack import pack
from shpool.protocol.replies import SessionRow
from tests.e2e.harness import DEADLINE, DETACH, Place, Terminal, eventually

GREETING = b"\x81\xa7version\xa50.4.2"
# Ours names the program as well, which the original's clients skip.
SERVER = f"shpool-py {__version__}".encode()
NAMED = GREETING[1:] + b"\xa6server" + bytes([0xA0 + len(SERVER)]) + SERVER
OURS = b"\x83" + NAMED + b"\xa5knows" + pack(KNOWN)
GET_VARS = b"\xa7GetVars"
NO_VARS = b"\x82\xa9switch_to\xc0\xa4vars\x90"
CREATED = b"\x81\xa6status\x81\xa7Created\x81\xa8warnings\x90"
BUSY = b"\x81\xa6status\xa4Busy"
HEARTBEAT = b"\x01\x00\x00\x00\x00"


def data(content: bytes) -> bytes:
    return b"\x00" + struct.pack("<I", len(content)) + content


def exited(status: int) -> bytes:
    return b"\x02" + struct.pack("<i", status)


def switch(var: bytes, val: bytes) -> bytes:
    packed = b"\x82\xa9switch_to\xc0\xa4vars\x91\x92"
    for text in (var, val):
        packed += bytes([0xA0 | len(text)]) + text
    return b"\x03" + struct.pack("<I", len(packed)) + packed


def text(content: str) -> bytes:
    """A MessagePack str."""
    raw = content.encode()
    short = bytes([0xA0 | len(raw)]) if len(raw) < 32 else b"\xd9" + bytes([len(raw)])
    return short + raw


def attach(name: str, template: str, place: Place, rows: int = 24, cols: int = 80) -> bytes:
    """What a client in a terminal of `place` asks, byte for byte."""
    return (
        b"\x81\xa6Attach\x88\xa4name" + text(name) + b"\xadname_template" + text(template) +
        b"\xaelocal_tty_size\x84\xa4rows" + bytes([rows]) + b"\xa4cols" + bytes([cols]) +
        b"\xa6xpixel\x00\xa6ypixel\x00\xa9local_env\x92"
        b"\x92\xa4TERM\xa5xterm\x92\xa4LANG\xa7C.UTF-8"
        b"\xa8ttl_secs\xc0\xa3cmd\xc0\xa3dir\xc0\xa9start_cmd\xc0"
    )  # fmt: skip


class Link:
    """One end of a connection; what is sent goes out in five pieces, which arrive one by one."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        sock.settimeout(DEADLINE)

    def send(self, message: bytes) -> None:
        size = -(-len(message) // 5)
        for start in range(0, len(message), size):
            self.sock.sendall(message[start : start + size])
            eventually(self._taken, "the piece is read")

    def _taken(self) -> bool:
        """Whether the peer has read all that was sent (SIOCOUTQ)."""
        waiting = fcntl.ioctl(self.sock, termios.TIOCOUTQ, bytes(4))
        return struct.unpack("i", waiting) == (0,)

    def expect(self, message: bytes) -> None:
        """Exactly these bytes come next."""
        received = b""
        while len(received) < len(message):
            piece = self.sock.recv(len(message) - len(received))
            assert piece, f"the peer hung up after {received!r}"
            received += piece
        assert received == message

    def ended(self) -> bool:
        try:
            return self.sock.recv(1) == b""
        except ConnectionResetError:
            return True

    def close(self) -> None:
        self.sock.close()


class Daemon:
    """The original's, as far as it is asked; each connection is answered by the test's script."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._links: list[Link] = []
        place.runtime.mkdir(0o700, exist_ok=True)
        self._sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._sock.settimeout(DEADLINE)
        self._sock.bind(str(place.socket))
        self._sock.listen()

    def accept(self, greeting: bytes = GREETING) -> Link:
        """The next connection, greeted."""
        link = Link(self._sock.accept()[0])
        self._links.append(link)
        link.send(greeting)
        return link

    def answer(self, request: bytes, reply: bytes) -> None:
        """The next connection asks this, is told that, and ends."""
        link = self.accept()
        link.expect(request)
        link.send(reply)
        link.close()

    def attached(self, name: str, template: str | None = None, reply: bytes = CREATED) -> Link:
        """The next connection attaches."""
        link = self.accept()
        link.expect(attach(name, template or name, self._place))
        link.send(reply)
        return link

    def close(self) -> None:
        for link in self._links:
            link.close()
        self._sock.close()
        self._place.socket.unlink(missing_ok=True)


@pytest.fixture
def original(place: Place) -> Iterator[Daemon]:
    daemon = Daemon(place)
    yield daemon
    daemon.close()


def greeted(place: Place, original: Daemon, *words: str) -> tuple[Terminal, Link]:
    """Our client, attached to the original's daemon."""
    client = place.attach(*words)
    original.answer(GET_VARS, NO_VARS)
    return client, original.attached(words[-1])


# ---- our client and the original's daemon


def test_output_heartbeats_and_the_exit_status(place: Place, original: Daemon) -> None:
    client = place.attach("one")
    before = client.first_modes
    original.answer(GET_VARS, NO_VARS)
    link = original.attached("one")
    link.send(data(b"hello ") + HEARTBEAT + data(b"world\r\n") + HEARTBEAT)
    client.expect("hello world\r\n")
    client.send(b"typed \x00\xff")
    link.expect(b"typed \x00\xff")
    link.send(data(b"last words") + exited(7))
    assert client.wait() == 7
    assert b"hello world\r\nlast words" in client.output
    assert client.modes() == before


def test_the_modes_are_restored_before_the_last_output_is_taken(
    place: Place, original: Daemon
) -> None:
    client, link = greeted(place, original, "one")
    link.send(data(b"ready"))
    client.expect("ready")
    assert client.is_raw()
    # More than the terminal takes.
    link.sock.sendall(data(b"last words ") + data(b"x" * 16_000) * 3)
    link.sock.sendall(data(b"y" * 8000) + exited(7))
    eventually(lambda: not client.is_raw(), "the modes are restored")
    assert client.process.poll() is None
    client.kill()
    assert client.modes()[3] == client.first_modes[3]


@pytest.mark.parametrize("option", ["-x", "-r"])
def test_what_it_would_pass_over_is_refused_before_anything_is_asked(
    place: Place, original: Daemon, option: str
) -> None:
    client = place.attach(option, "one")
    link = original.accept()
    assert link.ended()
    assert client.wait() == 1
    client.expect("the daemon does not know this request \\(the original shpool\\)")


def test_the_configuration_asks_nothing_of_it_that_it_would_pass_over(
    place: Place, original: Daemon
) -> None:
    place.configure('attach = "share"')
    _, link = greeted(place, original, "one")
    link.send(exited(0))


def test_the_largest_chunk_arrives_whole(place: Place, original: Daemon) -> None:
    client, link = greeted(place, original, "one")
    content = bytes(range(32, 127)) * 172 + b"x" * 44
    assert len(content) == 16_384
    link.sock.sendall(data(content) * 3 + exited(0))
    assert client.wait() == 0
    assert content * 3 in client.output


def test_the_detach_keys_are_the_daemons_business(place: Place, original: Daemon) -> None:
    client, link = greeted(place, original, "one")
    client.send(DETACH)
    link.expect(DETACH)
    link.send(exited(0))
    link.close()
    assert client.wait() == 0


def test_a_daemon_that_hangs_up_without_a_status_is_lost(place: Place, original: Daemon) -> None:
    client, link = greeted(place, original, "one")
    link.send(data(b"\x1b[?1049h\x1b[?1000hfull screen"))
    client.expect("full screen")
    link.close()
    client.expect(rb"\x1b\[\?1049l.*\x1b\[\?1000l")
    client.send(b"\x1b[0n")
    assert client.wait() == 1


def test_a_new_size_is_told_on_a_connection_of_its_own(place: Place, original: Daemon) -> None:
    client, link = greeted(place, original, "one")
    link.send(data(b"ready"))
    client.expect("ready")
    client.resize(30, 100)
    original.answer(
        b"\x81\xaeSessionMessage\x82\xacsession_name\xa3one\xa7payload\x81\xa6Resize\x81"
        b"\xa8tty_size\x84\xa4rows\x1e\xa4cols\x64\xa6xpixel\x00\xa6ypixel\x00",
        b"\x81\xa6Resize\xa2Ok",
    )
    link.send(exited(0))
    assert client.wait() == 0


def test_changed_variables_make_the_client_switch(place: Place, original: Daemon) -> None:
    client = place.attach("s-{w}")
    original.answer(GET_VARS, b"\x82\xa9switch_to\xc0\xa4vars\x91\x92\xa1w\xa1a")
    link = original.attached("s-a", "s-{w}")
    # A change while it was about to attach has not been told to it.
    original.answer(GET_VARS, b"\x82\xa9switch_to\xc0\xa4vars\x91\x92\xa1w\xa1a")
    link.send(data(b"in the first") + switch(b"w", b"a") + switch(b"other", b"x"))
    # The message has all variables there are, so w is unset now; what is true by now counts.
    original.answer(GET_VARS, NO_VARS)
    second = original.attached("s-", "s-{w}")
    original.answer(GET_VARS, NO_VARS)
    assert link.ended()
    second.send(data(b"in the second") + switch(b"w", b"b"))
    original.answer(GET_VARS, b"\x82\xa9switch_to\xc0\xa4vars\x91\x92\xa1w\xa1b")
    third = original.attached("s-b", "s-{w}")
    original.answer(GET_VARS, b"\x82\xa9switch_to\xc0\xa4vars\x91\x92\xa1w\xa1b")
    third.send(data(b"in the third") + exited(0))
    assert client.wait() == 0
    assert b"in the first" in client.output
    assert b"in the second" in client.output
    assert b"in the third" in client.output


def test_force_detaches_and_asks_until_the_daemon_has_let_go(
    place: Place, original: Daemon
) -> None:
    client = place.attach("-f", "one")
    original.answer(GET_VARS, NO_VARS)
    original.attached("one", reply=BUSY).close()
    original.answer(
        b"\x81\xa6Detach\x81\xa8sessions\x91\xa3one",
        b"\x82\xb2not_found_sessions\x90\xb5not_attached_sessions\x90",
    )
    original.attached("one", reply=BUSY).close()
    link = original.attached("one", reply=b"\x81\xa6status\x81\xa8Attached\x81\xa8warnings\x90")
    link.send(exited(0))
    assert client.wait() == 0
    assert "already has a terminal" not in client.text()


def test_busy_without_force(place: Place, original: Daemon) -> None:
    client = place.attach("one")
    original.answer(GET_VARS, NO_VARS)
    original.attached("one", reply=BUSY)
    assert client.wait() == 0
    said = "session 'one' already has a terminal attached\n-f takes it over\n"
    assert client.text() == said  # it can neither be joined nor watched there


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (b"\x81\xa9Forbidden\xa8go away!", "forbidden: go away!\n"),
        (b"\x81\xafUnexpectedError\xa6broken", "shpool: broken\n"),
    ],
)
def test_refusals(place: Place, original: Daemon, status: bytes, said: str) -> None:
    client = place.attach("one")
    original.answer(GET_VARS, NO_VARS)
    original.attached("one", reply=b"\x81\xa6status" + status)
    assert client.wait() == 1
    assert client.text() == said


def test_warnings_of_the_reply_are_shown(place: Place, original: Daemon) -> None:
    client = place.attach("one")
    original.answer(GET_VARS, NO_VARS)
    reply = b"\x81\xa6status\x81\xa7Created\x81\xa8warnings\x92\xa5first\xa6second"
    original.attached("one", reply=reply).send(exited(0))
    assert client.wait() == 0
    assert client.text().startswith("shpool: warn: first\nshpool: warn: second\n")


def test_in_the_background_it_closes_and_detaches_on_a_new_connection(
    place: Place, original: Daemon
) -> None:
    client = place.attach("-b", "one")
    original.answer(GET_VARS, NO_VARS)
    link = original.attached("one")
    assert link.ended()
    original.answer(
        b"\x81\xa6Detach\x81\xa8sessions\x91\xa3one",
        b"\x82\xb2not_found_sessions\x90\xb5not_attached_sessions\x91\xa3one",
    )
    assert client.wait() == 0
    assert client.text() == ""


def test_short_commands(place: Place, original: Daemon) -> None:
    process = place.popen("list")
    original.answer(
        b"\xa4List",
        b"\x81\xa8sessions\x91\x86\xa4name\xa3one\xb2started_at_unix_ms"
        b"\xcf\x00\x00\x01\x90\x00\x00\x00\x00\xb9last_connected_at_unix_ms"
        b"\xcf\x00\x00\x01\x90\x00\x00\x00\x00\xbclast_disconnected_at_unix_ms\xc0"
        b"\xa6status\xa8Attached\xabattachments\x91\x82\xb5session_name_template\xa3one"
        b"\xa3pid\xcd\x30\x39",
    )
    assert process.communicate() == (b"NAME\tSTATUS\none\tattached\n", b"")
    process = place.popen("kill", "one", "zzz")
    original.answer(
        b"\x81\xa4Kill\x81\xa8sessions\x92\xa3one\xa3zzz", b"\x81\xb2not_found_sessions\x91\xa3zzz"
    )
    assert process.communicate() == (b"", b"not found: zzz\n")
    process = place.popen("var", "unset", "a")
    original.answer(b"\x81\xa9ModifyVar\x82\xa3var\xa1a\xa3val\xc0", b"\x80")
    assert process.communicate() == (b"", b"")
    process = place.popen("set-log-level", "trace")
    original.answer(b"\x81\xabSetLogLevel\x81\xa5level\xa5Trace", b"\x80")
    assert process.communicate() == (b"", b"")


def test_a_client_that_waits_for_an_answer_can_be_ended(place: Place, original: Daemon) -> None:
    client = place.attach("one")
    before = client.first_modes
    original.answer(GET_VARS, NO_VARS)
    original.accept().expect(attach("one", "one", place))
    os.kill(client.pid, signal.SIGTERM)
    assert client.wait() != 0
    assert client.modes() == before


def test_an_original_daemon_is_asked_first_whether_a_session_is_there(
    place: Place, original: Daemon
) -> None:
    client = place.attach("--existing", "one")
    original.answer(GET_VARS, NO_VARS)
    link = original.accept()
    original.answer(b"\xa4List", b"\x81\xa8sessions\x90")
    assert link.sock.recv(1) == b""  # it was not asked to attach
    client.expect("not found: one")
    assert client.wait() == 1


def test_a_session_that_ended_meanwhile_and_was_made_anew_is_ended(
    place: Place, original: Daemon
) -> None:
    row = SessionRow("one", 1, 1, None, []).to_wire()
    client = place.attach("--existing", "one")
    original.answer(GET_VARS, NO_VARS)
    link = original.accept()
    original.answer(b"\xa4List", pack({"sessions": [row]}))
    link.expect(attach("one", "one", place))
    link.send(CREATED)
    original.answer(pack({"Kill": {"sessions": ["one"]}}), b"\x81\xb2not_found_sessions\x90")
    client.expect("not found: one")
    assert client.wait() == 1


# ---- the original's client and our daemon


def ask(place: Place) -> Link:
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.connect(str(place.socket))
    link = Link(sock)
    link.expect(OURS)
    return link


def test_an_original_client_in_pieces(shpool: Place) -> None:
    variables = ask(shpool)
    variables.send(GET_VARS)
    variables.expect(NO_VARS)
    assert variables.ended()
    link = ask(shpool)
    link.send(attach("one", "one", shpool))
    link.expect(CREATED)
    link.send(b"echo o''ut; exit 7\n")
    output = b""
    while piece := link.sock.recv(65536):
        output += piece
    assert output.endswith(exited(7))
    assert re.search(rb"\x00.\x00\x00\x00[^\x00]*out\r\n", output, re.DOTALL)
    link.close()
    variables.close()
