"""The judges as fixtures. One that is not installed skips its tests, and fails them in CI."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.programs import lacking

from . import judge
from .judge import Node
from .judge import kitty as kitty_judge
from .judge import vte as vte_judge
from .judge import vterm as vterm_judge
from .judge import xterm as xterm_judge
from .judge.kitty import Kitty
from .judge.vte import Vte
from .judge.vterm import Vterm
from .judge.xterm import Display


@pytest.fixture(scope="session")
def node() -> Iterator[Node]:
    if judge.missing():
        lacking(judge.missing())
    process = Node()
    yield process
    process.close()


@pytest.fixture(scope="session")
def kitty() -> Iterator[Kitty]:
    if kitty_judge.missing():
        lacking(kitty_judge.missing())
    process = Kitty()
    yield process
    process.close()


@pytest.fixture(scope="session")
def vterm() -> type[Vterm]:
    if vterm_judge.missing():
        lacking(vterm_judge.missing())
    return Vterm


@pytest.fixture(scope="session")
def xterm() -> Iterator[Display]:
    if xterm_judge.missing():
        lacking(xterm_judge.missing())
    display = Display()
    yield display
    display.close()


@pytest.fixture(scope="session")
def vte(xterm: Display) -> Iterator[Vte]:
    """Not asked for in CI: it brings half a desktop along."""
    if vte_judge.missing():
        pytest.skip(vte_judge.missing())
    process = Vte(xterm.name)
    yield process
    process.close()
