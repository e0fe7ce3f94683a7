"""A program's pty as the daemon has it; the program's end is this test's."""

from __future__ import annotations

import os
import select
import termios
import tty
from collections.abc import Iterator

import pytest

from shpool.daemon.programs.pty import Pty, PtyUser
from shpool.daemon.programs.pty_ends import PtyEnds
from shpool.protocol.requests import TtySize
from tests.daemon.conftest import LogLines
from tests.daemon.fakes import FakeLoop
from tests.e2e.waiting import DEADLINE, eventually


class Reader(PtyUser):
    """Notes what it hears."""

    def __init__(self) -> None:
        self.heard: list[object] = []

    def pty_output(self, data: bytes) -> None:
        self.heard.append(data)

    def pty_full(self) -> None:
        self.heard.append("full")

    def pty_drained(self) -> None:
        self.heard.append("drained")

    def broken(self) -> None:
        self.heard.append("broken")


class Opened:
    """A pty whose program reads raw, without echo."""

    def __init__(self, loop: FakeLoop) -> None:
        self.loop = loop
        self.ends = PtyEnds(TtySize(24, 80), echo=False)
        tty.setraw(self.ends.slave)
        self.slave = os.dup(self.ends.slave)
        os.set_blocking(self.slave, False)
        self.user = Reader()
        self.pty = Pty(loop, self.ends, self.user, "test")
        self.master = self.ends.master

    @property
    def heard(self) -> list[object]:
        return self.user.heard

    def write(self, data: bytes) -> None:
        """Print something, and have it read when the system has handed it over."""
        os.write(self.slave, data)
        select.select([self.master], [], [], DEADLINE)
        self.loop.readable(self.master)

    def typed(self, size: int) -> bytes:
        """The next `size` bytes, which the system hands over in its own time."""
        typed = b""

        def enough() -> bool:
            nonlocal typed
            try:
                typed += os.read(self.slave, size - len(typed))
            except BlockingIOError:
                pass
            self.loop.writable(self.master)
            return len(typed) == size

        eventually(enough, f"{size} bytes are typed")
        return typed

    def type_until_full(self) -> int:
        """How many bytes that took."""
        sent = 0
        while not self.pty.full:
            self.pty.send(b"x" * 1000)
            sent += 1000
        return sent

    def end(self) -> None:
        """Nobody has the slave open any more."""
        self.ends.close_slave()
        os.close(self.slave)
        self.slave = -1

    def close(self) -> None:
        self.pty.close()
        if self.slave >= 0:
            os.close(self.slave)


@pytest.fixture
def opened(loop: FakeLoop) -> Iterator[Opened]:
    opened = Opened(loop)
    yield opened
    opened.close()


def test_what_is_written_comes_once_it_is_read(opened: Opened) -> None:
    opened.write(b"early")
    assert opened.heard == []
    opened.pty.read(True)
    opened.loop.readable(opened.master)
    opened.write(b"word")
    opened.pty.read(False)
    opened.write(b"late")
    assert opened.heard == [b"early", b"word"]
    assert opened.pty.read_rest() == b"late"


def test_a_flood_has_its_turn_and_no_more(opened: Opened) -> None:
    opened.pty.read(True)
    written = 0
    try:
        while True:
            written += os.write(opened.slave, b"x" * 4095)
    except BlockingIOError:
        pass
    opened.loop.readable(opened.master)
    (piece,) = opened.heard
    assert isinstance(piece, bytes)
    assert len(piece) < 8192 + 16_384
    read = len(piece)
    while read < written:  # the system brings it from one end to the other in its own time
        read += len(opened.pty.read_rest())
    assert read == written


def test_a_pty_that_nobody_has_open_is_left_alone_until_something_is_typed(opened: Opened) -> None:
    opened.pty.read(True)
    opened.write(b"last")
    slave = os.ttyname(opened.slave)
    opened.end()
    opened.loop.readable(opened.master)
    assert opened.heard == [b"last"]
    assert not opened.loop.reads(opened.master)
    opened.slave = os.open(slave, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    opened.pty.send(b"key")
    assert opened.loop.reads(opened.master)
    opened.write(b"again")
    assert opened.heard == [b"last", b"again"]


def test_what_is_typed_is_read_in_order(opened: Opened) -> None:
    opened.pty.send(b"one")
    opened.pty.send(b"two")
    assert opened.typed(6) == b"onetwo"


def test_a_program_that_does_not_read_is_told_of_and_loses_nothing(opened: Opened) -> None:
    sent = opened.type_until_full()
    assert opened.heard == []  # not in the middle of the user's call
    opened.loop.settle()
    assert opened.heard == ["full"]
    assert opened.typed(sent) == b"x" * sent
    assert opened.heard == ["full", "drained"]
    assert not opened.pty.full


def test_what_was_typed_and_not_read_can_be_had_when_the_program_has_ended(
    loop: FakeLoop, opened: Opened
) -> None:
    sent = opened.type_until_full()
    assert len(opened.pty.take_unread()) == sent


def test_a_line_that_is_not_complete_can_be_had_as_well(opened: Opened) -> None:
    modes = termios.tcgetattr(opened.slave)
    modes[3] |= termios.ICANON
    termios.tcsetattr(opened.slave, termios.TCSANOW, modes)
    opened.pty.send(b"half a li")
    assert opened.pty.take_unread() == b"half a li"


def test_where_the_slave_was_not_kept_nothing_is_unread(opened: Opened) -> None:
    opened.pty.send(b"key")
    opened.ends.close_slave()
    assert opened.pty.take_unread() == b""


def test_an_error_in_writing_loses_what_was_typed_and_no_more(opened: Opened) -> None:
    opened.type_until_full()
    opened.loop.settle()
    opened.pty._input._fail(OSError(5, "Input/output error"))
    opened.loop.settle()
    assert opened.heard == ["full", "drained"]
    termios.tcflush(opened.slave, termios.TCIFLUSH)
    opened.pty.send(b"key")
    assert opened.typed(3) == b"key"


def test_a_size_that_cannot_be_set_is_logged(
    opened: Opened, log: LogLines, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(master: int, size: TtySize) -> None:
        raise OSError(25, "Inappropriate ioctl for device")

    monkeypatch.setattr("shpool.daemon.programs.pty_ends.set_size", refuse)
    opened.pty.resize(TtySize(9, 9))
    assert log.read() == ["WARN test: cannot set the size: Inappropriate ioctl for device"]


def test_closed_it_hangs_up_and_takes_nothing(opened: Opened) -> None:
    opened.pty.read(True)
    opened.pty.close()
    opened.pty.close()
    assert opened.pty.closed
    assert not opened.loop.reads(opened.master)
    opened.pty.send(b"key")
    opened.pty.read(True)
    opened.pty.resize(TtySize(9, 9))
    assert opened.pty.read_rest() == b""
    assert opened.pty.take_unread() == b""
    assert os.read(opened.slave, 1) == b""


def test_an_error_in_it_or_in_what_it_keeps_is_its_users(opened: Opened) -> None:
    opened.pty.broken()
    opened.pty._input.broken()
    assert opened.heard == ["broken", "broken"]


def test_what_is_unread_makes_way_where_the_terminal_would_have_it_so(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened.pty.send(b"line\n" * 4000)
    assert opened.pty.waits
    with monkeypatch.context() as patch:
        patch.delattr(termios, "tcflush")
        opened.pty.forget_unread()
    modes = termios.tcgetattr(opened.slave)
    modes[3] |= termios.ISIG
    termios.tcsetattr(opened.slave, termios.TCSANOW, modes)
    opened.pty.forget_unread()
    opened.loop.writable(opened.master)
    assert not opened.pty.waits
