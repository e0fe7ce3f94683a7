"""A pager between its program and the client that is shown it."""

from __future__ import annotations

import signal

import pytest

from shpool.daemon.clients.pager import Pager, PagerUser
from shpool.daemon.programs import pty_ends
from shpool.daemon.programs.program import Program
from shpool.daemon.programs.spawn import SpawnError
from shpool.protocol.requests import TtySize
from tests.daemon.conftest import LogLines
from tests.daemon.fakes import FakeChild, FakeLoop, FakePrograms, Visitor

LESS = Program("less", ["less", "motd"], {}, "/")


class Reader(PagerUser):
    """Notes what it hears."""

    def __init__(self) -> None:
        self.heard: list[object] = []

    def pager_output(self, data: bytes) -> None:
        self.heard.append(data)

    def front_full(self) -> None:
        self.heard.append("full")

    def front_drained(self) -> None:
        self.heard.append("drained")

    def pager_done(self, unread: bytes) -> None:
        self.heard.append(("done", unread))


class Shown:
    def __init__(self, loop: FakeLoop, programs: FakePrograms) -> None:
        self.loop = loop
        self.user = Reader()
        self.pager = Pager(loop, programs, LESS, TtySize(24, 80), self.user)

    @property
    def heard(self) -> list[object]:
        return self.user.heard


@pytest.fixture
def shown(loop: FakeLoop, programs: FakePrograms) -> Shown:
    return Shown(loop, programs)


@pytest.fixture
def less(shown: Shown, programs: FakePrograms) -> FakeChild:
    return programs.started[0]


def test_keys_wait_where_they_are_until_it_runs(shown: Shown, less: FakeChild) -> None:
    assert shown.pager.full_for(Visitor())
    shown.pager.take_input(Visitor(), b"nowhere to go")
    less.run()
    assert not shown.pager.full_for(Visitor())
    assert shown.heard == ["drained"]
    shown.pager.take_input(Visitor(), b"q")
    assert less.typed() == b"q"


def test_what_it_writes_is_shown_and_when_it_ends_the_session_is(
    shown: Shown, less: FakeChild
) -> None:
    less.run()
    less.write(b"today")
    less.far.send(b"last")
    less.end(0)
    assert shown.heard == ["drained", b"today", b"last", ("done", b"")]
    assert less.ends.master < 0
    shown.pager.take_input(Visitor(), b"q")
    shown.pager.resize(TtySize(9, 9))
    shown.pager.read(True)


def test_what_it_did_not_read_is_for_the_shell(shown: Shown, less: FakeChild) -> None:
    less.run()
    for _ in range(40):
        shown.pager.take_input(Visitor(), b"y" * 10_000)
    shown.loop.settle()
    assert shown.pager.full_for(Visitor())
    assert shown.heard == ["drained", "full"]
    read = less.typed()
    less.end(0)
    (done, unread) = shown.heard[-1] if isinstance(shown.heard[-1], tuple) else ("", b"")
    assert done == "done"
    assert len(read) + len(unread) == 400_000


def test_it_has_the_size_that_its_client_has_when_it_runs(
    shown: Shown, less: FakeChild, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[tuple[int, int]] = []
    monkeypatch.setattr(pty_ends, "set_size", lambda fd, size: sizes.append((size.rows, size.cols)))
    shown.pager.resize(TtySize(30, 90))
    assert sizes == []
    less.run()
    shown.pager.resize(TtySize(40, 100))
    assert sizes == [(30, 90), (40, 100)]


def test_it_is_not_read_while_its_client_can_take_no_more(shown: Shown, less: FakeChild) -> None:
    shown.pager.read(False)
    less.run()
    less.write(b"today")
    assert shown.heard == ["drained"]
    shown.pager.read(True)
    shown.loop.readable(less.ends.master)
    assert shown.heard == ["drained", b"today"]


@pytest.mark.parametrize("runs", [True, False])
def test_hung_up_on_it_ends_and_nobody_hears_of_it(
    shown: Shown, less: FakeChild, runs: bool
) -> None:
    if runs:
        less.run()
    before = list(shown.heard)
    shown.pager.hang_up()
    shown.pager.hang_up()
    assert less.signals == [signal.SIGHUP]
    less.end(129)
    assert shown.heard == before
    assert less.ends.master < 0
    assert shown.loop.deadlines() == []


def test_one_that_does_not_go_when_it_is_hung_up_on_is_killed(
    shown: Shown, less: FakeChild
) -> None:
    less.run()
    shown.pager.hang_up()
    shown.loop.pass_time(1)
    assert less.signals == [signal.SIGHUP, signal.SIGKILL]
    less.end(137)
    assert shown.loop.deadlines() == []


def test_one_that_cannot_be_run_is_as_good_as_left(
    shown: Shown, less: FakeChild, log: LogLines
) -> None:
    less.fail("cannot run 'less'")
    assert shown.heard == [("done", b"")]
    assert log.read() == ["WARN the message of the day is not shown: cannot run 'less'"]


def test_where_no_process_can_be_made_its_client_hears_so_later(
    loop: FakeLoop, programs: FakePrograms, log: LogLines
) -> None:
    programs.refuse = SpawnError("cannot fork: not allowed")
    shown = Shown(loop, programs)
    assert shown.heard == []
    loop.settle()
    assert shown.heard == [("done", b"")]
    assert log.read() == ["WARN the message of the day is not shown: cannot fork: not allowed"]


def test_one_that_dies_before_it_was_seen_to_run_is_told_of_in_order(
    shown: Shown, less: FakeChild
) -> None:
    less.end(1)
    assert shown.heard == ["drained", ("done", b"")]
