"""Attaching without a name: to a free session, though somebody else may be faster."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from shpool.client.asking import Busy, NotThere
from shpool.client.attach import Attach
from shpool.client.context import Context
from shpool.client.relay import Outcome
from shpool.options import Parsed


class Looking(Attach):
    """Of the sessions that it finds free all are taken before it comes, but those called free."""

    def __init__(self, found: list[str | None]) -> None:
        super().__init__(Context(Parsed(), {"HOME": "/"}), Parsed())
        self.found = found
        self.tried: list[tuple[str, bool]] = []

    def _greet(self) -> dict[str, str]:
        return {}

    def _attach(self, variables: dict[str, str]) -> Any:
        wanted = self._wanted.to
        self.tried.append((wanted.name, wanted.existing))
        if wanted.name == "gone":
            raise NotThere("not found: gone")
        if wanted.name not in ("free", "main"):
            daemon: Any = SimpleNamespace(knows=lambda feature: True)
            raise Busy(f"session '{wanted.name}' already has a terminal attached", daemon)
        return None, None

    def _stay(self, *attached: object) -> Outcome:
        return Outcome("exited", 7)


@pytest.mark.parametrize(
    ("found", "status", "tries"),
    [
        (["one", "gone", "two", "free"], 7, 4),
        ([None], 7, 1),
        (["one", None], 7, 2),
        (["one"] * 9, 0, 5),
    ],
)
def test_another_one_is_looked_for_when_somebody_was_faster(
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    found: list[str | None],
    status: int,
    tries: int,
) -> None:
    looking = Looking(found)
    monkeypatch.setattr(looking._asking, "variables", dict)
    monkeypatch.setattr("shpool.client.free.find", lambda context: found.pop(0))
    expected = [(name or "main", name is not None) for name in found[:tries]]
    assert looking.run() == status
    assert looking.tried == expected
    said = "" if status else "session 'one' already has a terminal attached\n"
    assert capfd.readouterr().err == said
