"""Who of several clients drives, and whose size the pty has."""

from __future__ import annotations

import pytest

from shpool.daemon.sessions.participant import DRIVER, SHARED, WATCHER
from shpool.daemon.sessions.picture import Picture, PictureUser
from shpool.daemon.sessions.roles import Roles, RolesUser
from shpool.daemon.sessions.size import WindowSize
from shpool.daemon.sessions.turns import Turns
from shpool.daemon.sessions.typing import Typist, TypistUser
from shpool.protocol.requests import TtySize
from tests.daemon.fakes import FakeLoop, Visitor


class Typing(Typist):
    """Notes what is typed."""

    def __init__(self, company: Company) -> None:
        self._company = company
        self._messages = []
        self._yields = False
        self._reactor = company.loop
        self._user = TypistUser()
        self.turns = Turns(company.loop, self)
        self.is_full = False

    @property
    def full(self) -> bool:
        return self.is_full

    def _type(self, data: bytes) -> None:
        self._company.typed.append((data.decode(), self._company.rows))


class Company:
    """Some clients at a session that remembers nothing."""

    def __init__(self, loop: FakeLoop) -> None:
        self.loop = loop
        self.size = WindowSize(loop, TtySize(24, 80), Picture(loop, PictureUser()))
        self.roles = Roles(loop, self.size, RolesUser())
        self.typed: list[tuple[str, int]] = []  # and the pty's rows then
        self.roles.typist = Typing(self)

    def read(self, wanted: bool) -> None:
        """The program reads what is typed, or does not."""
        assert isinstance(self.roles.typist, Typing)
        self.roles.typist.is_full = not wanted
        if wanted:
            self.roles.drained()

    def come(self, pid: int, rows: int, role: str = SHARED, typed_at: float = 0.0) -> Visitor:
        visitor = Visitor(pid)
        visitor.typed_at = typed_at
        visitor.role = role
        visitor.size = TtySize(rows, 80)
        self.roles.enter(visitor, fresh=False)
        self.loop.settle()
        self.loop.pass_time(0.1)
        return visitor

    def live(self, pid: int, role: str = SHARED) -> Visitor:
        """Who is shown everything."""
        visitor = self.come(pid, 24, role)
        visitor.is_live = True
        return visitor

    @property
    def all_typed(self) -> str:
        return "".join(data for data, _ in self.typed)

    def types(self, visitor: Visitor) -> None:
        self.loop.pass_time(0.5)
        self.roles.take_input(visitor, b"x")
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
    assert (ada.role, company.rows, ada.placed[-1]) == (DRIVER, 30, DRIVER)
    bob = company.come(2, 40)
    assert (ada.role, bob.role, company.rows) == (SHARED, DRIVER, 40)
    assert (ada.placed[-1], bob.placed[-1]) == (SHARED, DRIVER)
    company.types(ada)
    assert (ada.role, bob.role, company.rows) == (DRIVER, SHARED, 30)
    assert (ada.placed[-1], bob.placed[-1]) == (DRIVER, SHARED)
    assert company.roles.driver is ada


def test_when_the_driver_goes_who_typed_most_lately_before_drives(company: Company) -> None:
    ada, bob, eve = (company.come(pid, 30 + pid) for pid in (1, 2, 3))
    company.types(bob)
    company.types(ada)
    company.types(eve)
    assert company.roles.leave(eve)
    assert not company.roles.leave(eve)
    company.loop.pass_time(0.5)
    assert (ada.role, company.rows) == (DRIVER, 31)
    company.roles.leave(ada)
    company.loop.pass_time(0.5)
    assert (bob.role, company.rows) == (DRIVER, 32)
    company.roles.leave(bob)
    assert company.roles.driver is None
    assert company.rows == 32


def test_who_comes_back_has_the_part_that_it_had(company: Company) -> None:
    ada, bob = company.come(1, 30), company.come(2, 40)
    company.types(ada)
    company.types(bob)

    def back(gone: Visitor, names: list[str], role: str = DRIVER) -> Visitor:
        company.roles.leave(gone)
        company.loop.pass_time(60)
        found = company.roles.gone.take(names)
        assert company.roles.gone.take(names) == 0
        again = company.come(gone.pid, gone.size.rows, typed_at=found)
        assert (again.role, company.rows) == (role, 40)
        return again

    bob = back(bob, ["9", "2"])
    ada = back(ada, ["1"], SHARED)
    bob.token = "secret"
    bob = back(bob, ["other", "secret"])
    assert [each.idle_ms > 60_000 for each in company.roles.rows(watching=False)] == [True, True]
    for pid in range(100, 140):
        company.roles.leave(company.come(pid, 24))
    assert [company.roles.gone.take([str(pid)]) > 0 for pid in (107, 108)] == [False, True]
    company.roles.leave(ada)
    company.roles.leave(bob)
    assert company.roles.gone.take(["1", "139"]) == 0


def test_watchers_change_nothing(company: Company) -> None:
    watcher = company.come(9, 50, WATCHER)
    assert (watcher.role, company.rows, company.roles.driver) == (WATCHER, 24, None)
    ada = company.come(1, 30)
    another = company.come(8, 60, WATCHER)
    company.roles.resized(9, TtySize(51, 80))
    company.loop.settle()
    assert (ada.role, company.rows, watcher.size.rows) == (DRIVER, 30, 51)
    assert watcher.placed[-1] == another.placed[-1] == WATCHER
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
    company.loop.pass_time(0.5)
    assert ada.placed[-1] == DRIVER
    assert company.roles.clear() == [ada]
    assert company.roles.clients == company.roles.typing == []


# ---- whose size, when others type in turns


def test_what_one_who_has_gone_says_of_its_terminal_is_about_nobody_elses(
    company: Company,
) -> None:
    """It was under way when it went over to another session, or was detached."""
    ada, bob = company.come(1, 30), company.come(2, 40)
    watcher = company.come(3, 50, WATCHER)
    for gone in (ada, company.come(4, 50, WATCHER)):
        company.roles.leave(gone)
        company.roles.resized(gone.pid, TtySize(60, 80))
    assert (bob.size.rows, company.rows) == (40, 40)
    company.roles.leave(bob)
    company.roles.resized(2, TtySize(60, 80))
    company.roles.resized(1, TtySize(60, 80))
    assert (watcher.size.rows, company.rows) == (50, 40)
    assert company.come(1, 20).role == DRIVER
    company.roles.leave(company.come(0, 24))  # where the system does not tell pids
    company.roles.resized(0, TtySize(60, 80))
    assert company.rows == 60
    assert company.roles.gone.take([""]) == 0


def test_who_type_in_turns_have_the_pty_resized_twice_a_second_at_most(company: Company) -> None:
    ada, bob = company.come(1, 30), company.come(2, 40)
    company.loop.pass_time(1)
    sizes = []
    for _ in range(20):
        for visitor in (ada, bob):
            company.roles.take_input(visitor, b"x")
            company.loop.settle()
            assert visitor.role == DRIVER
            sizes.append(company.rows)
            company.loop.pass_time(0.1)
    changes = sum(before != after for before, after in zip(sizes, sizes[1:]))
    assert 6 <= changes <= 9  # in 4 seconds
    company.loop.pass_time(0.5)
    assert company.rows == 40
    assert company.loop.deadlines() == []


def test_the_pty_is_resized_before_the_key(company: Company) -> None:
    ada, _ = company.come(1, 30), company.come(2, 40)
    company.loop.pass_time(0.5)
    company.roles.take_input(ada, b"x")
    assert company.rows == 30
    assert company.typed == [("x", 30)]


def test_what_nobody_meant_to_type_changes_nothing(company: Company) -> None:
    ada, bob = company.come(1, 30), company.come(2, 40)
    company.loop.pass_time(0.5)
    for data in (b"\x1b[I", b"\x1b[<35;1;1M", b"\x1b[<0;1;1m", b"\x1b[?1c", b"\x1b[97;1:3u"):
        company.roles.take_input(ada, data)
    assert (ada.role, bob.role, company.rows) == (SHARED, DRIVER, 40)
    assert company.typed == [("\x1b[<0;1;1m", 40), ("\x1b[97;1:3u", 40)]


def test_when_the_driver_resizes_its_terminal_the_pty_follows_at_once(company: Company) -> None:
    company.come(1, 30)
    company.come(2, 40)
    for rows in range(41, 60):
        company.roles.resized(2, TtySize(rows, 80))
        assert company.rows == rows


def test_who_left_before_the_pty_had_its_size_leaves_no_deadline(company: Company) -> None:
    ada, bob = company.come(1, 30), company.come(2, 40)
    company.roles.take_input(ada, b"x")
    assert company.loop.deadlines()
    company.roles.leave(ada)
    company.loop.settle()
    assert (bob.role, company.rows, company.loop.deadlines()) == (DRIVER, 40, [])


# ---- who answers


def test_who_drove_when_something_was_asked_answers_it(company: Company) -> None:
    ada, bob = company.live(1), company.live(2)
    company.roles.output(b"\x1b[c")
    company.roles.take_input(ada, b"x")
    assert company.roles.answerer is bob
    company.roles.take_input(ada, b"\x1b[?1c")
    assert company.roles.answerer is bob
    company.roles.take_input(bob, b"\x1b[?2c")
    assert company.roles.answerer is ada
    assert company.all_typed == "x\x1b[?2c"
    company.roles.output(b"\x1b[c")
    company.roles.take_input(bob, b"\x1b[?2c")
    company.roles.take_input(ada, b"\x1b[?1c")
    assert company.all_typed == "x\x1b[?2c\x1b[?1c"
    assert company.loop.deadlines() == []


def test_each_question_has_one_answer_in_whatever_order_keys_and_answers_come(
    company: Company,
) -> None:
    ada, bob = company.live(1), company.live(2)
    for first, second in ((ada, bob), (bob, ada)):
        for answers_early in (True, False):
            del company.typed[:]
            company.roles.take_input(first, b"x")
            company.loop.pass_time(6)
            company.roles.output(b"\x1b[c")
            if answers_early:
                company.roles.take_input(first, b"\x1b[?1c")
            company.roles.take_input(second, b"y")
            company.roles.take_input(second, b"\x1b[?2c")
            if not answers_early:
                company.roles.take_input(first, b"\x1b[?1c")
            assert company.all_typed.count("\x1b[?1c") == 1
            assert "\x1b[?2c" not in company.all_typed


def test_who_does_not_answer_is_waited_for_for_a_second(company: Company) -> None:
    ada, bob = company.live(1), company.live(2)
    company.roles.output(b"\x1b[c")
    company.roles.take_input(ada, b"x")
    company.loop.pass_time(0.9)
    assert company.roles.answerer is bob
    company.loop.pass_time(0.2)
    assert company.roles.answerer is ada
    company.roles.output(b"\x1b[c")
    company.roles.take_input(ada, b"\x1b[?1c")  # what was asked when bob was to answer
    assert company.all_typed == "x"
    company.roles.take_input(ada, b"\x1b[?3c")
    assert company.all_typed == "x\x1b[?3c"


def test_when_who_answers_goes_the_driver_answers_what_is_open(company: Company) -> None:
    ada, bob = company.live(1), company.live(2)
    company.roles.output(b"\x1b[c")
    company.roles.leave(bob)
    assert company.roles.answerer is ada
    company.roles.take_input(ada, b"\x1b[?1c")
    assert company.all_typed == "\x1b[?1c"
    company.live(3)
    company.roles.output(b"\x1b[c")
    company.roles.take_input(company.roles.clients[-1], b"\x1b[?3c")
    company.roles.leave(company.roles.clients[-1])
    company.roles.take_input(ada, b"\x1b[?1c")
    assert company.all_typed == "\x1b[?1c\x1b[?3c"


def test_who_was_alone_still_answers_what_it_was_asked_then(company: Company) -> None:
    ada = company.live(1)
    company.roles.output(b"\x1b[c")
    company.roles.take_input(ada, b"\x1b[?1c")
    company.loop.pass_time(0.1)
    company.roles.output(b"text\x1b]11;?\x07\x1b[6n")
    bob = company.live(2)
    assert company.roles.answerer is ada
    company.roles.take_input(ada, b"\x1b]11;rgb\x07\x1b[1;2R")
    assert company.roles.answerer is bob
    assert company.all_typed == "\x1b[?1c\x1b]11;rgb\x07\x1b[1;2R"


def test_watchers_answer_nothing(company: Company) -> None:
    watcher = company.live(9, WATCHER)
    company.roles.output(b"\x1b[c")
    company.roles.take_input(watcher, b"\x1b[?9c")
    assert company.roles.answerer is None
    ada = company.live(1)
    company.roles.output(b"\x1b[c")
    company.roles.take_input(watcher, b"\x1b[?9c")
    company.roles.take_input(ada, b"\x1b[?1c")
    assert company.all_typed == "\x1b[?1c"


def test_who_is_not_shown_what_is_asked_owes_nothing(company: Company) -> None:
    ada, bob = company.live(1), company.live(2)
    ada.is_live = False
    company.roles.output(b"\x1b[c")
    assert not company.roles.seat_of(ada).owes
    assert company.roles.seat_of(bob).owes


# ---- keys of one do not come into another's


def test_keys_wait_for_a_paste_and_a_paste_that_is_left_is_ended(company: Company) -> None:
    ada, bob = company.live(1), company.live(2)
    company.roles.take_input(ada, b"\x1b[200~a")
    company.roles.take_input(bob, b"b")
    company.roles.take_input(ada, b"a\x1b[201~")
    assert company.all_typed == "\x1b[200~aa\x1b[201~b"
    del company.typed[:]
    company.roles.take_input(ada, b"\x1b[200~a")
    company.roles.take_input(bob, b"b")
    company.roles.leave(ada)
    assert company.all_typed == "\x1b[200~a\x1b[201~b"
    del company.typed[:]
    company.roles.take_input(bob, b"\x1b[200~a")
    company.roles.leave(bob)  # the last one, too
    assert company.all_typed == "\x1b[200~a\x1b[201~"


def test_what_comes_of_a_paste_that_was_overtaken_is_not_typed(company: Company) -> None:
    ada, bob = company.live(1), company.live(2)
    company.roles.take_input(ada, b"\x1b[200~a")
    company.roles.take_input(bob, b"b")
    company.loop.pass_time(1)
    company.roles.take_input(ada, b"rm\r")
    company.roles.take_input(bob, b"c")
    company.roles.take_input(ada, b"\x1b[201~d")
    assert company.all_typed == "\x1b[200~a\x1b[201~b\x1b[200~rm\r\x1b[201~dc"


def test_a_slow_program_makes_nobody_pause(company: Company) -> None:
    """While it does not read clients are not heard, so what they go on with has not come."""
    ada, bob = company.live(1), company.live(2)
    company.roles.take_input(ada, b"\x1b")
    company.roles.take_input(bob, b"\x1b[200~a")
    company.read(False)
    company.loop.pass_time(10)
    company.read(True)
    company.roles.take_input(ada, b"[A")
    company.roles.take_input(bob, b"a\x1b[201~")
    assert company.all_typed == "\x1b[200~aa\x1b[201~\x1b[A"
    company.roles.take_input(ada, b"\x1b")
    company.read(False)
    company.loop.pass_time(10)
    company.read(True)
    company.loop.pass_time(0.05)
    assert company.all_typed.endswith("\x1b[A\x1b")


def test_a_client_that_goes_leaves_the_key_it_had_begun(company: Company) -> None:
    ada, _ = company.live(1), company.live(2)
    company.roles.take_input(ada, b"\x1b")
    assert company.all_typed == ""
    company.roles.leave(ada)
    assert company.all_typed == "\x1b"
