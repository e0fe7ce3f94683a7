"""An error in what a client has to do with ends that client, which sees an end, and nobody else."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from shpool.config import Config
from shpool.config_values import Motd, RestoreMode
from shpool.daemon.clients.client import AttachedClient
from shpool.daemon.clients.pager import Pager
from tests.daemon.scene import (
    Scene,
    detach,
    flood,
    freeze,
    paste,
    reads_after_flood,
    reads_after_paste,
    resize,
    saw_an_end,
    set_variable,
    wait_for_a_key,
    waiting,
)

# What is called of a client, and what makes that happen while it is attached.
OF_A_CLIENT: dict[str, Callable[[Scene], None]] = {
    "take_output": lambda scene: scene.shell.write(b"word"),
    "channel_input": lambda scene: scene.caller.send(b"key"),
    "channel_full": lambda scene: flood(scene.shell),
    "channel_drained": reads_after_flood,
    "front_full": paste,
    "front_drained": reads_after_paste,
    "resized": resize,
    "detach": detach,
    "send_vars": set_variable,
    "_check_progress": freeze,
    "_no_rest": wait_for_a_key,
}


@pytest.mark.parametrize("method", OF_A_CLIENT)
def test_an_error_in_a_client_ends_that_client_and_its_session_goes_on(
    scene: Scene, method: str
) -> None:
    scene.inject(scene.client, method)
    OF_A_CLIENT[method](scene)
    assert saw_an_end(scene.caller)
    assert scene.core.events.seen[-1] == "detached"
    scene.shell.typed()
    scene.check_one_goes_on()


@pytest.mark.parametrize("method", ["enter", "answer"])
def test_an_error_in_a_client_that_is_just_attached_ends_it(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    scene.caller.hang_up()

    def raising(client: AttachedClient, *args: object) -> None:
        raise ValueError("Injected")

    with monkeypatch.context() as patch:
        patch.setattr(AttachedClient, method, raising)
        assert saw_an_end(scene.core.attach("one"))
    scene.check_one_goes_on()


def test_an_error_in_showing_a_picture_ends_the_client(scene: Scene) -> None:
    again = waiting(scene)
    scene.inject(scene.client, "show_picture")
    scene.core.loop.idle()
    assert saw_an_end(again)
    scene.check_one_goes_on()


@pytest.mark.parametrize("method", ["shell_ended", "take_output", "leave"])
def test_an_error_in_a_client_at_its_sessions_end_keeps_nobody(scene: Scene, method: str) -> None:
    scene.inject(scene.client, method)
    scene.shell.far.send(b"last words")
    scene.shell.end(3)
    assert saw_an_end(scene.caller)
    assert scene.statuses() == {"witness": 1}


def test_an_error_in_a_channel_ends_its_client(scene: Scene) -> None:
    scene.inject(scene.client._channel, "show")
    scene.shell.write(b"word")
    assert saw_an_end(scene.caller)
    scene.check_one_goes_on()


def test_an_error_in_making_a_channel_ends_the_connection(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.caller.hang_up()

    def raising(*arguments: object) -> None:
        raise OSError("Injected")

    with monkeypatch.context() as patch:
        patch.setattr("shpool.daemon.clients.attach.ChunkChannel", raising)
        assert saw_an_end(scene.core.attach("one"))
    scene.check_one_goes_on()


@pytest.fixture
def paging(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> Scene:
    """Somebody else is attached to the first session, and has a pager to leave first."""
    scene.caller.hang_up()
    monkeypatch.setattr("shpool.daemon.clients.motd.message", lambda arguments: b"today")
    scene.core.config.config = Config(
        {
            "pass_terminal": False,
            "motd": Motd("pager", "less", 0),
            "session_restore_mode": RestoreMode("screen"),
        }
    )
    scene.caller = scene.core.attach("one")
    assert scene.caller.message() == {"status": {"Attached": {"warnings": []}}}
    scene.core.config.config = Config({"pass_terminal": False})
    return scene


@pytest.mark.parametrize("method", ["started", "failed", "exited", "pty_output"])
def test_a_pager_in_which_there_is_an_error_is_as_one_that_was_left(
    paging: Scene, method: str
) -> None:
    pager = paging.client._pager
    assert isinstance(pager, Pager)
    program = paging.core.programs.started[-1]
    paging.inject(pager, method)
    if method == "failed":
        program.fail("cannot run")
    else:
        program.run()
        program.write(b"today")
        program.end(0)
    assert paging.client.live
    paging.caller.received()
    paging.shell.write(b"word")
    assert paging.caller.output() == (b"word", None)


@pytest.mark.parametrize("method", ["pager_output", "pager_done"])
def test_an_error_in_a_client_about_its_pager_keeps_nobody(paging: Scene, method: str) -> None:
    """The pager is left; where the client cannot go on after it, it sees an end."""
    paging.inject(paging.client, method)
    program = paging.core.programs.started[-1]
    program.run()
    program.write(b"today")
    program.end(0)
    if method == "pager_done":
        assert saw_an_end(paging.caller)
    else:
        assert paging.client.live
        paging.caller.hang_up()
    paging.check_one_goes_on()
