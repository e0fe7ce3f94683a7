"""Switches while something else happens: sessions that come or go, clients that do not read."""

from __future__ import annotations

import pytest

from shpool.config import Config
from shpool.config_values import Motd
from shpool.protocol.chunks import MAYBE_SWITCH, ChunkReader
from shpool.protocol.replies import MaybeSwitch
from tests.daemon.clients.switching import (
    GONE_OVER,
    OURS,
    client_at,
    destinations,
    free,
    shell_of,
    switch,
)
from tests.daemon.core import Core

# ---- a session that is coming or going


def test_a_session_that_is_being_started_is_waited_for(core: Core) -> None:
    client = client_at(core, "one")
    maker = core.attach("two")
    asked = switch(core, "two")
    shared = switch(core, "two", share=True)
    assert (asked.message(), shared.message()) == (None, None)
    core.programs.started[-1].run()
    assert maker.message() == {"status": {"Created": {"warnings": []}}}
    assert asked.message() == {"error": "session 'two' already has a terminal attached"}
    assert shared.message() == GONE_OVER
    assert destinations(client) == ["two"]
    assert core.room.waiting == {}


def test_a_session_that_does_not_come_is_made(core: Core) -> None:
    client = client_at(core, "one")
    maker = core.attach("two")
    asked = switch(core, "two")
    core.programs.started[-1].fail("cannot run it")
    assert maker.message() == {"status": {"UnexpectedError": "cannot run it"}}
    assert asked.message() is None
    core.programs.started[-1].run()
    assert asked.message() == GONE_OVER
    assert destinations(client) == ["two"]


def test_the_end_of_a_session_that_is_being_killed_is_waited_for(core: Core) -> None:
    client = client_at(core, "one")
    core.attached("two")
    shell = core.programs.started[-1]
    core.call().ask({"Kill": {"sessions": ["two"]}})
    asked = switch(core, "two")
    assert asked.message() is None
    shell.end(129)
    assert asked.message() is None
    core.programs.started[-1].run()
    assert asked.message() == GONE_OVER
    assert destinations(client) == ["two"]


def test_a_session_whose_shell_has_just_died_is_no_place_to_go_to(core: Core) -> None:
    client = client_at(core, "one")
    free(core, "two")
    core.programs.started[-1].die(0)
    asked = switch(core, "two")
    core.programs.started[-1].run()
    assert asked.message() == GONE_OVER
    assert destinations(client) == ["two"]


def test_who_asks_from_a_session_that_ends_meanwhile_is_told(core: Core) -> None:
    client_at(core, "one")
    shell = core.programs.started[-1]
    core.attach("two")
    asked = switch(core, "two")
    shell.end(0)
    core.programs.started[-1].run()
    assert asked.message() == {"error": "not found: one"}


# ---- a client that does not read


def test_of_several_switches_that_a_client_has_not_read_the_last_counts(core: Core) -> None:
    client = client_at(core, "one")
    for name in ("two", "three"):
        free(core, name)
    for _ in range(60):
        shell_of(core, "one").write(b"flood" * 1600)
    for name in ("two", "three"):
        assert switch(core, name).message() == GONE_OVER
        assert core.ask({"ModifyVar": {"var": "v", "val": name}}) == {}
    found: list[MaybeSwitch] = []
    reader = ChunkReader()
    for _ in range(40):
        found += [
            MaybeSwitch.from_bytes(content)
            for kind, content in reader.feed(client.received())
            if kind == MAYBE_SWITCH and isinstance(content, bytes)
        ]
        core.loop.writable(client.near)
    assert [message.vars for message in found if message.switch_to is None] == [[("v", "three")]]
    assert [each.switch_to.name for each in found if each.switch_to is not None] == ["three"]


def test_a_client_in_the_pager_goes_too(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    free(core, "two")
    monkeypatch.setattr("shpool.daemon.clients.motd.message", lambda arguments: b"today")
    core.config.config = Config({"pass_terminal": False, "motd": Motd("pager", "less", 0)})
    client = client_at(core, "one")
    assert switch(core, "two").message() == GONE_OVER
    assert destinations(client) == ["two"]


def test_two_clients_may_change_places(core: Core) -> None:
    first, second = client_at(core, "one"), client_at(core, "two")
    asked = [
        switch(core, "two", share=True).message(),
        switch(core, "one", old="two", share=True).message(),
    ]
    assert asked == [GONE_OVER, GONE_OVER]
    assert (destinations(first), destinations(second)) == (["two"], ["one"])
    core.attached("two", client=OURS, previous="one", share=True)
    first.hang_up()
    core.attached("one", client=OURS, previous="two", share=True)
    second.hang_up()
    assert [len(row["attachments"]) for row in core.ask("List")["sessions"]] == [1, 1]
