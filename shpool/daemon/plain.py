"""Objects as plain values, and made of them again, by the tables that their classes have
(carried.py).

Whoever is referred to has a number; references are resolved once all objects are there, and
descriptors only touched when they are known to be what they were (state.py).
"""

import socket

from shpool.daemon.values import StateError
from shpool.protocol.msgpack import WireError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_PLAIN = (int, bool, str, bytes)

# What is raised by who finds something else than what he reads.
_GARBAGE = (AttributeError, IndexError, KeyError, TypeError, ValueError, WireError)

# The latest time, in microseconds: beyond it, in some 285 years, not every one is a float.
_LATEST = (1 << 53) - 1

# Key of the number by which an object is referred to elsewhere in the state.
_NUMBER = "#"


class Writing:
    """Objects to plain values.

    `living` are all objects that are carried; who is referred to and is none of them is not.
    `known` are those that have their numbers already, as they were read: else the numbers depend on
    the order of attributes, which is another one in another version.
    """

    def __init__(self, living: "list[object]", known: "dict[int, object] | None" = None) -> None:
        self._living = {id(each): each for each in living}
        self._numbers = {id(each): number for number, each in (known or {}).items()}
        self._next = max(known, default=-1) + 1 if known else 0
        self.descriptors: list[tuple[int, str]] = []
        self.whose = ""  # what is being written, for the names of descriptors

    def number(self, found: object) -> int:
        """By which an object is referred to."""
        number = self._numbers.setdefault(id(found), self._next)
        self._next = max(self._next, number + 1)
        return number

    def refer(self, found: object) -> "int | None":
        return self.number(found) if id(found) in self._living else None

    def part(self, found: "Any") -> "Any":
        """An object with tables."""
        kind = type(found)
        fields: dict[str, Any] = {}
        if id(found) in self._living:
            fields[_NUMBER] = self.number(found)
        for name, pattern in carried_by(kind).items():
            fields[name.lstrip("_")] = self.value(pattern, getattr(found, name), found)
        return fields

    def value(self, pattern: "Any", value: "Any", of: object) -> "Any":
        """What an attribute of `of` holds."""
        if pattern in _PLAIN:
            return value
        if isinstance(pattern, Kind):
            return pattern.write(self, value, of)
        if isinstance(pattern, tuple):
            if pattern[-1] is None:
                return None if value is None else self.value(pattern[0], value, of)
            if pattern[-1] is ...:
                return [self.value(pattern[0], each, of) for each in value]
            return [self.value(inner, each, of) for inner, each in zip(pattern, value)]
        if isinstance(pattern, list):
            (inner,) = pattern
            return [self.value(inner, each, of) for each in value]
        if isinstance(pattern, dict):
            ((outer, inner),) = pattern.items()
            return {
                self.value(outer, key, of): self.value(inner, each, of)
                for key, each in value.items()
            }
        if pattern is float:
            return microseconds(value)
        if hasattr(pattern, "to_plain"):
            return pattern.to_plain(value)
        return self.part(value)


class Reading:
    """Plain values to objects, without touching a descriptor.

    `reactor` is who keeps the deadlines; `numbered` are those who may be referred to.  Each method
    raises StateError.
    """

    def __init__(self, reactor: "Any") -> None:
        self.reactor = reactor
        self.descriptors: set[int] = set()  # that belong to somebody
        self.numbered: dict[int, object] = {}
        self._references: list[tuple[Callable[[object], None], int, tuple[str, ...], str]] = []
        self._sockets: list[tuple[object, str, Promised]] = []

    def part(self, kind: "Any", fields: "Any") -> "Any":
        """An object with tables."""
        if not isinstance(fields, dict):
            raise StateError(f"{kind.__name__} in the state is no map")
        made = kind.__new__(kind)
        number = fields.get(_NUMBER)
        if type(number) is int:
            self.numbered[number] = made
        for name, pattern in carried_by(kind).items():
            key = name.lstrip("_")
            what = f"{kind.__name__}.{key}"
            if key in fields:
                value = self.value(pattern, fields[key], made, name, what)
            elif isinstance(pattern, Kind) and pattern.default is not None:
                value = pattern.default()
            else:
                raise StateError(f"{what} is missing in the state")
            try:
                if value is not LATER:
                    setattr(made, name, value)
            except _GARBAGE as error:
                raise StateError(f"{what} in the state: {error}") from None
        derive = getattr(made, "derive", None)
        if derive is not None:
            try:
                derive()
            except _GARBAGE as error:
                raise StateError(f"{kind.__name__} in the state: {error}") from None
        return made

    def value(self, pattern: "Any", value: "Any", of: object, name: str, what: str) -> "Any":
        """What attribute `name` of `of` holds; `what` is it called, for errors."""
        if pattern in _PLAIN:
            if pattern is bytes and type(value) is memoryview:
                return bytes(value)
            if type(value) is not pattern:
                raise StateError(f"{what} in the state is no {pattern.__name__}")
            return value
        if isinstance(pattern, Kind):
            return pattern.read(self, value, of, name, what)
        if isinstance(pattern, tuple):
            if pattern[-1] is None:
                return None if value is None else self.value(pattern[0], value, of, name, what)
            check_list(value, what)
            if pattern[-1] is ...:
                return tuple([self.value(pattern[0], each, of, name, what) for each in value])
            if len(value) != len(pattern):
                raise StateError(f"{what} in the state is not of {len(pattern)} parts")
            return tuple(
                [self.value(inner, each, of, name, what) for inner, each in zip(pattern, value)]
            )
        if isinstance(pattern, list):
            check_list(value, what)
            (inner,) = pattern
            return [self.value(inner, each, of, name, what) for each in value]
        if isinstance(pattern, dict):
            if not isinstance(value, dict):
                raise StateError(f"{what} in the state is no map")
            ((outer, inner),) = pattern.items()
            return {
                self.value(outer, key, of, name, what): self.value(inner, each, of, name, what)
                for key, each in value.items()
            }
        if pattern is float:
            if type(value) is not int:
                raise StateError(f"{what} in the state is no time")
            return value / 1_000_000
        if hasattr(pattern, "from_plain"):
            try:
                return pattern.from_plain(value)
            except _GARBAGE as error:
                raise StateError(f"{what} in the state: {error}") from None
        return self.part(pattern, value)

    # ---- who refers to whom

    def refer(
        self, number: "Any", kinds: "tuple[str, ...]", what: str, put: "Callable[[object], None]"
    ) -> None:
        """Have `put` called with the object of that number, once all are there."""
        self._references.append((put, number, kinds, what))

    def resolve(self) -> None:
        """All objects are there: let those know each other that do."""
        for put, number, kinds, what in self._references:
            found = self.numbered.get(number) if type(number) is int else None
            if found is None or not any(base.__name__ in kinds for base in type(found).__mro__):
                raise StateError(f"{what} in the state is nobody who is there")
            put(found)
        self._references.clear()

    # ---- descriptors

    def claim(self, fd: "Any", what: str) -> int:
        """It belongs to who is being read, and to nobody else."""
        if type(fd) is not int or fd < 0:
            raise StateError(f"{what} in the state is no descriptor")
        if fd in self.descriptors:
            raise StateError(f"{what} in the state is a descriptor that somebody else has")
        self.descriptors.add(fd)
        return fd

    def promise(self, of: object, name: str, promised: "Promised") -> None:
        """A socket for attribute `name` of `of`, once descriptors may be touched."""
        self._sockets.append((of, name, promised))

    def open_sockets(self) -> None:
        """Descriptors are what they should be by now."""
        for of, name, promised in self._sockets:
            setattr(of, name, socket.socket(fileno=promised.fileno()))
        self._sockets.clear()


class Promised:
    """In the place of a socket whose descriptor may not be touched yet; -1 for a closed one."""

    __slots__ = ("_fd",)

    def __init__(self, fd: int) -> None:
        self._fd = fd

    def fileno(self) -> int:
        return self._fd

    def close(self) -> None:
        pass


class _Later:
    """The attribute is set later."""


LATER = _Later()


class Kind:
    """What an attribute may hold besides what types say (carried.py has those that there are).

    `default` makes what the attribute is where the state has nothing; None where it must have it.
    """

    default: "Callable[[], Any] | None" = None

    def write(self, writing: "Writing", value: "Any", of: object) -> "Any":
        raise NotImplementedError

    def read(self, reading: "Reading", value: "Any", of: object, name: str, what: str) -> "Any":
        raise NotImplementedError


_tables: "dict[type, dict[str, Any]]" = {}


def carried_by(kind: type) -> "dict[str, Any]":
    """What is carried of objects of a class: its own table, after those of its bases."""
    table = _tables.get(kind)
    if table is None:
        table = _tables[kind] = {}
        for base in reversed(kind.__mro__):
            table.update(base.__dict__.get("CARRIED", {}))
    return table


def derived_by(kind: type) -> "set[str]":
    """What is not carried, for it can be told."""
    return {name for base in kind.__mro__ for name in base.__dict__.get("DERIVED", ())}


def microseconds(seconds: float) -> int:
    return min(round(seconds * 1_000_000), _LATEST)


def check_list(value: "Any", what: str) -> None:
    if not isinstance(value, list):
        raise StateError(f"{what} in the state is no list")
