"""What a daemon logs, or answers, where a system does not do what it should."""

from __future__ import annotations

import errno
import fcntl
import os
import pty
import re
import socket
from pathlib import Path

import pytest

from shpool import peer
from shpool.config import Config
from shpool.daemon import places
from shpool.daemon.clients import connection
from shpool.daemon.clients.passed_terminal import PassedTerminal, Refused
from shpool.daemon.loop import listener
from shpool.daemon.loop import peer as processes
from shpool.daemon.loop.reactor import Reactor
from shpool.daemon.places import Places
from shpool.daemon.private import LockFile, PlaceError, open_private
from shpool.daemon.programs import directory, pty_ends, shells, spawn
from shpool.daemon.programs import pty as program_pty
from shpool.daemon.programs.command import CannotCreate, prepare
from shpool.daemon.programs.directory import SessionDir, remove_leftovers
from shpool.daemon.programs.environment import FORWARD_ENV_FILE
from shpool.daemon.programs.program import Program
from shpool.daemon.sessions.session import SessionKeeper
from shpool.daemon.sessions.variables import TooManyVariables, Variables
from shpool.paths import Paths
from shpool.protocol.attaching import AttachHeader
from shpool.protocol.chunks import MAX_PAYLOAD
from shpool.protocol.msgpack import pack
from shpool.protocol.requests import TtySize
from tests.daemon.conftest import LogLines
from tests.daemon.fakes import make_session
from tests.daemon.turning import turn_until

SIZE = TtySize(24, 80)


def fail(*arguments: object, **more: object) -> None:
    raise OSError(errno.EIO, "Input/output error")


def test_nobody_knows_who_connected(log: LogLines, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peer, "credentials", fail)
    near, far = socket.socketpair()
    with near, far:
        assert connection._credentials(near) == (0, -1)
    assert log.read() == ["WARN cannot tell who connected: Input/output error"]


def test_a_socket_of_another_user_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = str(tmp_path / "socket")
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(path)
        uid = os.geteuid()
        monkeypatch.setattr(os, "geteuid", lambda: uid + 1)
        said = f"^cannot listen at {path}: it belongs to uid {uid}$"
        with pytest.raises(listener.Taken, match=said):
            listener.bind(path)


def test_a_file_with_a_second_name_is_not_ours(tmp_path: Path) -> None:
    (tmp_path / "one").touch(0o600)
    os.link(tmp_path / "one", tmp_path / "two")
    with pytest.raises(PlaceError, match=r"one is not a file of our own$"):
        open_private(str(tmp_path / "one"), os.O_RDWR)


def test_a_lock_that_cannot_be_had(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fcntl, "flock", fail)
    with pytest.raises(PlaceError, match=r"^cannot lock .*/lock: Input/output error$"):
        LockFile(str(tmp_path / "lock"), "x").take()


def test_a_lock_that_cannot_be_removed(
    tmp_path: Path, log: LogLines, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = LockFile(str(tmp_path / "lock"), "x")
    assert lock.take()
    monkeypatch.setattr(os, "unlink", fail)
    lock.unlink()
    lock.close()
    assert log.read() == [f"WARN cannot remove {tmp_path}/lock: Input/output error"]


def header(cmd: str | None) -> AttachHeader:
    return AttachHeader.from_wire({"name": "one", "local_tty_size": {}, "cmd": cmd})


def test_a_command_with_nul_cannot_be_run(tmp_path: Path) -> None:
    said = "^a command or directory cannot have a NUL byte in it$"
    with pytest.raises(CannotCreate, match=said):
        prepare(Config(), header("a\0b"), SessionDir(str(tmp_path), "one"))


def test_a_shell_that_nobody_knows_takes_no_start_command() -> None:
    with pytest.raises(
        shells.ShellStartError,
        match=r"^a start command does not work with /bin/odd: "
        r"it takes bash, zsh, fish or a POSIX shell such as dash or ksh$",
    ):
        shells.plan(
            "/bin/odd", session_dir="/", prompt_prefix="", start_cmd="true", norc=False, env={}
        )


def test_what_a_session_left_and_cannot_be_removed(
    tmp_path: Path, log: LogLines, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = SessionDir(str(tmp_path), "one")
    left.create()
    left.write(FORWARD_ENV_FILE, b"")
    monkeypatch.setattr(directory, "_unlink", fail)
    monkeypatch.setattr(os, "rmdir", fail)
    left.remove()
    said = log.read()
    assert "WARN cannot remove forward.env of a session: Input/output error" in said
    assert "WARN cannot remove the directory one of a session: Input/output error" in said
    monkeypatch.setattr(directory, "_opened", fail)
    left.remove()
    remove_leftovers(str(tmp_path))
    assert log.read()[len(said) :] == [
        f"WARN cannot remove {left.path}: Input/output error",
        f"WARN cannot clean up {tmp_path}/sessions: Input/output error",
    ]


def test_a_pty_that_cannot_be_set_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pty_ends, "set_size", fail)
    with pytest.raises(pty_ends.PtyError, match=r"^cannot set the pty up: Input/output error$"):
        pty_ends.PtyEnds(SIZE, echo=True)


def test_a_size_that_cannot_be_set(log: LogLines, monkeypatch: pytest.MonkeyPatch) -> None:
    ends = pty_ends.PtyEnds(SIZE, echo=True)
    monkeypatch.setattr(pty_ends, "set_size", fail)
    pty_of_it = program_pty.Pty.__new__(program_pty.Pty)
    pty_of_it._ends = ends
    pty_of_it._name = "session 'one'"
    pty_of_it.resize(SIZE)
    ends.close()
    assert log.read() == ["WARN session 'one': cannot set the size: Input/output error"]


def test_variables_that_are_too_large_together() -> None:
    said = f"^all variables together may not take more than {MAX_PAYLOAD} bytes$"
    with pytest.raises(TooManyVariables, match=said):
        Variables({}).change("a", "x" * MAX_PAYLOAD)


def test_a_terminal_that_is_left_to_its_client(monkeypatch: pytest.MonkeyPatch) -> None:
    master, slave = pty.openpty()
    # We are no session leader on it, so that nobody runs in its foreground.
    status = os.fstat(slave)
    device = (status.st_dev, status.st_rdev)
    monkeypatch.setattr(processes, "controlling_terminal", lambda pid: device)
    with pytest.raises(Refused, match=r"^it is the daemon's own$"):
        PassedTerminal(slave, os.getpid())
    monkeypatch.setattr(processes, "controlling_terminal", lambda pid: None)
    monkeypatch.setattr(PassedTerminal, "renew", lambda self: False)
    with pytest.raises(Refused, match=r"^its client does not run in the foreground$"):
        PassedTerminal(slave, os.getpid())
    monkeypatch.setattr(os.path, "samestat", lambda one, other: False)
    with pytest.raises(Refused, match=r"^another one was opened$"):
        PassedTerminal(slave, os.getpid())
    os.close(master)
    os.close(slave)


@pytest.mark.parametrize("what", ["start", "watch"])
def test_a_process_that_cannot_be_had(
    reactor: Reactor, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    spawner = spawn.Spawner(reactor, 0o022, None)
    if what == "start":
        monkeypatch.setattr(os, "pipe", fail)
    else:
        monkeypatch.setattr(reactor, "on_readable", fail)
    program = Program("/bin/true", ["true"], {}, "/")
    with pytest.raises(spawn.SpawnError) as caught:
        spawner.start(program, SIZE, spawn.ProgramOwner())
    assert (
        str(caught.value)
        == {
            "start": "cannot start a process: Input/output error",
            "watch": "cannot watch a process: Input/output error",
        }[what]
    )
    monkeypatch.undo()
    turn_until(reactor, lambda: not spawner.children)


def test_a_picture_with_an_error_in_it_is_done_without(reactor: Reactor, log: LogLines) -> None:
    session = make_session(reactor, SessionKeeper())
    session.picture.broken()
    turn_until(reactor, lambda: bool(log.read()))
    assert log.read() == ["ERROR session 'one': goes on in mode simple"]


def test_a_connection_of_another_user_is_refused_and_logged(
    reactor: Reactor, log: LogLines, monkeypatch: pytest.MonkeyPatch
) -> None:
    uid = os.geteuid() + 1
    monkeypatch.setattr(peer, "credentials", lambda sock: (7, uid))
    near, far = socket.socketpair()
    near.setblocking(False)
    connection.Connection(reactor, near, "0.1.0", connection.ConnectionUser())
    far.send(pack("List"))
    turn_until(reactor, lambda: bool(log.read()))
    assert log.read() == [f"WARN connection of pid 7: refused, its uid is {uid}"]
    far.close()


def test_a_reply_that_is_not_read_is_given_up(
    reactor: Reactor, log: LogLines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(peer, "credentials", lambda sock: (7, os.geteuid()))
    monkeypatch.setattr(connection, "_REPLY_TIMEOUT", 0.01)
    near, far = socket.socketpair()
    near.setblocking(False)
    made = connection.Connection(reactor, near, "0.1.0", connection.ConnectionUser())
    far.send(pack("List"))
    turn_until(reactor, lambda: made.alive)
    made.reply({"large": "x" * 10_000_000})
    turn_until(reactor, lambda: near.fileno() < 0)
    assert log.read() == ["WARN connection of pid 7: the reply is not read in 0 s; closed"]
    far.close()


def test_a_place_that_cannot_be_had_again(
    tmp_path: Path, log: LogLines, monkeypatch: pytest.MonkeyPatch
) -> None:
    warned: list[str] = []
    paths = Paths({"XDG_RUNTIME_DIR": str(tmp_path)})
    made = Places(paths, None, None, False, warned.append)
    made.occupy()
    with monkeypatch.context() as patch:
        patch.setattr(places, "take_within", lambda lock, seconds: False)
        said = rf"^another daemon has locked {re.escape(made._binding_lock().path)}$"
        with pytest.raises(PlaceError, match=said):
            made.bind()
        patch.setattr(LockFile, "take", lambda self: False)
        made.again()
        patch.setattr(made, "_log_file", str(tmp_path / "new"))
        made._take_files_again()
        patch.setattr(LockFile, "take", cannot)
        made._take_files_again()
        patch.setattr(places, "open_private", fail)
        made._open_log_again()
    made.leave()
    pid_file = paths.beside_socket("daemonized-shpool.pid")
    assert log.read() == [
        "WARN cannot bind anew: another daemon is just starting here",
        f"WARN {pid_file} is another daemon's by now, and is left alone",
        "WARN cannot bind anew: nothing can be opened",
        "WARN the log cannot be opened anew: [Errno 5] Input/output error",
    ]


def cannot(lock: LockFile) -> bool:
    raise PlaceError("nothing can be opened")
