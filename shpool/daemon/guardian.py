"""The guardian of an upgrade: a child that has all that the daemon has, and waits.

It is the daemon as it was in its last turn, with the old code and every descriptor.  If the new
program says that it serves, the guardian goes.  If that one ends without a word, or does not come
to serve at all, the guardian goes on as the daemon.  That is a process with another pid, whose
children the shells are not: of their ends it learns by descriptors of theirs.
"""

import os
import select
import signal
from time import monotonic

from shpool.daemon.programs import process

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

# Seconds for the new program to serve.  It has taken less than half of that in its rehearsal.
_PATIENCE = 20.0

# What is said through the pipe: that it serves, or else in words why it cannot, so many bytes.
_SERVES = b"\0"
_WORDS_MAX = 4096


class Inheritance:
    """What a new program is told by a variable: the descriptors of the state and of the guardian's
    pipe, the guardian's pid, and the signals that are blocked when nothing is under way."""

    __slots__ = ("guardian", "mask", "pipe", "state")

    def __init__(self, state: int, pipe: int, guardian: int, mask: "Iterable[int]") -> None:
        self.state = state
        self.pipe = pipe
        self.guardian = guardian
        self.mask = {int(number) for number in mask}

    def to_text(self) -> str:
        numbers = (self.state, self.pipe, self.guardian, *sorted(self.mask))
        return " ".join(str(number) for number in numbers)

    @classmethod
    def from_text(cls, text: str) -> "Inheritance":
        """Raises ValueError."""
        state, pipe, guardian, *mask = (int(word) for word in text.split(" "))
        return cls(state, pipe, guardian, mask)

    def say_served(self) -> None:
        """The guardian may go."""
        _say(self.pipe, _SERVES)

    def say_why_not(self, reason: str) -> None:
        """This process is about to end, and the guardian goes on."""
        _say(self.pipe, reason.encode("utf-8", "replace")[:_WORDS_MAX] or b"?")


class Guardian:
    """`pid` and `pipe` are the daemon's to know.

    In the guardian itself, once it is to go on, `went_on` holds, `reason` says why, and `pidfds`
    are descriptors of processes by their pids, -1 where there are no such descriptors.
    """

    __slots__ = ("pid", "pidfds", "pipe", "reason")

    def __init__(self, pid: int, pipe: int) -> None:
        self.pid = pid
        self.pipe = pipe
        self.pidfds: dict[int, int] = {}
        self.reason = ""

    @property
    def went_on(self) -> bool:
        return self.pid == 0

    def dismiss(self) -> None:
        """The daemon goes on as it was."""
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)


def stand_guard(pids: "list[int]") -> Guardian:
    """Fork a guardian, for a daemon whose children these are.

    Returns at once in the daemon; in the guardian only if that is to go on.  Raises OSError.
    """
    daemon = os.getpid()
    said, says = os.pipe()
    try:
        pid = process.twin()
    except OSError:
        os.close(said)
        os.close(says)
        raise
    if pid:
        os.close(said)
        return Guardian(pid, says)
    os.close(says)
    guardian = Guardian(0, -1)
    # While the daemon lives their pids are theirs, also of those that have ended.
    guardian.pidfds = {each: process.open_pidfd(each) for each in pids}
    guardian.reason = _hear(said, daemon)
    os.close(said)
    return guardian


def _hear(said: int, daemon: int) -> str:
    """Why this process is to go on; ends it if it is not."""
    words = b""
    poll = select.poll()
    poll.register(said, select.POLLIN)
    deadline = monotonic() + _PATIENCE
    while True:
        left = deadline - monotonic()
        if left < 0 or not poll.poll(left * 1000):
            words = b"it did not come to serve within %d s" % _PATIENCE
            # Which it is for as long as it lives.
            if os.getppid() == daemon:
                os.kill(daemon, signal.SIGKILL)
            break
        piece = os.read(said, _WORDS_MAX)
        if piece.startswith(_SERVES):
            os._exit(0)
        if not piece:
            break
        words = (words + piece)[:_WORDS_MAX]
    return words.decode("utf-8", "replace") or "without a word"


def _say(pipe: int, words: bytes) -> None:
    try:
        os.write(pipe, words)
    except OSError:
        pass  # it has gone
    os.close(pipe)
