"""Several clients at one session: who may come, what each is shown, and what that costs others."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from shpool.config import Config
from shpool.config_values import Motd, RestoreMode
from shpool.daemon.sessions.hooks import Hooks
from shpool.protocol.attaching import Comeback
from tests.daemon.core import Caller, Core
from tests.daemon.fakes import FakeChild

FLOOD = (b"flood" * 15 + b"\r\n") * 100


def row(core: Core) -> Any:
    (found,) = core.ask("List")["sessions"]
    return found


def roles(core: Core) -> list[str]:
    return [each["role"] for each in row(core)["attachments"] + row(core)["watchers"]]


def catch_up(core: Core, *callers: Caller) -> bytes:
    """Have all drawn that is to be; what the last of them was shown."""
    core.loop.pass_time(1)
    core.loop.idle()
    shown = b""
    for caller in callers:
        shown, _ = caller.output()
    return shown


def flood(core: Core, shell: FakeChild, *reading: Caller) -> None:
    for _ in range(60):
        shell.write(FLOOD)
        for caller in reading:
            caller.received()
            core.loop.writable(caller.near)


def test_who_shares_is_attached_beside_the_other_and_both_see_and_type(core: Core) -> None:
    first = core.attached("one")
    assert core.attach("one").message() == {"status": "Busy"}
    second = core.attached("one", share=True)
    assert second.reply == {"status": {"Attached": {"warnings": []}}}
    catch_up(core, first, second)
    (shell,) = core.programs.started
    shell.write(b"word")
    assert first.output() == second.output() == (b"word", None)
    first.send(b"a")
    second.send(b"b")
    assert shell.typed() == b"ab"
    assert roles(core) == ["shared", "driver"]
    assert core.events.seen == ["created", "attached", "attached"]


def test_to_a_free_session_sharing_is_a_plain_attach(core: Core) -> None:
    assert core.attached("one", share=True).reply == {"status": {"Created": {"warnings": []}}}


def test_who_only_watches_sees_everything_types_nothing_and_is_in_nobodys_way(core: Core) -> None:
    assert core.attach("one", read_only=True).message() == {"status": "NotFound"}
    core.attached("one").hang_up()
    before = row(core)
    watcher = core.attached("one", read_only=True)
    assert watcher.reply == {"status": {"Attached": {"warnings": []}}}
    assert {**row(core), "watchers": []} == before
    assert before["status"] == "Disconnected"
    first = core.attached("one")
    another = core.attached("one", read_only=True)
    catch_up(core, watcher, another, first)
    (shell,) = core.programs.started
    watcher.send(b"x")
    assert shell.typed() == b""
    shell.write(b"word")
    assert [each.output() for each in (watcher, another, first)] == [(b"word", None)] * 3
    assert roles(core) == ["driver", "watcher", "watcher"]
    watcher.send(b"\x00\x11")
    assert watcher.output()[1] == 0
    assert core.events.seen == [
        *("created", "attached", "detached", "attached", "attached", "attached", "detached")
    ]


def test_watchers_leave_the_times_and_the_embedder_alone(core: Core) -> None:
    heard: list[str] = []

    class Noting(Hooks):
        def on_reattach(self, name: str) -> None:
            heard.append("reattach")

        def on_client_disconnect(self, name: str) -> None:
            heard.append("disconnect")

    core.table._hooks = Noting()
    first = core.attached("one")
    shared = core.attached("one", share=True)
    watcher = core.attached("one", read_only=True)
    first.hang_up()
    assert row(core)["last_disconnected_at_unix_ms"] is None
    shared.hang_up()
    left = row(core)["last_disconnected_at_unix_ms"]
    assert left is not None
    watcher.hang_up()
    assert row(core)["last_disconnected_at_unix_ms"] == left
    assert heard == ["reattach", "disconnect", "disconnect"]


def test_who_takes_a_session_over_leaves_those_who_watch(core: Core) -> None:
    first = core.attached("one")
    shared = core.attached("one", share=True)
    watcher = core.attached("one", read_only=True)
    forced = core.attached("one", force=True)
    assert (first.output()[1], shared.output()[1], watcher.output()[1]) == (0, 0, None)
    assert forced.reply == {"status": {"Attached": {"warnings": []}}}
    assert roles(core) == ["driver", "watcher"]
    assert core.events.seen[4:] == ["detached", "detached", "attached"]


def test_a_plain_detach_leaves_those_who_watch(core: Core) -> None:
    core.attached("one")
    watcher = core.attached("one", read_only=True)
    nobody: dict[str, list[str]] = {"not_found_sessions": [], "not_attached_sessions": []}
    assert core.ask({"Detach": {"sessions": ["one"]}}) == nobody
    assert watcher.output()[1] is None
    again = {**nobody, "not_attached_sessions": ["one"]}
    assert core.ask({"Detach": {"sessions": ["one"]}}) == again


def test_who_comes_back_after_the_session_was_free_is_a_newcomer(core: Core) -> None:
    core.attached("one").hang_up()
    other = core.attached("one", share=True)
    assert core.attach("one", resumes=True).message() == {"status": "Busy"}
    assert other.output()[1] is None


@pytest.mark.parametrize("way", ["stopped", "cut off", "new"])
def test_who_comes_back_to_where_another_one_types_does_not_take_the_size(
    core: Core, way: str
) -> None:
    first = core.attached("one", comeback=Comeback("t1", [], None) if way == "cut off" else None)
    second = core.attached("one", share=True, size=(30, 90))
    core.loop.pass_time(1)
    second.send(b"x")
    first.hang_up()
    if way == "new":
        assert core.attach("one").message() == {"status": "Busy"}
    core.attached(
        "one",
        share=way == "new",
        resumes=way == "stopped",
        comeback=Comeback("t2", ["t1"], None) if way == "cut off" else None,
    )
    drivers = [each["rows"] for each in row(core)["attachments"] if each["role"] == "driver"]
    assert drivers == ([24] if way == "new" else [30])


def test_a_watcher_where_nothing_is_remembered_is_told(core: Core) -> None:
    values = {"pass_terminal": False, "session_restore_mode": RestoreMode("simple")}
    core.config.config = Config(values)
    first = core.attached("one")
    watcher = core.attached("one", read_only=True)
    said = "session 'one' keeps no screen: you see what is printed from now on"
    assert watcher.reply == {"status": {"Attached": {"warnings": [said]}}}
    catch_up(core, first, watcher)
    core.programs.started[0].write(b"word")
    assert watcher.output()[0].endswith(b"word")


@pytest.mark.parametrize("wish", ["share", "read_only"])
def test_who_does_not_drive_and_does_not_read_costs_nobody_anything(core: Core, wish: str) -> None:
    driver = core.attached("one")
    slow = core.attached("one", **{wish: True})
    catch_up(core, driver, slow)
    (shell,) = core.programs.started
    driver.send(b"x")
    for _ in range(40):
        shell.write(FLOOD)
        core.loop.writable(driver.near)
        assert len(driver.received()) > 7000
        assert core.loop.reads(shell.ends.master)
    shell.write(b"\r\nthe end")
    assert driver.output()[0].endswith(b"the end")
    for _ in range(20):
        slow.output()
        core.loop.writable(slow.near)
    assert b"the end" in catch_up(core, slow)
    shell.write(b"on it goes")
    assert slow.output() == driver.output() == (b"on it goes", None)


def test_a_slow_one_is_drawn_at_most_every_fifth_of_a_second(core: Core) -> None:
    driver = core.attached("one")
    slow = core.attached("one", read_only=True)
    catch_up(core, driver, slow)
    (shell,) = core.programs.started
    (client,) = (each for each in core.attaching.clients if each.role == "watcher")
    slow._near.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)
    times = []
    for _ in range(100):
        for _ in range(12):
            shell.write(FLOOD)
            driver.received()
        for _ in range(40):
            slow.received()
            core.loop.writable(slow.near)
        core.loop.writable(slow.near)
        before = client.state.now
        core.loop.pass_time(0.02)
        core.loop.idle()
        if before != client.state.now == "live":
            times.append(core.loop.now)
    assert len(times) > 4
    assert min(later - earlier for earlier, later in zip(times, times[1:])) > 0.19


def test_a_slow_one_that_comes_to_drive_is_shown_the_screen_at_once(core: Core) -> None:
    driver = core.attached("one")
    slow = core.attached("one", share=True)
    catch_up(core, driver, slow)
    (shell,) = core.programs.started
    driver.send(b"x")
    for _ in range(2):
        flood(core, shell, driver)
        for _ in range(40):
            slow.received()
            core.loop.writable(slow.near)
        core.loop.idle()
    (client,) = (each for each in core.attaching.clients if each.role == "shared")
    assert client.state.now == "frozen"
    slow.send(b"y")
    core.loop.idle()
    assert client.state.now == "live"
    shell.write(b"here")
    assert slow.output()[0].endswith(b"here")


def test_who_took_over_from_a_stalled_driver_is_held_back_no_more(core: Core) -> None:
    stalled = core.attached("one")
    other = core.attached("one", share=True)
    catch_up(core, stalled, other)
    (shell,) = core.programs.started
    stalled.send(b"x")
    flood(core, shell, other)
    core.loop.pass_time(1)
    core.loop.idle()
    assert not core.loop.reads(shell.ends.master)
    other.send(b"y")
    assert core.loop.reads(shell.ends.master)


def test_who_comes_while_the_maker_is_in_the_pager_does_not_take_its_first_words(
    core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shpool.daemon.clients.motd.message", lambda arguments: b"today")
    core.config.config = Config({"pass_terminal": False, "motd": Motd("pager", "less", 0)})
    maker = core.attached("one")
    shell, pager = core.programs.started
    pager.run()
    core.config.config = Config({"pass_terminal": False})
    other = core.attached("one", share=True)
    shell.write(b"first words")
    catch_up(core, other)
    pager.end(0)
    assert b"first words" in catch_up(core, maker)
