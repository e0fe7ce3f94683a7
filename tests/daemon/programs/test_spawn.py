"""Processes on ptys: real ones where it is about those, and errors where they are rare."""

from __future__ import annotations

import errno
import gc
import os
import resource
import signal
import sys
from collections.abc import Iterator
from typing import NoReturn

import pytest

from shpool.daemon.loop.reactor import Reactor
from shpool.daemon.programs import process, spawn
from shpool.daemon.programs.spawn import Spawner, SpawnError
from tests.daemon.programs.started import Owner, Started
from tests.daemon.turning import do_soon, turn, turn_until


@pytest.fixture
def descriptors() -> Iterator[None]:
    """At the end as many are open as before."""
    gc.collect()  # what tests before this one left open
    before = len(os.listdir("/proc/self/fd"))
    yield
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_program_runs_on_a_terminal_of_that_size_with_that_environment(started: Started) -> None:
    started.sh("stty size; echo $A; umask; pwd; tty; ps -o tpgid= -o pgid= -p $$")
    started.wait("started", 0)
    size, variable, umask, where, terminal, groups = started.owner.read().split(b"\r\n")[:6]
    assert (size, variable, umask, where) == (b"31 97", b"b", b"0027", b"/")
    assert terminal.startswith(b"/dev/")
    assert len(set(groups.split())) == 1  # in front on a terminal of its own


@pytest.mark.parametrize(
    ("script", "status"),
    [("exit 0", 0), ("exit 7", 7), ("kill -9 $$", 137), ("kill -15 $$", 143)],
)
def test_the_end_is_told_with_the_status(started: Started, script: str, status: int) -> None:
    child = started.sh(script)
    started.wait("started", status)
    assert child.status == status
    child.signal_group(signal.SIGKILL)  # into nothing


def test_signals_are_the_programs_own_whatever_ours_are(started: Started) -> None:
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        started.sh("trap; kill -TERM $$; echo alive")
        started.wait("started", 143)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert started.owner.read() == b""


@pytest.mark.parametrize(
    ("argv", "directory", "reason"),
    [
        (("/nowhere/sh",), "/", "cannot run '/nowhere/sh': No such file or directory"),
        (("no-such-program",), "/", "cannot run 'no-such-program': No such file or directory"),
        (("/etc/passwd",), "/", "cannot run '/etc/passwd': Permission denied"),
        (("sh",), "/nowhere", "cannot use the directory '/nowhere': No such file or directory"),
        (("sh", "a\0b"), "/", "cannot run 'sh': embedded null byte"),
    ],
)
def test_a_program_that_cannot_be_run_is_told_of_in_words(
    started: Started, argv: tuple[str, ...], directory: str, reason: str
) -> None:
    child = started.start(*argv, directory=directory)
    started.wait(reason)
    turn_until(started.reactor, lambda: child.status is not None)
    assert started.owner.heard == [reason]  # whose end interests nobody


def test_none_of_the_daemons_descriptors_is_the_programs(started: Started) -> None:
    near, far = os.pipe()
    os.set_inheritable(far, True)
    started.sh("cd /proc/$$/fd && echo *")
    started.wait("started", 0)
    assert started.owner.read().split()[:3] == [b"0", b"1", b"2"]
    assert len(started.owner.read().split()) <= 4  # with that of the directory
    assert far > 4
    os.close(near)
    os.close(far)


def test_the_limit_of_files_is_the_one_from_before(reactor: Reactor) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    started = Started(reactor)
    started.spawner = Spawner(reactor, 0o022, (123, hard))
    started.sh("ulimit -n")
    started.wait("started", 0)
    assert started.owner.read() == b"123\r\n"
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == (soft, hard)
    started.close()


def test_what_is_typed_outlives_a_program_whose_slave_is_kept(started: Started) -> None:
    started.start("true", keep_slave=True)
    started.wait("started", 0)
    ends = started.owner.ends
    assert ends is not None
    assert ends.slave >= 0
    os.write(ends.master, b"typed ahead\n")
    assert os.read(ends.slave, 100) == b"typed ahead\n"


def test_who_is_asked_and_has_ended_is_told_of_in_order(started: Started) -> None:
    """The end can be noticed before it was noticed that the program runs."""
    child = started.sh("exit 3")
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    started.spawner.reap()
    assert started.owner.heard == []
    turn_until(started.reactor, lambda: len(started.owner.heard) == 2)
    assert started.owner.heard == ["started", 3]


def test_who_does_not_want_to_know_any_more_leaves_no_pty(
    started: Started, descriptors: None
) -> None:
    child = started.sh("read x")
    child.owner = None
    turn_until(started.reactor, lambda: child.status is not None)
    assert started.owner.heard == []


@pytest.mark.usefixtures("descriptors")
@pytest.mark.parametrize("number", [errno.EAGAIN, errno.ENOMEM])
def test_where_no_process_can_be_made_nothing_is_left(
    started: Started, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, ())

    def refuse() -> int:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fork", refuse)
        with pytest.raises(SpawnError, match=f"cannot fork: {os.strerror(number)}"):
            started.sh("true")
    assert started.spawner.children == {}
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == mask
    started.sh("true")
    started.wait("started", 0)
    started.close()


@pytest.mark.usefixtures("descriptors")
@pytest.mark.parametrize(
    ("what", "reason"),
    [
        ("os.openpty", "cannot open a pty: "),
        ("termios.tcsetattr", "cannot set the pty up: "),
        ("os.pipe", "cannot start a process: "),
    ],
)
def test_where_nothing_can_be_opened_nothing_is_left(
    started: Started, monkeypatch: pytest.MonkeyPatch, what: str, reason: str
) -> None:
    def refuse(*arguments: object) -> None:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    with monkeypatch.context() as patch:
        patch.setattr(what, refuse)
        with pytest.raises(SpawnError, match=f"^{reason}Too many open files$"):
            started.sh("true")
    assert started.spawner.children == {}


def test_a_process_that_cannot_be_watched_is_ended(
    started: Started, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(started.reactor, "on_readable", refuse)
        with pytest.raises(SpawnError, match="cannot watch a process: No space left"):
            started.sh("sleep 1000")
    (child,) = started.spawner.children.values()
    turn_until(started.reactor, lambda: child.status in (129, 137))  # hung up on, and killed
    assert started.owner.heard == []


def test_an_error_in_telling_is_the_owners(
    started: Started, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who is told of the end all the same, in whichever order it came."""
    monkeypatch.setattr(Owner, "started", lambda owner, ends: 1 / 0)
    for early in (True, False):
        del started.owner.heard[:]
        child = started.sh("exit 3")
        if early:
            os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
            started.spawner.reap()
        turn_until(started.reactor, lambda: len(started.owner.heard) == 2)
        assert started.owner.heard == ["broken", 3]


def test_who_signals_is_told_whether_that_could_be(
    started: Started, monkeypatch: pytest.MonkeyPatch
) -> None:
    child = started.sh("read x")
    turn_until(started.reactor, lambda: started.owner.ends is not None)

    def refuse(pid: int, number: int) -> None:
        raise PermissionError

    for function in ("killpg", "kill"):  # another one of its group could be signalled
        with monkeypatch.context() as patch:
            patch.setattr(os, function, refuse)
            assert not child.signal_group(signal.SIGURG)
    assert child.signal_group(signal.SIGKILL)
    started.wait("started", 137)
    assert child.signal_group(signal.SIGKILL)


def test_the_daemons_end_waits_a_moment_and_then_kills(
    started: Started, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spawn, "KILL_AFTER", 0.05)
    child = started.sh("trap '' HUP; echo ready; while :; do sleep 1; done")
    turn_until(
        started.reactor, lambda: started.owner.ends is not None and b"ready" in started.owner.read()
    )
    child.signal_group(signal.SIGHUP)
    started.spawner.end()
    turn_until(started.reactor, lambda: child.status == 137)


def test_the_daemons_end_does_not_wait_for_who_has_gone(started: Started) -> None:
    started.sh("exit 0")
    started.spawner.end()
    assert started.spawner.children == {}


# ---- who is being started


def test_who_waits_for_nothing_to_be_started_is_told_when_the_last_one_runs(
    started: Started,
) -> None:
    told: list[str] = []
    started.sh("sleep 1000")
    started.spawner.when_none_starts(lambda: told.append("none"))
    assert len(started.spawner.starting) == 1
    assert told == []
    started.wait("started")
    turn_until(started.reactor, lambda: told == ["none"])
    assert started.spawner.starting == []
    started.spawner.when_none_starts(lambda: told.append("none"))
    turn_until(started.reactor, lambda: told == ["none", "none"])


def test_who_does_not_wait_any_more_is_not_told(started: Started) -> None:
    told: list[str] = []
    started.spawner.when_none_starts(lambda: told.append("none"))
    started.spawner.when_none_starts(None)
    started.sh("sleep 1000")
    started.spawner.when_none_starts(lambda: told.append("none"))
    started.spawner.when_none_starts(None)
    started.wait("started")
    turn(started.reactor)
    assert told == []


def test_one_that_begins_to_start_meanwhile_is_waited_for_too(started: Started) -> None:
    told: list[str] = []
    started.spawner.when_none_starts(lambda: told.append("none"))
    started.sh("sleep 1000")
    do_soon(started.reactor)
    assert told == []
    started.wait("started")
    turn_until(started.reactor, lambda: told == ["none"])


# ---- a process without a pty


def test_a_forked_process_leads_a_group_from_the_first(started: Started) -> None:
    def become() -> NoReturn:
        signal.pause()
        os._exit(0)

    pid = started.spawner.fork(become)
    assert os.getpgid(pid) == pid
    child = process.Process(pid)
    started.spawner.children[pid] = child
    assert child.signal_group(signal.SIGKILL)
    turn_until(started.reactor, lambda: child.status == 137)


def test_a_process_that_returns_from_what_it_is_made_to_do_ends(started: Started) -> None:
    child = process.Process(started.spawner.fork(lambda: None))  # type: ignore[arg-type,return-value]
    started.spawner.children[child.pid] = child
    turn_until(started.reactor, lambda: child.status == 127)


def test_no_signal_is_left_out() -> None:
    assert set(process.ALL_SIGNALS) == {int(number) for number in signal.valid_signals()}
    assert sys.platform != "linux" or signal.SIGRTMAX in process.ALL_SIGNALS
