"""Clients that are told to go over to another session, in every order of what may come between."""

from __future__ import annotations

import os
import signal
from typing import Any

import pytest

from shpool.daemon.programs.spawn import SpawnError
from tests.daemon.clients.switching import (
    GONE_OVER,
    OURS,
    client_at,
    destinations,
    free,
    refused,
    run_inside,
    shell_of,
    switch,
    told,
)
from tests.daemon.core import Core


def test_a_client_is_told_where_to_go_and_goes_by_itself(core: Core) -> None:
    client = client_at(core, "one")
    free(core, "two")
    assert switch(core, "two").message() == GONE_OVER
    (message,) = told(client)
    assert message.switch_to is not None
    assert (message.switch_to.name, message.vars) == ("two", [])
    assert core.events.seen[-1] == "detached", "the free session's, and nothing has happened since"
    client.hang_up()
    assert core.attached("two", client=OURS).reply == {"status": {"Attached": {"warnings": []}}}


def test_all_that_a_new_session_is_made_of_goes_along(core: Core) -> None:
    client = client_at(core, "one")
    asked = switch(core, "two", ttl_secs=7, cmd="sh", dir="/", share=True, force=True)
    assert asked.message() is None
    core.programs.started[-1].run()
    assert asked.message() == GONE_OVER
    (message,) = told(client)
    assert message.switch_to is not None
    made_of = {"ttl_secs": 7, "cmd": "sh", "dir": "/", "share": True, "force": True}
    assert message.switch_to.fields() == made_of


@pytest.mark.parametrize("drawn", [False, True])
def test_who_goes_over_does_not_take_the_title_along(core: Core, drawn: bool) -> None:
    """And who is detached keeps what the shell outside is about to change."""
    client = client_at(core, "one")
    free(core, "two")
    shell_of(core, "one").write(b"\x1b]0;of one\x07\x1b[?1h")
    if drawn:
        core.attached("one", share=True, size=(30, 90))
    core.loop.pass_time(1)
    core.loop.idle()
    assert (b"\x1b[?1049h" in client.output()[0]) == drawn
    switch(core, "two", pid=os.getpid())
    assert destinations(client) == ["two"]
    core.ask({"Detach": {"sessions": ["one"]}})
    words, status = client.output()
    assert words.startswith(b"\x18\x1b\\\x1b]1;\x1b\\\x1b]2;\x1b\\")
    assert b"\x1b[?1l" in words
    assert status == 0
    again = core.attached("one")
    core.loop.pass_time(1)
    core.loop.idle()
    assert b"]2;of one" in again.output()[0]
    core.ask({"Detach": {"sessions": ["one"]}})
    assert b"]2;" not in again.output()[0]


def test_to_where_it_is_a_client_need_not_go(core: Core) -> None:
    client = client_at(core, "one")
    assert switch(core, "one").message() == GONE_OVER
    assert told(client) == []


# ---- whose client


def test_who_cannot_go_over_is_named(core: Core) -> None:
    core.attached("one")
    assert refused(core, "two") == (
        f"the client of 'one' (pid {os.getpid()}) cannot go over: it is the original's or too old"
    )


def test_who_is_meant_must_be_there(core: Core) -> None:
    free(core, "one")
    assert refused(core, "two") == "nobody is attached to 'one'"
    assert refused(core, "two", old="zzz") == "not found: zzz"
    assert refused(core, "two", old="") == "not found: "
    assert refused(core, "two", old="zzz", pid=1) == "not found: zzz"
    assert refused(core, "two", pid=1) == "no client with pid 1 is attached to 'one'"
    assert refused(core, "two", old="", pid=1) == "no client with pid 1 is attached to any session"
    assert refused(core, "two", old=".") == (
        "this is not inside a session; from outside: shpool switch --from OLD NAME"
    )


def test_a_client_may_be_named_by_its_pid(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    first = client_at(core, "one")
    monkeypatch.setattr("shpool.peer.credentials", lambda sock: (77, os.geteuid()))
    second = client_at(core, "one", share=True)
    free(core, "two")
    assert switch(core, "two", old="", pid=os.getpid()).message() == GONE_OVER
    assert (destinations(first), destinations(second)) == (["two"], [])
    assert switch(core, "two", pid=77).message() == GONE_OVER
    assert (destinations(first), destinations(second)) == ([], ["two"])


def test_inside_it_is_the_client_whose_enter_came_last(
    core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    free(core, "two")
    first, second = client_at(core, "one"), client_at(core, "one", share=True)
    run_inside(core, "one", monkeypatch)
    for enter, typed in (
        (b"\r", first),
        (b"command\r", second),
        (b"\n", first),
        (b"\x1b[13u", second),
        (b"\x1b[57414;129:1u", first),
        (b"\x1bOM", second),
        (b"\x1b[13:;2;13u", first),
    ):
        core.loop.pass_time(3)  # nobody goes
        typed.send(enter)
        (first if typed is second else second).send(b"x")  # drives now
        assert switch(core, "two", old=".").message() == GONE_OVER
        assert [destinations(first), destinations(second)] == (
            [["two"], []] if typed is first else [[], ["two"]]
        )
    # From outside it is the driver.
    assert switch(core, "two").message() == GONE_OVER
    assert [destinations(first), destinations(second)] == [[], ["two"]]


def test_inside_with_no_enter_it_is_the_driver(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    free(core, "two")
    watcher = None
    first, second = client_at(core, "one"), client_at(core, "one", share=True)
    watcher = client_at(core, "one", read_only=True)
    run_inside(core, "one", monkeypatch)
    watcher.send(b"\r")
    first.send(b"x")
    assert switch(core, "two", old=".").message() == GONE_OVER
    assert [destinations(each) for each in (first, second, watcher)] == [["two"], [], []]


# ---- back


def test_the_way_back_is_to_the_session_that_the_client_names(core: Core) -> None:
    client = client_at(core, "one", previous="two")
    assert refused(core, "", back=True) == "the session before this one has ended: 'two'"
    free(core, "two")
    assert switch(core, "ignored", back=True, force=True).message() == GONE_OVER
    (message,) = told(client)
    assert message.switch_to is not None
    assert message.switch_to.name == "two"
    assert message.switch_to.fields() == {"existing": True, "force": True}


def test_without_a_session_before_there_is_no_way_back(core: Core) -> None:
    client_at(core, "one")
    assert refused(core, "", back=True) == "there is no session before this one"


# ---- what is known beforehand


def test_a_name_that_is_none_is_refused_in_words(core: Core) -> None:
    client = client_at(core, "one")
    assert refused(core, "a/b") == "session names may not contain slashes"
    assert refused(core, "") == "blank session names are not allowed"
    assert told(client) == []


def test_an_occupied_session_is_not_gone_to_unless_it_is_shared_or_taken(core: Core) -> None:
    client = client_at(core, "one")
    core.attached("two")
    assert refused(core, "two") == "session 'two' already has a terminal attached"
    assert told(client) == []
    assert switch(core, "two", share=True).message() == GONE_OVER
    assert switch(core, "two", force=True).message() == GONE_OVER
    assert destinations(client) == ["two", "two"]


def test_a_watcher_may_go_where_there_is_something_to_watch(core: Core) -> None:
    core.attached("two")
    client_at(core, "one").hang_up()
    watcher = client_at(core, "one", read_only=True)
    assert switch(core, "two", pid=os.getpid()).message() == GONE_OVER
    assert destinations(watcher) == ["two"]
    assert refused(core, "three", pid=os.getpid()) == "not found: three"


def test_nobody_is_sent_into_a_session_that_is_shown_in_itself(
    core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    outer = client_at(core, "one")
    run_inside(core, "one", monkeypatch)
    inner = client_at(core, "two")
    core.attached("three").hang_up()
    assert refused(core, "one", old="two") == ("session 'one' cannot be attached to from inside it")
    assert switch(core, "three", old="two").message() == GONE_OVER
    assert destinations(inner) == ["three"]
    assert told(outer) == []


# ---- a session that has to be made


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"cmd": "sh 'unclosed"}, 'cannot split the command "sh \'unclosed"'),
        ({"cmd": "a\0b"}, "a command or directory cannot have a NUL byte in it"),
        ({"cmd": "x" * 20_000}, "command and directory together may not take more than 16384"),
    ],
)
def test_what_cannot_be_run_is_told_before_anything_is_tried(
    core: Core, fields: dict[str, Any], reason: str
) -> None:
    client_at(core, "one")
    count = core.programs.count
    assert refused(core, "two", **fields).startswith(reason)
    assert core.programs.count == count


def test_what_turns_out_not_to_run_is_told_when_it_was_tried(core: Core) -> None:
    client = client_at(core, "one")
    asked = switch(core, "two", cmd="nonsense")
    core.programs.started[-1].fail("cannot run 'nonsense': gone")
    assert asked.message() == {"error": "cannot run 'nonsense': gone"}
    assert told(client) == []
    assert [session.name for session in core.table.all()] == ["one"]
    assert len(core.programs.started) == 1


def test_where_nothing_can_be_tried_that_is_told(core: Core) -> None:
    client = client_at(core, "one")
    core.programs.refuse = SpawnError("cannot open a pty: none left")
    assert refused(core, "two") == "cannot open a pty: none left"
    assert told(client) == []


def test_the_trial_leaves_no_session_and_no_process(core: Core) -> None:
    client_at(core, "one")
    asked = switch(core, "two")
    trial = core.programs.started[-1]
    trial.run()
    trial.end(127)
    assert asked.message() == GONE_OVER
    assert asked.ended
    assert [session.name for session in core.table.all()] == ["one"]
    assert core.programs.children.keys() == {shell_of(core, "one").pid}
    assert os.listdir(core.state / "sessions") == ["one"]


def test_a_client_that_goes_during_the_trial_is_not_there_to_be_sent(core: Core) -> None:
    client = client_at(core, "one")
    asked = switch(core, "two")
    client.hang_up()
    core.programs.started[-1].run()
    assert asked.message() == {"error": "nobody is attached to 'one'"}


def test_nobody_is_sent_for_who_did_not_wait_for_the_trial(core: Core) -> None:
    client = client_at(core, "one")
    asked = switch(core, "two")
    trial = core.programs.started[-1]
    asked.hang_up()
    assert trial.signals == [signal.SIGHUP]
    trial.run()
    trial.end(127)
    assert told(client) == []
    assert core.loop.deadlines() == []


def test_a_session_that_was_made_during_the_trial_is_looked_at(core: Core) -> None:
    client = client_at(core, "one")
    asked, trial = switch(core, "two"), core.programs.started[-1]
    other = core.attached("two")
    trial.run()
    assert asked.message() == {"error": "session 'two' already has a terminal attached"}
    asked, other_one = switch(core, "three"), core.programs.started[-1]
    core.attached("three").hang_up()
    other_one.run()
    assert asked.message() == GONE_OVER
    assert destinations(client) == ["three"]
    assert not other.ended
