"""What of a client's input is for the program, by who it is and what its terminal was asked."""

from __future__ import annotations

import pytest

from shpool.daemon.sessions.participant import DRIVER, SHARED
from shpool.daemon.sessions.picture import Reports
from shpool.daemon.sessions.seat import Seat, SeatUser
from shpool.daemon.sessions.turns import KEY, NOTHING, PASTE
from tests.daemon.fakes import FakeLoop, Visitor


class Host(SeatUser):
    def __init__(self, loop: FakeLoop) -> None:
        self.loop = loop
        self.is_alone = False
        self.rested: list[Seat] = []
        self.seat = Seat(loop, Visitor(), self)

    @property
    def alone(self) -> bool:
        return self.is_alone

    @property
    def reports(self) -> Reports:
        return Reports(mouse=True, mouse_utf8=False, focus=True)

    def seat_rested(self, seat: Seat) -> None:
        self.rested.append(seat)

    def take(self, *reads: bytes, answers: bool = False) -> bytes:
        return b"".join(self.seat.take(read, answers=answers).data for read in reads)

    def ask(self, *answers: str, own: bool = False) -> None:
        self.seat.ask(list(answers), self.loop.now, own=own)


@pytest.fixture
def host(loop: FakeLoop) -> Host:
    return Host(loop)


def test_what_another_answers_is_dropped_and_its_keys_are_not(host: Host) -> None:
    assert host.take(b"a\x1b[?62cb\x1b[A\x1b[1;5R\x1b[24;80Rc") == b"ab\x1b[A\x1b[1;5Rc"
    assert host.take(b"a\x1b[?62cb\x1b[24;80R", answers=True) == b"a\x1b[?62cb\x1b[24;80R"


def test_the_answer_to_what_was_asked_while_another_was_to_answer_is_dropped(host: Host) -> None:
    """Though this one is to answer what is asked from now on."""
    host.ask("?c", "R")
    host.ask("?c", own=True)
    assert host.take(b"\x1b[?1c\x1b[", b"5;5R\x1b[", b"?2c", answers=True) == b"\x1b[?2c"
    assert host.take(b"\x1b[?3c", answers=True) == b"\x1b[?3c"


def test_one_who_leaves_a_question_out_will_not_answer_it(host: Host) -> None:
    host.ask("?u", own=True)
    host.ask("?c")
    assert host.seat.owes
    assert host.take(b"\x1b[?1c", answers=True) == b""
    assert not host.seat.owes


def test_who_answers_for_one_who_has_gone_answers_what_that_one_was_asked(host: Host) -> None:
    host.ask("?c")
    host.seat.answer_for_all()
    assert host.take(b"\x1b[?1c", answers=True) == b"\x1b[?1c"


def test_a_question_is_forgotten_after_a_while(host: Host, loop: FakeLoop) -> None:
    host.ask("R", "osc")
    assert host.seat.owes_place
    assert host.seat.asked("osc")
    loop.pass_time(5)
    assert not host.seat.owes
    assert not host.seat.owes_place
    assert not host.seat.asked("osc")
    for _ in range(1000):
        host.ask("R")
    assert len(host.seat.questions) == 128


@pytest.mark.parametrize("own", [True, False])
def test_a_string_is_passed_on_whole_or_not_at_all(host: Host, own: bool) -> None:
    host.ask("osc", own=own)
    reads = (b"\x1b]1", b"1;rgb:", b"0000/", b"0000/0000\x1b", b"\\x")
    assert host.take(*reads, answers=own) == (b"".join(reads) if own else b"x")


def test_without_a_question_a_string_is_alt_and_a_key(host: Host) -> None:
    assert host.take(b"\x1b]11;x") == b"\x1b]11;x"
    host.is_alone = True
    assert host.take(b"\x1b]11;x", answers=True) == b"\x1b]11;x"
    assert host.seat.sorter.string


def test_a_part_of_a_key_is_held_unless_it_comes_from_who_answers(
    host: Host, loop: FakeLoop
) -> None:
    assert host.take(b"\x1b[") == b""
    loop.pass_time(0.05)
    assert host.rested == [host.seat]
    assert host.seat.flush(answers=False).data == b"\x1b["
    assert host.take(b"\x1b[", answers=True) == b"\x1b["
    assert host.take(b"A", answers=False) == b"A"
    host.ask("R", own=True)
    host.take(b"\x1b[")
    loop.pass_time(0.9)
    assert len(host.rested) == 1
    host.seat.close()
    assert loop.deadlines() == []


def test_only_the_driver_moves_the_mouse_and_has_the_focus(host: Host) -> None:
    all_of_it = b"\x1b[<35;1;1M\x1b[I\x1b[<0;1;1M\x1b[<0;1;1m"
    host.seat.client.role = SHARED
    assert host.take(all_of_it) == b"\x1b[<0;1;1M\x1b[<0;1;1m"
    host.seat.client.role = DRIVER
    assert host.take(all_of_it) == all_of_it


@pytest.mark.parametrize(
    ("data", "felt"),
    [
        (b"a", True),
        (b"\x1b[A", True),
        (b"\x1b[200~x", True),
        (b"\x1b[<0;1;1M", True),
        (b"\x1b[<64;1;1M", True),
        (b"\x1b[<35;1;1M", False),
        (b"\x1b[<0;1;1m", False),
        (b"\x1b[97;1:3u", False),
        (b"\x1b[57441u", False),
        (b"\x1b[?1c", False),
        (b"\x1b[O", False),
        (b"", False),
    ],
)
def test_what_somebody_meant_to_type_is_felt(host: Host, data: bytes, felt: bool) -> None:
    for answers in (True, False):
        assert host.seat.take(data, answers=answers).felt == felt


def test_a_client_is_in_the_midst_of_what_it_has_begun_to_say(host: Host) -> None:
    take = host.seat.take
    assert take(b"\x1b[200~a", answers=False).midst == PASTE
    assert take(b"b\x1b[20", answers=False).midst == PASTE
    assert take(b"1~", answers=False).midst == NOTHING
    assert take(b"\xc3", answers=False).midst == KEY
    assert take(b"\xa9", answers=False).midst == NOTHING
    assert take(b"\x1b[", answers=False).midst == NOTHING  # nothing of it was passed on
    assert take(b"A\x1b[", answers=True).midst == KEY
    assert take(b"1;", answers=False).midst == KEY
    assert take(b"2A", answers=False).midst == NOTHING
    host.ask("osc", own=True)
    assert take(b"\x1b]1", answers=True).midst == KEY
    assert take(b"1\x07", answers=True).midst == NOTHING


def test_what_comes_of_a_paste_that_was_overtaken_is_another_paste(host: Host) -> None:
    """Typed, its lines would be commands; and its end may never come."""
    host.take(b"\x1b[200~a")
    host.seat.overtaken()
    assert host.seat.flush(answers=True).midst == NOTHING
    said = host.seat.take(b"bcd\r", answers=True)
    assert (said.data, said.midst, said.felt) == (b"\x1b[200~bcd\r", PASTE, True)
    assert host.take(b"e\x1b[20", b"1~x") == b"e\x1b[201~x"
    host.seat.overtaken()
    assert host.take(b"z") == b"z"


@pytest.mark.parametrize("cut", range(6))
def test_of_an_overtaken_paste_that_was_over_nothing_is_left(host: Host, cut: int) -> None:
    host.take(b"\x1b[200~a" + b"\x1b[201~"[:cut])
    host.seat.overtaken()
    said = host.seat.take(b"\x1b[201~"[cut:], answers=True)
    assert (said.data, said.midst, said.felt) == (b"", NOTHING, False)
    assert host.take(b"x") == b"x"


def test_an_error_in_it_ends_its_client(host: Host) -> None:
    broken: list[bool] = []
    host.seat.client.broken = lambda: broken.append(True)  # type: ignore[method-assign]
    host.seat.broken()
    assert broken == [True]
