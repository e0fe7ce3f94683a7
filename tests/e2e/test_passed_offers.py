"""What a client may offer as its terminal, and a daemon may answer, or not."""

import os
import pty
import shlex
import signal
import socket
import termios
from collections.abc import Iterator

import pytest

from shpool.protocol import chunks
from shpool.protocol.msgpack import pack
from tests.e2e.harness import DETACH, Place, Terminal, attach_header, eventually
from tests.e2e.window import outside

# ---- refused


def test_input_and_output_on_different_terminals_stay_the_clients(shpool: Place) -> None:
    other = shpool.program(["sh", "-c", "stty -echo; echo up; exec cat"])
    other.expect("up")
    script = f"exec {shlex.join(shpool.command('attach', 'one'))} > {other.device}"
    terminal = shpool.program(["sh", "-c", script])
    other.expect(r"\$ ")
    terminal.send("echo shown el''sewhere\n")
    other.expect("shown elsewhere")
    assert not shpool.daemon_has(other.device)
    assert not shpool.daemon_has(terminal.device)


def test_the_alias_of_a_terminal_is_refused_and_works(shpool: Place) -> None:
    script = f"exec {shlex.join(shpool.command('attach', 'one'))} </dev/tty >/dev/tty"
    terminal = shpool.program(["sh", "-c", script])
    assert terminal.ask("echo still here") == "still here\n"
    assert not shpool.daemon_has("/dev/tty")


def test_a_terminal_that_the_daemon_runs_in_the_background_of_stays_the_clients(
    place: Place,
) -> None:
    # Reading it would stop the daemon.
    with outside(place) as window:
        window.send("shpool daemon 2>/dev/null &\n")
        eventually(place.answers)
        window.send("shpool attach one\n")
        eventually(lambda: place.statuses() == {"one": "Attached"})
        window.send("echo not st''opped\n")
        window.until_shown("not stopped")
        window.send(DETACH)
        window.until(lambda: window.cursor_line() == "outside$")
        window.send("kill %1\n")
        eventually(lambda: not place.answers())


@pytest.fixture
def offers() -> Iterator[dict[str, list[int]]]:
    """Descriptors that are no terminals of a client's."""
    master, slave = pty.openpty()
    reading, writing = os.pipe()
    null = os.open("/dev/null", os.O_RDWR)
    file = os.memfd_create("file")
    multiplexer = os.open("/dev/ptmx", os.O_RDWR | os.O_NOCTTY)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    yield {
        "a pipe": [reading],
        "its other end": [writing],
        "/dev/null": [null],
        "a file": [file],
        "a pty master": [master],
        "another": [multiplexer],
        "a socket": [listener.fileno()],
        "several": [slave] * 9,
        "a terminal that is not raw in a moment": [slave],
    }
    listener.close()
    for fd in (master, slave, reading, writing, null, file, multiplexer):
        os.close(fd)


@pytest.mark.parametrize(
    "what",
    [
        *("a pipe", "its other end", "/dev/null", "a file", "a pty master", "another", "a socket"),
    ],
)
def test_what_is_no_terminal_is_dropped(
    shpool: Place, offers: dict[str, list[int]], what: str
) -> None:
    shpool.raw_session("one", "cat")
    before = shpool.descriptors()
    for turn in range(3):
        peer = shpool.peer()
        peer.send(pack(attach_header("one")), offers[what])
        assert peer.message() == {"status": {"Attached": {"warnings": []}}}
        peer.send(b"as chunks %d\n" % turn)
        peer.output_until(b"as chunks %d" % turn)
        peer.close()
        eventually(lambda: shpool.statuses() == {"one": "Disconnected"})
    eventually(lambda: shpool.descriptors() <= before)


def test_descriptors_that_come_with_anything_else_are_dropped(
    shpool: Place, offers: dict[str, list[int]]
) -> None:
    shpool.raw_session("one", "cat")
    before = shpool.descriptors()
    for data in (pack("List"), pack(attach_header("bad name")), pack("Nonsense"), b"\xc1"):
        for fds in (offers["a file"], offers["several"]):
            peer = shpool.peer()
            peer.send(data, fds)
            peer.remainder()
            peer.close()
    # Each piece of a request may bring one; a client that goes away leaves none.
    request = pack(attach_header("one"))
    peer = shpool.peer()
    for start in range(0, 60, 10):
        peer.send(request[start : start + 10], offers["a file"])
    offered = os.readlink(f"/proc/self/fd/{offers['a file'][0]}")
    eventually(lambda: shpool.daemon_has(offered))
    peer.close()
    eventually(lambda: not shpool.daemon_has(offered))
    eventually(lambda: shpool.descriptors() <= before)


def test_a_client_with_a_terminal_that_says_nonsense_is_hung_up_on(shpool: Place) -> None:
    shpool.raw_session("one", "cat")
    before = shpool.descriptors()
    master, slave = pty.openpty()
    try:
        peer = shpool.peer()
        peer.send(pack(attach_header("one")), [slave])
        reply = peer.message()
        assert reply == {"status": {"Attached": {"warnings": []}}, "terminal_passed": True}
        peer.send(chunks.frame(chunks.MODES, b"short"))
        peer.send(b"\xff" * 10)
        assert peer.remainder() is not None
        assert shpool.statuses() == {"one": "Disconnected"}
        eventually(lambda: shpool.descriptors() <= before)
        shpool.logged("an attached client is hung up on: a chunk of the unknown kind 255")
    finally:
        os.close(master)
        os.close(slave)


def test_a_terminal_that_hangs_up_without_its_client_ends_the_attachment(shpool: Place) -> None:
    shpool.raw_session("one", "cat")
    master, slave = pty.openpty()
    peer = shpool.peer()
    peer.send(pack(attach_header("one")), [slave])
    assert peer.message()["terminal_passed"] is True
    os.close(slave)
    os.close(master)
    eventually(lambda: shpool.statuses() == {"one": "Disconnected"})
    eventually(lambda: shpool.wake_ups_in_a_second() == 0, "the daemon is at rest")


# ---- a daemon that does not answer


@pytest.fixture
def silent(place: Place) -> Iterator[socket.socket]:
    """A listener in the daemon's place; the test is the daemon."""
    place.socket.parent.mkdir(mode=0o700)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(place.socket))
        listener.listen()
        yield listener
    place.socket.unlink()


GREETING = pack({"version": "0.4.2"})


def tell_vars(listener: socket.socket) -> None:
    """Serve the first connection of a client that is about to attach."""
    link, _ = listener.accept()
    link.sendall(GREETING)
    assert link.recv(100) == b"\xa7GetVars"
    link.sendall(pack({"switch_to": None, "vars": []}))
    link.close()


def asked(listener: socket.socket) -> socket.socket:
    """The connection of a client that has asked to attach, and waits for the answer."""
    tell_vars(listener)
    link, _ = listener.accept()
    link.sendall(GREETING)
    assert b"Attach" in link.recv(1000)
    return link


def takes_signals(client: Terminal) -> bool:
    return bool(client.modes()[3] & termios.ISIG)


def test_a_client_that_waits_in_vain_can_be_interrupted(
    place: Place, silent: socket.socket
) -> None:
    client = place.attach("one")
    before = client.modes()
    with asked(silent):
        assert client.is_raw()
        eventually(lambda: takes_signals(client))
        client.send(b"\x03")
        assert client.wait() == 128 + signal.SIGINT
    assert client.modes() == before
    assert client.output in (b"", b"^C\r\n")  # it showed no session, so there is nothing to undo


def test_a_client_that_waits_for_a_greeting_can_be_told_to_end(
    place: Place, silent: socket.socket
) -> None:
    client = place.attach("one")
    before = client.modes()
    tell_vars(silent)
    with silent.accept()[0]:
        eventually(client.is_raw)
        os.kill(client.pid, signal.SIGTERM)
        assert client.wait() == 128 + signal.SIGTERM
    assert client.modes() == before


def test_a_client_leaves_as_it_was_told_to_when_the_daemon_keeps_its_terminal(
    place: Place, silent: socket.socket
) -> None:
    client = place.attach("one")
    before = client.modes()
    with asked(silent) as link:
        assert client.is_raw()
        link.sendall(pack({"status": {"Created": {"warnings": []}}, "terminal_passed": True}))
        assert link.recv(1000)[0] == chunks.MODES
        os.kill(client.pid, signal.SIGTERM)
        assert client.wait() == 128 + signal.SIGTERM
    assert client.modes() == before


def test_a_daemon_that_answers_late_hears_that_the_modes_have_changed(
    place: Place, silent: socket.socket
) -> None:
    client = place.attach("one")
    with asked(silent) as link:
        eventually(lambda: takes_signals(client))
        link.sendall(pack({"status": {"Created": {"warnings": []}}, "terminal_passed": True}))
        reader = chunks.ChunkReader()
        kinds: list[int] = []
        while len(kinds) < 2:
            kinds += [kind for kind, _ in reader.feed(link.recv(1000))]
        assert kinds == [chunks.BACK, chunks.MODES]
        assert client.is_raw()
        assert not takes_signals(client)
        link.sendall(chunks.frame_exit_status(5))
    assert client.wait() == 5
