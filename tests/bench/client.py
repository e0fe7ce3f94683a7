"""A program under a terminal whose other end the benchmark holds."""

import fcntl
import os
import select
import signal
import struct
import termios
from time import monotonic, sleep

# Seconds after which a measurement has gone wrong.
PATIENCE = 60.0

_READ = 1 << 16


class Stuck(Exception):
    """What was waited for did not come."""


class Client:
    """Runs `argv` with the terminal, of so many rows and columns, as its controlling one; a context
    manager."""

    def __init__(
        self, argv: list[str], env: dict[str, str], size: tuple[int, int] = (24, 80)
    ) -> None:
        self.master, slave = os.openpty()
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("4H", *size, 0, 0))
        try:
            # Spawning costs the same however large this process is; opening the terminal after
            # setsid makes it the controlling one.
            self.pid = os.posix_spawnp(
                argv[0],
                argv,
                env,
                file_actions=[
                    (os.POSIX_SPAWN_OPEN, 0, os.ttyname(slave), os.O_RDWR, 0),
                    (os.POSIX_SPAWN_DUP2, 0, 1),
                    (os.POSIX_SPAWN_DUP2, 0, 2),
                ],
                setsid=True,
                setsigdef=[signal.SIGPIPE],
            )
        finally:
            os.close(slave)
        self._poll = select.poll()
        self._poll.register(self.master, select.POLLIN)

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def write(self, data: bytes) -> None:
        os.write(self.master, data)

    def readable(self, seconds: float) -> bool:
        """Returns whether there is something to read, or an end, within this time."""
        return bool(self._poll.poll(seconds * 1000))

    def read(self) -> bytes:
        """What the terminal is sent next."""
        if not self._poll.poll(PATIENCE * 1000):
            raise Stuck("nothing is written to the terminal")
        try:
            return os.read(self.master, _READ)
        except OSError:
            raise Stuck("the program has ended") from None

    def read_until(self, mark: bytes) -> None:
        """Read, and throw away, until `mark` has been seen."""
        tail = b""
        deadline = monotonic() + PATIENCE
        while mark not in tail:
            data = self.read()
            tail = tail[-len(mark) :] + data
            if monotonic() > deadline:
                raise Stuck(f"{mark!r} is not written to the terminal")

    def read_until_quiet(self, seconds: float) -> None:
        """Read, and throw away, until nothing has come for so long."""
        while self.readable(seconds):
            self.read()

    def wait(self) -> None:
        """Read to the program's end."""
        deadline = monotonic() + PATIENCE
        while os.waitpid(self.pid, os.WNOHANG)[0] == 0:
            if monotonic() > deadline:
                raise Stuck("the program does not end")
            if self._poll.poll(1):
                try:
                    os.read(self.master, _READ)
                except OSError:
                    sleep(0.001)
        self.pid = 0

    def hang_up(self) -> None:
        """Close the window; the program ends as it does then."""
        if self.master >= 0:
            os.close(self.master)
            self.master = -1

    def close(self) -> None:
        self.hang_up()
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            self.pid = 0


def run(argv: list[str], env: dict[str, str]) -> None:
    """Run a command to its end, without a terminal and in silence.  Raises Stuck if it fails."""
    pid = os.posix_spawnp(
        argv[0],
        argv,
        env,
        file_actions=[(os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_RDWR, 0) for fd in (0, 1, 2)],
        setsigdef=[signal.SIGPIPE],
    )
    _, status = os.waitpid(pid, 0)
    if status:
        raise Stuck(f"{argv} ended with {os.waitstatus_to_exitcode(status)}")
