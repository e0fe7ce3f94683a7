"""The rehearsal of an upgrade: a snapshot of the daemon, and the new program beside the old one.

A child is forked, which is the daemon as it is at this moment.  It writes the daemon's state to a
file without a name, and becomes the new program, as `take-over --rehearse`, behind the options that
the daemon was started with; with that file as descriptor 3 and with nothing else of the daemon's.
Its stdout has two lines:

    the checksum of what was written                                    by the child itself
    shpool-py, its version, the format it read, and the same checksum   by the new program

The daemon serves everybody meanwhile.
"""

import os
import re
import signal
from binascii import crc32

from shpool.daemon.loop.reactor import Owner
from shpool.daemon.programs.process import Process, above_stdio, default_signals
from shpool.daemon.programs.spawn import SpawnError
from shpool.errors import ShpoolError, described
from shpool.files import close_from
from shpool.protocol.replies import PROGRAM

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn

    from shpool.daemon.loop.reactor import Timer
    from shpool.daemon.programs.spawn import Spawner
    from shpool.daemon.state import Descriptor

# Seconds for all of it.
_PATIENCE = 10.0

# Of what it says so many bytes are kept: of stdout the first, of stderr the last.
_SAID_MAX = 16_384
_READ = 65_536

_OUT, _ERR = 1, 2

# Bytes of the state that are written at once.
_BUFFER = 1 << 20

_ANSWER = re.compile(
    rf"{PROGRAM} (?P<version>\S{{1,64}}) (?P<format>\d{{1,9}}) (?P<checksum>\S{{1,64}})"
)

# What is said of another program, before why.
_UNABLE = "not a shpool that can take over"


class RehearsalUser(Owner):
    """Who has it rehearsed."""

    __slots__ = ()

    def rehearsed(self, version: str) -> None:
        """The new program, of that version, can take over."""

    def not_rehearsed(self, reason: str) -> None:
        """It cannot."""


# So that what is over does not keep its user in memory.
_NOBODY = RehearsalUser()


class StateFile:
    """A file without a name, for what `write` writes: in memory, or else in `directory`.

    `write` is told where to, piece by piece, and returns the descriptors that go with it.
    """

    __slots__ = ("_directory", "_write", "checksum", "fd")

    def __init__(
        self, directory: str, write: "Callable[[Callable[[bytes], object]], list[Descriptor]]"
    ) -> None:
        self._directory = directory
        self._write = write
        self.fd = -1
        self.checksum = ""  # what tells the content, once it is written

    def open(self) -> int:
        """The file, which is the caller's to close.  Raises OSError."""
        try:
            self.fd = os.memfd_create("shpool-state", os.MFD_CLOEXEC)
        except (AttributeError, OSError):  # another system, or Linux before 3.17
            path = os.path.join(self._directory, f".state-{os.getpid()}")
            flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            try:
                os.unlink(path)  # of one that was killed just here
            except FileNotFoundError:
                pass
            self.fd = os.open(path, flags, 0o600)
            os.unlink(path)
        return self.fd

    def write(self) -> "list[Descriptor]":
        """Raises what its writer raises, and OSError."""
        check = Checksum()
        with open(self.fd, "wb", _BUFFER, closefd=False) as file:

            def out(piece: bytes) -> None:
                check.add(piece)
                file.write(piece)

            found = self._write(out)
        os.lseek(self.fd, 0, os.SEEK_SET)
        self.checksum = check.text
        return found


class Checksum:
    """What tells the content of one state from that of others: its length, and a CRC."""

    __slots__ = ("_check", "_length")

    def __init__(self) -> None:
        self._length = self._check = 0

    def add(self, piece: "bytes | memoryview") -> None:
        self._length += len(piece)
        self._check = crc32(piece, self._check)

    @property
    def text(self) -> str:
        return f"{self._length}-{self._check:08x}"


class Rehearsal(Process):
    """`program` is run on the state that the child writes to `file`.

    Raises SpawnError if no process can be made.
    """

    __slots__ = ("_ends", "_said", "_spawner", "_timer", "_user")

    def __init__(
        self,
        spawner: "Spawner",
        program: "list[bytes]",
        file: StateFile,
        user: RehearsalUser,
    ) -> None:
        self._spawner = spawner
        self._user = user
        self._said = {_OUT: b"", _ERR: b""}
        self._ends: dict[int, int] = {}
        theirs: dict[int, int] = {}
        try:
            for number in self._said:
                self._ends[number], theirs[number] = os.pipe()
                os.set_blocking(self._ends[number], False)
            pid = spawner.fork(lambda: _become(program, file, theirs))
        except OSError as error:
            for fd in self._ends.values():
                os.close(fd)
            raise SpawnError(f"cannot start a process: {error.strerror}") from None
        finally:
            for fd in theirs.values():
                os.close(fd)
        super().__init__(pid)
        spawner.children[pid] = self
        reactor = spawner.reactor
        reactor.on_readable(self._ends[_OUT], self._take_answer)
        reactor.on_readable(self._ends[_ERR], self._take_complaint)
        self._timer: Timer = reactor.call_later(_PATIENCE, self._too_slow)

    def call_off(self) -> None:
        """Nobody wants to know any more."""
        self._user = _NOBODY
        self._over()

    def broken(self) -> None:
        self._fail("there is an error in the daemon, which its log tells of")

    def tell_end(self) -> None:
        self._take_answer()
        self._take_complaint()
        if not self._ends:
            return
        written, _, answer = self._said[_OUT].decode("utf-8", "replace").partition("\n")
        found = _ANSWER.fullmatch(answer.rstrip("\n"))
        complaint = self._complaint()
        if not answer and not written:
            self._fail(f"the state cannot be written: {complaint}")
        elif self.status or found is None:
            self._fail(f"{_UNABLE}: {complaint}")
        elif found["checksum"] != written:
            self._fail(f"{_UNABLE}: it has read something else than was written")
        else:
            user, self._user = self._user, _NOBODY
            self._over()
            user.rehearsed(found["version"])

    def _complaint(self) -> str:
        """What it said last on stderr, best in a line that an error of ours begins."""
        lines = self._said[_ERR].decode("utf-8", "replace").splitlines()
        lines = [line.strip() for line in lines if line.strip()]
        ours = [line.removeprefix("shpool: ") for line in lines if line.startswith("shpool: ")]
        if ours or lines:
            return (ours or lines)[-1]
        status = self.status or 0
        if status > 128:
            return f"it was killed by signal {status - 128}"
        return f"it ended with status {status} without a word" if status else "it says nothing"

    def _take_answer(self) -> None:
        self._said[_OUT] = (self._said[_OUT] + self._take(_OUT))[:_SAID_MAX]

    def _take_complaint(self) -> None:
        self._said[_ERR] = (self._said[_ERR] + self._take(_ERR))[-_SAID_MAX:]

    def _take(self, number: int) -> bytes:
        """What it has said, which is not waited for."""
        if number not in self._ends:
            return b""
        try:
            said = os.read(self._ends[number], _READ)
        except BlockingIOError:
            return b""
        if not said:
            # The loop would tell that for ever; what counts is the end of the process.
            self._spawner.reactor.on_readable(self._ends[number], None)
        return said

    def _too_slow(self) -> None:
        self._fail(f"{_UNABLE}: no answer within {_PATIENCE:.0f} s")

    def _fail(self, reason: str) -> None:
        user, self._user = self._user, _NOBODY
        self._over()
        user.not_rehearsed(reason)

    def _over(self) -> None:
        """Nothing it says or does counts any more."""
        self._timer.cancel()
        self.signal_group(signal.SIGKILL)
        for fd in self._ends.values():
            self._spawner.reactor.drop(fd)
            os.close(fd)
        self._ends.clear()


def _become(program: "list[bytes]", file: StateFile, ends: "dict[int, int]") -> "NoReturn":
    """In the child: write the state, and become the new program."""
    trouble = ends[_ERR]
    what = ""
    try:
        os.setpgid(0, 0)
        default_signals()
        state = file.open()
        file.write()
        os.write(ends[_OUT], f"{file.checksum}\n".encode())
        out, trouble, state = (above_stdio(fd) for fd in (ends[_OUT], trouble, state))
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        for number, fd in enumerate((out, trouble, state), 1):
            os.dup2(fd, number)
        close_from(4)
        trouble = _ERR
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        what = f"cannot run {os.fsdecode(program[0])}: "
        os.execv(program[0], program)
    except OSError as error:
        _complain(trouble, f"{what}{error.strerror}")
    except ShpoolError as error:
        _complain(trouble, str(error))
    except BaseException as error:
        _complain(trouble, f"{what}{described(error)}")
    finally:
        os._exit(1)


def _complain(fd: int, text: str) -> None:
    os.write(fd, f"shpool: {text}\n".encode("utf-8", "replace"))
