from __future__ import annotations

import pytest

from shpool.daemon import server
from shpool.daemon.clients.client import AttachedClient
from shpool.daemon.loop.reactor import Owner
from tests.daemon.core import Core
from tests.daemon.upward import CALLBACKS, ReentryWatch


def test_the_watch_sees_who_is_called_back_in_the_middle_of_its_own_call(
    core: Core, watch: ReentryWatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    caller = core.attached("one")
    (client,) = core.attaching.clients

    def upward(table: object, session: object, leaving: AttachedClient) -> None:
        leaving.front_full()

    assert watch.entered > 0
    monkeypatch.setattr("shpool.daemon.sessions.table.SessionTable.session_left", upward)
    with pytest.raises(AssertionError, match=r"AttachedClient.front_full <- .*detach"), watch:
        client.detach()
    assert caller.output()[1] == 0


def test_the_watch_knows_every_class_of_callbacks() -> None:
    assert server.__name__ == "shpool.daemon.server"  # which loads all of the daemon
    kinds = {
        kind
        for kind in Owner.__subclasses__()
        if kind.__module__.startswith("shpool.daemon.") and kind.__name__.endswith("User")
    }
    assert len(kinds) > 8
    assert kinds <= set(CALLBACKS)
