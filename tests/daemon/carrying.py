"""A server replaced by one that was read from its state, in the midst of a test."""

from __future__ import annotations

import io
import socket
from collections import deque
from collections.abc import Iterator
from types import MethodType
from typing import Any

from shpool.daemon.clients.channel import Line
from shpool.daemon.clients.connection import Connection
from shpool.daemon.clients.pager import Pager
from shpool.daemon.programs.spawn import Child
from shpool.daemon.server import Server
from shpool.daemon.sessions.events import Subscriber
from shpool.daemon.sessions.session import Session
from tests.daemon.served import ServedCore

# Nothing that is carried is in them.
ELSEWHERE = {"Reactor", "ConfigSource", "Hooks", "State"}


def attributes(found: object) -> dict[str, Any]:
    """By name, those in slots and those that are not."""
    names = {name for base in type(found).__mro__ for name in base.__dict__.get("__slots__", ())}
    have = {name: getattr(found, name) for name in names if hasattr(found, name)}
    return {**have, **getattr(found, "__dict__", {})}


def of_ours(found: object) -> bool:
    return type(found).__module__.startswith("shpool.")


def reached(start: object) -> Iterator[object]:
    """Every object of the package that is reached from one of them."""
    pending, seen = [start], set[int]()
    kept = []  # so that no other object has the address of one that was seen
    while pending:
        found = pending.pop()
        if id(found) in seen:
            continue
        seen.add(id(found))
        kept.append(found)
        if isinstance(found, (list, tuple, set, deque)):
            pending += found
        elif isinstance(found, dict):
            pending += [*found, *found.values()]
        elif isinstance(found, MethodType):
            pending.append(found.__self__)
        elif any(base.__name__ in ELSEWHERE for base in type(found).__mro__):
            continue
        elif of_ours(found):
            yield found
            pending += attributes(found).values()
        elif isinstance(found, Child):  # a double, which has more than what it stands for
            pending += [getattr(found, name) for name in Child.__slots__]


def written(server: Server) -> bytes:
    out = io.BytesIO()
    server.write_state(out.write)
    return out.getvalue()


def sockets_of(server: Server) -> Iterator[socket.socket]:
    for found in server.living():
        if isinstance(found, Line):
            yield found.sock
        elif isinstance(found, (Connection, Subscriber)):
            yield found._sock
    for sock in (server._places.requests, server._places.events):
        assert sock is not None
        yield sock


def carry_over(core: ServedCore, *, unpack: bool = True) -> None:
    """Have another server go on, which knows no more of the first one than its state.

    Descriptors stay what they are, as when a process becomes another program.
    """
    core.loop.settle()
    data = written(core.server)
    numbers = {caller: caller.near for caller in core.callers}
    for sock in list(sockets_of(core.server)):
        sock.detach()
    core.loop.begin_anew()
    server = Server.read_state(data, {}, rehearsing=False)
    assert written(server) == data
    if unpack:  # as the loop does when it has time
        server.unpack()
    owners = {
        id(each._child): each
        for each in server.living()
        if isinstance(each, (Session, Pager)) and each._child is not None
    }
    taken = {pid: (child, owners.get(id(child))) for pid, child in server._spawner.children.items()}
    core.programs.carried_over(taken)
    server._spawner = server._attaching._spawner = core.programs
    server.take_up()
    core.loop.settle()
    sockets = {sock.fileno(): sock for sock in sockets_of(server) if sock.fileno() >= 0}
    for caller, number in numbers.items():
        if number >= 0:
            caller._near = sockets[number]
    core.serve(server)
