"""A program that is to take over from a daemon, where there is nothing to take over."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from shpool.daemon import take_over
from shpool.daemon.guardian import Inheritance
from shpool.daemon.loop.reactor import Reactor
from shpool.daemon.programs.spawn import Spawner
from shpool.daemon.server import Server
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


class Next(Server):
    """One of which only the children are there; its guardian was killed."""

    def __init__(self, reactor: Reactor) -> None:
        self._reactor = reactor
        self._spawner = Spawner(reactor, 0o022, None)
        self._requests = SimpleNamespace(connections=())  # type: ignore[assignment]

    def take_up(self) -> None:
        pass


def test_a_guardian_that_has_ended_before_it_is_told_to_is_not_waited_for(
    reactor: Reactor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "state").write_bytes(b"state")
    state = os.open(tmp_path / "state", os.O_RDONLY)
    guardian = subprocess.Popen(["true"])
    os.waitid(os.P_PID, guardian.pid, os.WEXITED | os.WNOWAIT)
    server = Next(reactor)
    monkeypatch.setattr(sys, "unraisablehook", None)  # it is set
    monkeypatch.setattr(Server, "read_state", lambda *args, **kwargs: server)
    take_over._come_to_serve(Inheritance(state, -1, guardian.pid, []), [])
    assert server._spawner.children == {}
    guardian.returncode = 0  # which is not its pid any more
