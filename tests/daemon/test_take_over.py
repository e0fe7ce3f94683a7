"""A program that is to take over from a daemon, where there is nothing to take over."""

from __future__ import annotations

import os

import pytest

from shpool.daemon import take_over
from shpool.daemon.values import StateError
from shpool.paths import TAKE_OVER


@pytest.mark.parametrize("told", ["", "nothing", "3 4", "77777 77778 5"])
def test_who_is_told_nothing_that_makes_sense_takes_nothing_over(
    told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(TAKE_OVER, told)
    with pytest.raises(StateError, match=f"^{TAKE_OVER} is for a daemon that replaces itself$"):
        take_over.take_over([])
    assert TAKE_OVER not in os.environ


def test_where_there_is_no_state_there_is_no_rehearsal(monkeypatch: pytest.MonkeyPatch) -> None:
    with open("/dev/null") as null:
        monkeypatch.setattr(take_over, "_STATE", null.fileno())
        said = f"^there is no state of a daemon at descriptor {null.fileno()}$"
        with pytest.raises(StateError, match=said):
            take_over.rehearse()
