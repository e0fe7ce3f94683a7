"""A daemon that lives on without its sockets: after a logout, or when a cleaner was there."""

from __future__ import annotations

import fcntl
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.harness import CHECKOUT, DEADLINE, Place, eventually
from tests.e2e.waiting import LOOK
from tests.programs import as_root, need, no_namespace

Lose = Callable[[Place], None]


def logout(place: Place) -> None:
    shutil.rmtree(place.xdg_runtime)


def lose_directory(place: Place) -> None:
    shutil.rmtree(place.runtime)


def lose_socket(place: Place) -> None:
    place.socket.unlink()


def lose_sockets(place: Place) -> None:
    place.socket.unlink()
    place.events_socket.unlink()


def lose_listener(place: Place) -> None:
    """Something stands there at which nobody listens."""
    place.socket.unlink()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as stale:
        stale.bind(str(place.socket))


EVERYTHING = [logout, lose_directory, lose_socket, lose_sockets, lose_listener]


@pytest.fixture
def autodaemon(place: Place) -> Iterator[int]:
    """A daemon that a client has started, with a session in it; its pid."""
    assert place.run("attach", "-b", "main") == (0, "", "")
    yield place.autodaemon()
    place.end_autodaemon()


LISTED = (0, "NAME\tSTATUS\nmain\tdisconnected\n", "")


@pytest.mark.parametrize("lose", EVERYTHING)
def test_a_client_that_finds_no_socket_goes_on_in_the_old_session(
    place: Place, autodaemon: int, lose: Lose
) -> None:
    client = place.attach("main")
    client.ask("mark=kept")
    client.hang_up()
    client.wait()
    lose(place)
    client = place.attach("main")
    assert client.ask("echo $mark") == "kept\n"
    assert place.autodaemon() == autodaemon
    assert place.run("list").out == "NAME\tSTATUS\nmain\tattached\n"
    assert client.ask("test -d $SHPOOL_SESSION_DIR && echo there") == "there\n"
    assert [place.xdg_runtime.stat().st_mode & 0o777, place.runtime.stat().st_mode & 0o777] == [
        *(0o700, 0o700)
    ]
    place.expect_events(place.subscribe())


@pytest.mark.parametrize("lose", [logout, lose_directory])
def test_what_a_shell_reads_of_its_session_is_there_again(
    place: Place, autodaemon: int, lose: Lose
) -> None:
    agent = str(place.scratch / "agent")
    last = {"SSH_AUTH_SOCK": agent, "DISPLAY": ":9"}
    assert place.run("attach", "-b", "main", env=last) == (0, "", "")
    directory = place.runtime / "sessions/main"
    before = (directory / "forward.env").read_text()
    assert "DISPLAY=:9\n" in before
    lose(place)
    assert place.run("list") == LISTED
    assert (directory / "forward.env").read_text() == before
    assert os.readlink(directory / "ssh-auth-sock.socket") == agent
    assert directory.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    ("words", "outcome"),
    [
        (["list"], LISTED),
        (["-D", "list"], LISTED),
        (["attach", "-b", "main"], (0, "", "")),
        (["detach", "main"], (1, "", "not attached: main\n")),
        (["kill", "main"], (0, "", "")),
        (["var", "list"], (0, "", "")),
        (["set-log-level", "info"], (0, "", "")),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_every_command_finds_the_daemon(
    place: Place, autodaemon: int, words: list[str], outcome: tuple[int, str, str]
) -> None:
    logout(place)
    assert place.run(*words) == outcome
    assert place.autodaemon() == autodaemon


def test_a_shell_finds_its_clients_variables_and_agent_as_before(shpool: Place) -> None:
    agent = {"SSH_AUTH_SOCK": str(shpool.scratch / "agent"), "DISPLAY": ":7"}
    assert shpool.run("attach", "-b", "main", env=agent).status == 0
    directory = shpool.runtime / "sessions" / "main"
    before = (directory / "forward.env").read_text()
    assert "DISPLAY=:7" in before
    logout(shpool)
    assert shpool.run("list") == LISTED
    assert (directory / "forward.env").read_text() == before
    assert os.readlink(directory / "ssh-auth-sock.socket") == agent["SSH_AUTH_SOCK"]


@pytest.mark.parametrize("lose", [logout, lambda place: place.events_socket.unlink()])
def test_events_are_followed_again(place: Place, autodaemon: int, lose: Lose) -> None:
    lose(place)
    client = place.popen("events")

    def heard() -> bool:
        # Not by its connections: one of them only looks whether anybody listens again.
        place.run("attach", "-b", "main")
        return bool(select.select([client.stdout or 0], [], [], LOOK)[0])

    eventually(heard, "it follows")
    assert place.autodaemon() == autodaemon


def test_those_who_are_connected_notice_nothing(place: Place, autodaemon: int) -> None:
    client = place.attach("main")
    client.ask("true")
    events = place.subscribe()
    logout(place)
    assert place.run("list").status == 0
    assert client.ask("echo still") == "still\n"
    place.expect_events(events)


def test_an_attached_client_tells_its_size_all_the_same(place: Place, autodaemon: int) -> None:
    client = place.attach("main")
    client.ask("true")
    logout(place)
    client.resize(30, 90)
    eventually(lambda: client.ask("stty size") == "30 90\n", "the session has the new size")
    assert place.autodaemon() == autodaemon


def test_several_clients_at_once_bring_one_daemon_back(place: Place, autodaemon: int) -> None:
    logout(place)
    clients = [place.popen("list") for _ in range(5)]
    for client in clients:
        out, err = client.communicate(timeout=DEADLINE)
        assert (client.returncode, out.decode(), err.decode()) == LISTED
    assert place.autodaemon() == autodaemon


def test_a_daemon_in_the_foreground_is_found_by_its_environment(shpool: Place) -> None:
    shpool.raw_session("main")
    logout(shpool)
    assert shpool.run("list") == LISTED
    shpool.logged("a signal says to bind anew")
    assert shpool.run("list") == LISTED


def test_a_daemon_with_a_relative_path_is_found_by_its_directory(place: Place) -> None:
    daemon = place.popen("-s", "own.socket", "daemon", cwd=place.scratch)
    path = place.scratch / "own.socket"
    eventually(path.is_socket)
    assert place.run("-D", "-s", str(path), "list").status == 0
    path.unlink()
    assert place.run("-D", "-s", str(path), "list") == (0, "NAME\tSTATUS\n", "")
    daemon.terminate()
    assert daemon.wait() == 0


def test_a_signal_makes_it_bind_anew_without_any_client(shpool: Place) -> None:
    lose_sockets(shpool)
    os.kill(shpool.daemon_pid, signal.SIGUSR1)
    eventually(shpool.answers)
    shpool.expect_events(shpool.subscribe())


def test_a_signal_changes_nothing_where_nothing_is_gone(shpool: Place) -> None:
    before = [path.lstat().st_ino for path in (shpool.socket, shpool.events_socket)]
    client = shpool.attach("one")
    client.ask("true")
    os.kill(shpool.daemon_pid, signal.SIGUSR1)
    shpool.logged("a signal says to bind anew")
    assert client.ask("echo still") == "still\n"
    assert [path.lstat().st_ino for path in (shpool.socket, shpool.events_socket)] == before


# ---- whom to ask


def test_a_daemon_of_another_path_is_not_asked(place: Place, autodaemon: int) -> None:
    other = place.scratch / "other.socket"
    lose_socket(place)
    assert place.run("-s", str(other), "list") == (0, "NAME\tSTATUS\n", "")
    assert "bind anew" not in place.log_text()
    other.unlink()
    assert place.run("list") == LISTED
    assert "bind anew" in place.log_text()
    assert "bind anew" not in (place.scratch / "daemonized-shpool.log").read_text()
    assert place.run("-s", str(other), "list") == (0, "NAME\tSTATUS\n", "")
    place.end_autodaemon(place.scratch)


# Catches the signal, as a daemon of ours does, and lets it be known; unless it is to die of it.
LOOKALIKE = """
import os, signal, sys, time
if {catches}:
    signal.signal(signal.SIGUSR1, lambda *_: open({report!r}, "w").close())
else:
    signal.signal(signal.SIGUSR1, signal.SIG_DFL)
open({ready!r}, "w").close()
while True:
    time.sleep(1000)
"""


class Lookalike:
    """A process of which one could think that it is a daemon."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._report = place.scratch / "signalled"
        self.program = place.scratch / "shpool" / "__main__.py"
        self.program.parent.mkdir(exist_ok=True)

    @contextmanager
    def runs(self, *words: str, catches: bool = True, user: int | None = None) -> Iterator[int]:
        """Its pid.  `words` follow the interpreter; PROGRAM there is its path, TEXT what it is."""
        ready = self._place.scratch / "ready"
        text = LOOKALIKE.format(catches=catches, report=str(self._report), ready=str(ready))
        self.program.write_text(text)
        if user is not None:
            self._place.root.chmod(0o755)
            self._place.scratch.chmod(0o777)
        python = sys.executable if user is None else need("/usr/bin/python3")
        given = {"PROGRAM": str(self.program), "TEXT": text}
        process = subprocess.Popen(
            [python, *(given.get(word, word) for word in words)],
            env=self._place.env,
            cwd="/",
            user=user,
        )
        try:
            eventually(ready.exists, "it runs")
            yield process.pid
            assert process.poll() is None, "it lives on"
        finally:
            process.kill()
            process.wait()
            ready.unlink()

    @property
    def signalled(self) -> bool:
        return self._report.exists()


@pytest.mark.parametrize(
    "words",
    [["list"], ["attach", "-b", "main"], ["-D", "kill", "main"], ["events"]],
    ids=" ".join,
)
def test_one_that_cannot_bind_anew_is_said_and_left_alone(place: Place, words: list[str]) -> None:
    lookalike = Lookalike(place)
    with lookalike.runs(
        "-I", "-S", "PROGRAM", "-v", "--socket", str(place.socket), "daemon", catches=False
    ) as pid:
        assert place.run(*words) == (
            1,
            "",
            f"shpool: a daemon (pid {pid}) lost its socket and cannot bind anew; "
            "its sessions live on\n",
        )
        assert [found for found in place.processes() if found != pid] == []


@pytest.mark.parametrize(
    "words",
    [
        ["-c", "TEXT", "--socket", "SOCKET", "daemon"],
        ["PROGRAM", "--socket", "SOCKET", "attach", "daemon"],
        ["PROGRAM", "--socket", "SOCKET-2", "daemon"],
        ["PROGRAM", "--socket", "SOCKET", "--unheard-of", "daemon"],
    ],
)
def test_what_only_looks_like_a_daemon_is_not_one(place: Place, words: list[str]) -> None:
    lookalike = Lookalike(place)
    words = [word.replace("SOCKET", str(place.socket)) for word in words]
    with lookalike.runs(*words):
        assert place.run("-D", "list") == (1, "", "could not connect to daemon\n")
        assert place.run("list") == (0, "NAME\tSTATUS\n", "")
        assert not lookalike.signalled
        place.end_autodaemon()


@as_root
def test_a_process_of_another_user_is_not_trusted(place: Place) -> None:
    lookalike = Lookalike(place)
    with lookalike.runs("PROGRAM", "--socket", str(place.socket), "daemon", user=65_534):
        assert place.run("-D", "list") == (1, "", "could not connect to daemon\n")
        assert not lookalike.signalled


def test_a_daemon_of_another_file_system_is_not_asked(place: Place) -> None:
    """In a container the same path is another place."""
    before = place.wrapper
    mount = 'mount -t tmpfs none "$0" && exec "$@"'
    place.wrapper = [need("unshare"), "--mount", "sh", "-c", mount, str(place.xdg_runtime)]
    if subprocess.run([*place.wrapper, "true"], check=False).returncode:
        no_namespace()
    daemon = place.launch()
    place.wrapper = before
    place.logged("STARTING DAEMON")
    assert place.run("-D", "list") == (1, "", "could not connect to daemon\n")
    assert "bind anew" not in place.log_text()
    daemon.terminate()
    assert daemon.wait() == 0


CURE = "has it bind anew (an older one, or the original, would die of it)"


@pytest.fixture
def no_proc(place: Place) -> Path:
    """Commands see no /proc, as on macOS; the path of what is ps to them, which is not there."""
    folder = place.scratch / "bin"
    folder.mkdir()
    place.env["PATH"] = str(folder)
    mount = '/usr/bin/mount -t tmpfs none /proc && exec "$@"'
    place.wrapper = [need("unshare"), "--mount", "/bin/sh", "-c", mount, "sh"]
    if subprocess.run([*place.wrapper, "/bin/true"], check=False).returncode:
        pytest.skip("a mount namespace is not to be had")
    return folder / "ps"


def test_without_proc_and_ps_it_is_said_that_one_may_be_running(
    place: Place, no_proc: Path
) -> None:
    """Unless a daemon, which holds a lock, would have left its directory behind, and that tells."""
    warning = (
        f"shpool: warn: no daemon answers at {place.socket}; one may be running all the same, "
        f"without its socket: kill -USR1 PID {CURE}\n"
    )
    nobody = "could not connect to daemon\n"
    assert place.run("-D", "list") == (1, "", warning + nobody)
    place.runtime.mkdir(0o700)
    assert place.run("-D", "list") == (1, "", nobody)
    with open(place.runtime / "daemon.lock", "w") as lock:
        assert place.run("-D", "list") == (1, "", nobody)
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert place.run("-D", "list") == (1, "", warning + nobody)
    shutil.rmtree(place.runtime)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("python3 -I -S /x/shpool/__main__.py --socket SOCKET daemon", True),
        ("/usr/bin/python3 -m shpool daemon", True),
        ("shpool --socket SOCKET-2 daemon", False),
        ("vim shpool daemon", False),
    ],
)
def test_without_proc_it_is_ps_that_tells(
    place: Place, no_proc: Path, words: str, said: bool
) -> None:
    line = words.replace("SOCKET", str(place.socket))
    no_proc.write_text(f"#!/bin/sh\necho '  17 sh'\necho ' 4711 {line}'\n")
    no_proc.chmod(0o755)
    warning = (
        f"shpool: warn: a daemon (pid 4711) may be running without its socket {place.socket}: "
        f"kill -USR1 4711 {CURE}\n"
    )
    done = place.run("-D", "list")
    assert done == (1, "", warning * said + "could not connect to daemon\n")


def test_a_stopped_daemon_is_said_to_be_stopped(place: Place, autodaemon: int) -> None:
    os.kill(autodaemon, signal.SIGSTOP)
    eventually(lambda: "State:\tT" in Path(f"/proc/{autodaemon}/status").read_text())
    lose_socket(place)
    assert place.run("list") == (
        1,
        "",
        f"shpool: a daemon (pid {autodaemon}) lost its socket and cannot bind anew; "
        f"its sessions live on (it is stopped: kill -CONT {autodaemon})\n",
    )
    os.kill(autodaemon, signal.SIGCONT)
    assert place.run("list") == LISTED


# ---- what stands there by now


@as_root
@pytest.mark.parametrize("plant", [Path.touch, Path.mkdir, os.mkfifo])
def test_what_stands_in_the_way_of_the_sockets_is_named(
    place: Place, autodaemon: int, plant: Callable[[Path], None]
) -> None:
    """And is not waited for: nobody of this user can take it away."""
    for path, verdict in (
        (
            place.events_socket,
            "the daemon (pid {}) cannot bind {}; its sessions are served all the same",
        ),
        (
            place.socket,
            "a daemon (pid {}) lost its socket and cannot bind anew; its sessions live on",
        ),
    ):
        path.unlink()
        plant(path)
        said = f"shpool: {verdict.format(autodaemon, path)}"
        assert place.run("events") == (1, "", f"{said} ({path} is no socket)\n")
        os.chown(path, 65_534, -1)
        assert place.run("events") == (1, "", f"{said} ({path} belongs to uid 65534)\n")
    for path in (place.events_socket, place.socket):
        path.rmdir() if path.is_dir() else path.unlink()
    assert place.run("list") == LISTED


def test_somebody_else_who_answers_by_now_is_left_alone(shpool: Place) -> None:
    lose_socket(shpool)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as other:
        other.bind(str(shpool.socket))
        other.listen()
        os.kill(shpool.daemon_pid, signal.SIGUSR1)
        shpool.logged(f"WARN  another daemon is at {shpool.socket} by now, and is left alone")
        theirs = shpool.socket.lstat().st_ino
        assert shpool.stop() == 0
        assert shpool.socket.lstat().st_ino == theirs
    shpool.socket.unlink()


def test_a_socket_that_was_passed_is_kept_until_its_path_is_gone(place: Place) -> None:
    place.runtime.mkdir(0o700)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as passed:
        passed.bind(str(place.socket))
        passed.listen()
        fd = passed.fileno()

        def move() -> None:
            os.dup2(fd, 3)

        place.start(env={"LISTEN_FDS": "1"}, pass_fds=[3, fd], preexec=None if fd == 3 else move)
    place.raw_session("main")
    before = place.socket.lstat().st_ino
    os.kill(place.daemon_pid, signal.SIGUSR1)
    place.logged("a signal says to bind anew")
    assert place.run("list") == LISTED
    assert place.socket.lstat().st_ino == before
    logout(place)
    assert place.run("list") == LISTED


# ---- as systemd and logind do it, with users of their own


class Account:
    """Another user, who runs a copy of the program that everybody can read."""

    def __init__(self, place: Place, uid: int) -> None:
        self._place = place
        self.uid = uid
        top = place.scratch / "accounts"
        self.run_user = top / "run"  # root's, as /run/user is
        self.runtime = self.run_user / str(uid)
        home = top / "home"
        shutil.copytree(
            CHECKOUT / "shpool", top / "shpool", ignore=shutil.ignore_patterns("__pycache__")
        )
        self.run_user.mkdir()
        home.mkdir()
        os.chown(home, uid, uid)
        for directory in (place.root, place.scratch, top, self.run_user):
            directory.chmod(0o755)
        self._command = [need("/usr/bin/python3"), "-IS", str(top / "shpool" / "__main__.py")]
        self.env = {
            "PATH": place.env["PATH"],
            "HOME": str(home),
            "XDG_RUNTIME_DIR": str(self.runtime),
            "SHELL": "/bin/sh",
        }
        self.log_in()

    def log_in(self) -> None:
        self.runtime.mkdir(0o700)
        os.chown(self.runtime, self.uid, self.uid)

    def log_out(self) -> None:
        shutil.rmtree(self.runtime)

    def run(self, *words: str) -> tuple[int, str, str]:
        done = subprocess.run(
            [*self._command, *words],
            env=self.env,
            cwd="/",
            capture_output=True,
            text=True,
            user=self.uid,
            group=self.uid,
            extra_groups=[],
            timeout=DEADLINE,
            check=False,
        )
        return done.returncode, done.stdout, done.stderr

    def daemon(self) -> int:
        return int((self.runtime / "shpool" / "daemonized-shpool.pid").read_text())


@as_root
def test_two_users_log_out_and_in_and_each_is_back_in_the_old_session(place: Place) -> None:
    ada = Account(place, 65_533)
    assert ada.run("attach", "-b", "-c", "sleep 1000", "main") == (0, "", "")
    pid = ada.daemon()
    ada.log_out()
    done = ada.run("list")
    assert done == (
        1,
        "",
        f"shpool: a daemon (pid {pid}) lost its socket and cannot bind anew; its sessions live on "
        f"({ada.runtime} is gone, and {ada.run_user} is not ours to make it in)\n",
    )
    # Somebody else with the same environment, as after `sudo -E`, neither asks nor takes anything.
    root = subprocess.run(
        place.command("-D", "list"), env={**place.env, **ada.env}, capture_output=True, check=False
    )
    assert (root.returncode, root.stderr) == (1, b"could not connect to daemon\n")
    ada.log_in()
    assert ada.run("list") == LISTED
    assert ada.daemon() == pid
    assert ada.run("kill", "main") == (0, "", "")
    os.kill(pid, signal.SIGTERM)
    eventually(lambda: pid not in place.processes(), "the daemon ends")
