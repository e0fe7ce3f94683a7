"""What each request does and is answered, and which of them wait for a session that is coming."""

from __future__ import annotations

from typing import Any

import pytest

from shpool import logs
from shpool.daemon import requests
from shpool.daemon.clients.waiting import AwaitEnd
from shpool.protocol.all_requests import KINDS
from shpool.protocol.requests import LOG_LEVELS
from tests.daemon.core import Core

SIZE = {"rows": 30, "cols": 90, "xpixel": 0, "ypixel": 0}
RESIZE = {"Resize": {"tty_size": SIZE}}


def message(name: str, payload: Any) -> Any:
    return {"SessionMessage": {"session_name": name, "payload": payload}}


# Each request that names a session that is being started; its answer when that runs, and when it
# does not.
ABOUT_A_COMING_ONE: dict[str, tuple[Any, Any, Any]] = {
    "detach": (
        {"Detach": {"sessions": ["one"]}},
        {"not_found_sessions": [], "not_attached_sessions": []},
        {"not_found_sessions": ["one"], "not_attached_sessions": []},
    ),
    "resize": (message("one", RESIZE), {"Resize": "Ok"}, "NotFound"),
    "message": (message("one", "Detach"), {"Detach": "Ok"}, "NotFound"),
}


def test_every_request_that_can_be_read_has_a_handler() -> None:
    assert set(requests._TABLE) == {*KINDS.values(), AwaitEnd}


@pytest.mark.parametrize("what", ABOUT_A_COMING_ONE)
@pytest.mark.parametrize("runs", [True, False])
def test_what_is_asked_about_a_session_that_is_coming_waits_for_it(
    core: Core, what: str, runs: bool
) -> None:
    request, there, not_there = ABOUT_A_COMING_ONE[what]
    core.attach("one")
    caller = core.call()
    caller.ask(request)
    assert caller.message() is None
    if runs:
        core.programs.started[0].run()
    else:
        core.programs.started[0].fail("cannot run")
    assert caller.message() == (there if runs else not_there)
    assert core.room.waiting == {}


def test_a_list_shows_the_sessions_whose_shell_runs(core: Core) -> None:
    core.attach("one")
    assert core.ask("List") == {"sessions": []}
    core.programs.started[0].run()
    (row,) = core.ask("List")["sessions"]
    assert row["name"] == "one"
    assert [each["session_name_template"] for each in row["attachments"]] == ["one"]


def test_a_detach_says_who_was_not_there_and_lets_the_others_go(core: Core) -> None:
    first, second = core.attached("one"), core.attached("two")
    core.attached("three").hang_up()
    assert core.ask({"Detach": {"sessions": ["one", "three", "zzz", "two"]}}) == {
        "not_found_sessions": ["zzz"],
        "not_attached_sessions": ["three"],
    }
    assert first.output()[1] == second.output()[1] == 0
    assert core.events.seen[-2:] == ["detached", "detached"]


def test_a_message_about_a_session_that_is_not_there(core: Core) -> None:
    assert core.ask(message("zzz", RESIZE)) == "NotFound"
    assert core.ask(message("zzz", "Detach")) == "NotFound"


def test_a_resize_is_the_sessions_and_its_clients(core: Core) -> None:
    core.attached("one")
    assert core.ask(message("one", RESIZE)) == {"Resize": "Ok"}
    session = core.table.get("one")
    assert session is not None
    (client,) = session.clients
    for size in (session.size.current, client.size):
        assert (size.rows, size.cols) == (30, 90)


def test_a_kill_is_answered_when_the_last_one_has_ended(core: Core) -> None:
    for name in ("one", "two", "three"):
        core.attached(name)
    one, two, _ = core.programs.started
    killer = core.call()
    killer.ask({"Kill": {"sessions": ["one", "zzz", "two", "one"]}})
    two.end(129)
    assert killer.message() is None
    one.end(129)
    assert killer.message() == {"not_found_sessions": ["zzz"]}
    assert [row["name"] for row in core.ask("List")["sessions"]] == ["three"]


def test_a_kill_of_nothing_is_answered_at_once(core: Core) -> None:
    assert core.ask({"Kill": {"sessions": ["zzz"]}}) == {"not_found_sessions": ["zzz"]}
    assert core.ask({"Kill": {"sessions": []}}) == {"not_found_sessions": []}


def test_several_may_kill_one_session_and_who_goes_is_not_answered(core: Core) -> None:
    core.attached("one")
    killers = [core.call() for _ in range(3)]
    for killer in killers:
        killer.ask({"Kill": {"sessions": ["one"]}})
    killers[1].hang_up()
    core.programs.started[0].end(129)
    assert killers[0].message() == killers[2].message() == {"not_found_sessions": []}
    assert core.requests.connections == set()


def test_a_session_of_the_same_name_is_not_the_one_that_was_to_be_killed(core: Core) -> None:
    core.attached("one")
    killer, newcomer = core.call(), None
    killer.ask({"Kill": {"sessions": ["one"]}})
    newcomer = core.attach("one")
    core.programs.started[0].end(129)
    assert killer.message() == {"not_found_sessions": []}
    core.programs.started[0].run()
    assert newcomer.message() == {"status": {"Created": {"warnings": []}}}
    assert core.programs.started[0].signals == []


def test_variables_are_set_told_and_removed(core: Core) -> None:
    caller = core.attached("one")
    assert core.ask({"ModifyVar": {"var": "a", "val": "1"}}) == {}
    assert b"a" in caller.received()
    assert core.ask("GetVars")["vars"] == [["a", "1"]]
    assert core.requests.variables.values == {"a": "1"}
    assert core.ask({"ModifyVar": {"var": "a", "val": None}}) == {}
    assert core.requests.variables.values == {}


def test_variables_that_no_client_could_be_told_are_refused(core: Core) -> None:
    caller = core.attached("one")
    caller.received()
    reply = core.ask({"ModifyVar": {"var": "a", "val": "x" * 20_000}})
    assert reply == {"error": "all variables together may not take more than 16384 bytes"}
    assert caller.received() == b""


@pytest.mark.parametrize("level", LOG_LEVELS)
def test_the_level_of_the_log_is_set_by_its_name(
    core: Core, level: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "log", logs.Log())
    assert core.ask({"SetLogLevel": {"level": level}}) == {}
    assert logs.NAMES[logs.log.level] == level.lower()


def test_the_daemons_end_answers_nobody_any_more(core: Core) -> None:
    core.attach("one")
    waiting = core.call()
    waiting.ask({"Detach": {"sessions": ["one"]}})
    core.requests.close_all()
    core.loop.settle()
    assert waiting.ended
    assert core.requests.connections == set()
