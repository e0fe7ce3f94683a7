"""Whether a terminal that a client offers may be used, and who has it at the moment."""

import fcntl
import gc
import os
import pty
import signal
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator

import pytest

from shpool.daemon.clients.passed_terminal import PassedTerminal, Refused
from tests.e2e.harness import Terminal, eventually


@pytest.fixture
def client() -> Iterator[Terminal]:
    """A process that has made its terminal raw, in front."""
    script = "import os, tty; tty.setraw(0); os.write(1, b'raw'); os.read(0, 1)"
    terminal = Terminal([sys.executable, "-c", script], dict(os.environ))
    terminal.expect("raw")
    yield terminal
    terminal.close()


@pytest.fixture
def slave(client: Terminal) -> Iterator[int]:
    """A descriptor of that terminal."""
    fd = os.open(f"/proc/{client.pid}/fd/0", os.O_RDWR | os.O_NOCTTY)
    yield fd
    os.close(fd)


@pytest.fixture
def passed(client: Terminal, slave: int) -> Iterator[PassedTerminal]:
    terminal = PassedTerminal(slave, client.pid)
    yield terminal
    terminal.close()


def take_signals(terminal: int) -> None:
    """Other modes than a client's."""
    modes = termios.tcgetattr(terminal)
    modes[3] |= termios.ISIG
    termios.tcsetattr(terminal, termios.TCSANOW, modes)


def test_what_is_opened_is_our_own(passed: PassedTerminal, slave: int) -> None:
    assert os.path.samestat(os.fstat(passed.fd), os.fstat(slave))
    assert not os.get_blocking(passed.fd)
    assert os.get_blocking(slave)
    assert not os.get_inheritable(passed.fd)


def test_it_is_ours_while_its_client_has_it(passed: PassedTerminal, client: Terminal) -> None:
    assert passed.is_ours()
    os.kill(client.pid, signal.SIGSTOP)
    eventually(lambda: not passed.is_ours())
    os.kill(client.pid, signal.SIGCONT)
    eventually(passed.is_ours)
    os.kill(client.pid, signal.SIGKILL)
    eventually(lambda: not passed.is_ours())  # nobody has waited for it yet
    client.kill()
    assert not passed.is_ours()


def test_other_modes_are_not_ours_until_they_are_known(passed: PassedTerminal, slave: int) -> None:
    take_signals(slave)
    assert not passed.is_ours()
    passed.renew()
    assert passed.is_ours()


def test_modes_are_restored_only_over_the_clients_own(passed: PassedTerminal, slave: int) -> None:
    raw = termios.tcgetattr(slave)
    passed.restore()
    assert termios.tcgetattr(slave) == raw  # they are not known
    take_signals(slave)
    cooked = termios.tcgetattr(slave)
    passed.before = fcntl.ioctl(slave, termios.TCGETS, bytes(256))
    passed.restore()
    termios.tcsetattr(slave, termios.TCSANOW, raw)
    passed.restore()
    assert termios.tcgetattr(slave) == cooked


def test_a_client_in_the_background_does_not_have_it() -> None:
    # The child has a process group of its own, which nobody puts in front.
    shell = "set -m; sleep 1000 & echo pid $!; read x"
    terminal = Terminal(["sh", "-c", shell], dict(os.environ))
    try:
        pid = int(terminal.expect(r"pid (\d+)")[1])
        offered = os.open(f"/proc/{terminal.pid}/fd/1", os.O_RDWR | os.O_NOCTTY)
        try:
            with pytest.raises(Refused, match="foreground"):
                PassedTerminal(offered, pid)
        finally:
            os.close(offered)
            os.kill(pid, signal.SIGKILL)
    finally:
        terminal.close()


def master() -> int:
    fd, slave = pty.openpty()
    os.close(slave)
    return fd


OTHERS: dict[str, tuple[Callable[[], int], str]] = {
    "a master": (master, "not a terminal's own device"),
    "/dev/ptmx": (lambda: os.open("/dev/ptmx", os.O_RDWR), "not a terminal's own device"),
    "/dev/null": (lambda: os.open("/dev/null", os.O_RDWR), "no terminal"),
    "a file": (lambda: os.memfd_create("file"), "no terminal"),
}


@pytest.mark.parametrize("what", OTHERS)
def test_what_is_no_terminal_of_a_clients_is_refused(what: str) -> None:
    make, reason = OTHERS[what]
    fd = make()
    gc.collect()  # what tests before this one left open
    before = len(os.listdir("/proc/self/fd"))
    try:
        with pytest.raises(Refused, match=reason):
            PassedTerminal(fd, os.getpid())
        assert len(os.listdir("/proc/self/fd")) == before
    finally:
        os.close(fd)


def test_a_client_that_is_gone_is_refused(slave: int) -> None:
    process = subprocess.Popen(["true"])
    process.wait()
    with pytest.raises(Refused, match="No such file"):
        PassedTerminal(slave, process.pid)
    with pytest.raises(Refused):
        PassedTerminal(slave, 0)  # as the system has it for a process it does not show us


def test_a_terminal_of_another_user_is_refused(slave: int, client: Terminal) -> None:
    os.fchmod(slave, 0)
    child = os.fork()
    if child == 0:
        status = 1
        try:
            if os.geteuid() == 0:
                os.setgroups([])
                os.setgid(65_534)
                os.setuid(65_534)
            PassedTerminal(slave, client.pid)
        except Refused as error:
            status = 0 if str(error) == "Permission denied" else 2
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0


def test_one_that_is_not_raw_yet_is_restored_from_what_its_client_may_have_set(
    client: Terminal, slave: int
) -> None:
    raw = termios.tcgetattr(slave)
    take_signals(slave)
    cooked = termios.tcgetattr(slave)
    terminal = PassedTerminal(slave, client.pid)
    assert not terminal.ready
    terminal.before = fcntl.ioctl(slave, termios.TCGETS, bytes(256))
    termios.tcsetattr(slave, termios.TCSANOW, raw)
    terminal.restore()
    assert termios.tcgetattr(slave) == cooked
    # Others' modes, also those of a shell that reads a line, are not what a client sets.
    theirs = termios.tcgetattr(slave)
    theirs[3] &= ~(termios.ICANON | termios.ECHO)
    termios.tcsetattr(slave, termios.TCSANOW, theirs)
    terminal.restore()
    assert termios.tcgetattr(slave) == theirs
    termios.tcsetattr(slave, termios.TCSANOW, raw)
    assert terminal.renew()
    assert terminal.ready
    terminal.close()


def test_one_that_is_raw_already_is_ready(passed: PassedTerminal) -> None:
    assert passed.ready
