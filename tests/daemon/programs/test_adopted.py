"""Children of another process: of a daemon that this one took over from and that lives on."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator

import pytest

from shpool.daemon.programs import process
from tests.daemon.programs.started import Started
from tests.daemon.turning import do_soon, turn, turn_until


@pytest.fixture
def orphan() -> Iterator[int]:
    """A process whose parent is not this one, in a group of its own."""
    script = "setsid sh -c 'echo $$; exec sleep 1000 >/dev/null' &"
    done = subprocess.run(["sh", "-c", script], stdout=subprocess.PIPE, check=True, bufsize=0)
    pid = int(done.stdout)
    yield pid
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


@pytest.mark.parametrize("has_pidfd", [True, False])
def test_the_end_of_a_child_of_another_process_is_noticed_without_its_status(
    started: Started, orphan: int, has_pidfd: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "_LOOK", 0.05)
    pidfd = process.open_pidfd(orphan) if has_pidfd else -1
    child = started.sh("sleep 1000")
    started.wait("started")
    own = child.pid
    child.pid = orphan
    started.spawner.children = {orphan: child}
    started.spawner.adopt({orphan: pidfd})
    turn(started.reactor)
    assert child.status is None
    assert child.signal_group(signal.SIGHUP)
    turn_until(started.reactor, lambda: started.owner.heard == ["started", 1])
    assert (started.spawner.children, started.spawner.adopted) == ({}, {})
    os.kill(own, signal.SIGKILL)
    os.waitpid(own, 0)


def test_one_that_has_ended_by_then_has_no_descriptor_and_is_noticed_at_once(
    started: Started, orphan: int
) -> None:
    os.kill(orphan, signal.SIGKILL)
    turn_until(started.reactor, lambda: process.open_pidfd(orphan) == -1)
    child = process.Process(orphan)
    started.spawner.children[orphan] = child
    started.spawner.adopt({orphan: -1})
    do_soon(started.reactor)
    assert child.status == 1


def test_one_of_whose_end_is_learnt_already_is_not_taken_on_twice(
    started: Started, orphan: int
) -> None:
    """The program that was to follow has died once more."""
    child = process.Process(orphan)
    started.spawner.children[orphan] = child
    first, second, stranger = (process.open_pidfd(orphan) for _ in range(3))
    started.spawner.adopt({orphan: first})
    started.spawner.adopt({orphan: second, 4711: stranger})
    assert started.spawner.pidfds == {orphan: first}
    for fd in (second, stranger):
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(fd)
    os.kill(orphan, signal.SIGKILL)
    turn_until(started.reactor, lambda: child.status == 1)
    assert started.spawner.pidfds == {}


def test_a_daemon_that_ends_waits_for_those_too(started: Started, orphan: int) -> None:
    child = process.Process(orphan)
    started.spawner.children[orphan] = child
    started.spawner.adopt({orphan: process.open_pidfd(orphan)})
    child.signal_group(signal.SIGTERM)
    started.spawner.end()
    assert started.spawner.children == {}
