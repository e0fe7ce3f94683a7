"""The user's terminal: its size, raw mode and back, and a way to write that never blocks."""

import errno
import fcntl
import os
import select
import struct
import termios
from time import monotonic

from shpool.client import reports
from shpool.protocol.chunks import MODES_MAX
from shpool.protocol.requests import TtySize
from shpool.terminal.leave import Watch

STDIN, STDOUT, STDERR = 0, 1, 2

# The index of output modes in what tcgetattr() gives.
_OFLAG = 1

# Milliseconds that a terminal which takes no output (Ctrl-S) can delay our end.
_PATIENCE = 1000


def size() -> TtySize:
    """The size of the terminal at fd 0, as it says; 24x80 without one."""
    try:
        packed = fcntl.ioctl(STDIN, termios.TIOCGWINSZ, bytes(8))
    except OSError:
        return TtySize(0, 0).usable()
    return TtySize(*struct.unpack("4H", packed))


def read(most: int) -> bytes:
    """What is typed, or comes from a pipe; nothing at the end.  Raises BlockingIOError."""
    try:
        return os.read(STDIN, most)
    except BlockingIOError:
        raise
    except OSError:  # EIO: the terminal was hung up; EBADF: it was closed from the start
        return b""


class UserTerminal:
    """Standard descriptors, when all of those that are needed are terminals; else nothing is
    touched.

    enter() makes the terminal raw; leave() puts it back as it was, whatever the session turned
    on in it.  Both may be called again and again.  `shown`: whether a session was seen on it.
    """

    def __init__(self, needed: "tuple[int, ...]" = (STDIN, STDOUT, STDERR)) -> None:
        self.is_terminal = all(os.isatty(fd) for fd in needed)
        self.shown = False
        self._cooked: list[int | list[bytes | int]] | None = None
        self.before = b""  # the modes to come back to, as the system's struct termios
        self._output = STDOUT
        self.watch = Watch()

    def enter(self) -> None:
        """Pass every key on as it is typed, and every byte as it is written."""
        if not self.is_terminal or self._cooked is not None:
            return
        try:
            cooked = termios.tcgetattr(STDIN)
            termios.tcsetattr(STDIN, termios.TCSANOW, _raw(cooked))
        except termios.error:
            return  # it was hung up meanwhile, which reading it will show
        self._cooked = cooked

    def offer(self) -> bool:
        """Returns whether stdin can be passed to the daemon; `before` is set then.

        Its modes stay what they are: it is made raw when the daemon has them, who restores them
        if we are killed.  In the background this stops us, as making it raw would.
        """
        try:
            same = os.path.samestat(os.fstat(STDIN), os.fstat(STDOUT))
            if not self.is_terminal or not same or not hasattr(termios, "TCGETS"):
                return False
            if self._cooked is None:
                termios.tcsetattr(STDIN, termios.TCSANOW, termios.tcgetattr(STDIN))
                self.before = fcntl.ioctl(STDIN, termios.TCGETS, bytes(MODES_MAX))
        except (OSError, termios.error):
            return False
        return True

    @property
    def is_raw(self) -> bool:
        return self._cooked is not None

    def again(self) -> bool:
        """Make it raw again, after others may have had it; False if it is not for us any more."""
        return self._cooked is None or _set(_raw(self._cooked))

    def leave(self) -> None:
        """Turn off what the session may have turned on, and restore the modes."""
        if self._cooked is None:
            return
        self.restore_early()
        typed = self._settle() if self.shown else b""
        cooked, self._cooked = self._cooked, None
        _set(cooked)
        _type(typed)

    def restore_early(self, *, line_feeds: bool = False) -> None:
        """Restore the modes before the last output is written, with `line_feeds` that are to stay
        what they are; unless the terminal is to be listened to then.

        It may be slow to take that, and we may be killed meanwhile.
        """
        watch = self.watch
        if self._cooked is None or watch.reports or watch.asked(monotonic()):
            return
        modes = list(self._cooked)
        if line_feeds:
            modes[_OFLAG] = _raw(modes)[_OFLAG]
        _set(modes)

    def clean(self) -> None:
        """Turn off what one session may have turned on, for what comes next."""
        if self._cooked is not None:
            _type(self._settle())

    def _settle(self) -> bytes:
        """Leave the terminal's state as it was, and nothing under way; what is typed meanwhile."""
        watch = self.watch
        asked = watch.asked(monotonic())
        self._write(watch.farewell())
        if not asked and not watch.reports:
            return b""
        self.again()
        watch.settled()
        return reports.drain(STDIN, self._output, reports=watch.reports)

    def _write(self, data: bytes) -> None:
        while data:
            try:
                data = data[os.write(self._output, data) :]
            except BlockingIOError:
                if not _takes_output(self._output):
                    return
            except OSError:
                return

    def output(self) -> int:
        """A descriptor for stdout that does not block, if that can be had without side effects.

        O_NONBLOCK belongs to the open file, which the shell outside shares, so a terminal is
        opened once more.  /proc/self/fd finds the same terminal in every mount namespace, a path
        might find another one; where there is no /proc, stdout itself is written to, and blocks.
        """
        if self.is_terminal and self._output == STDOUT:
            flags = os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
            try:
                self._output = os.open(f"/proc/self/fd/{STDOUT}", flags)
            except OSError:
                pass
        return self._output


def _set(modes: "list[int | list[bytes | int]]") -> bool:
    while True:
        try:
            termios.tcsetattr(STDIN, termios.TCSANOW, modes)
        except termios.error as error:
            if error.args[0] == errno.EINTR:
                continue  # in the background, where that has stopped us, and we were let go on
            # Hung up: there is no terminal left to be put in order.  Or in the background, and the
            # shell that could bring us to the front has been killed.
            return False
        return True


def _type(data: bytes) -> None:
    """Have `data` read from the terminal as if it was typed now.

    Where the system does not let us (Linux from 6.2 on can be told so) it is lost.
    """
    try:
        for byte in data:
            fcntl.ioctl(STDIN, termios.TIOCSTI, bytes((byte,)))
    except OSError:
        pass


def _raw(cooked: "list[int | list[bytes | int]]") -> "list[int | list[bytes | int]]":
    """As cfmakeraw(3): no echo, no lines, no signals, no translation, 8 bits."""
    iflag, oflag, cflag, lflag, ispeed, ospeed, characters = cooked
    assert isinstance(iflag, int)
    assert isinstance(oflag, int)
    assert isinstance(cflag, int)
    assert isinstance(lflag, int)
    assert isinstance(characters, list)
    iflag &= ~(
        termios.IGNBRK
        | termios.BRKINT
        | termios.PARMRK
        | termios.ISTRIP
        | termios.INLCR
        | termios.IGNCR
        | termios.ICRNL
        | termios.IXON
    )
    oflag &= ~termios.OPOST
    lflag &= ~(termios.ECHO | termios.ECHONL | termios.ICANON | termios.ISIG | termios.IEXTEN)
    cflag = (cflag & ~(termios.CSIZE | termios.PARENB)) | termios.CS8
    characters = list(characters)
    characters[termios.VMIN] = 1
    characters[termios.VTIME] = 0
    return [iflag, oflag, cflag, lflag, ispeed, ospeed, characters]


def _takes_output(fd: int) -> bool:
    """Returns whether the terminal takes output again, before patience with a frozen one ends."""
    poll = select.poll()
    poll.register(fd, select.POLLOUT)
    return bool(poll.poll(_PATIENCE))
