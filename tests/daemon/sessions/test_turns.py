"""Nobody's keys come into the middle of another's key or paste."""

from __future__ import annotations

from itertools import product

import pytest

from shpool.daemon.sessions.turns import CAP, KEY, NOTHING, PASTE, Speaker, Turns, TurnsUser
from tests.daemon.fakes import FakeLoop

END = b"\x1b[201~"


class Named(Speaker):
    def __init__(self, name: str) -> None:
        self.name = name
        self.was_overtaken = False

    def overtaken(self) -> None:
        self.was_overtaken = True


class Desk(TurnsUser):
    """Where all is typed."""

    def __init__(self, loop: FakeLoop) -> None:
        self.turns = Turns(loop, self)
        self.text = b""
        self.overs = 0
        self.is_full = False
        self.ada, self.bob, self.eve = (Named(name) for name in ("ada", "bob", "eve"))

    def take(self, who: Named | None, data: bytes, midst: str = NOTHING) -> None:
        self.text += b"".join(self.turns.take(who, data, midst))

    def leave(self, who: Named) -> None:
        self.text += b"".join(self.turns.leave(who))

    @property
    def full(self) -> bool:
        return self.is_full

    def turn_over(self, pieces: list[bytes]) -> None:
        self.overs += 1
        self.text += b"".join(pieces)


@pytest.fixture
def desk(loop: FakeLoop) -> Desk:
    return Desk(loop)


def test_who_is_in_the_midst_of_nothing_keeps_nobody_waiting(desk: Desk, loop: FakeLoop) -> None:
    desk.take(desk.ada, b"a")
    desk.take(desk.bob, b"b")
    assert desk.text == b"ab"
    assert loop.deadlines() == []


@pytest.mark.parametrize("midst", [KEY, PASTE])
def test_others_wait_until_it_is_over_and_come_in_order(desk: Desk, midst: str) -> None:
    desk.take(desk.ada, b"a1", midst)
    desk.take(desk.bob, b"b1")
    desk.take(None, b"m")
    desk.take(desk.eve, b"e")
    desk.take(desk.ada, b"a2", midst)
    desk.take(desk.bob, b"b2")
    assert desk.text == b"a1a2"
    desk.take(desk.ada, b"a3")
    assert desk.text == b"a1a2a3b1meb2"
    assert desk.turns.waiting == []


def test_a_key_is_waited_for_for_a_twentieth_of_a_second(desk: Desk, loop: FakeLoop) -> None:
    desk.take(desk.ada, b"a", KEY)
    desk.take(desk.bob, b"b")
    loop.pass_time(0.04)
    assert desk.text == b"a"
    loop.pass_time(0.02)
    assert (desk.text, desk.ada.was_overtaken, desk.overs) == (b"ab", False, 1)


def test_a_paste_is_waited_for_for_a_second_without_a_byte_and_then_ended(
    desk: Desk, loop: FakeLoop
) -> None:
    desk.take(desk.ada, b"a", PASTE)
    desk.take(desk.bob, b"b")
    for _ in range(5):
        loop.pass_time(0.9)
        desk.take(desk.ada, b"a", PASTE)
    assert desk.text == b"aaaaaa"
    loop.pass_time(1)
    assert desk.text == b"aaaaaa" + END + b"b"
    assert desk.ada.was_overtaken


def test_who_pauses_is_not_overtaken_by_nobody(desk: Desk, loop: FakeLoop) -> None:
    desk.take(desk.ada, b"a", PASTE)
    loop.pass_time(60)
    assert (desk.text, desk.overs, loop.deadlines()) == (b"a", 0, [])
    desk.take(desk.ada, b"a", PASTE)
    desk.take(desk.bob, b"b")
    assert desk.text == b"aa"
    loop.pass_time(1)
    assert desk.text == b"aa" + END + b"b"


def test_who_paused_for_long_is_overtaken_by_the_next_to_come(desk: Desk, loop: FakeLoop) -> None:
    desk.take(desk.ada, b"a", PASTE)
    loop.pass_time(60)
    desk.take(desk.bob, b"b")
    assert desk.text == b"a" + END + b"b"
    assert desk.ada.was_overtaken


@pytest.mark.parametrize("waits", [True, False])
def test_while_nobody_is_listened_to_nobody_pauses(desk: Desk, loop: FakeLoop, waits: bool) -> None:
    """A paste that the program reads slowly is whole all the same."""
    desk.take(desk.ada, b"a1", PASTE)
    if waits:
        desk.take(desk.bob, b"b")
    desk.is_full = True
    loop.pass_time(60)
    assert loop.deadlines() == []
    desk.is_full = False
    desk.turns.drained()
    if not waits:
        desk.take(desk.bob, b"b")
    desk.take(desk.ada, b"a2", PASTE)
    loop.pass_time(0.9)
    desk.turns.drained()
    assert desk.text == b"a1a2"
    loop.pass_time(0.1)
    assert desk.text == b"a1a2" + END + b"b"
    desk.turns.drained()
    assert loop.deadlines() == []


def test_who_waits_may_be_in_the_midst_of_something_then(desk: Desk, loop: FakeLoop) -> None:
    desk.take(desk.ada, b"a1", PASTE)
    desk.take(desk.bob, b"b1", PASTE)
    desk.take(desk.eve, b"e")
    desk.take(desk.bob, b"b2", PASTE)
    desk.take(desk.ada, b"a2")
    assert desk.text == b"a1a2b1b2"
    desk.take(desk.bob, b"b3")
    assert desk.text == b"a1a2b1b2b3e"
    desk.take(desk.ada, b"a1", PASTE)
    desk.take(desk.bob, b"b1", PASTE)
    loop.pass_time(2)
    desk.take(desk.eve, b"e")
    assert desk.text.endswith(b"a1" + END + b"b1" + END + b"e")


@pytest.mark.parametrize("midst", [KEY, PASTE])
def test_who_goes_in_the_midst_of_a_paste_has_it_ended(desk: Desk, midst: str) -> None:
    desk.take(desk.ada, b"a", midst)
    desk.take(desk.bob, b"b")
    desk.leave(desk.ada)
    assert desk.text == b"a" + (END if midst == PASTE else b"") + b"b"
    desk.leave(desk.bob)
    assert desk.text.endswith(b"b")


@pytest.mark.parametrize("midst", [KEY, PASTE])
def test_so_has_who_goes_while_it_waits(desk: Desk, loop: FakeLoop, midst: str) -> None:
    desk.take(desk.ada, b"a1", PASTE)
    desk.take(desk.bob, b"b", midst)
    desk.take(desk.eve, b"e")
    desk.leave(desk.bob)
    desk.take(desk.ada, b"a2")
    end = END if midst == PASTE else b""
    assert desk.text == b"a1a2b" + end + b"e"
    assert loop.deadlines() == []


def test_who_is_no_speaker_may_want_to_type_as_well(desk: Desk, loop: FakeLoop) -> None:
    assert desk.turns.want() == []
    desk.take(desk.ada, b"a", PASTE)
    assert desk.turns.want() is None
    loop.pass_time(1)
    assert (desk.text, desk.overs) == (b"a" + END, 1)
    desk.turns.wanted = False
    desk.take(desk.ada, b"a", PASTE)
    loop.pass_time(1)
    assert desk.turns.want() == [END]


def test_much_that_waits_is_enough_but_not_for_who_speaks(desk: Desk) -> None:
    desk.take(desk.ada, b"a", PASTE)
    desk.take(desk.bob, b"b" * CAP)
    assert not desk.turns.full_for(desk.bob)
    desk.take(desk.bob, b"b")
    assert desk.turns.full_for(desk.bob)
    assert desk.turns.full_for(desk.eve)
    assert not desk.turns.full_for(desk.ada)


def test_after_the_end_nothing_happens(desk: Desk, loop: FakeLoop) -> None:
    desk.take(desk.ada, b"a", PASTE)
    desk.take(desk.bob, b"b")
    desk.turns.close()
    loop.pass_time(2)
    assert (desk.text, desk.overs, loop.deadlines()) == (b"a", 0, [])


def test_an_error_in_it_keeps_nobody_waiting(desk: Desk) -> None:
    desk.take(desk.ada, b"a", PASTE)
    desk.turns.broken()
    desk.take(desk.bob, b"b")
    assert desk.text == b"a" + END + b"b"


def test_in_every_order_nothing_is_lost_and_nothing_mixes(loop: FakeLoop) -> None:
    """Three say what they say in two parts each, in every order of the six parts."""
    orders = {
        order
        for order in product("abe", repeat=6)
        if all(order.count(who) == 2 for who in ("a", "b", "e"))
    }
    for order in orders:
        desk = Desk(loop)
        who = {"a": desk.ada, "b": desk.bob, "e": desk.eve}
        said: set[str] = set()
        for name in order:
            part = "2" if name in said else "1"
            said.add(name)
            desk.take(who[name], f"{name}{part}".encode(), NOTHING if part == "2" else PASTE)
        found = desk.text.decode()
        assert sorted(found[at : at + 4] for at in (0, 4, 8)) == ["a1a2", "b1b2", "e1e2"], order
        desk.turns.close()
