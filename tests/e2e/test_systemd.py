"""Started by systemd: the socket it passes, and the units it is told to do so by."""

import os
import socket
import subprocess
from collections.abc import Iterator

import pytest

from tests.e2e.harness import CHECKOUT, Place, eventually
from tests.programs import need

UNITS = CHECKOUT / "systemd"


@pytest.fixture
def activated(place: Place) -> Iterator[Place]:
    """systemd's own program listens for a daemon that is not there yet."""
    program = need("systemd-socket-activate")
    place.runtime.mkdir(0o700)
    names = [f"--setenv={name}" for name in ("PYTHONPATH", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME")]
    with open(place.log, "ab") as log:
        place.daemon = subprocess.Popen(
            [program, "-l", str(place.socket), *names, *place.command("daemon")],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=place.env,
            cwd="/",
            umask=0o177,
        )
    eventually(place.socket.exists, "systemd listens")
    yield place
    if place.daemon is not None:
        place.stop()
    place.socket.unlink(missing_ok=True)


def test_a_first_request_starts_the_daemon_on_the_socket_that_is_there(activated: Place) -> None:
    before = activated.socket.stat().st_ino
    assert activated.run("list") == (0, "NAME\tSTATUS\n", "")
    activated.logged("using systemd activation socket")
    client = activated.attach("one")
    assert client.ask("echo in") == "in\n"
    # Nothing of the activation is left for shells, nor the descriptor.
    assert client.ask("env | grep ^LISTEN; ls -l /proc/$$/fd | grep -c socket") == "0\n"
    events = activated.subscribe()
    activated.expect_events(events)
    assert activated.socket.stat().st_ino == before
    assert not (activated.runtime / "daemonized-shpool.pid").exists()


def test_the_socket_that_was_passed_stays_when_the_daemon_ends(activated: Place) -> None:
    assert activated.run("list").status == 0
    assert activated.stop() == 0
    assert activated.socket.exists()
    assert not activated.events_socket.exists()


def test_nothing_is_started_only_to_be_ended(activated: Place) -> None:
    assert activated.run("stop", "--yes") == (1, "", "no daemon is running\n")
    assert "STARTING DAEMON" not in activated.log_text()
    assert activated.run("list").status == 0
    assert activated.run("stop", "--yes") == (0, "", "")
    assert activated.daemon is not None
    assert activated.daemon.wait() == 0
    activated.daemon = None


def test_several_first_requests_are_all_served(activated: Place) -> None:
    clients = [activated.popen("attach", "-b", f"s{n}") for n in range(3)]
    for client in clients:
        assert client.wait() == 0
    assert sorted(activated.statuses()) == [f"s{n}" for n in range(3)]


# ---- a descriptor that was passed, or not


def _listening(place: Place) -> socket.socket:
    place.runtime.mkdir(0o700)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.bind(str(place.socket))
    sock.listen()
    return sock


def test_a_socket_from_systemd_is_used_and_not_unlinked(place: Place) -> None:
    with _listening(place) as sock:
        start_with_fd_3(place, sock.fileno(), {"LISTEN_FDS": "1"})
        place.logged("using systemd activation socket")
        place.fence()
        assert place.run("list").out == "NAME\tSTATUS\n"
        assert place.stop() == 0
        assert place.socket.exists()
        assert not place.events_socket.exists()
    place.socket.unlink()


def test_events_are_known_to_be_the_daemons_although_the_socket_is_systemds(place: Place) -> None:
    with _listening(place) as sock:
        start_with_fd_3(place, sock.fileno(), {"LISTEN_FDS": "1"})
        follower = place.popen("events")
        place.until_subscribed(1)
        place.fence()
        assert follower.stdout is not None
        assert follower.stdout.readline() == b'{"type":"session.created"}\n'
        assert place.stop() == 0
        assert follower.wait() == 0
    place.socket.unlink()


def test_a_socket_for_another_process_is_left_alone(place: Place) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        start_with_fd_3(place, sock.fileno(), {"LISTEN_FDS": "1", "LISTEN_PID": "1"})
        place.fence()
        assert "systemd" not in place.log_text()


@pytest.mark.parametrize("count", ["0", "2", "x", ""])
def test_another_number_of_sockets_is_as_none(place: Place, count: str) -> None:
    place.start(env={"LISTEN_FDS": count})
    place.fence()
    assert "systemd" not in place.log_text()


def test_a_descriptor_3_that_is_no_socket_is_as_none(place: Place) -> None:
    with open("/dev/null") as null:
        start_with_fd_3(place, null.fileno(), {"LISTEN_FDS": "1"})
    place.fence()
    assert "systemd" not in place.log_text()


def start_with_fd_3(place: Place, fd: int, env: dict[str, str]) -> None:
    def move() -> None:
        os.dup2(fd, 3)

    # Popen closes what it does not pass before it calls `move`, so 3 has to be passed as well.
    place.start(env=env, pass_fds=[3, fd], preexec=None if fd == 3 else move)


# ---- units


def test_the_units_are_what_systemd_accepts(place: Place) -> None:
    program = need("systemd-analyze")
    done = subprocess.run(
        [program, "verify", "--user", UNITS / "shpool.service", UNITS / "shpool.socket"],
        env={**place.env, "HOME": str(place.home)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_the_units_name_the_socket_that_clients_use() -> None:
    text = (UNITS / "shpool.socket").read_text()
    assert "ListenStream=%t/shpool/shpool.socket\n" in text  # %t: XDG_RUNTIME_DIR
    assert "SocketMode=0600\n" in text
    assert "DirectoryMode=0700\n" in text
