import os
import pathlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from shpool.client.connect import (
    Call,
    ClientError,
    LostDaemon,
    UnknownRequest,
    dial,
    listening,
    version_warning,
)
from shpool.client.context import Context
from shpool.client.reach import ask, reach
from shpool.errors import Verdict
from shpool.options import Parsed
from shpool.protocol.msgpack import MAX_REPLY, WireError, pack
from shpool.protocol.outside import PeekRequest
from shpool.protocol.requests import GetVars, ListRequest

GREETING = b"\x81\xa7version\xa50.4.2"
UNREADABLE = "could not get daemon version"


def older(ours: str, theirs: str) -> str:
    return f'client protocol (version "{ours}") is older than daemon protocol (version "{theirs}")'


def newer(ours: str, theirs: str) -> str:
    return f'shpool: client protocol ("{ours}") is newer than daemon protocol (version "{theirs}")'


# ---- versions


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("0.4.2", "0.4.2"),
        ("0.4.2", "0.4.0"),
        ("0.4.2", "0.4.99"),
        ("1.4.2", "1.5.0"),
        ("1.0.0", "1.99.99"),
        ("0.10.0", "0.10.9"),
        ("00.4.2", "0.04.2"),
    ],
)
def test_versions_that_speak_the_same_protocol_need_no_warning(ours: str, theirs: str) -> None:
    assert version_warning(ours, theirs) is None


@pytest.mark.parametrize(
    ("low", "high"),
    [
        ("0.4.2", "0.5.0"),
        ("0.4.99", "0.5.0"),
        ("0.9.0", "0.10.0"),  # numbers, not text
        ("0.4.2", "1.0.0"),
        ("0.99.0", "1.0.0"),
        ("1.99.0", "2.0.0"),
        ("9.0.0", "10.0.0"),
    ],
)
def test_the_older_side_of_two_protocols_is_named(low: str, high: str) -> None:
    assert version_warning(low, high) == older(low, high)
    assert version_warning(high, low) == newer(high, low)


@pytest.mark.parametrize(
    "theirs",
    [
        *("", "0", "0.4", "0.4.2.1", "0.4.", ".4.2", "0.4.x", "0.4.-2", "0.4.+2", "0.4. 2"),
        *("v0.4.2", "0.4.2-rc1", "0.4.²", "0.4.٢", "0.4.2\n", "9" * 5000 + ".0.0"),
    ],
)
def test_what_is_not_three_numbers_is_no_version(theirs: str) -> None:
    assert version_warning("0.4.2", theirs) == UNREADABLE


# ---- a connection, with a daemon played by the test


class Daemon:
    """Writes what it is told to each who connects, in the pieces given, and notes what it hears."""

    def __init__(self, path: pathlib.Path) -> None:
        self.path = str(path)
        self.heard: list[bytes] = []
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(self.path)
        self._listener.listen()

    @contextmanager
    def saying(
        self, *pieces: bytes, answer: bytes = b"", when: "threading.Event | None" = None
    ) -> Iterator[None]:
        """Serve one connection meanwhile: `pieces`, then `answer` to what it says, at a time, then
        its end."""

        def serve() -> None:
            sock, _ = self._listener.accept()
            with sock:
                for piece in pieces:
                    sock.sendall(piece)
                if answer:
                    self.heard.append(sock.recv(65_536))
                    if when is not None:
                        when.wait(10)
                    sock.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield
        finally:
            thread.join(10)

    def close(self) -> None:
        self._listener.close()


@pytest.fixture
def daemon(tmp_path: pathlib.Path) -> Iterator[Daemon]:
    daemon = Daemon(tmp_path / "socket")
    yield daemon
    daemon.close()


def context(daemon: Daemon, *switches: str) -> Context:
    given = Parsed()
    given.values.update({"socket": daemon.path, **dict.fromkeys(switches, 1)})
    home = os.path.dirname(daemon.path)
    return Context(given, {"HOME": home, "XDG_CONFIG_HOME": home})


@pytest.mark.parametrize("stopped", [True, False])
def test_a_daemon_that_is_stopped_before_it_answers_is_named(
    daemon: Daemon,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    stopped: bool,
) -> None:
    why = "it is stopped: kill -CONT 4711" if stopped else ""
    looked = threading.Event()

    def doubts(path: str, pid: int) -> tuple[int, str]:
        looked.set()
        return 4711, why

    monkeypatch.setattr("shpool.client.silent.doubts", doubts)
    with daemon.saying(GREETING, answer=b"\x80", when=looked):
        connection = dial(daemon.path)
        monkeypatch.setattr("shpool.client.connect.SILENCE", 0.001)
        connection.send(ListRequest())
        assert connection.receive() == {}
        connection.close()
    said = f"shpool: the daemon (pid 4711) does not answer ({why})\n" if stopped else ""
    assert capfd.readouterr() == ("", said)


def test_a_greeting_that_fits_is_not_warned_of(daemon: Daemon) -> None:
    with daemon.saying(GREETING):
        connection = dial(daemon.path)
    assert connection.warning is None
    connection.close()


@pytest.mark.parametrize(
    ("greeting", "warning"),
    [
        (b"\x81\xa7version\xa50.5.0", older("0.4.2", "0.5.0")),
        (b"\x81\xa7version\xa50.3.9", newer("0.4.2", "0.3.9")),
        (b"\x81\xa7version\xa3two", UNREADABLE),
        (b"\x81\xa7version\x02", UNREADABLE),
        (b"\x80", UNREADABLE),
        (b"\xc1", UNREADABLE),
        (b"HTTP/1.1 400 Bad Request\r\n", UNREADABLE),
        (b"\x81\xa7vers", UNREADABLE),
        (b"", UNREADABLE),
    ],
)
def test_a_greeting_that_does_not_fit_is_warned_of(
    daemon: Daemon, greeting: bytes, warning: str
) -> None:
    with daemon.saying(greeting):
        connection = dial(daemon.path)
    assert connection.warning == warning
    assert connection.lost == (greeting in (b"\x81\xa7vers", b""))
    connection.close()


def test_messages_come_one_at_a_time_however_the_stream_is_cut(daemon: Daemon) -> None:
    wire = GREETING + pack({"sessions": []}) + pack("Ok") + b"\x00\x02\x00\x00\x00hi"
    for size in (1, 3, 10, 1000):
        with daemon.saying(*(wire[at : at + size] for at in range(0, len(wire), size))):
            connection = dial(daemon.path)
            assert connection.receive() == {"sessions": []}
            assert connection.receive() == "Ok"
            rest = connection.rest
            while piece := connection.sock.recv(100):
                rest += piece
        assert rest == b"\x00\x02\x00\x00\x00hi"
        connection.close()


def test_a_request_is_written_as_the_protocol_has_it(daemon: Daemon) -> None:
    with daemon.saying(GREETING, answer=b"\x81\xa8sessions\x90"):
        assert ask(context(daemon), ListRequest()) == {"sessions": []}
    assert daemon.heard == [b"\xa4List"]


def test_a_daemon_that_hangs_up_is_lost(daemon: Daemon) -> None:
    with daemon.saying(GREETING, b"\x81\xa8sess"):
        connection = dial(daemon.path)
        with pytest.raises(LostDaemon, match="hung up without an answer"):
            connection.receive()
    with pytest.raises(LostDaemon, match="the daemon hung up: Broken pipe"):
        connection.send(GetVars())
    connection.close()


def test_a_daemon_that_does_not_answer_in_time_is_lost(daemon: Daemon) -> None:
    here, there = socket.socketpair()
    there.sendall(GREETING)
    here.settimeout(0.01)
    connection = Call(here)
    with pytest.raises(LostDaemon, match="timed out"):
        connection.receive()
    connection.close()
    there.close()


def test_an_answer_that_is_none_is_an_error_in_one_line(daemon: Daemon) -> None:
    with daemon.saying(GREETING, answer=b"\xc1"), pytest.raises(ClientError) as caught:
        ask(context(daemon), ListRequest())
    assert str(caught.value).startswith("cannot make sense of the daemon's answer: ")


def test_an_answer_may_be_much_longer_than_a_question(daemon: Daemon) -> None:
    sessions = ["x" * 1000] * 3000
    with daemon.saying(GREETING, answer=pack({"sessions": sessions})):
        assert ask(context(daemon), ListRequest()) == {"sessions": sessions}


def test_an_answer_without_end_is_not_kept(daemon: Daemon) -> None:
    claims = b"\x81\xa8sessions\xc6" + MAX_REPLY.to_bytes(4, "big")
    with daemon.saying(GREETING, answer=claims), pytest.raises(ClientError, match="more than"):
        ask(context(daemon), ListRequest())


def test_a_mismatch_is_warned_of_and_the_question_asked_all_the_same(
    daemon: Daemon, capfd: pytest.CaptureFixture[str]
) -> None:
    with daemon.saying(b"\x81\xa7version\xa50.5.0", answer=b"\x80"):
        assert ask(context(daemon), GetVars()) == {}
    warned = capfd.readouterr().err
    assert warned == f"warning: {older('0.4.2', '0.5.0')}, try restarting your daemon\n"


def test_what_has_no_form_on_the_wire_is_not_sent(daemon: Daemon) -> None:
    class Odd(ListRequest):
        __slots__ = ()

        def to_wire(self) -> object:
            return os.fsdecode(b"\xff")

    with daemon.saying(GREETING):
        connection = dial(daemon.path)
        with pytest.raises(WireError, match="not valid UTF-8"):
            connection.send(Odd())
    connection.close()


# ---- requests that a daemon may not know


class Newer(ListRequest):
    __slots__ = ()
    needs = ("List", "List.new")


def ours(*knows: str) -> bytes:
    return pack({"version": "0.4.2", "server": "shpool-py 0.1.0", "knows": knows})


@pytest.mark.parametrize(
    ("greeting", "whose"),
    [
        (GREETING, "the original shpool"),
        (pack({"version": "0.4.2", "server": "shpool-py 0.1.0"}), "shpool-py 0.1.0; see: shpool"),
        (ours(), "shpool-py 0.1.0; see: shpool upgrade"),
        (ours("List", "Other.new"), "shpool-py 0.1.0; see: shpool upgrade"),
    ],
)
def test_what_a_daemon_does_not_say_that_it_knows_is_not_sent(
    daemon: Daemon, greeting: bytes, whose: str
) -> None:
    with daemon.saying(greeting):
        connection = dial(daemon.path)
        with pytest.raises(UnknownRequest) as caught:
            connection.send(Newer())
        assert connection.sock.recv(1) == b""
    assert str(caught.value).startswith(f"the daemon does not know this request ({whose}")
    connection.close()


def test_what_a_daemon_knows_is_sent(daemon: Daemon) -> None:
    with daemon.saying(ours("List", "List.new"), answer=b"\x81\xa8sessions\x90"):
        assert ask(context(daemon), Newer()) == {"sessions": []}


def test_a_daemon_that_answers_knew_the_request() -> None:
    """Where it did not say so; only what it hangs up on at once may be unknown to it."""
    greeting = pack({"version": "0.4.2", "server": "shpool-py 0.1.0"})
    for answer, error in (
        (b"", r"does not know this request \(shpool-py 0.1.0; see: shpool upgrade\)"),
        (b"\x80", "the daemon hung up without an answer"),
    ):
        here, there = socket.socketpair()
        there.sendall(greeting)
        connection = Call(here)
        connection.send(PeekRequest("one"))
        assert there.recv(1024)
        there.sendall(answer)
        there.close()
        if answer:
            assert connection.receive() == {}
        with pytest.raises(ClientError, match=error):
            connection.receive()
        connection.close()


# ---- nobody there


def test_where_nobody_listens_that_is_said_in_the_words_scripts_know(
    daemon: Daemon, tmp_path: pathlib.Path
) -> None:
    daemon.close()  # its socket file stays
    for path in (daemon.path, str(tmp_path / "absent"), str(tmp_path / "absent" / "socket")):
        assert not listening(path)
        with pytest.raises(Verdict, match=r"^could not connect to daemon$"):
            dial(path)


def test_where_a_daemon_listens_it_is_left_alone_by_the_look(daemon: Daemon) -> None:
    with daemon.saying():
        assert listening(daemon.path)


@pytest.mark.parametrize("path", ["/tmp/" + "x" * 200, "/etc/passwd/socket"])
def test_a_path_at_which_nobody_can_listen_is_another_error(path: str) -> None:
    with pytest.raises(ClientError, match="cannot connect to "):
        dial(path)


def test_no_daemon_is_started_where_that_is_not_wanted(daemon: Daemon) -> None:
    daemon.close()
    with pytest.raises(Verdict, match="could not connect to daemon"):
        reach(context(daemon, "no-daemonize"))
    config = pathlib.Path(daemon.path).parent / "shpool" / "config.toml"
    config.parent.mkdir()
    config.write_text("nodaemonize = true\n")
    with pytest.raises(Verdict, match="could not connect to daemon"):
        reach(context(daemon))
