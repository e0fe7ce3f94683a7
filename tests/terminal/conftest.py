"""The judges as fixtures. One that is not installed skips its tests, and fails them in CI."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from . import judge
from .judge import Node
from .judge import kitty as kitty_judge
from .judge import vterm as vterm_judge
from .judge.kitty import Kitty
from .judge.vterm import Vterm


def need(missing: str) -> None:
    """Skip, or in CI fail, when something is missing."""
    if not missing:
        return
    if os.environ.get("CI") == "true":
        pytest.fail(missing)
    pytest.skip(missing)


@pytest.fixture(scope="session")
def node() -> Iterator[Node]:
    need(judge.missing())
    process = Node()
    yield process
    process.close()


@pytest.fixture(scope="session")
def kitty() -> Iterator[Kitty]:
    need(kitty_judge.missing())
    process = Kitty()
    yield process
    process.close()


@pytest.fixture(scope="session")
def vterm() -> type[Vterm]:
    need(vterm_judge.missing())
    return Vterm
