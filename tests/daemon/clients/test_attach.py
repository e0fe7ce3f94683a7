"""Who may attach, to what, what is said if not, and when the message of the day is shown."""

from __future__ import annotations

import os
import signal
import socket
import tty
from collections.abc import Iterator
from typing import Any

import pytest

from shpool.config import Config
from shpool.config_values import Motd
from shpool.daemon.clients.output import PAGING
from shpool.daemon.clients.terminal_channel import TerminalChannel
from shpool.daemon.loop import peer
from shpool.daemon.sessions.hooks import Hooks
from shpool.protocol.attaching import AttachHeader
from shpool.protocol.msgpack import pack
from shpool.protocol.requests import TtySize
from tests.daemon.core import Caller, Core

CREATED: dict[str, dict[str, object]] = {"status": {"Created": {"warnings": []}}}
ATTACHED: dict[str, dict[str, object]] = {"status": {"Attached": {"warnings": []}}}


class Noted(Hooks):
    def __init__(self) -> None:
        self.heard: list[str] = []

    def on_reattach(self, name: str) -> None:
        self.heard.append(f"reattach {name}")

    def on_busy(self, name: str) -> None:
        self.heard.append(f"busy {name}")


def refusal(caller: Caller) -> str:
    reply = caller.message()
    assert caller.ended
    reason: str = reply["status"]["UnexpectedError"]
    return reason


def test_a_name_that_is_none_is_refused_in_words(core: Core) -> None:
    assert refusal(core.attach("a/b")) == "invalid session name 'a/b'"
    assert refusal(core.attach("a\x1bb")) == r"invalid session name 'a\x1bb'"
    assert core.programs.count == 0


def test_one_client_has_a_session_and_the_next_is_told_so(core: Core) -> None:
    core.table._hooks = hooks = Noted()
    first = core.attached("one")
    assert first.reply == CREATED
    second = core.attach("one")
    assert second.message() == {"status": "Busy"}
    assert second.ended
    first.hang_up()
    assert core.attached("one").reply == ATTACHED
    assert hooks.heard == ["busy one", "reattach one"]
    assert core.events.seen == ["created", "attached", "detached", "attached"]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"cmd": "sh 'unclosed"}, 'cannot split the command "sh \'unclosed"'),
        ({"cmd": ""}, "the command to run is empty"),
        ({"cmd": "sh", "start_cmd": "x"}, "a start command needs a shell"),
        ({"cmd": "a\0b"}, "a command or directory cannot have a NUL byte in it"),
    ],
)
def test_what_cannot_be_run_is_told_before_anything_is_made(
    core: Core, fields: dict[str, Any], reason: str
) -> None:
    assert refusal(core.attach("one", **fields)).startswith(reason)
    assert core.programs.count == 0
    assert core.table.all() == []
    assert os.listdir(core.state / "sessions") == []


def test_a_directory_that_cannot_be_made_is_told_of(core: Core) -> None:
    (core.state / "sessions").write_text("in the way")
    reason = refusal(core.attach("one"))
    assert reason == f"cannot make {core.state}/sessions/one: File exists" or (
        reason == f"cannot make {core.state}/sessions/one: Not a directory"
    )


def test_a_session_may_be_given_a_time_to_live(core: Core) -> None:
    core.attached("one", ttl_secs=60)
    core.loop.pass_time(61)
    assert core.programs.started[0].signals[:1] == [signal.SIGHUP]


def test_what_was_typed_behind_the_request_reaches_the_shell(core: Core) -> None:
    caller = core.call()
    header = AttachHeader("one", "one", TtySize(24, 80), [("TERM", "xterm")])
    caller.send(pack(header.to_wire()) + b"typed ahead")
    core.programs.started[0].run()
    assert core.programs.started[0].typed() == b"typed ahead"


# ---- inside a session


@pytest.fixture
def inside(core: Core, monkeypatch: pytest.MonkeyPatch) -> Core:
    """Whoever connects runs on the pty of session one, to which somebody is attached."""
    core.attached("one")
    session = core.table.get("one")
    assert session is not None
    device = session.device
    monkeypatch.setattr(peer, "controlling_terminal", lambda pid: device)
    return core


@pytest.mark.parametrize(
    ("name", "word"), [("two", "two"), ("it's", r"'it'\''s'"), ("-x", "-- -x"), ("é", "é")]
)
def test_who_has_not_said_that_it_may_nest_is_told_what_to_do(
    inside: Core, name: str, word: str
) -> None:
    assert refusal(inside.attach(name, nested=False)) == (
        f"this is session 'one'; to switch: shpool switch {word};"
        f" to nest them: shpool attach --nested {word}"
    )
    assert inside.programs.count == 1


def test_who_says_that_it_may_nest_or_nothing_nests(inside: Core) -> None:
    assert inside.attached("two").reply == CREATED
    assert inside.attached("three", nested=True).reply == CREATED
    inside.attached("four", background=True).hang_up()
    assert refusal(inside.attach("four", nested=False)).startswith("this is session 'one'; ")


@pytest.mark.parametrize("nested", [True, False])
@pytest.mark.parametrize("way", [{}, {"force": True}, {"share": True}, {"read_only": True}])
def test_nobody_attaches_to_the_session_inside_which_it_runs(
    inside: Core, nested: bool, way: dict[str, Any]
) -> None:
    reason = refusal(inside.attach("one", nested=nested, **way))
    assert reason == "session 'one' cannot be attached to from inside it"


def test_who_is_in_no_session_may_attach_without_a_word(core: Core) -> None:
    core.attached("one")
    assert core.attached("two", nested=False).reply == CREATED


def test_a_list_says_inside_which_session_it_was_asked_for(inside: Core) -> None:
    reply = inside.ask("List")
    assert reply["here"] == {"name": "one", "pid": os.getpid()}
    assert inside.ask({"Detach": {"sessions": ["one"], "pid": 1}}) == {
        "not_found_sessions": [],
        "not_attached_sessions": ["one"],
    }
    assert inside.ask({"Detach": {"sessions": ["one"], "pid": os.getpid()}}) == {
        "not_found_sessions": [],
        "not_attached_sessions": [],
    }
    assert inside.ask("List")["here"] == {"name": "one", "pid": None}


# ---- the message of the day


@pytest.fixture
def motd(core: Core, monkeypatch: pytest.MonkeyPatch) -> Core:
    monkeypatch.setattr("shpool.daemon.clients.motd.message", lambda arguments: b"to\nday\n")
    return core


def use(core: Core, mode: str, every: int | None = None) -> None:
    core.config.config = Config({"pass_terminal": False, "motd": Motd(mode, "less", every)})


def test_dumped_it_is_shown_to_who_makes_a_session_and_to_nobody_else(motd: Core) -> None:
    use(motd, "dump")
    caller = motd.attached("one")
    assert caller.output() == (b"to\r\nday\r\n", None)
    caller.hang_up()
    again = motd.attached("one")
    motd.loop.idle()
    assert again.output()[0].count(b"day") == 1  # where it stands on the screen


def test_in_a_pager_it_is_shown_at_each_attach_and_keys_are_the_pagers(motd: Core) -> None:
    use(motd, "pager", 0)
    for status in (CREATED, ATTACHED):
        caller = motd.attached("one")
        assert caller.reply == status
        shell, less = motd.programs.started
        assert less.program.argv == ["less", f"{motd.state}/sessions/one/motd"]
        less.run()
        shell.write(b"shell")
        less.write(b"paged")
        assert caller.output()[0] == b"paged"
        caller.send(b"q")
        assert (less.typed(), shell.typed()) == (b"q", b"")
        less.end(0)
        motd.loop.readable(shell.ends.master)
        motd.loop.idle()
        assert b"shell" in caller.output()[0]
        caller.send(b"x")
        assert shell.typed() == b"x"
        caller.hang_up()
    assert (motd.state / "sessions/one/motd").read_bytes() == b"to\nday\n"


def test_in_a_pager_it_is_shown_no_more_often_than_wanted(motd: Core) -> None:
    use(motd, "pager", 3600)
    shown = []
    for _ in range(3):
        caller = motd.attached("one")
        shown.append(any(each.state.now == PAGING for each in motd.attaching.clients))
        caller.hang_up()
        motd.loop.pass_time(2000)
    assert shown == [True, False, True]


def test_where_it_cannot_be_written_the_session_is_shown(
    motd: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    motd.attached("one").hang_up()
    (motd.state / "sessions/one/motd.new").mkdir()
    use(motd, "pager", 0)
    caller = motd.attached("one")
    assert caller.reply == ATTACHED
    motd.programs.started[0].write(b"word")
    assert caller.output()[0].endswith(b"word")


# ---- the client's terminal


@pytest.fixture
def terminal() -> Iterator[int]:
    """A raw one, which the client has."""
    master, slave = os.openpty()
    tty.setraw(slave)
    yield slave
    os.close(master)
    os.close(slave)


def offer(core: Core, terminal: int) -> Caller:
    caller = core.call()
    header = AttachHeader("one", "one", TtySize(24, 80), [("TERM", "xterm")])
    socket.send_fds(caller.far, [pack(header.to_wire())], [terminal])
    core.loop.readable(caller.near)
    if core.programs.started and not core.programs.started[-1].runs:
        core.programs.started[-1].run()
    caller.reply = caller.message()
    return caller


def passed(core: Core) -> bool:
    (client,) = core.attaching.clients
    return isinstance(client._channel, TerminalChannel)


def test_a_terminal_that_is_offered_is_taken_and_the_client_told(core: Core, terminal: int) -> None:
    core.config.config = Config({})
    caller = offer(core, terminal)
    assert passed(core)
    assert caller.reply["status"] == CREATED["status"]
    assert caller.reply != CREATED


@pytest.mark.parametrize("why", ["config", "no terminal", "warnings"])
def test_a_terminal_is_left_to_its_client(
    core: Core, terminal: int, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    core.config.config = Config({"pass_terminal": why != "config"})
    offered = terminal
    if why == "no terminal":
        offered = os.open(os.devnull, os.O_RDWR)
    if why == "warnings":
        monkeypatch.setattr(
            "shpool.daemon.clients.attach.update", lambda *arguments: ["cannot update"]
        )
    before = len(os.listdir("/proc/self/fd"))
    caller = offer(core, offered)
    assert not passed(core)
    assert list(caller.reply) == ["status"]
    caller.hang_up()
    core.programs.started[0].end(0)
    assert len(os.listdir("/proc/self/fd")) <= before + 4  # the test's own ends
    if offered != terminal:
        os.close(offered)


def test_the_daemons_end_hangs_up_on_everybody_those_included_that_are_leaving(core: Core) -> None:
    first, second = core.attached("one"), core.attached("two")
    for _ in range(60):
        core.programs.started[0].write(b"flood" * 1600)
    core.ask({"Detach": {"sessions": ["one"]}})
    assert len(core.attaching.clients) == 2
    core.attaching.drop_all()
    for caller in (first, second):
        caller.received()
        assert caller.ended
    assert core.attaching.clients == set()
