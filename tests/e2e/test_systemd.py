"""Started by systemd, or by a client that may not, or must, start a daemon itself."""

import contextlib
import fcntl
import os
import signal
import stat
import subprocess
import time
from collections.abc import Iterator

import pytest

from tests.e2e.harness import CHECKOUT, Place, eventually
from tests.programs import need

UNITS = CHECKOUT / "systemd"


def daemon_of(place: Place) -> list[int]:
    return [pid for pid, words in place.processes().items() if words.rstrip().endswith(" daemon")]


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


def test_several_first_requests_are_all_served(activated: Place) -> None:
    clients = [activated.popen("attach", "-b", f"s{n}") for n in range(3)]
    for client in clients:
        assert client.wait() == 0
    assert sorted(activated.statuses()) == [f"s{n}" for n in range(3)]


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


# ---- nodaemonize and its timeout


def test_nodaemonize_makes_every_command_fail_without_a_daemon(place: Place) -> None:
    place.configure("nodaemonize = true")
    for words in (["list"], ["attach", "one"], ["kill", "one"], ["var", "list"], ["events"]):
        assert place.run(*words) == (1, "", "could not connect to daemon\n")
    assert daemon_of(place) == []


def test_the_option_to_daemonize_beats_the_configuration(place: Place) -> None:
    place.configure("nodaemonize = true")
    assert place.run("-d", "list") == (0, "NAME\tSTATUS\n", "")
    (pid,) = daemon_of(place)
    os.kill(pid, signal.SIGTERM)


def test_the_option_not_to_daemonize_is_enough(place: Place) -> None:
    assert place.run("-D", "list") == (1, "", "could not connect to daemon\n")
    assert place.run("--no-daemonize", "attach", "one").status == 1
    assert daemon_of(place) == []


@contextlib.contextmanager
def in_the_way(place: Place) -> Iterator[None]:
    """Somebody else's lock on the pid file, so that a daemon that is started waits, in vain."""
    place.runtime.mkdir(0o700)
    path = place.runtime / "daemonized-shpool.pid"
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
    path.unlink()


def test_a_daemon_whose_socket_never_comes_up_is_said_after_five_seconds(place: Place) -> None:
    with in_the_way(place):
        started = time.monotonic()
        assert place.run("list") == (
            1,
            "",
            "shpool: daemonizing: launched daemon, but control socket never came up\n",
        )
        assert time.monotonic() - started >= 5
        eventually(lambda: not daemon_of(place), "the daemon gives up too")


def test_without_the_timeout_a_client_waits_for_as_long_as_it_takes(place: Place) -> None:
    place.configure("nodaemonize_timeout = true")
    with in_the_way(place):
        client = place.popen("list")
        eventually(lambda: daemon_of(place), "a daemon was started")
        # The one it started gives up; only then does a daemon come up by other means.
        eventually(lambda: not daemon_of(place), "it gives up")
        assert client.poll() is None
        place.start()
        out, _ = client.communicate()
        assert (client.returncode, out) == (0, b"NAME\tSTATUS\n")


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o777])
def test_files_are_private_whatever_the_umask(place: Place, umask: int) -> None:
    process = subprocess.Popen(
        place.command("attach", "-b", "one"),
        env=place.env,
        umask=umask,
    )
    assert process.wait() == 0
    modes = {}
    for folder, folders, files in os.walk(place.runtime):
        for name in (*folders, *files):
            path = os.path.join(folder, name)
            modes[os.path.relpath(path, place.runtime)] = os.lstat(path).st_mode
    for name, mode in modes.items():
        wanted = 0o700 if stat.S_ISDIR(mode) else 0o600
        assert stat.S_ISLNK(mode) or stat.S_IMODE(mode) == wanted, name
    assert {"shpool.socket", "events.socket", "daemonized-shpool.log"} <= set(modes)
    (pid,) = daemon_of(place)
    os.kill(pid, signal.SIGTERM)
