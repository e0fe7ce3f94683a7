"""The key that goes back, and what is typed on the way."""

from __future__ import annotations

import os

import pytest

from shpool.config import Config
from shpool.daemon.clients.ahead import TypedAhead
from tests.daemon.clients.switching import (
    GONE_OVER,
    client_at,
    destinations,
    free,
    switch,
    told,
)
from tests.daemon.clients.switching import shell_of as shell
from tests.daemon.core import Caller, Core
from tests.daemon.fakes import FakeLoop

BACK = b"\x00\x0c"  # Ctrl-Space Ctrl-l


@pytest.fixture
def keyed(core: Core) -> Core:
    """With a key that goes back."""
    bindings = ((("Ctrl-Space", "Ctrl-l"), "switch-last"), (("Ctrl-Space", "Ctrl-q"), "detach"))
    core.config.config = Config({"pass_terminal": False, "keybinding": bindings})
    return core


def arrive(core: Core, name: str) -> Caller:
    """The client attaches where it was told to go."""
    return core.attached(name, client="shpool-py 0.2.0")


def test_the_key_goes_back_to_where_the_terminal_was(keyed: Core) -> None:
    free(keyed, "two")
    client = client_at(keyed, "one", previous="two")
    client.send(BACK)
    assert destinations(client) == ["two"]
    assert shell(keyed, "one").typed() == b""


@pytest.mark.parametrize("previous", [None, "", "a/b", "x" * 300, "zzz", "occupied", "one"])
def test_where_there_is_nowhere_to_go_back_to_the_key_does_nothing(
    keyed: Core, previous: str | None
) -> None:
    keyed.attached("occupied")
    client = client_at(keyed, "one", previous=previous)
    client.send(b"a" + BACK + b"b")
    assert destinations(client) == []
    assert shell(keyed, "one").typed() == b"ab"


@pytest.mark.parametrize("stays", [True, False])
def test_among_those_who_have_stayed_there_is_a_way_back(
    keyed: Core, monkeypatch: pytest.MonkeyPatch, stays: bool
) -> None:
    """Not where somebody has come since the session was free."""
    first = client_at(keyed, "two")
    with monkeypatch.context() as patch:
        patch.setattr("shpool.peer.credentials", lambda sock: (77, os.geteuid()))
        other = client_at(keyed, "two", share=True)
        if not stays:
            other.hang_up()
        first.hang_up()
        if not stays:
            client_at(keyed, "two")
    client = client_at(keyed, "one", previous="two")
    client.send(BACK)
    assert destinations(client) == (["two"] if stays else [])
    client.hang_up()
    again = keyed.attach("two", client="shpool-py 0.2.0", previous="one")
    assert again.message()["status"] == ({"Attached": {"warnings": []}} if stays else "Busy")
    if stays:
        assert [each["role"] for each in keyed.ask("List")["sessions"][0]["attachments"]] == [
            *("shared", "driver")
        ]


@pytest.mark.parametrize("wish", ["share", "force"])
def test_the_configuration_may_have_the_key_go_where_somebody_is(keyed: Core, wish: str) -> None:
    keyed.config.config.attach = wish
    keyed.attached("occupied")
    client = client_at(keyed, "one", previous="occupied")
    client.send(BACK)
    (message,) = told(client)
    assert message.switch_to is not None
    assert message.switch_to.fields() == {"existing": True, wish: True}


def test_a_session_that_is_coming_or_going_is_nowhere_to_go_back_to(keyed: Core) -> None:
    free(keyed, "two")
    client = client_at(keyed, "one", previous="two")
    keyed.call().ask({"Kill": {"sessions": ["two"]}})
    client.send(BACK)
    assert destinations(client) == []


def test_a_client_that_cannot_go_over_is_not_told_to(keyed: Core) -> None:
    free(keyed, "two")
    client = keyed.attached("one", previous="two")
    client.send(BACK)
    assert destinations(client) == []


def test_what_is_typed_behind_the_key_is_for_the_session_it_goes_to(keyed: Core) -> None:
    free(keyed, "two")
    client = client_at(keyed, "one", previous="two")
    client.send(b"here" + BACK + b"th")
    client.send(b"ere\r")
    assert shell(keyed, "one").typed() == b"here"
    client.hang_up()
    other = arrive(keyed, "two")
    assert shell(keyed, "two").typed() == b"there\r"
    other.hang_up()
    arrive(keyed, "two").send(b"x")
    assert shell(keyed, "two").typed() == b"x"


def test_so_is_what_is_typed_by_whom_somebody_else_has_sent(keyed: Core) -> None:
    free(keyed, "two")
    client = client_at(keyed, "one")
    assert switch(keyed, "two").message() == GONE_OVER
    client.send(b"ahead")
    assert keyed.ask({"Detach": {"sessions": ["one"]}})["not_attached_sessions"] == []
    arrive(keyed, "two")
    assert shell(keyed, "two").typed() == b"ahead"
    assert shell(keyed, "one").typed() == b""


def test_who_does_not_go_has_typed_it_where_it_stayed(keyed: Core) -> None:
    free(keyed, "two")
    client = client_at(keyed, "one")
    switch(keyed, "two")
    client.send(b"ahead")
    keyed.loop.pass_time(1)
    switch(keyed, "two")
    client.send(b", and more")
    keyed.loop.pass_time(1.5)
    assert shell(keyed, "one").typed() == b""
    keyed.loop.pass_time(1)
    assert shell(keyed, "one").typed() == b"ahead, and more"
    client.send(b".")
    assert shell(keyed, "one").typed() == b"."
    assert keyed.loop.deadlines() == []


def test_a_key_behind_it_does_there_what_it_does(keyed: Core) -> None:
    """Over a slow connection all of it comes at once."""
    free(keyed, "two")
    client = client_at(keyed, "one", previous="two")
    client.send(BACK + b"a\x00\x11b")
    assert client.output()[1] is None
    client.hang_up()
    assert arrive(keyed, "two").output()[1] == 0
    assert shell(keyed, "two").typed() == b"a"
    client = client_at(keyed, "one", previous="two")
    client.send(BACK + BACK)
    assert destinations(client) == ["two"]
    client.hang_up()
    assert destinations(keyed.attached("two", client="shpool-py 0.2.0", previous="one")) == ["one"]


def test_so_it_does_where_the_client_stayed(keyed: Core) -> None:
    free(keyed, "two")
    client = client_at(keyed, "one", previous="two")
    client.send(BACK + b"a\x00\x11b")
    keyed.loop.pass_time(3)
    assert client.output()[1] == 0
    assert shell(keyed, "one").typed() == b"a"


def test_more_than_anybody_types_is_typed_where_the_client_is(keyed: Core) -> None:
    client = client_at(keyed, "one")
    free(keyed, "two")
    switch(keyed, "two")
    for _ in range(5):
        client.send(b"y" * 15_000)
    assert len(shell(keyed, "one").typed()) == 75_000


def test_what_somebody_typed_who_did_not_arrive_is_nobody_elses(keyed: Core) -> None:
    free(keyed, "two")
    client = client_at(keyed, "one")
    switch(keyed, "two")
    client.send(b"secret")
    client.hang_up()
    keyed.loop.pass_time(6)
    arrive(keyed, "two")
    assert shell(keyed, "two").typed() == b""


def test_who_is_on_the_way_is_remembered_for_a_while(loop: FakeLoop) -> None:
    ahead = TypedAhead()
    for pid in range(200):
        ahead.keep(pid, b"%d" % pid)
    assert ahead.take(0) == b""
    assert ahead.take(64) == b"64"
    assert ahead.take(64) == b""
    assert ahead.take(65) == b""
    loop.now += 4
    assert ahead.take(63) == b"63"
    loop.now += 2
    assert ahead.take(62) == b""
    ahead.keep(500, b"500")
    assert ahead.take(500) == b"500"
