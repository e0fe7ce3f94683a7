from __future__ import annotations

from shpool.daemon.clients.waiting import WaitingRoom
from shpool.protocol.requests import ListRequest
from tests.daemon.core import Core


def test_who_waits_for_one_session_is_asked_in_order_and_nobody_else(core: Core) -> None:
    core.attach("one")
    core.attach("two")
    ((first, _),) = core.room.waiting["one"]
    ((second, _),) = core.room.waiting["two"]
    room, request = WaitingRoom(), ListRequest()
    room.wait("a", first, request)
    room.wait("b", first, request)
    room.wait("a", second, request)
    assert "a" in room
    assert room.leave("a") == [(first, request), (second, request)]
    assert "a" not in room
    assert room.leave("a") == []
    assert room.waiting == {"b": [(first, request)]}


def test_who_waits_for_a_session_that_does_not_end_and_goes_is_forgotten(core: Core) -> None:
    core.attached("one")
    core.programs.started[0].is_others = True
    killer = core.call()
    killer.ask({"Kill": {"sessions": ["one"]}})
    late = core.attach("one")
    assert len(core.room.waiting["one"]) == 2
    killer.hang_up()
    assert len(core.room.waiting["one"]) == 1
    late.hang_up()
    assert core.room.waiting == {}


def test_who_waits_and_goes_is_noticed_at_once(core: Core) -> None:
    caller = core.attach("one")
    caller.hang_up()
    ((gone, _),) = core.room.waiting["one"]
    assert not gone.alive
    core.programs.started[0].run()
    assert core.room.waiting == {}
    assert core.events.seen == ["created"]
