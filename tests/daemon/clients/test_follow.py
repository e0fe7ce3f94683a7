"""Following a session: all that is written, and for who is too far behind what can be had of it."""

from __future__ import annotations

from typing import Any

import pytest

from shpool.config import Config
from shpool.config_values import RestoreMode
from shpool.daemon.clients.follow_errand import CAP, TAIL
from shpool.protocol.watching import EventReader, FollowRequest, WatchHead
from tests.daemon.core import Core


class Follower:
    def __init__(self, core: Core, *, from_screen: bool = False, restores: bool = True) -> None:
        self.core = core
        self.caller = core.call()
        self.caller.ask(FollowRequest("one", from_screen=from_screen, restores=restores))
        self.reader = EventReader()
        self.head = WatchHead.from_wire(self.caller.message())

    def told(self) -> list[tuple[str, Any]]:
        """What it was told since it was asked last, once it has read all; output joined."""
        found: list[tuple[str, Any]] = []
        while data := self.caller.received():
            for kind, _, said in self.reader.feed(data):
                if kind == "output" and found and found[-1][0] == "output":
                    found[-1] = (kind, found[-1][1] + said[0])
                else:
                    found.append((kind, said[0] if len(said) == 1 else tuple(said)))
            if self.caller.near >= 0:
                self.core.loop.writable(self.caller.near)
        return found


def write(core: Core, data: bytes) -> None:
    core.programs.started[0].write(data)


def flood(core: Core, size: int) -> None:
    """The program writes more than a follower may be behind, whatever the kernel keeps."""
    (session,) = core.table.all()
    line = b"x" * 8190 + b"\r\n"
    for _ in range(size // len(line)):
        session.pty_output(line)
    core.loop.settle()
    core.loop.idle()  # the terminal model catches up, and the pty is read again


def test_what_is_written_from_now_on_is_told_to_the_end(core: Core) -> None:
    core.attached("one")
    write(core, b"before")
    follower = Follower(core)
    write(core, b"now")
    core.programs.started[0].far.send(b"last")
    core.programs.started[0].end(7)
    assert follower.told() == [("size", (24, 80)), ("output", b"nowlast"), ("ended", 7)]
    assert follower.reader.status == 0
    assert core.requests.connections == set()


def test_the_screen_comes_first_if_it_is_wanted(core: Core) -> None:
    core.attached("one")
    write(core, b"before")
    follower = Follower(core, from_screen=True)
    core.loop.idle()
    write(core, b"after")
    (_, output) = follower.told()
    assert b"before" in output[1]
    assert output[1].endswith(b"after")


def test_a_session_without_a_model_has_no_screen(core: Core) -> None:
    values = {"pass_terminal": False, "session_restore_mode": RestoreMode("simple")}
    core.config.config = Config(values)
    core.attached("one")
    follower = Follower(core, from_screen=True)
    assert follower.head.error == "session 'one' keeps no screen: its restore mode is simple"
    assert core.table.all()[0].onlookers == []


def test_a_change_of_size_is_told_where_it_happens(core: Core) -> None:
    core.attached("one")
    follower = Follower(core)
    write(core, b"a")
    size = {"rows": 50, "cols": 100, "xpixel": 0, "ypixel": 0}
    payload = {"Resize": {"tty_size": size}}
    core.ask({"SessionMessage": {"session_name": "one", "payload": payload}})
    write(core, b"b")
    assert follower.told()[1:] == [("output", b"a"), ("size", (50, 100)), ("output", b"b")]


def test_who_is_too_far_behind_is_skipped_and_sent_the_screen(core: Core) -> None:
    core.attached("one").hang_up()
    follower = Follower(core)
    flood(core, CAP + 3_000_000)
    write(core, b"on the screen")
    (session,) = core.table.all()
    assert not session.onlookers[0].holds
    told = follower.told()
    core.loop.idle()
    told += follower.told()
    kinds = [kind for kind, _ in told]
    assert kinds == ["size", "output", "missed", "output"]
    assert 2_000_000 < told[2][1] < 3_100_000
    assert b"on the screen" in told[3][1]
    write(core, b"live")
    assert follower.told() == [("output", b"live")]


def test_who_wants_no_screen_is_sent_the_end_of_what_it_missed(core: Core) -> None:
    core.attached("one").hang_up()
    follower = Follower(core, restores=False)
    flood(core, CAP + 3_000_000)
    write(core, b"the last\r\n")
    told = follower.told()
    assert [kind for kind, _ in told] == ["size", "output", "missed", "output"]
    assert told[3][1].startswith(b"x" * 8190 + b"\r\n")
    assert told[3][1].endswith(b"x\r\nthe last\r\n")
    assert len(told[3][1]) <= TAIL
    assert len(told[1][1]) + told[2][1] + len(told[3][1]) == (
        (CAP + 3_000_000) // 8192 * 8192 + len(b"the last\r\n")
    )


@pytest.mark.parametrize("restores", [True, False])
def test_the_last_output_is_sent_to_who_was_skipped(core: Core, restores: bool) -> None:
    core.attached("one").hang_up()
    follower = Follower(core, restores=restores)
    flood(core, CAP + 3_000_000)
    core.programs.started[0].far.send(b"last words")
    core.programs.started[0].end(0)
    core.loop.pass_time(3600)  # nobody hurries it
    told = follower.told()
    assert [kind for kind, _ in told] == ["size", "output", "missed", "output", "ended"]
    assert b"last words" in told[3][1]


def test_who_goes_leaves_nothing_behind(core: Core) -> None:
    core.attached("one")
    follower = Follower(core, from_screen=True)
    follower.caller.hang_up()
    core.loop.idle()
    assert core.table.all()[0].onlookers == []
    assert core.requests.connections == set()


def test_a_follower_answers_no_questions(core: Core) -> None:
    core.attached("one").hang_up()
    Follower(core)
    write(core, b"\x1b[c")
    core.loop.idle()
    assert core.programs.started[0].typed().startswith(b"\x1b[?")
