from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from shpool.daemon.sessions.events import Events
from shpool.daemon.sessions.hooks import Hooks
from shpool.daemon.sessions.table import SessionTable
from tests.daemon.conftest import LogLines

if TYPE_CHECKING:
    from shpool.daemon.clients.client import AttachedClient
    from shpool.daemon.sessions.session import Session


class Witness(Hooks):
    """What was published and which hooks were called, each with the table as it was then."""

    def __init__(self) -> None:
        self.table: SessionTable
        self.seen: list[str] = []

    def publish(self, kind: str) -> None:
        state = " ".join(
            f"{name}:{len(session.clients)}" for name, session in self.table.sessions.items()
        )
        self.seen.append(f"{kind.removeprefix('session.')} [{state}]")

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
def witness() -> Witness:
    return Witness()


@pytest.fixture
def table(witness: Witness) -> SessionTable:
    witness.table = SessionTable(cast("Events", witness), witness)
    return witness.table


def session(name: str) -> "Session":
    return cast(
        "Session",
        SimpleNamespace(
            name=name,
            pid=4242,
            clients=[],
            started_at_ms=0,
            last_connected_at_ms=0,
            last_disconnected_at_ms=None,
        ),
    )


def client(pid: int = 77) -> "AttachedClient":
    return cast("AttachedClient", SimpleNamespace(pid=pid))


def test_each_verb_publishes_its_event_after_its_change(
    table: SessionTable, witness: Witness
) -> None:
    one, ada = session("one"), client()
    table.create(one)
    table.attach(one, ada)
    table.detach(one, ada)
    table.remove(one)
    assert witness.seen == [
        "created [one:0]",
        "hook new one",
        "attached [one:1]",
        "detached [one:0]",
        "hook client gone one",
        "removed []",
        "hook shell gone one",
    ]


def test_sessions_stand_in_order_of_creation(table: SessionTable) -> None:
    for name in ("b", "c", "a"):
        table.create(session(name))
    table.remove(table.sessions["c"])
    table.create(session("c"))
    assert list(table.sessions) == ["b", "a", "c"]


def test_a_client_is_detached_once(table: SessionTable, witness: Witness) -> None:
    one, ada, stranger = session("one"), client(), client()
    table.create(one)
    table.attach(one, ada)
    del witness.seen[:]
    table.detach(one, ada)
    table.detach(one, ada)
    table.detach(one, stranger)
    assert witness.seen == ["detached [one:0]", "hook client gone one"]


def test_clients_of_a_session_that_ends_are_let_go_without_a_detached(
    table: SessionTable, witness: Witness
) -> None:
    one, ada = session("one"), client()
    table.create(one)
    table.attach(one, ada)
    del witness.seen[:]
    assert table.remove(one) == [ada]
    table.detach(one, ada)
    assert witness.seen == ["removed []", "hook shell gone one"]
    assert one.last_disconnected_at_ms is None


def test_a_session_is_removed_once_and_not_in_place_of_its_successor(
    table: SessionTable, witness: Witness
) -> None:
    old, new = session("one"), session("one")
    table.create(old)
    table.remove(old)
    table.create(new)
    del witness.seen[:]
    assert table.remove(old) == []
    assert table.sessions == {"one": new}
    assert table.remove(session("never there")) == []
    assert witness.seen == []


def test_what_changes_nothing_publishes_nothing(table: SessionTable, witness: Witness) -> None:
    one = session("one")
    table.create(one)
    before = vars(one).copy()
    del witness.seen[:]
    table.busy(one)
    table.reattached(one)
    assert witness.seen == ["hook busy one", "hook reattach one"]
    assert vars(one) == before


def test_times_are_stamped_when_what_they_tell_of_happens(
    table: SessionTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter([1.0015, 2.0, 3.0, 4.0])
    monkeypatch.setattr("shpool.daemon.sessions.table.time", lambda: next(clock))
    one, ada = session("one"), client()

    def times() -> "tuple[int, int, int | None]":
        return one.started_at_ms, one.last_connected_at_ms, one.last_disconnected_at_ms

    table.create(one)
    assert times() == (1001, 1001, None)
    table.attach(one, ada)
    assert times() == (1001, 2000, None)
    table.detach(one, ada)
    assert times() == (1001, 2000, 3000)
    table.attach(one, ada)
    assert times() == (1001, 4000, 3000)


def test_a_hook_that_raises_is_logged_and_changes_nothing(
    table: SessionTable, witness: Witness, monkeypatch: pytest.MonkeyPatch, log: LogLines
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
    one, ada = session("one"), client()
    table.create(one)
    table.attach(one, ada)
    table.reattached(one)
    table.busy(one)
    table.detach(one, ada)
    table.attach(one, ada)
    assert table.remove(one) == [ada]
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
