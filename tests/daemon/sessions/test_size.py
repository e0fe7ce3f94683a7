"""Whose size counts, and how a program is made to draw itself again."""

from __future__ import annotations

import fcntl
import struct
import termios
from collections.abc import Iterator

import pytest

from shpool.daemon.programs.pty import Pty, PtyUser
from shpool.daemon.programs.pty_ends import PtyEnds
from shpool.daemon.sessions.picture import Picture, PictureUser
from shpool.daemon.sessions.size import WindowSize
from shpool.protocol.requests import TtySize
from tests.daemon.fakes import FakeLoop


class Remembering(Picture):
    """Needs no jiggle; notes its sizes."""

    remembers = True

    def __init__(self, loop: FakeLoop) -> None:
        super().__init__(loop, PictureUser())
        self.sizes: list[tuple[int, int]] = []

    def resize(self, size: TtySize) -> None:
        self.sizes.append((size.rows, size.cols))


@pytest.fixture
def ends() -> Iterator[PtyEnds]:
    ends = PtyEnds(TtySize(24, 80), echo=True)
    yield ends
    ends.close()


def size_of(ends: PtyEnds) -> tuple[int, ...]:
    return struct.unpack("4H", fcntl.ioctl(ends.master, termios.TIOCGWINSZ, bytes(8)))


def window(loop: FakeLoop, ends: PtyEnds, picture: Picture) -> WindowSize:
    window = WindowSize(loop, TtySize(24, 80), picture)
    window.pty = Pty(loop, ends, PtyUser(), "test")
    return window


def test_pty_and_picture_have_the_size_that_is_set(loop: FakeLoop, ends: PtyEnds) -> None:
    picture = Remembering(loop)
    window(loop, ends, picture).set(TtySize(30, 90, 3, 4))
    assert size_of(ends) == (30, 90, 3, 4)
    assert picture.sizes == [(30, 90)]


def test_a_terminal_that_has_no_size_gets_a_usable_one(loop: FakeLoop, ends: PtyEnds) -> None:
    size = window(loop, ends, Remembering(loop))
    size.fit(TtySize(0, 0))
    assert size_of(ends)[:2] == (24, 80)
    assert (size.current.rows, size.current.cols) == (24, 80)


def test_what_is_remembered_is_drawn_without_a_jiggle(loop: FakeLoop, ends: PtyEnds) -> None:
    window(loop, ends, Remembering(loop)).fit(TtySize(30, 90))
    assert size_of(ends)[:2] == (30, 90)
    assert loop.deadlines() == []


def test_a_program_that_draws_itself_is_given_another_size_and_then_the_right_one(
    loop: FakeLoop, ends: PtyEnds
) -> None:
    size = window(loop, ends, Picture(loop, PictureUser()))
    size.fit(TtySize(30, 90))
    assert size_of(ends)[:2] == (31, 91)
    loop.pass_time(0.02)
    size.fit(TtySize(40, 100))
    assert size_of(ends)[:2] == (41, 101)
    size.set(TtySize(50, 110))
    loop.pass_time(0.02)
    assert size_of(ends)[:2] == (41, 101)
    loop.pass_time(0.02)
    assert size_of(ends)[:2] == (50, 110)
    assert loop.deadlines() == []


def test_the_largest_size_is_made_no_larger(loop: FakeLoop, ends: PtyEnds) -> None:
    window(loop, ends, Picture(loop, PictureUser())).fit(TtySize(65_535, 65_535))
    assert size_of(ends)[:2] == (65_535, 65_535)


def test_nothing_comes_after_the_end(loop: FakeLoop, ends: PtyEnds) -> None:
    size = window(loop, ends, Picture(loop, PictureUser()))
    size.fit(TtySize(30, 90))
    size.close()
    size.close()
    assert loop.deadlines() == []


def test_before_there_is_a_pty_the_size_is_kept_for_it(loop: FakeLoop) -> None:
    size = WindowSize(loop, TtySize(24, 80), Picture(loop, PictureUser()))
    size.set(TtySize(30, 90))
    size.fit(TtySize(40, 100))
    loop.pass_time(1)
    assert (size.current.rows, size.current.cols) == (40, 100)
