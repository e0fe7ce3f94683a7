"""A program that was written for the original: its command lines, as they stand, and the events.

Such a picker starts the daemon, hears of events, lists, attaches, kills; and knows of nothing that
was added since.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.harness import Place
from tests.e2e.recipes import with_shpool


class Stranger:
    def __init__(self, place: Place) -> None:
        self.place = place
        self.env = {**place.env, **with_shpool(place)}

    def run(self, line: str) -> str:
        """What a command line prints; it succeeds, and has nothing to complain of."""
        done = subprocess.run(
            ["sh", "-c", line], env=self.env, capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, ""), line
        return done.stdout

    def listed(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = json.loads(self.run("shpool list --json"))["sessions"]
        return rows


@pytest.fixture
def stranger(place: Place) -> Iterator[Stranger]:
    yield Stranger(place)
    place.end_autodaemon()


def test_a_picker_for_the_original_works_as_it_is(stranger: Stranger) -> None:
    place = stranger.place
    assert stranger.run("shpool -d list") == "NAME\tSTATUS\n"
    heard = place.subscribe()
    assert stranger.listed() == []
    first = place.program(["sh", "-c", "exec shpool attach -f -- 'wo rk'"], env=stranger.env)
    assert first.wait() == 1
    first = place.program(["sh", "-c", "exec shpool attach -f -- -work"], env=stranger.env)
    assert first.ask("echo one") == "one\n"
    assert heard.types(2) == ["session.created", "session.attached"]
    (row,) = stranger.listed()
    assert (row["name"], row["status"]) == ("-work", "Attached")
    assert set(row) >= {
        "name",
        "started_at_unix_ms",
        "last_connected_at_unix_ms",
        "last_disconnected_at_unix_ms",
        "status",
        "attachments",
    }
    second = place.program(["sh", "-c", "exec shpool attach -f -- -work"], env=stranger.env)
    assert second.ask("echo two") == "two\n"
    assert first.wait() == 0
    assert heard.types(2) == ["session.detached", "session.attached"]
    assert stranger.run("shpool var list") == ""
    assert stranger.run("shpool kill -- -work") == ""
    second.wait()
    assert heard.types(1) == ["session.removed"]
    assert stranger.listed() == []
