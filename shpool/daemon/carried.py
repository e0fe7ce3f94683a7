"""What is carried over when the daemon is replaced in place by another version of itself.

A class whose objects live longer than a turn of the loop has two tables beside its code:

    CARRIED    attributes and what each holds; they are written into the state, and read again
    DERIVED    attributes that follow from those, or from who the object belongs to

and, if there are derived ones, a method that sets them once the others are there: `derive()`, or
`taken_on(...)` where it has to be told something, as its constructor has; its owner calls that.
Later, when its descriptors are known to be what they were, watch_again() has the loop watch them.
An attribute that is in neither table fails a test (tests/daemon/test_carried.py).

What an attribute holds is said by a type or by a pattern of types:

    int, bool, str, bytes      these, and no others
    float                      seconds of the monotonic clock; whole microseconds in the state
    (int, None)                an int, or None
    [str]  {str: int}          a list, a dict
    (int, str)  (int, ...)     a tuple of these, a tuple of any length
    Pty                        an object that nobody else carries, with tables of its own
    PATH, DEADLINE...          see below

In the state the names stand without their leading underscore.  What is unknown there is skipped; an
attribute that comes later in the life of a format needs added(), with what it is in older states.
plain.py goes by the tables.
"""

import os

from shpool.daemon.plain import LATER, Kind, Promised, Reading, Writing, check_list, microseconds
from shpool.daemon.values import StateError
from shpool.protocol.all_requests import read_request
from shpool.protocol.msgpack import WireError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


class Added(Kind):
    """An attribute that states of this format may be without."""

    def __init__(self, pattern: "Any", default: "Callable[[], Any]") -> None:
        self._pattern = pattern
        self.default = default

    def write(self, writing: Writing, value: "Any", of: object) -> "Any":
        return writing.value(self._pattern, value, of)

    def read(self, reading: Reading, value: "Any", of: object, name: str, what: str) -> "Any":
        return reading.value(self._pattern, value, of, name, what)


def added(pattern: "Any", default: "Any" = None) -> Added:
    """`pattern`, or `default` where the state has nothing; an empty list or dict is made anew."""
    if isinstance(default, (list, dict)):
        return Added(pattern, type(default))
    return Added(pattern, lambda: default)


class _Path(Kind):
    """Text from the system, whatever bytes are in it: a path, a variable, a word."""

    def write(self, writing: Writing, value: "Any", of: object) -> "Any":
        return os.fsencode(value)

    def read(self, reading: Reading, value: "Any", of: object, name: str, what: str) -> "Any":
        if isinstance(value, memoryview):
            value = bytes(value)
        if not isinstance(value, bytes):
            raise StateError(f"{what} in the state is no path")
        return os.fsdecode(value)


PATH = _Path()


class Deadline(Kind):
    """A timer of the loop, or None; its owner's method `name` is what it calls.

    One that has passed, or was called off, is None in the state.
    """

    def __init__(self, method: str) -> None:
        self._method = method

    def write(self, writing: Writing, value: "Any", of: object) -> "Any":
        if value is None or value.callback is None:
            return None
        return microseconds(value.deadline)

    def read(self, reading: Reading, value: "Any", of: object, name: str, what: str) -> "Any":
        if value is None:
            return None
        if type(value) is not int:
            raise StateError(f"{what} in the state is no time")
        return reading.reactor.call_at(value / 1_000_000, getattr(of, self._method))


class Reference(Kind):
    """Somebody who is carried elsewhere, or None: an object of one of these classes."""

    def __init__(self, *kinds: str) -> None:
        self._kinds = kinds

    def write(self, writing: Writing, value: "Any", of: object) -> "Any":
        return writing.refer(value)

    def read(self, reading: Reading, value: "Any", of: object, name: str, what: str) -> "Any":
        if value is None:
            return None
        reading.refer(value, self._kinds, what, lambda found: setattr(of, name, found))
        return LATER


class References(Reference):
    """A list of them; who is carried nowhere is left out."""

    def write(self, writing: Writing, value: "Any", of: object) -> "Any":
        numbers = [writing.refer(each) for each in value]
        return [number for number in numbers if number is not None]

    def read(self, reading: Reading, value: "Any", of: object, name: str, what: str) -> "Any":
        check_list(value, what)
        found: list[object] = []
        for number in value:
            reading.refer(number, self._kinds, what, found.append)
        return found


class OneOf(Kind):
    """An object of one of several classes, each with the name that it has in the state.

    Classes that are not known here add themselves (add()).  None stands for `nobody`.
    """

    def __init__(self, nobody: object = None, **kinds: type) -> None:
        self._nobody = nobody
        self._kinds = kinds

    def add(self, name: str, kind: type) -> None:
        self._kinds[name] = kind

    def write(self, writing: Writing, value: "Any", of: object) -> "Any":
        if value is None or value is self._nobody:
            return None
        for name, kind in self._kinds.items():
            if isinstance(value, kind):
                return [name, writing.part(value)]
        raise StateError(f"the state has no form for {type(value).__name__}")

    def read(self, reading: Reading, value: "Any", of: object, name: str, what: str) -> "Any":
        if value is None:
            return self._nobody
        check_list(value, what)
        kind = self._kinds.get(value[0]) if len(value) == 2 else None
        if kind is None:
            raise StateError(f"{what} in the state is of a kind that is not known")
        return reading.part(kind, value[1])


class Held(Kind):
    """A descriptor that is its owner's to close; none where it is negative or None."""

    def __init__(self, what: str) -> None:
        self._what = what

    def write(self, writing: Writing, value: "Any", of: object) -> "Any":
        if value is not None and value >= 0:
            writing.descriptors.append((value, f"{writing.whose}: {self._what}"))
        return value

    def read(self, reading: Reading, value: "Any", of: object, name: str, what: str) -> "Any":
        return value if value in (None, -1) else reading.claim(value, what)


class Socket(Held):
    """As a socket object; None and a closed one stay what they are."""

    def write(self, writing: Writing, value: "Any", of: object) -> "Any":
        return super().write(writing, None if value is None else value.fileno(), of)

    def read(self, reading: Reading, value: "Any", of: object, name: str, what: str) -> "Any":
        fd = super().read(reading, value, of, name, what)
        if fd is None:
            return None
        promised = Promised(fd)
        if fd >= 0:
            reading.promise(of, name, promised)
        return promised


class _Request(Kind):
    """A request, as it came over the wire."""

    def write(self, writing: Writing, value: "Any", of: object) -> "Any":
        return value.to_wire()

    def read(self, reading: Reading, value: "Any", of: object, name: str, what: str) -> "Any":
        try:
            return read_request(value)
        except WireError as error:
            raise StateError(f"{what} in the state: {error}") from None


REQUEST = _Request()


class Life(Kind):
    """Where in its life an object is: a State (life.py), by its table."""

    def __init__(self, table: "dict[str, tuple[str, ...]]", make: "Callable[..., object]") -> None:
        self._table = table
        self._make = make

    def write(self, writing: Writing, value: "Any", of: object) -> "Any":
        return [value.what, value.now]

    def read(self, reading: Reading, value: "Any", of: object, name: str, what: str) -> "Any":
        what_it_is, now = reading.value((str, str), value, of, name, what)
        if now not in self._table:
            raise StateError(f"{what} in the state is {now!r}")
        return self._make(what_it_is, self._table, now)
