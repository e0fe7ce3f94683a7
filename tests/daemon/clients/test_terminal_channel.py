"""A client whose terminal the daemon has: here that is a pty, and the client is this process."""

from __future__ import annotations

import fcntl
import os
import socket
import termios
import tty
from collections.abc import Iterator

import pytest

from shpool.daemon.clients.passed_terminal import PassedTerminal
from shpool.daemon.clients.terminal_channel import TerminalChannel
from shpool.protocol import chunks
from shpool.protocol.attaching import AttachReply
from shpool.protocol.chunks import ChunkReader
from shpool.protocol.msgpack import Decoder
from shpool.terminal.leave import ALTERNATE, LEAVE_MAIN, REPORTS
from tests.daemon.clients.test_channel import Listener
from tests.daemon.fakes import FakeLoop


class Away(Listener):
    def channel_away(self) -> None:
        self.heard.append("away")

    def channel_back(self) -> None:
        self.heard.append("back")

    def channel_leave(self) -> None:
        self.heard.append("leave")


class Passed:
    """`master` is the terminal's emulator, `far` the client's end of the connection."""

    def __init__(self, loop: FakeLoop, early: bytes = b"") -> None:
        self.loop = loop
        self.master, self.slave = os.openpty()
        os.set_blocking(self.master, False)
        self.cooked = fcntl.ioctl(self.slave, termios.TCGETS, bytes(chunks.MODES_MAX))
        tty.setraw(self.slave)
        self.near, self.far = socket.socketpair()
        for end in (self.near, self.far):
            end.setblocking(False)
        terminal = PassedTerminal(self.slave, os.getpid())
        self.fd = terminal.fd
        self.channel = TerminalChannel(loop, self.near, early, terminal)
        self.user = Away()
        self.channel.user = self.user
        self._chunks = ChunkReader()

    @property
    def heard(self) -> list[object]:
        return self.user.heard

    def shown(self) -> bytes:
        """What the terminal was sent since this was asked last."""
        data = b""
        while True:
            try:
                data += os.read(self.master, 1 << 16)
            except OSError:
                return data
            if self.channel.full:
                self.loop.writable(self.fd)

    def news(self) -> list[tuple[int, bytes | int]]:
        """What the client was sent since this was asked last."""
        try:
            return self._chunks.feed(self.far.recv(1 << 20))
        except BlockingIOError:
            return []

    def tell(self, kind: int, payload: bytes = b"") -> None:
        """The client says something."""
        self.far.send(chunks.frame(kind, payload))
        self.loop.readable(self.near.fileno())

    def type(self, data: bytes) -> None:
        os.write(self.master, data)
        self.loop.readable(self.fd)

    def take_away(self) -> None:
        """Somebody else, who waits for signals, has the terminal."""
        modes = termios.tcgetattr(self.slave)
        modes[3] |= termios.ISIG
        termios.tcsetattr(self.slave, termios.TCSANOW, modes)
        self.loop.now += 1

    def give_back(self) -> None:
        tty.setraw(self.slave)
        self.tell(chunks.BACK)

    @property
    def is_cooked(self) -> bool:
        return fcntl.ioctl(self.slave, termios.TCGETS, bytes(chunks.MODES_MAX)) == self.cooked

    @property
    def is_open(self) -> bool:
        """The daemon has the terminal open."""
        try:
            return os.path.samestat(os.fstat(self.fd), os.fstat(self.slave))
        except OSError:
            return False

    def close(self) -> None:
        self.channel.drop()
        self.far.close()
        for fd in (self.master, self.slave):
            if fd >= 0:
                os.close(fd)


@pytest.fixture
def passed(loop: FakeLoop) -> Iterator[Passed]:
    passed = Passed(loop)
    yield passed
    passed.close()


def test_output_and_input_are_the_terminals_and_the_answer_the_connections(passed: Passed) -> None:
    passed.channel.answer(AttachReply("Created", passed=True))
    decoder = Decoder()
    assert decoder.feed(passed.far.recv(1 << 16))
    passed.channel.show(b"word")
    passed.channel.read(True)
    passed.type(b"key")
    assert passed.shown() == b"word"
    assert passed.heard == [b"key"]
    assert passed.news() == []


def test_nothing_is_read_until_somebody_takes_it(passed: Passed) -> None:
    passed.type(b"key")
    assert passed.heard == []
    passed.channel.read(True)
    passed.loop.readable(passed.fd)
    assert passed.heard == [b"key"]


def test_the_client_knows_what_its_terminal_has_on(passed: Passed) -> None:
    passed.channel.show(b"\x1b[?1049h")
    passed.channel.show(b"\x1b[?1049h")
    passed.channel.show(b"\x1b[?1000h")
    assert passed.news() == [
        *((chunks.STATE, bytes([ALTERNATE])), (chunks.STATE, bytes([ALTERNATE | REPORTS]))),
    ]


def test_a_terminal_that_takes_no_more_is_told_of_and_that_it_does_again(passed: Passed) -> None:
    while not passed.channel.full:
        passed.channel.show(b"x" * 4000)
    passed.loop.settle()
    assert passed.heard == ["full"]
    while passed.channel.full:
        passed.shown()
    passed.loop.settle()
    assert passed.heard == ["full", "drained"]


@pytest.mark.parametrize("way", ["typed", "shown"])
def test_a_terminal_in_other_hands_is_left_alone_until_the_client_has_it_again(
    passed: Passed, way: str
) -> None:
    passed.channel.read(True)
    passed.take_away()
    if way == "typed":
        passed.type(b"for somebody else")
        assert passed.heard == ["away"]
    else:
        assert not passed.channel.look()
        assert passed.heard == []  # not in the middle of the user's call
    assert passed.channel.away
    assert passed.news() == [(chunks.HEARTBEAT, b"")]
    passed.channel.show(b"kept")
    passed.loop.readable(passed.fd)
    passed.loop.writable(passed.fd)
    assert passed.shown() == b""
    termios.tcflush(passed.slave, termios.TCIFLUSH)
    passed.give_back()
    assert passed.heard[-1] == "back"
    assert not passed.channel.away
    passed.loop.writable(passed.fd)
    assert passed.shown() == b"kept"
    passed.type(b"key")
    assert passed.heard[-1] == b"key"


def test_a_client_that_says_so_too_early_does_not_have_it(
    passed: Passed, monkeypatch: pytest.MonkeyPatch
) -> None:
    passed.channel.read(True)
    passed.take_away()
    passed.type(b"key")
    monkeypatch.setattr(PassedTerminal, "is_ours", lambda terminal: False)  # it was stopped again
    passed.tell(chunks.BACK)
    assert passed.heard == ["away"]
    assert passed.channel.away


def test_output_that_waited_looks_first_whether_the_terminal_is_there(passed: Passed) -> None:
    while not passed.channel.full:
        passed.channel.show(b"x" * 4000)
    passed.loop.settle()
    passed.take_away()
    passed.loop.writable(passed.fd)
    assert passed.heard == ["full", "away"]


def test_the_client_may_ask_to_be_detached(passed: Passed) -> None:
    passed.tell(chunks.DETACH)
    assert passed.heard == ["leave"]


def test_a_client_that_talks_nonsense_is_hung_up_on(passed: Passed) -> None:
    passed.far.send(b"\xff" * 100)
    passed.loop.readable(passed.near.fileno())
    assert passed.heard == ["gone"]


def test_what_came_behind_the_request_counts(loop: FakeLoop) -> None:
    passed = Passed(loop, chunks.frame(chunks.DETACH, b""))
    assert passed.heard == []
    loop.settle()
    assert passed.heard == ["leave"]
    passed.close()


@pytest.mark.parametrize("reads", [True, False])
def test_a_terminal_that_is_hung_up_is_noticed_whether_or_not_it_is_read(
    passed: Passed, reads: bool
) -> None:
    passed.channel.read(reads)
    os.close(passed.master)
    passed.master = -1
    passed.loop.readable(passed.fd)
    passed.loop.hung_up(passed.fd)
    assert passed.heard[-1] == "gone"


def test_who_is_let_go_has_the_terminal_back_before_anything_more_is_said(passed: Passed) -> None:
    passed.channel.show(b"\x1b[?1049hword")
    passed.shown()
    passed.take_away()
    assert not passed.channel.look()
    passed.channel.show(b"kept")
    passed.channel.leave(b"bye", 3)
    assert not passed.is_open
    *_, unsent, last, status = passed.news()
    assert unsent == (chunks.DATA, b"kept")
    assert last[0] == chunks.DATA
    assert isinstance(last[1], bytes)
    assert last[1].startswith(b"bye")
    assert b"\x1b[?1049l" in last[1]
    assert status == (chunks.EXIT_STATUS, 3)
    passed.loop.settle()
    assert passed.heard == ["closed"]
    assert passed.shown() == b""


@pytest.mark.parametrize(
    ("shown", "asks_for_it", "restored"),
    [
        (b"word", False, True),
        (b"word", True, False),  # it goes on in it, in another session perhaps
        (b"\x1b[?1000h\x1b[?1000l", False, False),  # a report may be under way
        (b"\x1b[6n", False, False),
    ],
)
def test_who_is_let_go_finds_the_modes_restored_if_it_has_nothing_left_to_do_in_it(
    passed: Passed, shown: bytes, asks_for_it: bool, restored: bool
) -> None:
    passed.tell(chunks.MODES, passed.cooked)
    passed.channel.show(shown)
    if asks_for_it:
        passed.tell(chunks.DETACH)
    passed.channel.leave(b"bye", 3)
    assert passed.is_cooked == restored


def test_a_killed_clients_terminal_is_cleaned_at_once_and_its_modes_come_a_little_later(
    passed: Passed,
) -> None:
    passed.tell(chunks.MODES, passed.cooked)
    passed.channel.show(b"\x1b[?1000h")
    passed.shown()
    passed.far.close()
    passed.loop.readable(passed.near.fileno())
    assert passed.heard == ["gone"]
    passed.channel.close()
    passed.channel.close()
    assert LEAVE_MAIN in passed.shown()
    assert not passed.is_cooked
    passed.loop.pass_time(0.05)
    assert passed.heard == ["gone"]
    passed.loop.pass_time(0.06)
    assert passed.is_cooked
    assert not passed.is_open
    assert passed.heard == ["gone", "closed"]


def test_modes_that_somebody_else_has_set_meanwhile_stay(passed: Passed) -> None:
    passed.tell(chunks.MODES, passed.cooked)
    passed.far.close()
    passed.loop.readable(passed.near.fileno())
    passed.channel.close()
    passed.take_away()
    passed.loop.pass_time(1)
    assert not passed.is_cooked
    assert not passed.is_open


def test_the_daemons_end_finishes_what_a_killed_clients_terminal_waits_for(
    passed: Passed,
) -> None:
    passed.tell(chunks.MODES, passed.cooked)
    passed.far.close()
    passed.loop.readable(passed.near.fileno())
    passed.channel.close()
    passed.channel.drop()
    assert passed.is_cooked
    assert not passed.is_open
    assert passed.loop.deadlines() == []
    assert passed.heard == ["gone"]


def test_who_has_it_raw_from_the_first_has_not_come_back_when_it_says_so(passed: Passed) -> None:
    passed.tell(chunks.BACK)
    assert passed.heard == []
    passed.tell(chunks.BACK)
    assert passed.heard == ["back"]


def test_who_was_away_before_it_said_a_word_has_come_back(passed: Passed) -> None:
    passed.take_away()
    assert not passed.channel.look()
    passed.give_back()
    assert passed.heard == ["back"]


# ---- a client that goes over to another session


def go_over(passed: Passed) -> None:
    """It has its terminal back, with what the session had on."""
    passed.tell(chunks.MODES, passed.cooked)
    passed.channel.show(b"\x1b[?1049hword")
    passed.tell(chunks.DETACH, chunks.GOES_OVER)
    assert passed.heard == ["leave"]
    passed.channel.leave(b"bye", 0)
    assert passed.news()[-1] == (chunks.EXIT_STATUS, 0)
    passed.loop.settle()
    passed.shown()


def test_whose_client_goes_over_the_terminal_is_kept_until_it_is_told(passed: Passed) -> None:
    go_over(passed)
    assert (passed.heard, passed.is_open) == (["leave"], True)
    passed.type(b"keys for the other session")
    assert passed.heard == ["leave"]
    passed.tell(chunks.DETACH)
    assert not passed.is_open
    passed.far.close()
    passed.loop.settle()
    assert passed.heard == ["leave", "closed"]
    assert (passed.shown(), passed.is_cooked) == (b"", False)
    assert passed.loop.deadlines() == []


def test_a_client_that_is_killed_on_its_way_leaves_its_terminal_in_order(passed: Passed) -> None:
    go_over(passed)
    passed.far.close()
    passed.loop.readable(passed.near.fileno())
    assert passed.heard == ["leave", "gone"]
    passed.channel.close()
    assert b"\x1b[?1049l" in passed.shown()
    passed.loop.pass_time(0.2)
    assert passed.is_cooked
    assert not passed.is_open
    assert passed.heard == ["leave", "gone", "closed"]


def test_both_words_of_who_goes_over_may_come_at_once(passed: Passed) -> None:
    passed.tell(chunks.MODES, passed.cooked)
    passed.user.channel_leave = lambda: passed.channel.leave(b"", 0)  # type: ignore[method-assign]
    passed.far.send(
        chunks.frame(chunks.DETACH, chunks.GOES_OVER) + chunks.frame(chunks.DETACH, b"")
    )
    passed.loop.readable(passed.near.fileno())
    assert not passed.is_open
    passed.loop.settle()
    assert passed.heard == ["closed"]


def test_nonsense_from_who_goes_over_ends_it(passed: Passed) -> None:
    go_over(passed)
    passed.far.send(b"\xff" * 5)
    passed.loop.readable(passed.near.fileno())
    passed.channel.close()
    assert not passed.is_open
    passed.loop.settle()
    assert passed.heard == ["leave", "gone", "closed"]


def test_the_daemons_end_leaves_the_terminal_to_who_goes_over(passed: Passed) -> None:
    go_over(passed)
    passed.channel.drop()
    assert not passed.is_open
    assert not passed.is_cooked


def test_dropped_it_tells_nobody(passed: Passed) -> None:
    passed.channel.drop()
    passed.loop.settle()
    assert passed.heard == []
    assert not passed.is_open
    assert passed.far.recv(1) == b""
