"""What an attach tells who has run it from another host."""

from __future__ import annotations

import sys

import pytest

from shpool import __version__
from shpool.client.caller import Caller
from shpool.client.connect import Call
from shpool.program import path
from shpool.protocol.attaching import COMEBACK, mark


class Daemon(Call):
    """Greeted already."""

    def __init__(self, server: str, knows: list[str]) -> None:
        self.server = server
        self._knows = knows


OURS = Daemon(f"shpool-py {__version__}", [COMEBACK])
OLDER = Daemon("shpool-py 0.1.9", [])
ORIGINAL = Daemon("", [])

Output = pytest.CaptureFixture[str]


def told(capfd: Output) -> str:
    return capfd.readouterr().out


def written(*words: str) -> str:
    return b"".join(mark("t1", word) for word in words).decode()


def test_what_it_says_of_itself_goes_into_the_request() -> None:
    comeback = Caller("t1;t2,t3;77").comeback
    assert comeback is not None
    assert comeback.to_wire() == {"token": "t1", "replaces": ["t2", "t3"], "since": 77}
    comeback = Caller("t1;;").comeback
    assert comeback is not None
    assert comeback.to_wire() == {"token": "t1", "replaces": [], "since": None}


@pytest.mark.parametrize("said", ["", ";", "a b;;", "\x1b;;", "é;;"])
def test_what_makes_no_sense_is_told_nothing(said: str, capfd: Output) -> None:
    caller = Caller(said)
    assert caller.comeback is None
    caller.attached("main", OLDER, "\n")
    assert not caller.busy(OURS)
    assert not caller.gone()
    assert capfd.readouterr() == ("", "")


def test_more_than_may_be_replaced_is_cut() -> None:
    comeback = Caller("t1;" + ",".join(f"r{number}" for number in range(30)) + ",b ad;x").comeback
    assert comeback is not None
    assert comeback.replaces == [f"r{number}" for number in range(14, 30)]
    assert comeback.since is None


def test_the_first_time_the_user_is_told_and_not_the_caller(capfd: Output) -> None:
    caller = Caller("t1;;")
    assert not caller.busy(OURS)
    assert not caller.gone()
    assert told(capfd) == ""


@pytest.mark.parametrize(
    ("daemon", "word"), [(OURS, "busy"), (OLDER, "busy;original"), (ORIGINAL, "busy;original")]
)
def test_who_comes_back_is_told_by_marks(daemon: Daemon, word: str, capfd: Output) -> None:
    caller = Caller("t1;t0;5")
    assert caller.busy(daemon)
    assert told(capfd) == written(word)
    assert caller.gone()
    assert told(capfd) == written("gone")


def test_the_name_is_told_at_each_attach_and_lines_are_the_first_ones(capfd: Output) -> None:
    caller = Caller("t1;t0;5")
    caller.attached("main", OURS, "\n")
    caller.attached("wörk", OURS, "\n")
    assert told(capfd) == written("name;6d61696e", "name;77c3b6726b")
    assert not caller.literal
    caller.attached("{", OURS, "\n", literal=True)
    assert told(capfd) == written("name;7b;literal")
    assert Caller("t1;t0;5;literal").literal
    assert caller.comeback is not None
    assert (caller.comeback.replaces, caller.comeback.since) == ([], None)


@pytest.mark.parametrize(
    ("said", "daemon", "warned"),
    [
        ("t1;;", OURS, False),
        ("t1;;", ORIGINAL, False),
        ("t1;;", OLDER, True),
        ("t1;t0;", OLDER, False),  # it was told the first time
    ],
)
def test_a_daemon_of_another_version_is_named_with_what_replaces_it(
    said: str, daemon: Daemon, warned: bool, capfd: Output
) -> None:
    caller = Caller(said)
    for _ in range(2):
        caller.attached("main", daemon, "\r\n")
    line = (
        f"shpool: the daemon here is shpool-py 0.1.9; to have {__version__} in its place,"
        f" with all its sessions: {sys.executable} {path()} upgrade\r\n"
    )
    assert capfd.readouterr().err == (line if warned else "")
