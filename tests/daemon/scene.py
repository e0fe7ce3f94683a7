"""Two sessions with a client each: into the first an error is injected, the second is to notice
nothing; and what can be done to the first one."""

from __future__ import annotations

import pytest

from shpool.daemon.clients.client import AttachedClient
from shpool.daemon.sessions.model_picture import ModelPicture
from shpool.daemon.sessions.session import Session
from tests.daemon.core import Caller, Core
from tests.daemon.fakes import FakeChild, inject


class Scene:
    """Two sessions with a client each; errors are injected around the first one."""

    def __init__(self, core: Core, patch: pytest.MonkeyPatch) -> None:
        self.core = core
        self.patch = patch
        self.witness = core.attached("witness")
        self.witness_shell = core.programs.started[0]
        self.caller = core.attached("one")
        self.shell = core.programs.started[1]

    @property
    def session(self) -> Session:
        session = self.core.table.get("one")
        assert session is not None
        return session

    @property
    def client(self) -> AttachedClient:
        (client,) = self.core.attaching.clients - self._of_the_witness()
        return client

    def _of_the_witness(self) -> set[AttachedClient]:
        witness = self.core.table.get("witness")
        assert witness is not None
        return {each for each in self.core.attaching.clients if each in witness.clients}

    def inject(self, target: object, method: str) -> None:
        inject(self.patch, target, method)

    def statuses(self) -> dict[str, int]:
        """How many are attached to each session that List shows."""
        rows = self.core.ask("List")["sessions"]
        return {row["name"]: len(row["attachments"]) for row in rows}

    def check_witness(self) -> None:
        """The other session goes on as if nothing had been."""
        self.witness.send(b"key")
        assert self.witness_shell.typed() == b"key"
        self.witness_shell.write(b"word")
        assert self.witness.output()[0].endswith(b"word")

    def check_one_goes_on(self) -> None:
        """The first session has lost its client, and takes another."""
        assert self.statuses() == {"witness": 1, "one": 0}
        again = self.core.attached("one")
        assert again.reply == {"status": {"Attached": {"warnings": []}}}
        for _ in range(50):  # what the program wrote meanwhile
            self.core.loop.readable(self.shell.ends.master)
            self.core.loop.pass_time(1)
            self.core.loop.idle()
            again.output()
            self.core.loop.writable(again.near)
            self.shell.typed()
            self.core.loop.writable(self.shell.ends.master)
        self.shell.write(b"still here")
        assert again.output() == (b"still here", None)
        again.send(b"key")
        assert self.shell.typed().endswith(b"key")


def saw_an_end(caller: Caller) -> bool:
    caller.received()
    return caller.ended


def flood(shell: FakeChild) -> None:
    for _ in range(60):
        shell.write(b"flood" * 1600)


def paste(scene: Scene) -> None:
    """More than a program that does not read is kept."""
    for _ in range(40):
        scene.caller.send(b"y" * 30_000)


def reads_after_flood(scene: Scene) -> None:
    flood(scene.shell)
    for _ in range(40):
        scene.caller.received()
        scene.core.loop.writable(scene.caller.near)


def reads_after_paste(scene: Scene) -> None:
    paste(scene)
    for _ in range(40):
        scene.shell.typed()
        scene.core.loop.writable(scene.shell.ends.master)


def resize(scene: Scene) -> None:
    size = {"rows": 30, "cols": 90, "xpixel": 0, "ypixel": 0}
    message = {"session_name": "one", "payload": {"Resize": {"tty_size": size}}}
    reply = scene.core.ask({"SessionMessage": message})
    assert reply == {"Resize": "Ok"}


def detach(scene: Scene) -> None:
    reply = scene.core.ask({"Detach": {"sessions": ["one"]}})
    assert reply == {"not_found_sessions": [], "not_attached_sessions": []}


def waiting(scene: Scene) -> Caller:
    """Somebody else is attached, and waits for a picture that takes some time to make."""
    scene.caller.hang_up()
    flood(scene.shell)
    caller = scene.core.attached("one")
    assert scene.client.waiting
    return caller


def set_variable(scene: Scene) -> None:
    assert scene.core.ask({"ModifyVar": {"var": "v", "val": "w"}}) == {}
    assert b"w" in scene.witness.received()


def freeze(scene: Scene) -> None:
    flood(scene.shell)
    scene.core.loop.pass_time(3)


def wait_for_a_key(scene: Scene) -> None:
    scene.caller.send(b"\x1b")
    scene.core.loop.pass_time(1)


def remembers(scene: Scene) -> bool:
    return isinstance(scene.session.picture, ModelPicture)


def attach_again(scene: Scene) -> None:
    scene.caller.hang_up()
    scene.caller = scene.core.attached("one")


def let_idle(scene: Scene) -> None:
    scene.shell.write(b"word")
    scene.core.loop.pass_time(1)
    scene.core.loop.idle()
