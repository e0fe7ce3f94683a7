from __future__ import annotations

import pytest

from shpool.daemon.sessions.events import Events
from shpool.daemon.sessions.hooks import Hooks
from shpool.daemon.sessions.session import DOOMED, Session
from shpool.daemon.sessions.table import SessionTable, TableUser
from tests.daemon.conftest import LogLines
from tests.daemon.fakes import FakeLoop, Visitor, make_session


class Witness(Hooks, Events, TableUser):
    """What was published and which hooks were called, each with the table as it was then."""

    def __init__(self, loop: FakeLoop) -> None:
        super().__init__(loop)
        self.table: SessionTable
        self.seen: list[str] = []
        self.changes: list[tuple[str, str | None]] = []

    def publish(self, kind: str) -> None:
        state = " ".join(f"{each.name}:{len(each.clients)}" for each in self.table.listed())
        self.seen.append(f"{kind.removeprefix('session.')} [{state}]")

    def sessions_changed(self) -> None:
        self.changes += self.table.take_changes()

    def on_new_session(self, name: str) -> None:
        self.seen.append(f"hook new {name}")

    def on_reattach(self, name: str) -> None:
        self.seen.append(f"hook reattach {name}")

    def on_busy(self, name: str) -> None:
        self.seen.append(f"hook busy {name}")

    def on_client_disconnect(self, name: str) -> None:
        self.seen.append(f"hook client gone {name}")

    def on_shell_disconnect(self, name: str) -> None:
        self.seen.append(f"hook shell gone {name}")


@pytest.fixture
def witness(loop: FakeLoop) -> Witness:
    return Witness(loop)


@pytest.fixture
def table(witness: Witness, loop: FakeLoop) -> SessionTable:
    witness.table = SessionTable(loop, witness, witness)
    witness.table.user = witness
    return witness.table


@pytest.fixture
def sessions(loop: FakeLoop, table: SessionTable) -> Sessions:
    return Sessions(loop, table)


class Sessions:
    """Sessions whose shells are said to run and to end, where there are none."""

    def __init__(self, loop: FakeLoop, table: SessionTable) -> None:
        self.loop = loop
        self.table = table

    def entered(self, name: str) -> Session:
        session = make_session(self.loop, self.table, name)
        self.table.enter(session)
        return session

    def running(self, name: str) -> Session:
        session = self.entered(name)
        session.state.become("running")
        self.table.session_running(session)
        return session


def test_each_verb_publishes_its_event_after_its_change(
    table: SessionTable, sessions: Sessions, witness: Witness
) -> None:
    one, ada = sessions.running("one"), Visitor()
    table.attach(one, ada)
    one.detach(ada)
    one.exited(0)
    assert witness.seen == [
        "created [one:0]",
        "hook new one",
        "attached [one:1]",
        "detached [one:0]",
        "hook client gone one",
        "removed []",
        "hook shell gone one",
    ]


def test_sessions_stand_in_order_of_creation(table: SessionTable, sessions: Sessions) -> None:
    waiting = sessions.entered("w")
    for name in ("b", "c", "a"):
        sessions.running(name)
    gone = table.get("c")
    assert gone is not None
    gone.exited(0)
    sessions.running("c")
    assert [each.name for each in table.listed()] == ["b", "a", "c"]
    waiting.state.become("running")
    table.session_running(waiting)
    assert [each.name for each in table.listed()] == ["b", "a", "c", "w"]


def test_a_session_that_is_being_started_is_known_and_not_listed(
    table: SessionTable, sessions: Sessions, witness: Witness
) -> None:
    one = sessions.entered("one")
    assert table.get("one") is one
    assert (table.listed(), table.all()) == ([], [one])
    assert witness.seen == []


def test_who_waits_is_told_when_the_loop_has_the_stack_back(
    table: SessionTable, sessions: Sessions, witness: Witness, loop: FakeLoop
) -> None:
    one, two = sessions.running("one"), sessions.entered("two")
    assert witness.changes == []
    loop.settle()
    assert witness.changes == [("one", None)]
    two.failed("no such shell")
    one.exited(0)
    loop.settle()
    assert witness.changes == [("one", None), ("two", "no such shell"), ("one", None)]
    assert table.all() == []
    assert witness.seen == ["created [one:0]", "hook new one", "removed []", "hook shell gone one"]


def test_a_client_is_detached_once(
    table: SessionTable, sessions: Sessions, witness: Witness
) -> None:
    one, ada, stranger = sessions.running("one"), Visitor(), Visitor()
    table.attach(one, ada)
    del witness.seen[:]
    one.detach(ada)
    one.detach(ada)
    one.detach(stranger)
    assert witness.seen == ["detached [one:0]", "hook client gone one"]


def test_clients_of_a_session_that_ends_are_let_go_without_a_detached(
    table: SessionTable, sessions: Sessions, witness: Witness
) -> None:
    one, ada = sessions.running("one"), Visitor()
    table.attach(one, ada)
    del witness.seen[:]
    one.exited(3)
    assert ada.heard == ["shell ended", ("leave", 3)]
    one.detach(ada)
    assert witness.seen == ["removed []", "hook shell gone one"]
    assert one.last_disconnected_at_ms is None


def test_a_session_is_removed_once_and_not_in_place_of_its_successor(
    table: SessionTable, sessions: Sessions, witness: Witness
) -> None:
    old = sessions.running("one")
    table.session_ended(old)
    new = sessions.running("one")
    del witness.seen[:]
    table.session_ended(old)
    table.session_failed(old, "too late")
    assert table.listed() == [new]
    assert witness.seen == []


def test_what_changes_nothing_publishes_nothing(
    table: SessionTable, sessions: Sessions, witness: Witness
) -> None:
    one = sessions.running("one")
    before = vars(one).copy()
    del witness.seen[:]
    table.busy(one)
    table.reattached(one)
    assert witness.seen == ["hook busy one", "hook reattach one"]
    assert vars(one) == before


def test_a_session_that_is_to_be_killed_is_still_listed(
    table: SessionTable, sessions: Sessions
) -> None:
    one = sessions.running("one")
    one.kill()
    assert one.state.now == DOOMED
    assert table.listed() == [one]


def test_times_are_stamped_when_what_they_tell_of_happens(
    table: SessionTable, sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter([1.0015, 2.0, 3.0, 4.0])
    monkeypatch.setattr("shpool.daemon.sessions.table.time", lambda: next(clock))
    one, ada = sessions.running("one"), Visitor()

    def times() -> tuple[int, int, int | None]:
        return one.started_at_ms, one.last_connected_at_ms, one.last_disconnected_at_ms

    assert times() == (1001, 1001, None)
    table.attach(one, ada)
    assert times() == (1001, 2000, None)
    one.detach(ada)
    assert times() == (1001, 2000, 3000)
    table.attach(one, ada)
    assert times() == (1001, 4000, 3000)


def test_a_hook_that_raises_is_logged_and_changes_nothing(
    table: SessionTable,
    sessions: Sessions,
    witness: Witness,
    monkeypatch: pytest.MonkeyPatch,
    log: LogLines,
) -> None:
    def fail(name: str) -> None:
        raise RuntimeError(f"no {name}")

    for hook in (
        "on_new_session",
        "on_reattach",
        "on_busy",
        "on_client_disconnect",
        "on_shell_disconnect",
    ):
        monkeypatch.setattr(witness, hook, fail)
    one, ada = sessions.running("one"), Visitor()
    table.attach(one, ada)
    table.reattached(one)
    table.busy(one)
    one.detach(ada)
    table.attach(one, ada)
    one.exited(0)
    assert [line.split()[0] for line in witness.seen] == [
        *("created", "attached", "detached", "attached", "removed")
    ]
    assert [line for line in log.read() if line.startswith("ERROR")] == [
        "ERROR hook on_new_session: RuntimeError: no one",
        "ERROR hook on_reattach: RuntimeError: no one",
        "ERROR hook on_busy: RuntimeError: no one",
        "ERROR hook on_client_disconnect: RuntimeError: no one",
        "ERROR hook on_shell_disconnect: RuntimeError: no one",
    ]


def test_hooks_do_nothing_unless_they_are_given() -> None:
    hooks = Hooks()
    for name in vars(Hooks):
        if name.startswith("on_"):
            assert getattr(hooks, name)("one") is None
