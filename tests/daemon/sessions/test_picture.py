"""What is remembered of a terminal: when it is interpreted, who is told, and what is drawn."""

from __future__ import annotations

import pytest

from shpool.config import Config
from shpool.config_values import RestoreMode
from shpool.daemon.sessions.model_picture import ModelPicture, picture_for
from shpool.daemon.sessions.picture import Picture, PictureUser
from shpool.protocol.requests import TtySize
from tests.daemon.fakes import FakeLoop

LINES = b"".join(b"line %d\r\n" % number for number in range(1, 61))


class Viewer(PictureUser):
    """Notes what it hears."""

    def __init__(self) -> None:
        self.heard: list[object] = []

    def picture_ready(self) -> None:
        self.heard.append("ready")

    def picture_relieved(self) -> None:
        self.heard.append("relieved")

    def picture_answers(self, answers: bytes) -> None:
        self.heard.append(answers)

    def picture_broken(self) -> None:
        self.heard.append("broken")


def picture(loop: FakeLoop, mode: str = "screen", lines: int = 0) -> tuple[Picture, Viewer]:
    viewer = Viewer()
    config = Config({"session_restore_mode": RestoreMode(mode, lines)})
    return picture_for(config, loop, TtySize(24, 80), viewer), viewer


def test_in_mode_simple_nothing_is_remembered_and_it_is_ready_at_once(loop: FakeLoop) -> None:
    simple, viewer = picture(loop, "simple")
    assert type(simple) is Picture
    assert not simple.remembers
    simple.output(LINES)
    simple.resize(TtySize(9, 9))
    simple.want()
    assert viewer.heard == []  # not in the middle of the user's call
    loop.settle()
    assert viewer.heard == ["ready"]
    assert (simple.draw(), simple.farewell(), simple.position()) == (b"", b"", 0)
    assert loop.deadlines() == []


def test_output_is_interpreted_when_it_has_been_quiet(loop: FakeLoop) -> None:
    model, _ = picture(loop)
    assert isinstance(model, ModelPicture)
    assert model.remembers
    model.output(b"one")
    loop.pass_time(0.015)
    model.output(b"two")
    loop.pass_time(0.015)
    loop.idle()
    assert model._backlog.behind
    loop.pass_time(0.02)
    loop.idle()
    assert not model._backlog.behind
    assert loop.deadlines() == []


def test_a_picture_that_is_wanted_is_ready_when_all_of_it_is_interpreted(loop: FakeLoop) -> None:
    model, viewer = picture(loop)
    model.output(b"x" * 100_000 + b"\r\nlast")
    model.want()
    assert model.must_hold  # so that the wait has an end
    loop.settle()
    assert viewer.heard == []
    loop.idle()
    assert viewer.heard == ["ready", "relieved"]
    assert not model.must_hold
    assert b"last" in model.draw()


def test_a_picture_with_nothing_to_catch_up_with_is_ready_soon_and_once(loop: FakeLoop) -> None:
    model, viewer = picture(loop)
    model.want()
    model.want()
    assert viewer.heard == []
    loop.settle()
    assert viewer.heard == ["ready"]


def test_too_much_output_is_held_until_it_is_interpreted(loop: FakeLoop) -> None:
    model, viewer = picture(loop)
    held = 0
    while not model.must_hold:
        model.output(b"\x1b[5;5Hx" * 1000)
        held += 1
        assert held < 100_000
    loop.idle()
    assert not model.must_hold
    assert viewer.heard == ["relieved"]


def test_keys_let_a_little_more_in_and_an_interrupt_always(loop: FakeLoop) -> None:
    model, viewer = picture(loop)
    while not model.must_hold:
        model.output(b"\x1b[5;9H" * 1000)
    for _ in range(40):
        model.typed(b"x")
        model.output(b"\x1b[5;9H" * 1000)
    assert model.must_hold
    viewer.heard.clear()
    model.typed(b"x")
    loop.settle()
    assert viewer.heard == []
    model.typed(b"x\x03")
    loop.settle()
    assert viewer.heard == ["relieved"]
    assert not model.must_hold


@pytest.mark.parametrize(("mode", "lines", "first"), [("screen", 0, 38), ("lines", 10, 28)])
def test_who_comes_is_drawn_the_screen_and_as_much_before_it_as_is_wanted(
    loop: FakeLoop, mode: str, lines: int, first: int
) -> None:
    model, _ = picture(loop, mode, lines)
    model.output(LINES)
    drawn = model.draw()
    assert b"line 60" in drawn
    assert b"line %d" % first in drawn
    assert b"line %d" % (first - 1) not in drawn


def test_who_was_there_is_drawn_what_it_has_missed(loop: FakeLoop) -> None:
    model, _ = picture(loop, "lines", 100)
    model.output(LINES)
    loop.pass_time(1)
    loop.idle()
    since = model.position()
    assert since > 0
    for number in range(61, 71):
        model.output(b"line %d\r\n" % number)
    drawn = model.draw(since)
    assert b"line 70" in drawn
    assert b"line 20" not in drawn
    assert model.position() == since + 10


def test_a_change_of_size_is_interpreted_in_order(loop: FakeLoop) -> None:
    model, _ = picture(loop)
    model.output(b"\x1b[99;99Ha")
    model.resize(TtySize(30, 90))
    model.output(b"\x1b[99;99Hb")
    drawn = model.draw()
    assert b"a" in drawn
    assert b"b" in drawn
    assert isinstance(model, ModelPicture)
    assert model._backlog.terminal.y == 29


@pytest.mark.parametrize(
    ("output", "words"),
    [
        (b"", b""),
        (b"$ ", b""),
        (b"\x1b[?1000h$ ", b"\x1b[?1000l"),
        (b"\x1b[?1049h", b"\x1b[?1049l"),
    ],
)
def test_who_goes_is_sent_what_turns_off_what_is_on(
    loop: FakeLoop, output: bytes, words: bytes
) -> None:
    model, _ = picture(loop)
    if output:
        model.output(output)
    assert words in model.farewell()
    assert bool(model.farewell()) == bool(words)


def test_where_much_is_to_be_interpreted_nothing_is_known_of_what_is_on(loop: FakeLoop) -> None:
    model, _ = picture(loop)
    model.output(b"\x1b[?1000h" + b"x" * 100_000)
    assert model.farewell() == b""


def test_what_is_asked_and_no_terminal_is_there_for_is_answered(loop: FakeLoop) -> None:
    model, viewer = picture(loop)
    model.output(b"ab\x1b[6n", True)
    model.draw()
    assert viewer.heard == []  # not in the middle of the user's call
    loop.settle()
    assert viewer.heard == [b"\x1b[1;3R"]
    model.output(b"\x1b[6n")
    model.draw()
    loop.settle()
    assert viewer.heard == [b"\x1b[1;3R"]


@pytest.mark.parametrize("mode", ["simple", "screen"])
def test_closed_or_broken_it_tells_nobody_anything_more(loop: FakeLoop, mode: str) -> None:
    for end in ("close", "broken"):
        model, viewer = picture(loop, mode)
        model.output(LINES)
        model.want()
        getattr(model, end)()
        loop.pass_time(1)
        loop.idle()
        loop.settle()
        told = ["broken"] if end == "broken" else []
        assert [each for each in viewer.heard if each != "ready"] == told
        assert loop.deadlines() == []
