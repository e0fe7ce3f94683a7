"""Waiting at sessions: each condition is told of when it comes true, and costs nothing before."""

from __future__ import annotations

import contextlib
import os
from typing import Any

import pytest

from shpool.config import Config
from shpool.config_values import RestoreMode
from shpool.protocol.watching import EventReader, WaitRequest, WatchHead
from shpool.terminal.marks import Prompt
from tests.daemon.core import Caller, Core
from tests.daemon.fakes import inject


class Waiter:
    """Somebody waits; `told` is what it was told of since it was asked last."""

    def __init__(
        self, core: Core, names: list[str], *conditions: str, timeout_ms: int | None = None
    ) -> None:
        self.core = core
        self.caller = core.call()
        pairs = [(name, value) for name, _, value in (each.partition(" ") for each in conditions)]
        self.caller.ask(WaitRequest(names, pairs, timeout_ms))
        self.reader = EventReader()
        self.head = WatchHead.from_wire(self.caller.message())

    def told(self) -> list[tuple[int, Any]]:
        events = self.reader.feed(self.caller.received())
        return [(number, said[0]) for _, number, said in events]


def shell_ends(core: Core, status: int = 0) -> None:
    core.programs.started[0].end(status)


def test_the_end_of_a_session_is_told_with_its_status(core: Core) -> None:
    core.attached("one")
    waiter = Waiter(core, ["one"], "exit")
    assert (waiter.head.names, waiter.told()) == (["one"], [])
    shell_ends(core, 7)
    assert waiter.told() == [(0, "exit"), (0, 7)]


def test_a_session_that_is_not_there_has_ended(core: Core) -> None:
    assert Waiter(core, ["one"], "exit").told() == [(0, "exit")]


def test_a_session_that_comes_is_told(core: Core) -> None:
    waiter = Waiter(core, ["one"], "exists", "attached", "detached")
    assert waiter.told() == []
    core.attached("one")
    assert waiter.told() == [(0, "exists"), (0, "attached")]


def test_of_sessions_that_are_not_there_and_need_not_come_nothing_is_told(core: Core) -> None:
    core.attached("one")
    waiter = Waiter(core, ["one", "two", "three"], "attached")
    assert waiter.head.not_found == ["two", "three"]
    assert waiter.caller.ended


def test_who_comes_and_goes_is_told_once(core: Core) -> None:
    person = core.attached("one")
    waiter = Waiter(core, ["one"], "attached", "detached")
    assert waiter.told() == [(0, "attached")]
    person.hang_up()
    assert waiter.told() == [(0, "detached")]
    core.attached("one").hang_up()
    assert waiter.told() == []


def test_quiet_counts_from_the_last_output_after_the_request(core: Core) -> None:
    core.attached("one")
    core.programs.started[0].write(b"x")
    core.loop.pass_time(0.9)
    waiter = Waiter(core, ["one"], "quiet 1000")
    core.loop.pass_time(0.9)
    core.programs.started[0].write(b"x")
    core.loop.pass_time(0.9)
    assert waiter.told() == []
    core.loop.pass_time(0.2)
    assert waiter.told() == [(0, "quiet")]


A, B, C, D = (f"\x1b]133;{kind};aid=0a1b\x07".encode() for kind in ("A", "B", "C", "D;0"))


def at_prompt(core: Core) -> Caller:
    """Somebody is attached to a shell that marks, and stands at its prompt for long."""
    person = core.attached("one")
    core.table.all()[0].prompt = Prompt("0a1b", "bash")
    core.programs.started[0].write(A + b"$ " + B)
    core.loop.pass_time(1)
    return person


def test_a_prompt_that_stands_is_told_at_once(core: Core) -> None:
    at_prompt(core)
    assert Waiter(core, ["one"], "prompt", timeout_ms=0).told() == [(0, "prompt")]


def test_a_prompt_counts_if_it_came_after_what_was_typed(core: Core) -> None:
    person = at_prompt(core)
    person.send(b"ls\r")
    waiter = Waiter(core, ["one"], "prompt")
    shell = core.programs.started[0]
    shell.write(b"ls\r\n" + C + b"out" + D + A)
    core.loop.pass_time(1)
    assert waiter.told() == []
    shell.write(B)
    assert waiter.told() == []
    core.loop.pass_time(0.05)
    assert waiter.told() == [(0, "prompt")]


def test_what_a_terminal_says_by_itself_is_not_typed(core: Core) -> None:
    person = at_prompt(core)
    core.programs.started[0].write(b"\x1b[?1003;1004h")
    core.loop.pass_time(1)
    core.loop.idle()
    person.send(b"\x1b[I\x1b[?62;1c\x1b]11;rgb:0/0/0\x1b\\\x1b[5;1R\x1b[<35;1;1M")
    assert Waiter(core, ["one"], "prompt").told() == [(0, "prompt")]
    person.send(b"\x1b[A")
    assert Waiter(core, ["one"], "prompt").told() == []


def test_a_prompt_that_does_not_last_is_none(core: Core) -> None:
    """A shell that has the next command already, typed ahead, shows a prompt all the same."""
    at_prompt(core).send(b"one\rtwo\r")
    waiter = Waiter(core, ["one"], "prompt")
    shell = core.programs.started[0]
    shell.write(C + D + A + B)
    core.loop.pass_time(0.01)
    shell.write(b"two\r\n" + C)
    core.loop.pass_time(1)
    assert waiter.told() == []
    shell.write(D + A + B)
    core.loop.pass_time(1)
    assert waiter.told() == [(0, "prompt")]
    assert core.loop.deadlines() == []


def test_a_session_without_a_screen_has_no_prompt_to_wait_for(core: Core) -> None:
    core.config.config = Config({"session_restore_mode": RestoreMode("simple")})
    core.attached("one")
    waiter = Waiter(core, ["one"], "prompt")
    assert waiter.head.error == "session 'one' keeps no screen: its restore mode is simple"


def test_several_sessions_are_told_apart(core: Core) -> None:
    core.attached("one")
    core.attached("two")
    waiter = Waiter(core, ["one", "two"], "exit")
    core.programs.started[1].end(0)
    assert waiter.told() == [(1, "exit"), (1, 0)]


def test_a_session_that_is_just_being_started_is_waited_for(core: Core) -> None:
    core.attach("one")
    caller = core.call()
    caller.ask(WaitRequest(["one"], [("attached", "")]))
    assert caller.message() is None
    core.programs.started[0].run()
    assert WatchHead.from_wire(caller.message()).names == ["one"]


@pytest.mark.parametrize("end", ["timeout", "hang up"])
def test_who_waits_no_more_leaves_nothing_behind(core: Core, end: str) -> None:
    core.attached("one")
    waiter = Waiter(core, ["one", "two"], "exists", "exit", "quiet 9000", timeout_ms=5000)
    (session,) = core.table.all()
    assert len(session.onlookers) == len(core.requests.waits) == 1
    if end == "timeout":
        core.loop.pass_time(5)
        waiter.told()
        assert waiter.reader.status == 124
    else:
        waiter.caller.hang_up()
    assert session.onlookers == []
    assert core.requests.waits == {}
    assert core.loop.deadlines() == []


def test_who_has_not_read_that_its_time_is_over_is_told_of_no_session_that_comes(
    core: Core,
) -> None:
    waiter = Waiter(core, ["one"], "exists", timeout_ms=5000)
    with contextlib.suppress(BlockingIOError):
        while os.write(waiter.caller.near, b"x" * 4096):
            pass  # until the socket takes nothing more
    core.loop.pass_time(5)
    assert len(core.requests.waits) == 1
    core.attached("one")
    (session,) = core.table.all()
    assert session.onlookers == []


def test_an_error_in_a_wait_for_a_session_that_comes_ends_that_wait_alone(
    core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = Waiter(core, ["one"], "exists"), Waiter(core, ["one"], "exists")
    inject(monkeypatch, next(iter(core.requests.waits.values())), "came")
    core.attached("one")
    assert first.caller.ended
    assert second.told() == [(0, "exists")]


def test_while_nothing_happens_nobody_is_woken(core: Core) -> None:
    core.attached("one").hang_up()
    core.loop.pass_time(10)
    before = len(core.loop.deadlines())
    waiters = [Waiter(core, ["one", "two"], "exit", "exists", "detached") for _ in range(100)]
    assert len(core.loop.deadlines()) == before
    shell_ends(core)
    told = [(0, "exists"), (0, "detached"), (1, "exit"), (0, "exit"), (0, 0)]
    assert [waiter.told() for waiter in waiters] == [told] * 100


def test_an_error_in_a_wait_ends_that_wait_alone(
    core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    person: Caller = core.attached("one")
    waiter = Waiter(core, ["one"], "exit")
    (session,) = core.table.all()
    inject(monkeypatch, session.onlookers[0], "take_output")
    core.programs.started[0].write(b"hello")
    assert person.output()[0] == b"hello"
    assert waiter.caller.ended
    assert session.onlookers == []
