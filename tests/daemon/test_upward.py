from __future__ import annotations

import pytest

from shpool.daemon.clients.client import AttachedClient
from tests.daemon.core import Core
from tests.daemon.upward import ReentryWatch


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
