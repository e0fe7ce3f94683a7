"""An error ends the object in which it is, nobody else, and its peer sees an end."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable

import pytest

from shpool.daemon.sessions.picture import Picture
from shpool.daemon.sessions.typing import Message, MessageUser
from tests.daemon.conftest import LogLines
from tests.daemon.fakes import inject
from tests.daemon.scene import (
    Scene,
    attach_again,
    detach,
    let_idle,
    reads_after_paste,
    remembers,
    resize,
    saw_an_end,
    waiting,
)

# ---- a session


def kill_noticed(scene: Scene) -> None:
    """Its shell is killed, and nothing is left when that has ended."""
    assert scene.shell.signals == [signal.SIGHUP, signal.SIGCONT]
    scene.core.loop.pass_time(1)
    assert scene.shell.signals[-1] == signal.SIGKILL
    scene.shell.end(137)
    assert scene.statuses() == {"witness": 1}
    assert scene.core.events.seen.count("removed") == 1


def test_an_error_in_a_session_ends_it_with_its_shell_and_its_clients(scene: Scene) -> None:
    scene.inject(scene.session, "pty_output")
    scene.shell.write(b"word")
    assert saw_an_end(scene.caller)
    kill_noticed(scene)


@pytest.mark.parametrize("method", ["pty_full", "pty_drained"])
def test_an_error_in_a_session_about_its_input_ends_it(scene: Scene, method: str) -> None:
    scene.inject(scene.session, method)
    reads_after_paste(scene)
    assert saw_an_end(scene.caller)
    kill_noticed(scene)


def test_a_session_that_breaks_when_it_runs_is_killed_and_who_waits_gets_a_new_one(
    scene: Scene,
) -> None:
    first, second = scene.core.attach("two"), scene.core.attach("two")
    shell = scene.core.programs.started[-1]
    with pytest.MonkeyPatch.context() as patch:
        inject(patch, scene.core.table, "session_running")
        shell.run()
    assert shell.signals == [signal.SIGHUP, signal.SIGCONT]
    shell.end(1)
    scene.core.programs.started[-1].run()
    assert first.message() == {"status": {"Created": {"warnings": []}}}
    assert second.message() == {"status": "Busy"}


def test_a_session_that_cannot_be_put_to_work_is_as_one_whose_shell_cannot_be_run(
    scene: Scene,
) -> None:
    first, second = scene.core.attach("two"), scene.core.attach("two")
    shell = scene.core.programs.started[-1]
    session = scene.core.table.get("two")
    assert session is not None
    scene.inject(session, "started")
    shell.run()
    reason = "there is an error in the daemon, which its log tells of"
    assert first.message() == {"status": {"UnexpectedError": reason}}
    assert shell.signals == [signal.SIGKILL]
    scene.core.programs.started[-1].run()
    assert second.message() == {"status": {"Created": {"warnings": []}}}
    shell.end(137)
    assert scene.statuses() == {"witness": 1, "one": 1, "two": 1}


def test_an_error_in_what_a_shell_wrote_last_keeps_nobody(scene: Scene) -> None:
    pty = scene.session._pty
    assert pty is not None
    scene.inject(pty, "read_rest")
    scene.shell.end(3)
    assert scene.caller.output() == (b"", 3)
    assert saw_an_end(scene.caller)
    assert scene.statuses() == {"witness": 1}


# ---- what is remembered of a terminal


# What is called of a picture, and what makes that happen.
OF_A_PICTURE: dict[str, Callable[[Scene], None]] = {
    "output": lambda scene: scene.shell.write(b"word"),
    "resize": resize,
    "want": attach_again,
    "draw": attach_again,
    "farewell": detach,
    "_settle": let_idle,
    "_advance": let_idle,
}


@pytest.mark.parametrize("method", OF_A_PICTURE)
def test_a_session_goes_on_without_a_picture_in_which_there_is_an_error(
    scene: Scene, method: str, log: LogLines
) -> None:
    scene.inject(scene.session.picture, method)
    OF_A_PICTURE[method](scene)
    assert not remembers(scene)
    assert "ERROR session 'one': goes on in mode simple" in log.read()
    if method == "farewell":
        assert scene.caller.output()[1] == 0
    else:
        scene.caller.received()
        scene.shell.write(b"more")
        assert scene.caller.received().endswith(b"more")
        scene.caller.hang_up()
    scene.check_one_goes_on()


def test_who_waits_for_a_picture_that_breaks_is_shown_what_the_program_draws(scene: Scene) -> None:
    caller = waiting(scene)
    scene.inject(scene.session.picture, "draw")
    pty = scene.session._pty
    assert pty is not None
    sizes: list[tuple[int, int]] = []
    scene.patch.setattr(type(pty), "resize", lambda _, size: sizes.append((size.rows, size.cols)))
    scene.core.loop.idle()
    assert type(scene.session.picture) is Picture
    scene.core.loop.pass_time(1)
    assert sizes == [(25, 81), (24, 80)]
    assert scene.client.live
    caller.received()
    scene.shell.write(b"drawn")
    assert caller.received().endswith(b"drawn")


class Sender(MessageUser):
    """Notes what became of its message."""

    def __init__(self) -> None:
        self.outcomes: list[str] = []

    def message_over(self, message: Message) -> None:
        self.outcomes.append(message.outcome)


def test_an_error_in_typing_a_message_ends_that_and_keys_go_on(scene: Scene) -> None:
    typist, sender = scene.session.typist, Sender()
    assert typist is not None
    scene.inject(typist, "_go_on")
    typist._messages.append(Message(b"typed", 1.0, sender))
    scene.core.loop.soon(scene.session.pty_taken)
    scene.core.loop.settle()
    assert sender.outcomes == ["ended"]
    scene.caller.send(b"key")
    assert scene.shell.typed() == b"key"


# ---- a connection, a subscriber, a pager


@pytest.mark.parametrize("method", ["connection_asked", "connection_closed"])
def test_an_error_about_a_connection_ends_that_one(scene: Scene, method: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        inject(patch, scene.core.requests, method)
        caller = scene.core.call()
        caller.ask("List")
        assert saw_an_end(caller)
    assert scene.statuses() == {"witness": 1, "one": 1}


def test_an_error_in_a_connection_ends_it(scene: Scene) -> None:
    caller = scene.core.call()
    (connection,) = scene.core.requests.connections
    scene.inject(connection._decoder, "feed")
    caller.ask("List")
    assert saw_an_end(caller)
    assert scene.core.requests.connections == set()


def test_an_error_in_one_who_waits_is_not_that_of_the_next_one(scene: Scene) -> None:
    waiting = [scene.core.attach("two") for _ in range(3)]
    first, second, _ = (each[0] for each in scene.core.room.waiting["two"])
    scene.inject(first, "reply")
    scene.inject(second, "hand_over")
    scene.core.programs.started[-1].fail("cannot run")
    assert saw_an_end(waiting[0])
    scene.core.programs.started[-1].run()
    assert saw_an_end(waiting[1])
    assert waiting[2].message() == {"status": {"Created": {"warnings": []}}}


def test_an_error_in_a_subscriber_ends_that_one(scene: Scene) -> None:
    ends = []
    for _ in range(2):
        near, far = socket.socketpair()
        near.setblocking(False)
        scene.core.events.accepted(near)
        ends.append(far)
    first = next(iter(scene.core.events.subscribers.values()))
    scene.inject(first.outbound, "send")
    scene.caller.hang_up()
    assert ends[0].recv(100) == b""
    assert ends[1].recv(100) == b'{"type":"session.detached"}\n'
    for end in ends:
        end.close()
    scene.core.events.close()
