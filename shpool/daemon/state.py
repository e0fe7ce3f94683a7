"""The whole state of a daemon in a file, for the one that takes its place (carried.py has how).

A head; the daemon, and each session, client, connection, subscriber and waiting request, as
[kind, fields]; the descriptors that go with them; and an end.  The head names the `format`, and
with `needs` the oldest format whose readers can take this state: `format` is raised with every
change of what something means, `needs` only when who reads it as before would do harm.
"""

import errno
import fcntl
import os
import socket
import sys
import termios

from shpool import __version__, logs
from shpool.daemon.plain import Reading, Writing
from shpool.daemon.values import StateError, values, write_value
from shpool.protocol.replies import PROGRAM

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

FORMAT = 1
NEEDS = 1

_HEAD, _DESCRIPTORS, _END = "head", "descriptors", "end"

# Bytes of a value, by its kind.  What a session has in its history, or a client or connection is
# yet to be sent of one, may be a million lines; subscribers are cut off when 64 KiB are waiting, a
# request has 1 MiB at most, and a descriptor takes some hundred bytes.
LIMITS = {
    _HEAD: 1 << 12,
    "daemon": 1 << 26,
    "session": 1 << 30,
    "client": 1 << 30,
    "connection": 1 << 30,
    "subscriber": 1 << 20,
    "waiting": 1 << 22,
    _DESCRIPTORS: 1 << 26,
    _END: 1 << 6,
}

# How a descriptor is known again: [PTY, number of the pty], for all masters of ptys are the same
# device and inode, or [FILE, st_dev, st_ino, st_rdev].
PTY, FILE = "pty", "file"

# Linux's, where this Python does not name it.  On some machines reading and writing are encoded the
# other way round.
_SWAPPED = os.uname().machine.startswith(("mips", "ppc", "powerpc", "sparc", "alpha"))
_TIOCGPTN = getattr(termios, "TIOCGPTN", 0x40045430 if _SWAPPED else 0x80045430)


class Descriptor:
    """One that is carried over: `what` it is, for people, and `check`, by which it is known again
    (look())."""

    __slots__ = ("check", "fd", "what")

    def __init__(self, fd: int, what: str, check: "list[Any]") -> None:
        self.fd = fd
        self.what = what
        self.check = check


class CarriedOver:
    """What was read: `things` by kind, in their order, and `descriptors`.

    `format` and `program`, with its version, are of who wrote it.
    """

    def __init__(self, head: "dict[str, Any]", reading: Reading) -> None:
        self.format: int = head["format"]
        self.program: str = head["program"]
        self.things: dict[str, list[Any]] = {}
        self.descriptors: list[Descriptor] = []
        self._checks: dict[int, list[Any]] = {}
        self._reading = reading

    @property
    def numbered(self) -> "dict[int, object]":
        """What was read, by the numbers that it has there."""
        return self._reading.numbered

    def look(self, fd: int) -> "list[Any]":
        """As look(), without touching it: it is as it was.  Raises OSError."""
        if not self._checks:
            self._checks = {each.fd: each.check for each in self.descriptors}
        if fd not in self._checks:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        return self._checks[fd]

    def take_descriptors(self) -> "set[int]":
        """Have those that are what they were, and close-on-exec; the rest is told, and closed.

        In place of each of those is one that has ended, so that its owner sees an end.  Returns
        them.
        """
        lost: set[int] = set()
        for each in self.descriptors:
            trouble = _trouble(each)
            if trouble:
                logs.error(f"{each.what} cannot be taken on: {trouble}")
                _end_instead(each.fd)
                lost.add(each.fd)
            elif each.fd not in self._reading.descriptors:
                logs.error(f"{each.what} cannot be taken on: it belongs to nobody")
                os.close(each.fd)
            else:
                os.set_inheritable(each.fd, False)
        self._reading.open_sockets()
        return lost


def write(
    things: "Iterable[tuple[str, str, object]]",
    living: "list[object]",
    out: "Callable[[bytes], object]",
    look: "Callable[[int], list[Any]]",
    known: "dict[int, object] | None" = None,
) -> "list[Descriptor]":
    """Write the state of `things`, (kind, name for people, object), in pieces to `out`.

    `living`: whoever is carried; `look` tells of a descriptor by what it is known again; `known`
    have their numbers (State.numbered).  Returns the descriptors that go with it.  Raises
    StateError, and what `out` raises.
    """
    writing = Writing(living, known)
    head = {"format": FORMAT, "needs": NEEDS, "program": f"{PROGRAM} {__version__}"}
    write_value(out, [_HEAD, head])
    count = 0
    for kind, whose, thing in things:
        writing.whose = whose
        write_value(out, [kind, writing.part(thing)])
        count += 1
    try:
        found = [Descriptor(fd, what, look(fd)) for fd, what in writing.descriptors]
    except OSError as error:
        reason = error.strerror or error
        raise StateError(f"a descriptor of the daemon is not what it should be: {reason}") from None
    write_value(out, [_DESCRIPTORS, [[each.fd, each.what, each.check] for each in found]])
    write_value(out, [_END, count])
    return found


def read(data: "bytes | memoryview", reactor: "Any", kinds: "dict[str, type]") -> CarriedOver:
    """Make what a state has of `kinds`, by name, again, without touching a descriptor.

    `reactor` keeps the deadlines.  Raises StateError.
    """
    reading = Reading(reactor)
    state: CarriedOver | None = None
    count = 0
    ended = False
    for kind, content in map(_tagged, values(data, LIMITS)):
        if state is None:
            state = CarriedOver(_checked_head(kind, content), reading)
        elif ended:
            raise StateError("something stands behind the end of the state")
        elif kind == _DESCRIPTORS:
            state.descriptors = [_descriptor(each) for each in content]
        elif kind == _END:
            if content != count:
                raise StateError("the state is not whole")
            ended = True
        else:
            count += 1
            if kind in kinds:
                state.things.setdefault(kind, []).append(reading.part(kinds[kind], content))
    if state is None or not ended:
        raise StateError("the state ends before its end")
    reading.resolve()
    missing = reading.descriptors - {each.fd for each in state.descriptors}
    if missing or len({each.fd for each in state.descriptors}) != len(state.descriptors):
        raise StateError("the descriptors in the state are not those of who is in it")
    return state


def _tagged(value: "Any") -> "tuple[str, Any]":
    if not isinstance(value, list) or len(value) != 2 or not isinstance(value[0], str):
        raise StateError("what should be the state of a daemon is something else")
    return value[0], value[1]


def _checked_head(kind: str, head: "Any") -> "dict[str, Any]":
    if kind != _HEAD or not isinstance(head, dict):
        raise StateError("what should be the state of a daemon is something else")
    wanted = {"format": int, "needs": int, "program": str}
    if any(type(head.get(key)) is not pattern for key, pattern in wanted.items()):
        raise StateError("the state does not say what format it has")
    if head["needs"] > FORMAT:
        raise StateError(
            f"the state needs format {head['needs']}, version {__version__} reads {FORMAT}"
        )
    return head


def _descriptor(value: "Any") -> Descriptor:
    if not isinstance(value, list) or len(value) != 3 or type(value[0]) is not int:
        raise StateError("a descriptor in the state is none")
    return Descriptor(value[0], str(value[1]), value[2])


def look(fd: int) -> "list[Any]":
    """By what a descriptor is known again.  Raises OSError."""
    if sys.platform == "linux":
        try:
            number = fcntl.ioctl(fd, _TIOCGPTN, b"\0\0\0\0")
            return [PTY, int.from_bytes(number, sys.byteorder)]
        except OSError:
            pass  # no master of a pty
    found = os.fstat(fd)
    return [FILE, found.st_dev, found.st_ino, found.st_rdev]


def _trouble(descriptor: Descriptor) -> str:
    """Why it cannot be taken on; empty if it can."""
    try:
        return "" if look(descriptor.fd) == descriptor.check else "it is another one"
    except OSError as error:
        return error.strerror or str(error)


def _end_instead(fd: int) -> None:
    """Make `fd` one that has ended."""
    one, other = socket.socketpair()
    other.close()
    ended = one.detach()
    if ended != fd:
        os.dup2(ended, fd, inheritable=False)
        os.close(ended)
