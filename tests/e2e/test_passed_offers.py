"""What a client may offer as its terminal, and a daemon may answer, or not."""

import fcntl
import os
import pty
import random
import re
import select
import shlex
import signal
import socket
import termios
import time
import tty
from collections.abc import Iterator
from pathlib import Path

import pytest

from shpool.protocol import chunks
from shpool.protocol.msgpack import pack
from tests.e2e.harness import DEADLINE, DETACH, Place, attach_header, eventually
from tests.e2e.processes import is_stopped
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


def variables(given: "list[list[str]] | None") -> bytes:
    return pack({"switch_to": None, "vars": given or []})


def tell_vars(listener: socket.socket, given: "list[list[str]] | None" = None) -> None:
    """Serve a connection on which a client asks for the variables."""
    link, _ = listener.accept()
    link.sendall(GREETING)
    assert link.recv(100) == b"\xa7GetVars"
    link.sendall(variables(given))
    link.close()


def asked(
    listener: socket.socket, given: "list[list[str]] | None" = None, name: bytes = b""
) -> socket.socket:
    """The connection of a client that has asked to attach to `name`, and waits for the answer."""
    tell_vars(listener, given)
    link, _ = listener.accept()
    link.sendall(GREETING)
    request = link.recv(1000)
    assert b"Attach" in request
    assert name in request
    return link


def test_a_client_that_waits_in_vain_can_be_interrupted(
    place: Place, silent: socket.socket
) -> None:
    client = place.attach("one")
    before = client.first_modes
    with asked(silent):
        assert client.modes() == before
        client.send(b"\x03")
        assert client.wait() == 128 + signal.SIGINT
    assert client.modes() == before
    assert client.output in (b"", b"^C")  # it showed no session, so there is nothing to undo


def test_a_client_that_is_stopped_while_it_waits_asks_again(
    place: Place, silent: socket.socket
) -> None:
    client = place.attach("one")
    with asked(silent) as link:
        os.kill(client.pid, signal.SIGTSTP)
        assert link.recv(1) == b""
        eventually(lambda: is_stopped(client.pid))
        assert client.modes() == client.first_modes
    os.kill(client.pid, signal.SIGCONT)
    with asked(silent) as link:
        link.sendall(PASSED)
        told = Told(link)
        assert told.kinds(2) == [chunks.MODES, chunks.BACK]
        link.sendall(chunks.frame_exit_status(4))
        assert client.wait() == 4
    assert client.modes() == client.first_modes


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
def test_a_client_that_waits_for_a_greeting_can_be_told_to_end(
    place: Place, silent: socket.socket, number: int
) -> None:
    client = place.attach("one")
    before = client.first_modes
    tell_vars(silent)
    with silent.accept()[0]:
        os.kill(client.pid, number)
        assert client.wait() == 128 + number
    assert client.modes() == before


PASSED = pack({"status": {"Created": {"warnings": []}}, "terminal_passed": True})


class Told:
    """What a client says that has passed its terminal."""

    def __init__(self, link: socket.socket) -> None:
        self._link = link
        self._reader = chunks.ChunkReader()
        self._kinds: list[int] = []

    def kinds(self, count: int) -> list[int]:
        """The next `count` kinds of chunks."""
        while len(self._kinds) < count:
            data = self._link.recv(1000)
            assert data, self._kinds
            self._kinds += [kind for kind, _ in self._reader.feed(data)]
        taken, self._kinds = self._kinds[:count], self._kinds[count:]
        return taken


def test_a_terminal_is_raw_when_the_daemon_has_its_modes(
    place: Place, silent: socket.socket
) -> None:
    client = place.attach("one")
    before = client.first_modes
    with asked(silent) as link:
        assert client.modes() == before
        link.sendall(PASSED)
        assert Told(link).kinds(2) == [chunks.MODES, chunks.BACK]
        assert client.is_raw()
        assert not client.modes()[3] & termios.ISIG
        link.sendall(chunks.frame_exit_status(5))
    assert client.wait() == 5
    assert client.modes() == before


def test_a_client_leaves_as_it_was_told_to_when_the_daemon_keeps_its_terminal(
    place: Place, silent: socket.socket
) -> None:
    client = place.attach("one")
    before = client.first_modes
    with asked(silent) as link:
        link.sendall(PASSED)
        told = Told(link)
        told.kinds(2)
        os.kill(client.pid, signal.SIGTERM)
        assert client.wait() == 128 + signal.SIGTERM
        assert told.kinds(1) == [chunks.DETACH]
    assert client.modes() == before


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_in_the_middle_of_a_switch_ends_the_client(
    place: Place, silent: socket.socket, number: int
) -> None:
    client = place.attach("x-{w}")
    before = client.first_modes
    with asked(silent) as link:
        link.sendall(PASSED)
        told = Told(link)
        told.kinds(2)
        tell_vars(silent, [["w", ""]])
        link.sendall(chunks.frame(chunks.MAYBE_SWITCH, variables([["w", "new"]])))
        assert told.kinds(1) == [chunks.DETACH]
        os.kill(client.pid, number)
        eventually(lambda: not pending(client.pid))
        link.sendall(chunks.frame_exit_status(0))
        assert client.wait() == 128 + number
    assert client.modes() == before


def test_a_client_that_is_asked_to_stop_in_the_middle_of_a_switch_stops_and_switches_then(
    place: Place, silent: socket.socket
) -> None:
    client = place.attach("x-{w}")
    before = client.first_modes
    with asked(silent) as link:
        link.sendall(PASSED)
        told = Told(link)
        told.kinds(2)
        tell_vars(silent, [["w", ""]])
        link.sendall(chunks.frame(chunks.MAYBE_SWITCH, variables([["w", "new"]])))
        assert told.kinds(1) == [chunks.DETACH]
        os.kill(client.pid, signal.SIGTSTP)
        eventually(lambda: not pending(client.pid))
        link.sendall(chunks.frame_exit_status(0))
        eventually(lambda: is_stopped(client.pid))
        assert client.modes() == before
    os.kill(client.pid, signal.SIGCONT)
    # What is true by now counts, not what it was told before.
    with asked(silent, [["w", "newest"]], name=b"x-newest") as link:
        link.sendall(pack({"status": {"UnexpectedError": "enough"}}))
        assert client.wait() == 1


def pending(pid: int) -> bool:
    """Whether a signal waits for the process; it has noted those that do not."""
    text = Path(f"/proc/{pid}/status").read_text()
    return any(int(mask, 16) for mask in re.findall(r"^(?:Shd|Sig)Pnd:\s+(\w+)", text, re.M))


# ---- clients that are killed


def test_a_client_that_is_killed_before_it_can_say_that_its_terminal_is_raw(
    shpool: Place,
) -> None:
    shpool.raw_session("one", "cat")
    master, slave = pty.openpty()
    before = termios.tcgetattr(slave)
    peer = shpool.peer()
    peer.send(pack(attach_header("one")), [slave])
    assert peer.message()["terminal_passed"] is True
    modes = fcntl.ioctl(slave, termios.TCGETS, bytes(256))
    peer.send(chunks.frame(chunks.MODES, modes))
    tty.setraw(slave, termios.TCSANOW)
    assert termios.tcgetattr(slave) != before
    peer.close()
    eventually(lambda: termios.tcgetattr(slave) == before)
    eventually(lambda: not shpool.daemon_has(os.ttyname(slave)))
    assert select.select([master], [], [], 0) == ([], [], [])
    os.close(slave)
    os.close(master)


def test_nothing_is_shown_until_the_terminal_is_raw(shpool: Place) -> None:
    shpool.raw_session("one", "sh -c 'stty -echo; echo hello; cat'")
    master, slave = pty.openpty()
    os.set_blocking(master, False)
    peer = shpool.peer()
    peer.send(pack(attach_header("one")), [slave])
    assert peer.message()["terminal_passed"] is True
    shpool.request({"SessionMessage": {"session_name": "one", "payload": {"Resize": RESIZE}}})
    assert select.select([master], [], [], 0.2) == ([], [], [])
    tty.setraw(slave, termios.TCSANOW)
    peer.send(chunks.frame(chunks.BACK, b""))
    shown = b""
    while b"hello" not in shown:
        select.select([master], [], [], DEADLINE)
        shown += os.read(master, 1000)
    os.close(slave)
    os.close(master)


RESIZE = {"tty_size": {"rows": 30, "cols": 90, "xpixel": 0, "ypixel": 0}}


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP])
def test_a_client_that_ends_at_any_moment_leaves_no_raw_terminal(
    shpool: Place, number: int
) -> None:
    for turn in range(12):
        client = shpool.attach("one")
        before = client.first_modes
        if turn % 3:
            eventually(client.is_raw)
        time.sleep(random.uniform(0, 0.06))  # the moment
        os.kill(client.pid, number)
        client.wait()
        eventually(lambda: client.modes() == before)  # noqa: B023
        client.close()
