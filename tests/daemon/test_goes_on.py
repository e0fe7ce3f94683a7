"""What was under way when the server was replaced goes on with the next one."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import termios
import tty
from collections.abc import Iterator

import pytest

from shpool.config import Config
from shpool.config_values import RestoreMode
from shpool.daemon.plain import Reading, Writing
from shpool.daemon.programs.process import Process, open_pidfd
from shpool.daemon.programs.spawn import Spawner
from shpool.daemon.sessions.model_picture import ModelPicture
from shpool.daemon.sessions.session import Session
from shpool.protocol.attaching import AttachHeader
from shpool.protocol.requests import TtySize
from tests.daemon.carrying import carry_over
from tests.daemon.core import Caller
from tests.daemon.fakes import FakeLoop
from tests.daemon.served import ServedCore, passing, subscribed

LINES = 3000


def session(core: ServedCore, name: str) -> Session:
    found = core.table.get(name)
    assert found is not None
    return found


def packed(core: ServedCore, name: str) -> int:
    picture = session(core, name).picture
    assert isinstance(picture, ModelPicture)
    return len(picture._backlog.terminal.packed)


@pytest.fixture
def long(served: ServedCore) -> ServedCore:
    """A session that remembers 3,000 lines, all of which have been interpreted."""
    remembers = {"session_restore_mode": RestoreMode("lines", LINES)}
    served.config.config = Config({"pass_terminal": False, **remembers})
    caller = served.attached("long")
    for first in range(0, LINES, 100):
        lines = "".join(f"line {number}\r\n" for number in range(first, first + 100))
        served.programs.started[0].write(lines.encode())
        served.loop.idle()
        caller.received()
    served.loop.pass_time(0.03)
    served.loop.idle()
    return served


def test_output_is_passed_on_before_the_history_is_unpacked(long: ServedCore) -> None:
    carry_over(long, unpack=False)
    (caller,), (shell,) = long.callers, long.programs.started
    assert packed(long, "long") == 3
    shell.write(b"at once\r\n")
    assert caller.output() == (b"at once\r\n", None)
    assert packed(long, "long") == 3
    caller.send(b"key")
    assert shell.typed() == b"key"
    long.loop.pass_time(0.03)
    long.loop.idle()
    assert packed(long, "long") == 0
    peeked = long.call()
    peeked.ask({"Peek": {"session_name": "long", "history": True}})
    long.loop.idle()
    shown = peeked.received()
    assert b"line 10" in shown
    assert b"line 2999" in shown
    assert b"at once" in shown


def test_who_asks_for_a_picture_first_has_the_history_unpacked(long: ServedCore) -> None:
    carry_over(long, unpack=False)
    again = long.attached("long", force=True)
    long.loop.idle()
    shown, _ = again.output()
    again.core.loop.idle()
    assert b"line 50\r\n" in shown
    assert b"line 2999" in shown


def test_a_client_that_is_let_go_first_is_told_what_turns_off_what_is_on(long: ServedCore) -> None:
    (caller,), (shell,) = long.callers, long.programs.started
    shell.write(b"\x1b[?2004h")
    long.loop.pass_time(0.03)
    long.loop.idle()
    caller.output()
    carry_over(long, unpack=False)
    long.ask({"Detach": {"sessions": ["long"]}})
    shown, status = caller.output()
    assert status == 0
    assert b"\x1b[?2004l" in shown


def test_a_history_that_is_still_packed_is_handed_on_once_more(long: ServedCore) -> None:
    for _ in range(3):
        carry_over(long, unpack=False)
    assert packed(long, "long") == 3
    (shell,) = long.programs.started
    shell.write(b"more\r\n")
    carry_over(long, unpack=False)
    long.loop.pass_time(0.03)
    long.loop.idle()
    caller = long.attached("long", force=True)
    long.loop.idle()
    assert b"line 2999\r\nmore" in caller.output()[0]


def test_a_broken_history_costs_the_session_no_more_than_that(long: ServedCore) -> None:
    carry_over(long, unpack=False)
    picture = session(long, "long").picture
    assert isinstance(picture, ModelPicture)
    picture._backlog.terminal.packed[0] = [7, b"one row", *[b""] * 6]
    long.loop.idle()
    assert not session(long, "long").picture.remembers
    (caller,), (shell,) = long.callers, long.programs.started
    shell.write(b"still here")
    assert caller.output() == (b"still here", None)


# ---- terminals in the daemon's own hands


@pytest.fixture
def ends() -> Iterator[list[int]]:
    """Descriptors of terminals, the master first."""
    made: list[int] = []
    yield made
    for fd in made:
        os.close(fd)


def test_a_passed_terminal_is_read_and_written_by_the_next_server(
    served: ServedCore, ends: list[int]
) -> None:
    passing(served, "passed", ends)
    (shell,) = served.programs.started
    shell.write(b"before ")
    carry_over(served)
    shell.write(b"after")
    shown = b""
    while len(shown) < len(b"before after"):
        shown += os.read(ends[0], 100)
    assert shown == b"before after"
    os.write(ends[0], b"key")
    client = session(served, "passed").clients[0]
    served.loop.readable(client._channel._terminal.fd)  # type: ignore[attr-defined]
    assert shell.typed() == b"key"


def test_a_killed_clients_terminal_is_restored_by_the_next_server(
    served: ServedCore, ends: list[int]
) -> None:
    caller = passing(served, "killed", ends)
    before = termios.tcgetattr(ends[1])
    cooked = before[:]
    cooked[3] |= termios.ECHO | termios.ICANON
    client = session(served, "killed").clients[0]
    termios.tcsetattr(ends[1], termios.TCSANOW, cooked)
    client._channel._terminal.before = modes(ends[1])  # type: ignore[attr-defined]
    tty.setraw(ends[1])
    caller.hang_up()
    assert served.attaching.clients
    carry_over(served)
    assert not termios.tcgetattr(ends[1])[3] & termios.ECHO
    served.loop.pass_time(0.2)
    assert termios.tcgetattr(ends[1])[3] & termios.ECHO
    assert served.attaching.clients == set()


def modes(fd: int) -> bytes:
    import fcntl

    return fcntl.ioctl(fd, termios.TCGETS, bytes(256))


# ---- who is drawn for


def test_a_drawn_client_is_shown_the_same_part_of_the_screen(served: ServedCore) -> None:
    served.attached("wide")
    (shell,) = served.programs.started
    small = AttachHeader("wide", "wide", TtySize(10, 40), [("TERM", "xterm")], read_only=True)
    watcher = served.call()
    watcher.ask(small)
    shell.write(b"\x1b[20;70Hhere\x1b[D\x1b[D")
    draw(served)
    drawings = session(served, "wide").picture.drawings
    assert drawings is not None
    windows = drawings.windows
    assert windows[0][:2] == (10, 40)
    assert windows[0][2] > 0
    assert b"here" in shown(watcher)
    carry_over(served)
    draw(served)
    again = shown(watcher)
    assert b"here" in again
    assert b"\x1b[?1049h" not in again
    drawings = session(served, "wide").picture.drawings
    assert drawings is not None
    assert drawings.windows == windows
    shell.write(b"!")
    draw(served)
    assert b"!" in shown(watcher)


def draw(core: ServedCore) -> None:
    for _ in range(3):
        core.loop.pass_time(0.3)
        core.loop.idle()


def shown(caller: Caller) -> bytes:
    """What was shown; its reply to the request may stand before it."""
    data = caller.received()
    caller.core.loop.writable(caller.near)
    return data


# ---- events, deadlines, requests


def test_a_subscriber_hears_of_what_comes_next(served: ServedCore) -> None:
    subscriber = subscribed(served)
    carry_over(served)
    served.attached("one")
    carry_over(served)
    served.programs.started[0].end(0)
    assert subscriber.recv(1000).count(b"\n") == 3
    silent = subscribed(served)
    silent.shutdown(socket.SHUT_WR)
    served.loop.readable(max(served.server._events.subscribers))
    carry_over(served)
    served.attached("two")
    assert b"session.created" in silent.recv(1000)
    silent.close()
    subscriber.close()


def test_a_kill_and_a_time_to_live_come_when_they_would_have_come(served: ServedCore) -> None:
    served.attached("killed")
    served.attached("short", ttl_secs=10)
    killed, short = served.programs.started
    waits = served.call()
    waits.ask({"Kill": {"sessions": ["killed"]}})
    served.loop.pass_time(0.3)
    carry_over(served)
    served.loop.pass_time(0.1)
    assert killed.signals == [signal.SIGHUP, signal.SIGCONT]
    served.loop.pass_time(0.15)
    assert killed.signals == [signal.SIGHUP, signal.SIGCONT, signal.SIGKILL]
    assert waits.message() is None
    killed.end(137)
    assert waits.message() == {"not_found_sessions": []}
    served.loop.pass_time(9)
    carry_over(served)
    assert short.signals == []
    served.loop.pass_time(0.6)
    assert short.signals == [signal.SIGHUP, signal.SIGCONT]


def test_half_a_request_has_the_time_that_it_had_left(served: ServedCore) -> None:
    slow, slower = served.call(), served.call()
    for caller in (slow, slower):
        caller.send(b"\xa4Li")
    served.loop.pass_time(4)
    carry_over(served)
    slow.send(b"st")
    assert slow.message() == {"sessions": []}
    served.loop.pass_time(0.9)
    assert not slower.ended
    served.loop.pass_time(0.2)
    assert slower.ended


# ---- processes


@pytest.mark.skipif(sys.platform != "linux", reason="pidfds are Linux's")
def test_a_child_of_another_process_is_known_by_its_pidfd(
    loop: FakeLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = subprocess.Popen(["sleep", "100"])
    spawner = Spawner(loop, 0o022, (1024, 4096))
    spawner.children[process.pid] = Process(process.pid)
    fd = open_pidfd(process.pid)
    spawner.adopt({process.pid: fd})
    writing = Writing([])
    fields = writing.part(spawner)
    assert writing.descriptors == [(fd, ": process")]
    loop.begin_anew()
    again = Reading(loop).part(Spawner, fields)
    again.taken_on(loop)
    assert Writing([]).part(again) == fields
    child = Process(process.pid)
    own = Process(4711)
    again.children = {process.pid: child, own.pid: own}
    again.watch_again()
    assert list(again.adopted) == [process.pid]
    loop.readable(fd)
    assert child.status is None
    process.kill()
    process.wait()
    loop.readable(fd)
    assert child.status == 1
    assert again.children == {own.pid: own}
    # What has been taken over is not handed on once more when it has gone.
    assert Writing([]).part(again)["pidfds"] == {}


# ---- an upgrade that was called off


def test_one_that_is_called_off_in_the_turn_in_which_the_loop_stops_for_it_ends_nothing(
    served: ServedCore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who asked is interrupted just when the rehearsal has ended."""
    server = served.server
    turns = ["the loop stops, and nothing is due any more", "a signal says to end"]
    left: list[str] = []

    def run() -> None:
        server._ending = turns.pop(0).endswith("to end")

    monkeypatch.setattr(served.loop, "run", run)
    monkeypatch.setattr(server, "_close", lambda: left.extend(["closed", *turns]))
    server.run()
    assert left == ["closed"]
