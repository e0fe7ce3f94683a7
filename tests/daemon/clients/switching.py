"""Asking for a switch, and what clients are told of it."""

from __future__ import annotations

from typing import Any

import pytest

from shpool.daemon.loop import peer
from shpool.protocol.chunks import MAYBE_SWITCH, ChunkReader
from shpool.protocol.replies import Destination, MaybeSwitch
from shpool.protocol.switching import SwitchRequest
from tests.daemon.core import Caller, Core
from tests.daemon.fakes import FakeChild

OURS = "shpool-py 0.2.0"
GONE_OVER: dict[str, Any] = {"error": None}


def told(caller: Caller) -> list[MaybeSwitch]:
    """What a client was told of sessions and variables since this was asked last."""
    found = ChunkReader().feed(caller.received())
    return [
        MaybeSwitch.from_bytes(content)
        for kind, content in found
        if kind == MAYBE_SWITCH and isinstance(content, bytes)
    ]


def destinations(caller: Caller) -> list[str]:
    return [message.switch_to.name for message in told(caller) if message.switch_to is not None]


def client_at(core: Core, name: str, **fields: Any) -> Caller:
    caller = core.attached(name, client=OURS, **fields)
    caller.received()
    return caller


def switch(core: Core, name: str, *, old: str = "one", **fields: Any) -> Caller:
    """Somebody asks that the client of `old` goes to `name`."""
    pid, back = fields.pop("pid", None), fields.pop("back", False)
    caller = core.call()
    caller.ask(SwitchRequest(old, Destination(name, **fields), pid=pid, back=back))
    return caller


def refused(core: Core, name: str, **fields: Any) -> str:
    error: str = switch(core, name, **fields).message()["error"]
    return error


def shell_of(core: Core, name: str) -> FakeChild:
    session = core.table.get(name)
    assert session is not None
    (child,) = [each for each in core.programs.started if each.pid == session.pid]
    return child


def free(core: Core, name: str) -> None:
    """A session that nobody is attached to."""
    core.attached(name).hang_up()


def run_inside(core: Core, name: str, patch: pytest.MonkeyPatch) -> None:
    """From now on whoever connects runs on the session's pty."""
    session = core.table.get(name)
    assert session is not None
    device = session.device
    patch.setattr(peer, "controlling_terminal", lambda pid: device)
