"""Peek requests at the core: what is answered, in which parts, and to whom it matters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from shpool.config import Config
from shpool.config_values import RestoreMode
from shpool.protocol.outside import PeekRequest
from shpool.protocol.screens import PeekHead, Rows
from tests.daemon.core import Caller, Core
from tests.daemon.fakes import inject


@pytest.fixture
def person(core: Core) -> Caller:
    """Who is attached to session one."""
    return core.attached("one")


def answer(caller: Caller) -> tuple[PeekHead, list[str], int | None]:
    """Head, rows, and the status that ends it."""
    head = PeekHead.from_wire(caller.message())
    data, status = caller.output()
    rows = Rows()
    rows.feed(data)
    return head, rows.texts, status


def ask(core: Core, **fields: Any) -> Caller:
    caller = core.call()
    caller.ask(PeekRequest("one", **fields))
    return caller


def test_the_screen_is_sent_when_all_was_interpreted(core: Core, person: Caller) -> None:
    core.programs.started[0].write(b"one\r\ntwo")
    caller = ask(core)
    core.loop.idle()
    head, rows, status = answer(caller)
    assert (head.error, head.rows, head.cols, head.x, head.y) == (None, 24, 80, 3, 1)
    assert rows == ["one", "two", *[""] * 22]
    assert status == 0
    assert caller.ended
    assert core.requests.connections == set()


def test_nothing_changes_by_it(core: Core, person: Caller) -> None:
    core.programs.started[0].write(b"text")
    person.output()
    row = core.table.listed()[0].row().to_wire()
    events = list(core.events.seen)
    ask(core, history=True)
    core.loop.idle()
    assert core.table.listed()[0].row().to_wire() == row
    assert core.events.seen == events
    assert person.output() == (b"", None)
    assert core.programs.started[0].typed() == b""


def test_a_history_is_sent_whole_a_part_at_a_turn(
    core: Core, person: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    core.programs.started[0].write(b"".join(b"%d\r\n" % n for n in range(600)))
    core.loop.idle()
    turns: list[object] = []
    original = core.loop.when_idle

    def noted(work: Callable[[], bool]) -> None:
        def counted() -> bool:
            turns.append(work)
            return work()

        original(counted)

    monkeypatch.setattr(core.loop, "when_idle", noted)
    caller = ask(core, history=True)
    core.loop.idle()
    head, rows, status = answer(caller)
    assert (head.mark, head.begun, status) == (577, 577, 0)
    assert rows == [*map(str, range(77, 600)), ""]  # of 500 lines, as usual
    assert len(turns) >= 2


@pytest.mark.parametrize(
    ("fields", "first"),
    [
        ({"last": 5}, 972),
        ({"since": 970}, 970),
        ({"since": 970, "last": 3}, 973),
        ({"last": 0}, 977),
    ],
)
def test_no_more_of_the_history_is_sent_than_is_wanted(
    core: Core, person: Caller, fields: dict[str, int], first: int
) -> None:
    core.programs.started[0].write(b"".join(b"%d\r\n" % n for n in range(1000)))
    core.loop.idle()
    caller = ask(core, history=True, **fields)
    core.loop.idle()
    assert answer(caller)[1] == [*map(str, range(first, 1000)), ""]


def test_who_does_not_read_is_let_go(core: Core, person: Caller) -> None:
    core.config.config = Config({"pass_terminal": False, "output_spool_lines": 20_000})
    core.attached("two")
    for _ in range(200):
        core.programs.started[1].write((b"x" * 70 + b"\r\n") * 100)
        core.loop.idle()
    caller = core.call()
    caller.ask(PeekRequest("two", history=True))
    core.loop.idle()
    assert len(core.requests.connections) == 1
    core.loop.pass_time(31)
    assert core.requests.connections == set()


def test_who_hangs_up_is_forgotten(core: Core, person: Caller) -> None:
    caller = core.call()
    caller.ask(PeekRequest("one", history=True))
    caller.hang_up()
    core.loop.idle()
    assert core.requests.connections == set()


def test_a_session_that_there_is_not(core: Core) -> None:
    assert core.ask(PeekRequest("nobody")) == "NotFound"


def test_a_session_that_remembers_nothing_keeps_no_screen(core: Core) -> None:
    core.config.config = Config(
        {"pass_terminal": False, "session_restore_mode": RestoreMode("simple")}
    )
    core.attached("one")
    head = PeekHead.from_wire(core.ask(PeekRequest("one")))
    assert head.error == "session 'one' keeps no screen: its restore mode is simple"


def test_a_session_that_ends_before_it_has_caught_up(core: Core, person: Caller) -> None:
    core.programs.started[0].write(b"text")
    caller = ask(core)
    core.programs.started[0].end(0)
    core.loop.settle()
    head = PeekHead.from_wire(caller.message())
    assert head.error in (None, "session 'one' has ended")
    assert caller.ended or head.error is None


def test_an_error_ends_the_connection_alone(
    core: Core, person: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    inject(monkeypatch, core.table.listed()[0].picture, "snapshot")
    caller = ask(core)
    core.loop.idle()
    assert caller.ended
    assert [session.name for session in core.table.listed()] == ["one"]
