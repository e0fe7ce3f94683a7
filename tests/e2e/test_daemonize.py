"""A daemon that a client starts: when it is, what it is like, and clients that race for it."""

import contextlib
import fcntl
import os
import re
import signal
import socket
import stat
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.harness import DEADLINE, Place, eventually


def daemon_of(place: Place) -> list[int]:
    return [pid for pid, words in place.processes().items() if words.rstrip().endswith(" daemon")]


# ---- being started by a client


def test_a_command_starts_a_daemon_if_none_answers(place: Place) -> None:
    assert place.run("list") == (0, "NAME\tSTATUS\n", "")
    pid = place.autodaemon()
    assert place.run("list") == (0, "NAME\tSTATUS\n", "")
    assert place.end_autodaemon() == pid
    assert sorted(path.name for path in place.runtime.iterdir() if not path.is_dir()) == [
        "daemonized-shpool.log"
    ]


@pytest.mark.parametrize(
    "words",
    [
        ["attach", "-b", "one"],
        ["detach", "x"],
        ["kill", "x"],
        ["var", "list"],
        ["set-log-level", "info"],
    ],
    ids=" ".join,
)
def test_every_command_that_needs_one_starts_a_daemon(place: Place, words: list[str]) -> None:
    try:
        done = place.run(*words)
        assert "could not connect" not in done.err
        assert place.answers()
    finally:
        place.end_autodaemon()


def test_what_a_daemon_in_the_background_is_like(place: Place) -> None:
    done = place.run("attach", "-b", "-c", "sleep 1000", "one", cwd=place.scratch)
    assert done == (0, "", "")
    try:
        pid_file = place.runtime / "daemonized-shpool.pid"
        content = pid_file.read_text()
        assert re.fullmatch(r"[1-9][0-9]*\n", content)
        pid = int(content)
        # Locked, so that nobody else can take it to be stale.
        with open(pid_file) as file, pytest.raises(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        at = words.index(b"--socket")
        assert words[at + 1] == os.fsencode(place.socket)
        assert b"daemon" in words[at + 2 :]
        assert Path(f"/proc/{pid}/comm").read_text() == "shpool\n"
        (shell,) = place.pids("sleep 1000")
        assert Path(f"/proc/{shell}/comm").read_text() == "sleep\n"
        assert os.readlink(f"/proc/{pid}/cwd") == "/"
        for fd in range(3):
            assert os.readlink(f"/proc/{pid}/fd/{fd}") == "/dev/null"
        status = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        session, terminal = int(status[3]), int(status[4])
        assert terminal == 0
        assert session not in (os.getsid(0), pid), "in a session of its own, and not its leader"
        assert "STARTING DAEMON" in (place.runtime / "daemonized-shpool.log").read_text()
        os.kill(pid, signal.SIGHUP)
        place.fence()
    finally:
        place.end_autodaemon()


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_shells_of_a_daemon_in_the_background_have_the_umask_it_was_started_with(
    place: Place, umask: int
) -> None:
    started = subprocess.Popen(place.command("list"), env=place.env, umask=umask)
    assert started.wait() == 0
    try:
        client = place.attach("-c", "sh -c umask", "one")
        assert client.wait() == 0
        assert client.text() == f"{umask:04o}\n"
    finally:
        place.end_autodaemon()


def test_a_daemon_in_the_background_outlives_the_terminal_it_was_started_from(
    place: Place,
) -> None:
    terminal = place.program(["bash", "--norc", "-i"])
    terminal.ask(" ".join(place.command("list")))
    terminal.hang_up()
    try:
        terminal.wait()
        assert place.run("-D", "list") == (0, "NAME\tSTATUS\n", "")
    finally:
        place.end_autodaemon()


def test_attach_starts_a_daemon_and_the_terminal_is_the_sessions(place: Place) -> None:
    client = place.attach("one")
    assert client.ask("echo in $SHPOOL_SESSION_NAME") == "in one\n"
    client.send("exit 3\n")
    assert client.wait() == 3
    place.end_autodaemon()


def test_options_reach_the_daemon_that_is_started(place: Place) -> None:
    config = place.scratch / "own.toml"
    config.write_text('[[var_default]]\nvar = "w"\nvalue = "own"\n')
    try:
        done = place.run("-v", "-c", "own.toml", "var", "get", "w", cwd=place.scratch)
        assert done == (0, "own\n", "")
        place.fence()
        place.logged("DEBUG")
    finally:
        place.end_autodaemon()


def test_why_a_daemon_could_not_start_is_said(place: Place) -> None:
    place.runtime.mkdir(0o700)
    place.events_socket.write_text("in the way")
    reason = f"cannot listen at {place.events_socket}: it exists and is no socket"
    assert place.run("list") == (1, "", f"shpool: cannot start a daemon: {reason}\n")
    place.events_socket.unlink()
    assert list(place.runtime.iterdir()) == [], "nothing is left behind"


@pytest.mark.parametrize("count", [2, 10])
def test_clients_that_race_to_start_a_daemon_end_up_with_one_and_are_all_served(
    place: Place, count: int
) -> None:
    racing = [
        place.popen("attach", "-b", "-c", "sleep 1000", f"s{number}") for number in range(count)
    ]
    try:
        for process in racing:
            out, err = process.communicate(timeout=60)
            assert (process.returncode, out, err) == (0, b"", b"")
        assert place.run("-D", "list").out.count("disconnected") == count
        eventually(lambda: len(daemon_of(place)) == 1, "one daemon is left")
    finally:
        place.end_autodaemon()


# ---- a daemon in its last moment


@pytest.mark.parametrize(
    ("words", "outcome"),
    [
        (["list"], (0, b"NAME\tSTATUS\n", b"")),
        (["kill", "x"], (1, b"", b"not found: x\n")),
        (["detach", "x"], (1, b"", b"not found: x\n")),
        (["var", "set", "a", "b"], (0, b"", b"")),
        (["var", "get", "a"], (0, b"", b"")),
        (["set-log-level", "info"], (0, b"", b"")),
        (["attach", "-b", "-c", "sleep 1000", "one"], (0, b"", b"")),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_client_that_comes_while_the_daemon_ends_is_served_by_the_next_one(
    place: Place, words: list[str], outcome: tuple[int, bytes, bytes]
) -> None:
    before = _ending(place)
    client = place.popen(*words)
    _until_one_waits_to_be_accepted(place)
    os.kill(before, signal.SIGTERM)
    os.kill(before, signal.SIGCONT)
    out, err = client.communicate(timeout=DEADLINE)
    assert (client.returncode, out, err) == outcome
    assert place.end_autodaemon() != before


def test_events_end_with_the_daemon_found_or_are_those_of_the_next_one(place: Place) -> None:
    before = _ending(place)
    client = place.popen("events")
    _until_one_waits_to_be_accepted(place)
    os.kill(before, signal.SIGTERM)
    os.kill(before, signal.SIGCONT)
    eventually(lambda: before not in place.processes(), "the daemon ends")
    # Unless it came in time to be told of the end of the one that is ending.
    eventually(lambda: client.poll() is not None or place.answers(), "another answers")
    if client.poll() is None:
        place.until_subscribed(1)
        place.end_autodaemon()
    out, err = client.communicate(timeout=DEADLINE)
    assert (client.returncode, out, err) == (0, b"", b"")


def test_where_no_daemon_may_be_started_one_that_ends_is_as_none(place: Place) -> None:
    before = _ending(place)
    client = place.popen("-D", "list")
    _until_one_waits_to_be_accepted(place)
    os.kill(before, signal.SIGTERM)
    os.kill(before, signal.SIGCONT)
    out, err = client.communicate(timeout=DEADLINE)
    assert (client.returncode, out, err) == (1, b"", b"could not connect to daemon\n")


def _ending(place: Place) -> int:
    """A daemon, started by a client, that hears nothing for now; its pid."""
    assert place.run("list").status == 0
    pid = place.autodaemon()
    os.kill(pid, signal.SIGSTOP)
    return pid


def _until_one_waits_to_be_accepted(place: Place) -> None:
    """Until the kernel has a connection to the main socket that the daemon has not taken."""
    waiting = f" 02 .* {re.escape(str(place.socket))}$"

    def found() -> bool:
        table = Path("/proc/net/unix").read_text()
        return re.search(waiting, table, re.MULTILINE) is not None

    eventually(found, "a client connects")


# ---- nodaemonize and its timeout


def test_nodaemonize_makes_every_command_fail_without_a_daemon(place: Place) -> None:
    place.configure("nodaemonize = true")
    for words in (["list"], ["attach", "one"], ["kill", "one"], ["var", "list"], ["events"]):
        assert place.run(*words) == (1, "", "could not connect to daemon\n")
    assert daemon_of(place) == []


def test_the_option_to_daemonize_beats_the_configuration(place: Place) -> None:
    place.configure("nodaemonize = true")
    assert place.run("-d", "list") == (0, "NAME\tSTATUS\n", "")
    place.end_autodaemon()


def test_the_option_not_to_daemonize_is_enough(place: Place) -> None:
    assert place.run("-D", "list") == (1, "", "could not connect to daemon\n")
    assert place.run("--no-daemonize", "attach", "one").status == 1
    assert daemon_of(place) == []


@contextlib.contextmanager
def in_the_way(place: Place, content: str = "") -> Iterator[None]:
    """A daemon, or so it looks, that lives but does not answer; one that is started waits."""
    place.runtime.mkdir(0o700)
    path = place.runtime / "daemon.lock"
    with path.open("w") as file:
        file.write(content)
        file.flush()
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
    path.unlink(missing_ok=True)


def stopped_daemon(place: Place) -> int:
    """The pid of one that was started, which does nothing from now on."""
    (pid,) = eventually(lambda: daemon_of(place), "a daemon was started")
    os.kill(pid, signal.SIGSTOP)
    return pid


def test_a_daemon_whose_socket_never_comes_up_is_said_after_five_seconds(place: Place) -> None:
    with in_the_way(place):
        started = time.monotonic()
        client = place.popen("list")
        pid = stopped_daemon(place)
        assert client.communicate(timeout=DEADLINE)[1] == (
            b"shpool: daemonizing: launched daemon, but control socket never came up\n"
        )
        assert client.returncode == 1
        assert time.monotonic() - started >= 5
        os.kill(pid, signal.SIGCONT)
        eventually(lambda: not daemon_of(place), "the daemon gives up too")


def test_without_the_timeout_a_client_waits_for_as_long_as_it_takes(place: Place) -> None:
    place.configure("nodaemonize_timeout = true")
    with in_the_way(place):
        started = time.monotonic()
        client = place.popen("list")
        pid = stopped_daemon(place)
        eventually(lambda: time.monotonic() - started > 5.5, "more than the timeout passes")
        assert client.poll() is None
    os.kill(pid, signal.SIGCONT)
    out, _ = client.communicate(timeout=DEADLINE)
    assert (client.returncode, out) == (0, b"NAME\tSTATUS\n")
    place.end_autodaemon()


def test_a_daemon_that_lives_but_does_not_answer_is_said(place: Place) -> None:
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    with in_the_way(place, f"4711 here {boot}\n"):
        lock = place.runtime / "daemon.lock"
        reason = (
            f"a daemon (pid 4711) has locked {lock} but does not answer at {place.socket}; "
            "kill -USR1 4711 may help it"
        )
        assert place.run("list") == (1, "", f"shpool: cannot start a daemon: {reason}\n")


def test_a_daemon_of_another_host_is_said_at_once(place: Place) -> None:
    with in_the_way(place, "4711 elsewhere another-boot-of-another-kernel\n"):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as theirs:
            theirs.bind(str(place.socket))  # of which this host knows no listener
        started = time.monotonic()
        done = place.run("list")
        assert time.monotonic() - started < 4, "it did not wait for the other one"
        assert (done.status, done.out) == (1, "")
        assert done.err == (
            "shpool: cannot start a daemon: a daemon on host elsewhere (pid 4711) uses "
            f"{place.runtime}, and can only be reached from there; with XDG_RUNTIME_DIR set to a "
            "directory of this host there can be one here\n"
        )
        assert place.socket.exists()
    place.socket.unlink()


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
    place.end_autodaemon()
