"""Who of several clients drives, and whose size the pty has."""

from __future__ import annotations

import pytest

from shpool.daemon.sessions.participant import DRIVER, SHARED, WATCHER
from shpool.daemon.sessions.picture import Picture, PictureUser
from shpool.daemon.sessions.roles import Roles
from shpool.daemon.sessions.size import WindowSize
from shpool.protocol.requests import TtySize
from tests.daemon.fakes import FakeLoop, Visitor


class Company:
    """Some clients at a session that remembers nothing."""

    def __init__(self, loop: FakeLoop) -> None:
        self.loop = loop
        self.size = WindowSize(loop, TtySize(24, 80), Picture(loop, PictureUser()))
        self.roles = Roles(loop, self.size)

    def come(self, pid: int, rows: int, role: str = SHARED) -> Visitor:
        visitor = Visitor(pid)
        visitor.role = role
        visitor.size = TtySize(rows, 80)
        self.roles.enter(visitor, fresh=False)
        self.loop.settle()
        self.loop.pass_time(0.1)
        return visitor

    def typed(self, visitor: Visitor) -> None:
        self.roles.typed(visitor)
        self.loop.settle()

    @property
    def rows(self) -> int:
        return self.size.current.rows


@pytest.fixture
def company(loop: FakeLoop) -> Company:
    return Company(loop)


def test_a_newcomer_drives_until_somebody_types_and_the_pty_has_the_drivers_size(
    company: Company,
) -> None:
    ada = company.come(1, 30)
    assert (ada.role, company.rows, ada.placed[-1]) == (DRIVER, 30, (DRIVER, 30, 80))
    bob = company.come(2, 40)
    assert (ada.role, bob.role, company.rows) == (SHARED, DRIVER, 40)
    assert (ada.placed[-1], bob.placed[-1]) == ((SHARED, 40, 80), (DRIVER, 40, 80))
    company.typed(ada)
    assert (ada.role, bob.role, company.rows) == (DRIVER, SHARED, 30)
    assert (ada.placed[-1], bob.placed[-1]) == ((DRIVER, 30, 80), (SHARED, 30, 80))
    assert company.roles.driver is ada


def test_when_the_driver_goes_who_typed_most_lately_before_drives(company: Company) -> None:
    ada, bob, eve = (company.come(pid, 30 + pid) for pid in (1, 2, 3))
    company.typed(bob)
    company.typed(ada)
    company.typed(eve)
    assert company.roles.leave(eve)
    assert not company.roles.leave(eve)
    assert (ada.role, company.rows) == (DRIVER, 31)
    company.roles.leave(ada)
    assert (bob.role, company.rows) == (DRIVER, 32)
    company.roles.leave(bob)
    assert company.roles.driver is None
    assert company.rows == 32


def test_watchers_change_nothing(company: Company) -> None:
    watcher = company.come(9, 50, WATCHER)
    assert (watcher.role, company.rows, company.roles.driver) == (WATCHER, 24, None)
    ada = company.come(1, 30)
    another = company.come(8, 60, WATCHER)
    company.roles.resized(9, TtySize(51, 80))
    company.loop.settle()
    assert (ada.role, company.rows, watcher.size.rows) == (DRIVER, 30, 51)
    assert watcher.placed[-1] == another.placed[-1] == (WATCHER, 30, 80)
    company.roles.leave(ada)
    assert (company.roles.driver, company.rows) == (None, 30)
    company.roles.resized(9, TtySize(52, 80))
    company.roles.resized(0, TtySize(53, 80))  # of two who watch nobody is meant
    assert (watcher.size.rows, another.size.rows, company.rows) == (52, 60, 30)


def test_a_process_tells_the_size_of_its_own_terminal_and_a_stranger_that_of_the_driver(
    company: Company,
) -> None:
    company.roles.resized(0, TtySize(25, 80))
    assert company.rows == 25
    ada = company.come(1, 30)
    company.roles.resized(77, TtySize(31, 80))
    assert (ada.size.rows, company.rows) == (31, 31)
    bob = company.come(2, 40)
    company.roles.resized(1, TtySize(32, 80))
    assert (ada.size.rows, bob.size.rows, company.rows) == (32, 40, 40)
    company.roles.resized(0, TtySize(0, 0))
    assert (bob.size.rows, company.rows) == (24, 24)


def test_only_one_who_watches_is_who_a_stranger_means(company: Company) -> None:
    watcher = company.come(9, 50, WATCHER)
    company.roles.resized(0, TtySize(51, 80))
    assert (watcher.size.rows, company.rows) == (51, 24)


def test_a_list_has_those_who_type_and_those_who_watch_apart(company: Company) -> None:
    company.come(1, 30)
    company.come(9, 50, WATCHER)
    company.come(2, 40)
    rows = company.roles.rows(watching=False)
    assert [(each.pid, each.role, each.rows, each.idle_ms) for each in rows] == [
        (1, SHARED, 30, 300),
        (2, DRIVER, 40, 100),
    ]
    assert [(each.pid, each.role) for each in company.roles.rows(watching=True)] == [(9, WATCHER)]


def test_who_is_told_of_its_place_is_there(company: Company) -> None:
    """Told from the loop, by when somebody may have gone."""
    ada = company.come(1, 30)
    bob = Visitor(2)
    company.roles.enter(bob, fresh=True)
    company.roles.leave(bob)
    company.loop.settle()
    assert bob.placed == []
    assert ada.placed[-1] == (DRIVER, 30, 80)
    assert company.roles.clear() == [ada]
    assert company.roles.clients == company.roles.typing == []
