"""States that daemons of earlier versions have written can be taken on, whatever has come since.

Each in states/ is all that a busy daemon had, compressed.  One of a format that a version has been
released with stays as it is.  When FORMAT is raised one of the new format is added, by

    SHPOOL_KEEP_STATE=1 python3 -m pytest -n 0 tests/daemon/test_kept_states.py
"""

from __future__ import annotations

import io
import lzma
import os
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from shpool.daemon import handed_on
from shpool.daemon.compared import compare
from shpool.daemon.handed_on import KNOWN
from shpool.daemon.loop.reactor import Reactor
from shpool.daemon.server import Server
from shpool.daemon.sessions.model_picture import ModelPicture
from shpool.daemon.sessions.session import DOOMED, RUNNING, Session
from shpool.daemon.state import FORMAT
from shpool.daemon.values import StateError, values, write_value
from tests.daemon.carrying import written
from tests.daemon.served import ServedCore, outside, settle

KEPT = Path(__file__).parent / "states"

# In the place of what is this machine's.
BASE = b"/run/user/1000"


def anonymous(value: Any, base: bytes) -> Any:
    if isinstance(value, list):
        return [anonymous(each, base) for each in value]
    if isinstance(value, dict):
        return {anonymous(key, base): anonymous(each, base) for key, each in value.items()}
    if isinstance(value, (bytes, memoryview)):
        data = bytes(value)
        if data.startswith(f"{os.getpid()} ".encode()):
            return b"%d host\n" % os.getpid()
        return data.replace(base, BASE)
    return value


def test_there_is_a_state_of_this_format(busy: ServedCore) -> None:
    kept = KEPT / f"{FORMAT}.xz"
    if "SHPOOL_KEEP_STATE" in os.environ:
        settle(busy)
        outside(busy, "escaping")
        base = os.fsencode(busy.server._paths.base)
        out = io.BytesIO()
        for value in values(written(busy.server)):
            write_value(out.write, anonymous(value, base))
        kept.write_bytes(lzma.compress(out.getvalue(), preset=9))
    assert kept.exists()


@pytest.mark.parametrize("kept", sorted(KEPT.glob("*.xz")), ids=lambda kept: kept.stem)
def test_a_kept_state_is_read_whole(kept: Path) -> None:
    data = lzma.decompress(kept.read_bytes())
    things = list(values(data))
    try:
        with patch.object(handed_on, "Reactor", Reactor):
            server = Server.read_state(data, {}, rehearsing=True)
    except StateError as error:
        pytest.fail(f"{error}: what is new needs added(), or the state is to be kept anew (above)")
    try:
        server.unpack()
        again = list(values(written(server)))
        assert [kind for kind, _ in again] == [kind for kind, _ in things]
        compare(data, written(server), KNOWN, same_format=kept.stem == str(FORMAT))
        check_sessions(server)
        check_others(server)
    finally:
        server._reactor.close()


def check_sessions(server: Server) -> None:
    states = {session.name: session.state.now for session in server._table.all()}
    assert states["doomed"] == DOOMED
    assert {name: RUNNING for name in states if name != "doomed"}.items() <= states.items()
    assert {"frozen", "paging", "passed", "killed", "escaping", "prompt", "watched"} <= set(states)
    passed, escaping = server._table.get("passed"), server._table.get("escaping")
    assert passed is not None
    assert escaping is not None
    assert passed.picture.draw().decode().count("31mred\x1b[m e\u0301") == 23
    assert kept_lines(passed) == 17
    lines = escaping.picture.lines()
    assert lines is not None
    assert lines.texts[-2:] == ["line", ""]
    assert kept_lines(escaping) == 500


def kept_lines(session: Session) -> int:
    assert isinstance(session.picture, ModelPicture)
    return len(session.picture._backlog.terminal.history)


def check_others(server: Server) -> None:
    assert {client.state.now for client in server._attaching.clients} >= {
        *("live", "frozen", "paging", "drawn", "leaving"),
    }
    errands = {type(each.streams).__name__ for each in server._requests.connections}
    assert errands >= {"FollowErrand", "TypingErrand", "PeekErrand", "WaitErrand", "RunErrand"}
    assert len(server._events.subscribers) == 1
    assert server._room.waiting["doomed"]
    assert len(server._reactor._timers) > 5
