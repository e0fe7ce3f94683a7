"""Nobody reads stderr: lines are lost and counted, and no write waits.

What would wait would do so for ever, since the same test is who reads.
"""

from __future__ import annotations

import os
import pty
import re
import signal
import socket
import termios
import tty
from collections.abc import Iterator

import pytest

from shpool import logs
from shpool.daemon import stderr
from tests.programs import lacking

MANY = 2000  # lines, more than any kernel keeps


class Place:
    """A descriptor to write to, and how the other end is read once somebody does."""

    def __init__(self, fd: int, far: int) -> None:
        self.fd = fd
        self.far = far
        os.set_blocking(far, False)

    def refuse(self) -> None:
        """From now on nobody reads."""

    def allow(self) -> None:
        """Somebody reads again."""

    def read(self) -> str:
        data = b""
        try:
            while piece := os.read(self.far, 65536):
                data += piece
        except BlockingIOError:
            pass
        return data.decode().replace("\r\n", "\n")


class Terminal(Place):
    def refuse(self) -> None:
        termios.tcflow(self.fd, termios.TCOOFF)  # as ^S does

    def allow(self) -> None:
        termios.tcflow(self.fd, termios.TCOON)


def pipe() -> Place:
    far, fd = os.pipe()
    return Place(fd, far)


def terminal() -> Place:
    far, fd = pty.openpty()
    return Terminal(fd, far)


def stream() -> Place:
    near, far = socket.socketpair()
    return Place(near.detach(), far.detach())


@pytest.fixture(params=[pipe, terminal, stream], ids=lambda kind: kind.__name__)
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    place = request.param()
    before = signal.getsignal(signal.SIGTTOU)
    yield place
    signal.signal(signal.SIGTTOU, before)
    os.close(place.fd)
    os.close(place.far)


def taken(place: Place) -> logs.Log:
    log = logs.Log()
    log.to(*stderr.take(place.fd))
    return log


@pytest.fixture(params=["own", "shared"])
def log(
    request: pytest.FixtureRequest, place: Place, monkeypatch: pytest.MonkeyPatch
) -> Iterator[logs.Log]:
    """The log there, by a description of its own, or where none is to be had."""
    if request.param == "shared":

        def refuse(fd: int) -> int:
            raise PermissionError

        monkeypatch.setattr(stderr, "_own_description", refuse)
    elif not os.path.exists("/proc/self/fd"):
        lacking("there is no /proc")
    log = taken(place)
    yield log
    assert log.fd is not None
    if log.fd != place.fd:
        os.close(log.fd)


def write(log: logs.Log, count: int) -> None:
    for number in range(count):
        log.write(logs.INFO, f"line {number}")


def test_what_is_read_is_all_there(place: Place, log: logs.Log) -> None:
    write(log, 3)
    assert re.sub(r"^\S+ ", "", place.read(), flags=re.MULTILINE) == (
        "INFO  line 0\nINFO  line 1\nINFO  line 2\n"
    )


def test_nobody_is_waited_for_and_the_next_line_tells_how_many_are_lost(
    place: Place, log: logs.Log
) -> None:
    place.refuse()
    write(log, MANY)
    place.allow()
    seen = place.read()
    log.write(logs.INFO, "heard")
    log.write(logs.INFO, "again")
    *kept, heard, again = (seen + place.read()).splitlines()
    match = re.search(r"INFO  heard \(lines lost before this one: (\d+)\)$", heard)
    assert match
    whole = [line for line in kept if re.search(r"INFO  line \d+$", line)]
    assert len(whole) + int(match[1]) == MANY
    assert len(kept) - len(whole) <= 1  # one may be torn
    assert again.endswith("INFO  again")


def test_who_shares_it_finds_it_as_it_was(place: Place, log: logs.Log) -> None:
    place.refuse()
    write(log, MANY)
    assert os.get_blocking(place.fd)


def test_nobody_reads_and_then_is_gone(place: Place, log: logs.Log) -> None:
    write(log, MANY)
    os.close(place.far)
    write(log, 3)
    place.far = os.open("/dev/null", os.O_RDONLY)


def test_a_file_is_gone_on_with_where_it_stands(
    tmp_path: os.PathLike[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = os.path.join(tmp_path, "log")
    fd = os.open(path, os.O_RDWR | os.O_CREAT)
    os.write(fd, b"before\n")
    place = Place(fd, fd)
    write(taken(place), 1)
    os.write(fd, b"after\n")
    with open(path) as file:
        first, line, last = file.read().splitlines()
    assert (first, last) == ("before", "after")
    assert line.endswith("INFO  line 0")
    os.close(fd)


def test_a_terminal_that_takes_a_part_of_a_line_is_given_the_next_on_a_line_of_its_own() -> None:
    log = logs.Log()
    written: list[bytes] = []

    def half(fd: int, data: bytes) -> int:
        taken = min(len(data), 40)
        written.append(data[:taken])
        return taken

    def whole(fd: int, data: bytes) -> int:
        written.append(data)
        return len(data)

    log.to(99, half)
    log.write(logs.INFO, "a line that is longer than that")
    log.write(logs.INFO, "next")
    assert written[1].startswith(b"\n2")
    log.to(99, whole)
    log.write(logs.INFO, "last")
    assert written[2].startswith(b"\n2")
    assert written[2].endswith(b"last (lines lost before this one: 2)\n")


def test_a_terminal_that_has_tostop_does_not_stop_the_daemon(place: Place) -> None:
    taken(place)
    assert signal.getsignal(signal.SIGTTOU) is signal.SIG_IGN


def test_raw_terminals_are_written_as_they_are() -> None:
    far, fd = pty.openpty()
    tty.setraw(fd)
    own, how = stderr.take(fd)
    assert how(own, b"x\n") == 2
    assert os.read(far, 10) == b"x\n"
    for number in {own, fd, far}:
        os.close(number)
