"""shpool stop: the daemon is ended, but not behind its sessions' backs; and none is started."""

import errno
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from shpool.client import running
from shpool.client.connect import ClientError
from shpool.paths import Paths
from tests.e2e.harness import CHECKOUT, Place, eventually


def test_without_a_daemon_it_says_so_and_starts_none(place: Place) -> None:
    for words in (["stop"], ["stop", "--yes"], ["-d", "stop"]):
        assert place.run(*words) == (1, "", "no daemon is running\n")
    assert not place.runtime.exists()


def test_a_daemon_without_sessions_is_ended(shpool: Place) -> None:
    assert shpool.run("stop") == (0, "", "")
    assert shpool.daemon is not None
    assert shpool.daemon.poll() == 0, "it returns when the daemon has ended"
    shpool.daemon = None


def test_sessions_are_not_ended_unasked(shpool: Place) -> None:
    shpool.raw_session("one")
    assert shpool.run("stop") == (1, "", "1 session is alive; --yes ends it\n")
    shpool.raw_session("two")
    assert shpool.run("stop", stdin=b"y\n") == (1, "", "2 sessions are alive; --yes ends them\n")
    assert set(shpool.statuses()) == {"one", "two"}
    assert shpool.run("stop", "--yes") == (0, "", "")
    assert shpool.daemon is not None
    assert shpool.daemon.poll() == 0
    shpool.daemon = None


@pytest.mark.parametrize(
    ("answer", "ends"), [("y\n", True), ("YES\n", True), ("\n", False), ("no\n", False)]
)
def test_on_a_terminal_it_asks(shpool: Place, answer: str, ends: bool) -> None:
    shpool.raw_session("one")
    client = shpool.terminal("stop")
    client.expect(r"1 session is alive; end it\? \[y/N\] ")
    client.send(answer)
    assert client.wait() == (0 if ends else 1)
    assert shpool.daemon is not None
    assert (shpool.daemon.poll() == 0) == ends
    if ends:
        shpool.daemon = None


def test_the_end_of_what_is_typed_is_no_yes(shpool: Place) -> None:
    shpool.raw_session("one")
    shpool.raw_session("two")
    client = shpool.terminal("stop")
    client.expect(r"2 sessions are alive; end them\? \[y/N\] ")
    client.send("\x04")
    assert client.wait() == 1
    assert set(shpool.statuses()) == {"one", "two"}


def test_a_daemon_that_has_lost_its_socket_is_found(shpool: Place) -> None:
    shpool.socket.unlink()
    assert shpool.run("stop") == (0, "", "")
    assert shpool.daemon is not None
    assert shpool.daemon.wait() == 0
    shpool.daemon = None


def test_the_next_command_after_it_has_a_daemon_of_its_own(place: Place) -> None:
    assert place.run("attach", "-b", "-c", "sleep 1000", "one").status == 0
    first = place.autodaemon()
    assert place.run("stop", "--yes") == (0, "", "")
    assert first not in place.processes()
    assert place.run("list") == (0, "NAME\tSTATUS\n", "")
    assert place.end_autodaemon() != first


def test_a_daemon_that_is_stuck_is_said_to_be(shpool: Place) -> None:
    os.kill(shpool.daemon_pid, signal.SIGSTOP)
    try:
        code = (
            "import sys; from shpool.client import stop; stop._PATIENCE = 0.1;"
            "from shpool.cli import main; sys.exit(main(['stop', '--yes']))"
        )
        done = subprocess.run(
            [sys.executable, "-c", code], env=shpool.env, capture_output=True, check=False
        )
        assert done.returncode == 1
        assert done.stderr.decode() == (
            f"shpool: the daemon (pid {shpool.daemon_pid}) was told to end, and has not yet\n"
        )
    finally:
        os.kill(shpool.daemon_pid, signal.SIGCONT)
    eventually(lambda: shpool.daemon is not None and shpool.daemon.poll() == 0, "it ends")
    shpool.daemon = None


def test_a_daemon_that_does_not_answer_is_named_and_waited_for(shpool: Place) -> None:
    shpool.raw_session("one")
    os.kill(shpool.daemon_pid, signal.SIGSTOP)
    pid = shpool.daemon_pid
    said = f"shpool: the daemon (pid {pid}) does not answer (it is stopped: kill -CONT {pid})"
    try:
        asking = [shpool.popen(*words) for words in (["list"], ["peek", "one"], ["stop"])]
        attaching = shpool.attach("one")
        interrupted = shpool.terminal("kill", "one")
        for each in asking:
            assert each.stderr is not None
            assert each.stderr.readline() == f"{said}\n".encode()
        for terminal in (attaching, interrupted):
            terminal.expect(re.escape(f"{said}\r\n"))
        interrupted.send("\x03")
        assert interrupted.wait() == 130
    finally:
        os.kill(pid, signal.SIGCONT)
    assert [each.wait() for each in asking[:2]] == [0, 0]
    eventually(lambda: shpool.statuses() == {"one": "Attached"}, "it is attached")


def test_whoever_listens_and_is_no_daemon_is_not_killed(place: Place) -> None:
    """As systemd does, which listens at sockets for daemons that it starts."""
    place.runtime.mkdir(0o700)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        sock.bind(str(place.socket))
        sock.listen()
        assert place.run("stop", "--yes") == (
            1,
            "",
            f"shpool: cannot tell which process is the daemon at {place.socket};"
            " one of systemd's is ended by systemctl --user stop shpool\n",
        )
    place.socket.unlink()


def test_a_socket_that_was_passed_to_a_daemon_leads_to_the_daemon(place: Place) -> None:
    place.runtime.mkdir(0o700)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        sock.bind(str(place.socket))
        sock.listen()
        fd = sock.fileno()

        def pass_it() -> None:
            os.dup2(fd, 3)

        place.launch(env={"LISTEN_FDS": "1"}, preexec=pass_it, pass_fds=(3,))
        place.logged("STARTING DAEMON")
        assert place.run("stop") == (0, "", "")
        assert place.daemon is not None
        assert place.daemon.poll() == 0
        place.daemon = None
    place.socket.unlink()


def test_a_daemon_inside_another_program_is_ended_too(place: Place) -> None:
    code = (
        "import os; from shpool.daemon.server import run; from shpool.paths import Paths;"
        "run(Paths(os.environ), [], os.environ, None)"
    )
    with open(place.log, "ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", code], env=place.env, cwd=CHECKOUT, stderr=log
        )
    eventually(place.answers, "the daemon answers")
    assert place.run("stop") == (0, "", "")
    assert process.poll() == 0


def test_a_system_that_does_not_tell_who_listens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def untold(sock: socket.socket) -> "tuple[int, int]":
        raise OSError(errno.EOPNOTSUPP, "Operation not supported")

    monkeypatch.setattr("shpool.peer.credentials", untold)
    near, far = socket.socketpair()
    with near, far, pytest.raises(ClientError, match=r"^cannot tell who listens at .*: Operation"):
        running.pid_of(near, Paths({"HOME": str(tmp_path)}))
