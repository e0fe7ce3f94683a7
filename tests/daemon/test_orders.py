"""The core in orders of events that chance makes rare: nothing hangs, leaks or is done twice."""

from __future__ import annotations

import os
import shutil
import signal

import pytest

from shpool.config import Config
from shpool.config_values import Motd
from shpool.daemon.loop import peer
from shpool.daemon.programs.directory import SessionDir
from shpool.daemon.programs.spawn import SpawnError
from tests.daemon.core import Core


def test_a_shell_that_ends_before_anybody_looked_has_its_status_for_its_client(core: Core) -> None:
    caller = core.attach("one")
    (shell,) = core.programs.started
    shell.far.send(b"last words")
    shell.end(5)
    assert caller.message() == {"status": {"Created": {"warnings": []}}}
    assert caller.output() == (b"last words", 5)
    assert core.events.seen == ["created", "attached", "removed"]
    assert core.programs.started == []
    assert core.room.waiting == {}


def test_two_who_ask_for_one_new_name_end_with_one_session(core: Core) -> None:
    first, second = core.attach("one"), core.attach("one")
    assert len(core.programs.started) == 1
    core.programs.started[0].run()
    assert first.message() == {"status": {"Created": {"warnings": []}}}
    assert second.message() == {"status": "Busy"}
    assert core.room.waiting == {}


def test_where_the_first_cannot_have_a_session_the_second_tries_for_itself(core: Core) -> None:
    first, second = core.attach("one"), core.attach("one")
    core.programs.started[0].fail("cannot run 'sh': gone")
    assert first.message() == {"status": {"UnexpectedError": "cannot run 'sh': gone"}}
    assert second.message() is None
    core.programs.started[0].run()
    assert second.message() == {"status": {"Created": {"warnings": []}}}


def test_who_asks_while_a_session_is_being_killed_gets_a_new_one(core: Core) -> None:
    core.attached("one")
    (shell,) = core.programs.started
    killer = core.call()
    killer.ask({"Kill": {"sessions": ["one"]}})
    assert shell.signals == [signal.SIGHUP, signal.SIGCONT]
    newcomer = core.attach("one")
    assert (killer.message(), newcomer.message()) == (None, None)
    shell.end(129)
    assert killer.message() == {"not_found_sessions": []}
    core.programs.started[0].run()
    assert newcomer.message() == {"status": {"Created": {"warnings": []}}}
    assert core.events.seen == ["created", "attached", "removed", "created", "attached"]


def test_an_attach_that_finds_a_dead_shells_entry_makes_a_new_session(core: Core) -> None:
    core.attached("one").hang_up()
    core.programs.started[0].die(0)
    caller = core.attach("one")
    core.programs.started[0].run()
    assert caller.message() == {"status": {"Created": {"warnings": []}}}
    assert core.events.seen == [
        *("created", "attached", "detached", "removed", "created", "attached")
    ]


def test_a_kill_of_a_session_being_started_waits_for_it(core: Core) -> None:
    core.attach("one")
    killer = core.call()
    killer.ask({"Kill": {"sessions": ["one", "zzz"]}})
    assert killer.message() is None
    shell = core.programs.started[0]
    shell.run()
    assert shell.signals == [signal.SIGHUP, signal.SIGCONT]
    core.loop.pass_time(1)
    assert shell.signals[-1] == signal.SIGKILL
    shell.end(137)
    assert killer.message() == {"not_found_sessions": ["zzz"]}


def test_what_a_picture_finds_to_be_answered_is_typed_when_it_is_drawn(core: Core) -> None:
    core.attached("one").hang_up()
    (shell,) = core.programs.started
    for _ in range(10):
        shell.write(b"flood" * 1600)
    shell.write(b"\r\nab\x1b[6n")
    caller = core.attached("one")
    core.loop.idle()
    assert b"ab" in caller.output()[0]
    assert shell.typed().endswith(b";3R")


def test_a_client_in_the_pager_goes_in_the_turn_in_which_its_shell_ends(
    core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In either order, and whether or not the loop knows yet."""
    monkeypatch.setattr("shpool.daemon.clients.motd.message", lambda arguments: b"today")
    core.config.config = Config({"pass_terminal": False, "motd": Motd("pager", "less", 0)})
    for order in ("client first", "shell first", "client unnoticed", "pager too"):
        caller = core.attached("one")
        shell, pager = core.programs.started
        assert [each.program.file for each in (shell, pager)][1] == "less"
        pager.run()
        if order == "client first":
            caller.hang_up()
            shell.end(0)
        elif order == "shell first":
            shell.end(0)
            caller.hang_up()
        elif order == "client unnoticed":
            caller.far.close()
            shell.end(0)
        else:
            pager.die(0)
            shell.die(0)
            caller.hang_up()
        pager.end(0)
        core.loop.pass_time(10)
        assert core.ask("List") == {"sessions": []}
        assert core.attaching.clients == set()
        killer = core.call()
        killer.ask({"Kill": {"sessions": ["one"]}})
        assert killer.message() == {"not_found_sessions": ["one"]}
        assert core.programs.started == []


@pytest.mark.parametrize("reason", ["cannot open a pty: none left", "cannot fork: not allowed"])
def test_where_no_process_can_be_made_the_client_is_told_and_nothing_is_left(
    core: Core, reason: str
) -> None:
    core.programs.refuse = SpawnError(reason)
    caller = core.attach("one")
    assert caller.message() == {"status": {"UnexpectedError": reason}}
    assert caller.ended
    assert core.ask("List") == {"sessions": []}
    assert core.room.waiting == {}
    core.loop.pass_time(10)
    assert core.requests.connections == set()
    assert os.listdir(core.state / "sessions") == []
    core.programs.refuse = None
    assert core.attached("one").reply == {"status": {"Created": {"warnings": []}}}


def test_where_no_pager_can_be_had_the_session_is_shown(
    core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shpool.daemon.clients.motd.message", lambda arguments: b"today")
    core.attached("one").hang_up()
    core.config.config = Config({"pass_terminal": False, "motd": Motd("pager", "less", 0)})
    core.programs.refuse = SpawnError("cannot fork: not allowed")
    caller = core.attached("one")
    assert caller.reply == {"status": {"Attached": {"warnings": []}}}
    core.programs.started[0].write(b"word")
    assert caller.output()[0].endswith(b"word")


def test_what_cannot_be_updated_is_told_to_who_made_the_session_and_to_nobody_later(
    core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:

        def refuse(directory: SessionDir, name: str, content: bytes) -> str:
            raise OSError(28, "No space left on device")

        patch.setattr(SessionDir, "write", refuse)
        caller = core.attach("one", cmd="sh")
    core.programs.started[0].run()
    path = core.state / "sessions" / "one"
    warning = f"cannot update {path}: No space left on device"
    assert caller.message() == {"status": {"Created": {"warnings": [warning]}}}
    caller.hang_up()
    assert core.attached("one").reply == {"status": {"Attached": {"warnings": []}}}


def test_what_cannot_be_updated_at_a_reattach_is_told_then(
    core: Core,
) -> None:
    core.attached("one").hang_up()
    shutil.rmtree(core.state / "sessions" / "one")
    (core.state / "sessions" / "one").write_text("in the way")
    caller = core.attached("one")
    (warning,) = caller.reply["status"]["Attached"]["warnings"]
    assert warning.startswith(f"cannot update {core.state}/sessions/one: ")
    core.programs.started[0].write(b"word")
    assert caller.output()[0].endswith(b"word")


def test_an_error_in_a_reattach_is_its_end_and_not_the_sessions(
    core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    core.attached("one").hang_up()
    with monkeypatch.context() as patch:
        patch.setattr("shpool.daemon.clients.attach.update", lambda *arguments: 1 / 0)
        caller = core.attach("one")
        assert caller.ended
    assert core.requests.connections == set()
    assert core.ask({"Detach": {"sessions": ["one"]}})["not_attached_sessions"] == ["one"]
    assert core.attached("one").reply == {"status": {"Attached": {"warnings": []}}}


def test_who_runs_on_a_sessions_terminal_may_not_attach_to_it_but_who_has_its_number_elsewhere_may(
    core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    core.attached("one").hang_up()
    session = core.table.get("one")
    assert session is not None
    assert session.device is not None
    system, number = session.device
    for device, status in (
        ((system, number), "UnexpectedError"),
        ((0, number), "UnexpectedError"),
        ((system + 2, number), "Attached"),
    ):
        monkeypatch.setattr(peer, "controlling_terminal", lambda pid, found=device: found)
        caller = core.attached("one")
        assert list(caller.reply["status"]) == [status]
        caller.hang_up()


def test_a_forced_attach_detaches_and_attaches_in_one_turn(core: Core) -> None:
    first = core.attached("one")
    second = core.attach("one", force=True)
    assert second.message() == {"status": {"Attached": {"warnings": []}}}
    assert first.output()[1] == 0
    assert core.events.seen == ["created", "attached", "detached", "attached"]


def test_where_only_an_existing_session_is_wanted_none_is_made(core: Core) -> None:
    assert core.attach("one", existing=True).message() == {"status": "NotFound"}
    assert core.programs.started == []
    core.attached("one").hang_up()
    found = core.attach("one", existing=True)
    assert found.message() == {"status": {"Attached": {"warnings": []}}}
    found.hang_up()
    killer = core.call()
    killer.ask({"Kill": {"sessions": ["one"]}})
    late = core.attach("one", existing=True)
    core.programs.started[0].end(0)
    assert late.message() == {"status": "NotFound"}


def test_an_existing_session_that_its_maker_did_not_wait_for_is_attached_to(core: Core) -> None:
    core.attach("one").hang_up()
    core.programs.started[0].run()
    found = core.attach("one", existing=True)
    assert found.message() == {"status": {"Attached": {"warnings": []}}}
