"""Another user's process where the daemon should be: it is told nothing, and handed nothing."""

import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from shpool.protocol.msgpack import pack
from tests.e2e.harness import DEADLINE, Place, eventually
from tests.programs import as_root

pytestmark = as_root

STRANGER = 65_534


class Stranger:
    """Listens at `path` as another user, greets as a daemon does, and notes what it hears."""

    def __init__(self, path: Path) -> None:
        self._heard, write = os.pipe()
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
            listener.bind(str(path))
            self._pid = os.fork()
            if self._pid == 0:
                try:
                    self._serve(listener, write)
                finally:
                    os._exit(0)
        os.close(write)
        eventually(lambda: f" {path}\n" in self._listening(), "the stranger listens")

    @staticmethod
    def _listening() -> str:
        # Field 4 of /proc/net/unix has __SO_ACCEPTCON, 0x10000, for who listens.
        rows = Path("/proc/net/unix").read_text().splitlines(keepends=True)
        return "".join(row for row in rows if " 00010000 " in row)

    @staticmethod
    def _serve(listener: socket.socket, heard: int) -> None:
        os.setuid(STRANGER)
        listener.listen()
        while True:
            sock, _ = listener.accept()
            with sock:
                sock.settimeout(DEADLINE)
                try:
                    sock.sendall(pack({"version": "0.4.2"}))
                    while True:
                        data, descriptors, _, _ = socket.recv_fds(sock, 65_536, 4)
                        os.write(heard, data + b"!" * len(descriptors))
                        if not data:
                            break
                except OSError:
                    pass

    def heard(self) -> bytes:
        """End it; all that it was told."""
        os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)
        with open(self._heard, "rb") as file:
            return file.read()


@contextmanager
def stranger(path: Path) -> Iterator[None]:
    """A stranger listens there meanwhile, and hears nothing."""
    path.parent.mkdir(mode=0o700, exist_ok=True)
    listener = Stranger(path)
    try:
        yield
    finally:
        heard = listener.heard()
        path.unlink()
    assert heard == b""


COMMANDS = [
    *(["list"], ["list", "--json"], ["detach"], ["detach", "one"], ["kill", "one"], ["events"]),
    *(["attach", "one"], ["attach", "-f", "one"], ["attach", "-b", "one"]),
    *(["var", "list"], ["var", "get", "x"], ["var", "set", "x", "y"], ["var", "unset", "x"]),
    *(["set-log-level", "trace"], ["-D", "list"], ["-d", "list"]),
]


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_no_command_speaks_to_a_daemon_of_another_user(place: Place, words: list[str]) -> None:
    with stranger(place.socket):
        done = place.run(*words)
        message = f"shpool: the daemon at {place.socket} belongs to uid {STRANGER}\n"
        assert done == (1, "", message)


def test_no_terminal_is_handed_to_a_daemon_of_another_user(place: Place) -> None:
    with stranger(place.socket):
        client = place.attach("one")
        before = client.first_modes
        client.expect(f"the daemon at {place.socket} belongs to uid {STRANGER}\r\n")
        assert client.wait() == 1
        assert client.modes() == before


def test_events_of_another_user_are_not_listened_to(shpool: Place) -> None:
    shpool.events_socket.unlink()
    with stranger(shpool.events_socket):
        message = f"shpool: the daemon at {shpool.events_socket} belongs to uid {STRANGER}\n"
        assert shpool.run("events") == (1, "", message)
