"""In which order a terminal and its modes are handed over."""

from typing import Any

import pytest

from shpool.client.hands import DaemonsHands, OurHands
from shpool.protocol import chunks


class Recorded:
    """Stands for the terminal, its watch, and the way to the daemon."""

    before = b"modes"

    def __init__(self) -> None:
        self.calls: list[Any] = []

    @property
    def watch(self) -> Any:
        return self

    def unseen(self, state: int) -> None:
        self.calls.append(state)

    def enter(self) -> None:
        self.calls.append("raw")

    def send(self, data: bytes) -> None:
        self.calls += chunks.ChunkReader().feed(data)


def test_a_terminal_is_made_raw_after_the_daemon_was_told_how_to_undo_it() -> None:
    all_of_it: Any = Recorded()
    DaemonsHands(all_of_it, all_of_it).take()
    assert all_of_it.calls == [0, (chunks.MODES, b"modes"), "raw", (chunks.BACK, b"")]


def test_a_terminal_of_ours_is_made_raw_and_nobody_told() -> None:
    all_of_it: Any = Recorded()
    hands = OurHands(all_of_it)
    hands.take()
    hands.taken_again()
    assert not hands.told(chunks.HEARTBEAT, b"")
    assert hands.give_back()
    assert all_of_it.calls == ["raw"]


def test_the_daemon_is_told_when_the_terminal_is_wanted_back_and_when_it_is_there_again() -> None:
    all_of_it: Any = Recorded()
    hands = DaemonsHands(all_of_it, all_of_it)
    assert hands.told(chunks.HEARTBEAT, b"")
    assert not hands.told(chunks.STATE, b"\x02")
    hands.taken_again()
    assert not hands.give_back()
    assert all_of_it.calls == [2, (chunks.BACK, b""), (chunks.DETACH, b"")]


def test_who_goes_over_says_so_and_when_the_terminal_is_in_good_hands_again() -> None:
    all_of_it: Any = Recorded()
    hands = DaemonsHands(all_of_it, all_of_it)
    assert not hands.give_back(goes_over=True)
    hands.let_go()
    assert all_of_it.calls == [(chunks.DETACH, chunks.GOES_OVER), (chunks.DETACH, b"")]


@pytest.mark.parametrize("detached", [True, False])
def test_with_a_terminal_of_ours_the_daemon_may_be_asked_to_clean_it(detached: bool) -> None:
    all_of_it: Any = Recorded()
    assert OurHands(all_of_it).give_back(goes_over=True)
    hands = OurHands(all_of_it, lambda: detached)
    assert hands.give_back()
    assert hands.give_back(goes_over=True) == (not detached)
