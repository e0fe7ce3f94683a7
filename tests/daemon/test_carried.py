"""The state of a daemon, written and read again: nothing that lives longer than a turn is left out,
and what is read is what was written."""

from __future__ import annotations

import io
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import pytest

from shpool import __version__
from shpool.daemon import handed_on, state
from shpool.daemon.carried import Held, Socket
from shpool.daemon.clients.channel import Channel
from shpool.daemon.loop.reactor import Owner, Reactor
from shpool.daemon.plain import carried_by, derived_by
from shpool.daemon.server import Server
from shpool.daemon.sessions.events import Subscriber
from shpool.daemon.values import MAX_DEPTH, StateError, unpack, values, write_value
from tests.daemon.carrying import attributes, reached, written
from tests.daemon.conftest import LogLines
from tests.daemon.served import ServedCore, outside, settle

# What the tables of others tell, or what is made anew.
WHOLE = {
    # by DEADLINE, LIFE and REQUEST, and by columns
    *("Timer", "State", "AttachHeader", "WaitRequest", "PeekRequest", "SendRequest"),
    *("FollowRequest", "RunRequest", "Comeback", "Pens", "Clusters", "Row", "Block"),
    # of the one that there is of each the server's own table tells what is carried
    *("SessionTable", "Events", "Attaching", "Requests", "Listener", "Paths"),
    # drawn anew; what is shown of a session Drawings tells
    *("Drawing", "Window", "_Group"),
    # without a state of their own
    *("_Output", "Decoder", "_Open"),
}


# Nothing is carried over while there is one of these, or they are made anew.
NEVER = {"SwitchErrand", "Adoption", "Rehearsal", "Replacement", "Listener", "Reactor"}


def untold(found: object) -> set[str]:
    """Its attributes that are neither carried nor derived."""
    kind = type(found)
    return set(attributes(found)) - set(carried_by(kind)) - derived_by(kind)


def settled(core: ServedCore) -> ServedCore:
    """Nothing is being started any more; if it is the busy one, much is under way."""
    settle(core)
    if core.table.get("escaping") is not None:
        outside(core, "escaping")
    core.loop.settle()
    return core


def test_all_that_lives_is_carried_or_follows_from_what_is(busy: ServedCore) -> None:
    untold_by = {
        f"{type(found).__name__}: {name}"
        for found in reached(settled(busy).server)
        if type(found).__name__ not in WHOLE
        for name in untold(found)
    }
    assert untold_by == set()


def classes() -> Iterator[type]:
    """Every class of what a daemon is made of."""
    parts = ("shpool.daemon", "shpool.terminal", "shpool.keys", "shpool.protocol")
    for name, module in sorted(sys.modules.items()):
        if name.startswith(parts):
            for found in vars(module).values():
                if isinstance(found, type) and found.__module__ == name:
                    yield found


def test_the_busy_daemon_has_all_that_can_be_carried_and_nothing_else_lives(
    busy: ServedCore,
) -> None:
    """So that an attribute of whichever class is missed."""
    server = settled(busy).server
    found = [*reached(server), *server._spawner.children.values(), *server._room.everybody()]
    there = {base for each in (*found, server._spawner) for base in type(each).__mro__}
    carried = {each for each in classes() if "CARRIED" in vars(each)}
    assert {each.__name__ for each in carried - there} <= {"UpgradeErrand"}
    alive = {each for each in classes() if issubclass(each, Owner) and "__init__" in vars(each)}
    assert {each.__name__ for each in alive - there - carried} <= NEVER


@contextmanager
def read(data: bytes) -> Iterator[Server]:
    """The server that goes on from a state, on a loop of its own."""
    with patch.object(handed_on, "Reactor", Reactor):
        server = Server.read_state(data, {}, rehearsing=True)
    try:
        yield server
    finally:
        server._reactor.close()


def test_a_busy_daemon_is_read_as_it_was_written(busy: ServedCore) -> None:
    data = written(settled(busy).server)
    with read(data) as again:
        assert written(again) == data
        again.unpack()
        assert written(again) == data


def test_who_is_drawn_is_drawn_on_by_who_goes_on(served: ServedCore) -> None:
    served.attached("one").send(b"x")
    caller = served.attached("one", size=(10, 40), read_only=True)
    settled(served)
    served.loop.pass_time(1)
    served.loop.idle()
    assert b"red" in caller.output()[0]
    with read(written(served.server)) as again:
        (client,) = (each for each in again._attaching.clients if each.role == "watcher")
        assert client.state.now == "drawn"
        assert client._drawn.on
        assert client._channel._line.out.cap == 0  # type: ignore[attr-defined]
        assert client._session is not None
        drawings = client._session.picture.drawings
        assert drawings is not None
        assert drawings.windows == [(10, 40, 14, 0)]
        client._drawn.watch_again()
        assert [each.viewers for each in drawings._groups.values()] == [[client._drawn]]


# ---- a state that is not what it should be


def packed(things: list[Any]) -> bytes:
    out = io.BytesIO()
    for thing in things:
        write_value(out.write, thing)
    return out.getvalue()


def refused(things: list[Any] | bytes, words: str) -> None:
    data = things if isinstance(things, bytes) else packed(things)
    with pytest.raises(StateError) as caught, read(data) as server:
        server.unpack()
    assert words in str(caught.value)


@pytest.fixture
def things(busy: ServedCore) -> list[Any]:
    """What the state of a busy daemon is made of."""
    return list(values(written(settled(busy).server)))


def of_kind(things: list[Any], kind: str) -> Any:
    return next(content for found, content in things if found == kind)


def test_a_state_that_is_cut_anywhere_is_refused(things: list[Any]) -> None:
    data = packed(things)
    refused(data[:4], "the state ends in the middle of a value")
    refused(data[:300], "the state ends in the middle of a value")
    refused(b"", "the state ends before its end")
    refused(things[:-1], "the state ends before its end")
    refused([*things[:4], *things[5:]], "the state is not whole")
    refused([*things, ["session", {}]], "something stands behind the end of the state")


def test_what_is_no_state_is_refused(things: list[Any]) -> None:
    refused(b"#!/usr/bin/env python3\n# a program\n", "what should be the state of a daemon is")
    refused([things[0][1]], "what should be the state of a daemon is something else")
    refused(things[1:], "what should be the state of a daemon is something else")
    refused([["head", {"format": "1"}]], "the state does not say what format it has")


def test_what_is_no_value_is_refused() -> None:
    def misread(data: bytes, words: str) -> None:
        with pytest.raises(StateError, match=words):
            unpack(memoryview(data))

    misread(b"\xc1", "no value in the state at byte 1")
    misread(b"\xa2\xff\xff", "no value in the state at byte 3")
    misread(b"\x01\x02", "more than a value in its place in the state")
    misread(b"\xdd\xff\xff\xff\xff", "the state ends in the middle of a value")
    misread(b"\xc4\x09abc", "the state ends in the middle of a value")
    misread(b"\x91" * (MAX_DEPTH + 1) + b"\x00", "a value in the state nested deeper than")
    with pytest.raises(StateError, match="bytes in the state, where 4 is the most"):
        list(values(packed([["thing", "more than that"]]), {"thing": 4}))
    assert list(values(packed([["other", "more"], "than that"]), {"thing": 4}))
    with pytest.raises(StateError, match="the state cannot be written: a object"):
        write_value(bytes, object())


def test_what_needs_a_newer_reader_is_refused_and_what_it_says_besides_is_skipped(
    things: list[Any],
) -> None:
    kind, head = things[0]
    newer = [kind, {**head, "format": 7, "needs": 1, "colour": "blue"}]
    more = [[kind, {**content, "newer": [1]}] for kind, content in things[1:-2]]
    with read(packed([newer, *more, *things[-2:]])):
        pass
    refused(
        [[kind, {**head, "format": 7, "needs": 7}], *things[1:]],
        f"the state needs format 7, version {__version__} reads 1",
    )


def test_each_kind_of_value_has_a_bound(things: list[Any]) -> None:
    assert {kind for kind, _ in things} == set(state.LIMITS)
    kind, head = things[0]
    refused(
        [[kind, {**head, "more": "x" * 5000}], *things[1:]],
        "bytes in the state, where 4096 is the most",
    )


def test_garbage_is_refused_in_words(things: list[Any]) -> None:
    def changed(kind: str, change: dict[str, Any], words: str) -> None:
        again = list(things)
        at = next(number for number, thing in enumerate(things) if thing[0] == kind)
        again[at] = [kind, {**things[at][1], **change}]
        refused(again, words)

    session = of_kind(things, "session")
    changed("session", {"name": 5}, "Session.name in the state is no str")
    changed("session", {"env": {"A": "text"}}, "Session.env in the state is no path")
    changed("session", {"env": []}, "Session.env in the state is no map")
    changed("session", {"warnings": {}}, "Session.warnings in the state is no list")
    changed("session", {"kill": "soon"}, "Session.kill in the state is no time")
    changed("session", {"state": ["a session", "asleep"]}, "Session.state in the state is 'asleep'")
    changed("session", {"picture": ["film", {}]}, "in the state is of a kind that is not known")
    changed("session", {"errands": [99_999]}, "Session.errands in the state is nobody who is there")
    changed("session", {"size": []}, "WindowSize in the state is no map")
    changed("client", {"device": [1, 2, 3]}, "AttachedClient.device in the state is not of 2 parts")
    changed("client", {"typed_at": "now"}, "AttachedClient.typed_at in the state is no time")
    master = session["pty"]["ends"]["master"]
    changed(
        "connection",
        {"sock": master},
        "Connection.sock in the state is a descriptor that somebody else has",
    )
    changed("connection", {"sock": -7}, "Connection.sock in the state is no descriptor")
    changed("connection", {"sock": 77_777}, "the descriptors in the state are not those of who")
    changed("connection", {"received": b"\xc1"}, "Connection.received in the state: the byte 0xc1")
    changed("waiting", {"request": {"Dance": {}}}, "Waiting.request in the state: the unknown")
    del session["ttl"]
    refused(things, "Session.ttl is missing in the state")


def test_a_terminal_that_is_none_is_refused(things: list[Any]) -> None:
    def changed(change: dict[str, Any], words: str) -> None:
        kept = dict(terminal)
        terminal.update(change)
        refused(things, words)
        terminal.clear()
        terminal.update(kept)

    session = next(each for _, each in things if each.get("name") == "passed")
    terminal = session["picture"][1]["backlog"]["terminal"]
    most, blocks = terminal["whole_history"]
    changed({"y": 24}, "Terminal in the state: a cursor or margins beyond the screen")
    changed({"pen": "\uffff"}, "Terminal in the state: a pen that is not in the table")
    changed({"pens": {**terminal["pens"], "pens": []}}, "Pens.pens in the state: not enough values")
    changed({"clusters": {"clusters": [3, b"a"]}}, "in the state: 1 texts where 3 are meant")
    changed({"state": 9}, "Terminal in the state: a parser in the state 9")
    changed({"whole_history": [most, [[1]]]}, "Terminal.whole_history in the state: no block")
    (block, *_) = blocks
    changed({"whole_history": [most, [[3, *block[1:]]]]}, "rows where 3 are meant")
    changed({"whole_history": [most, [[*block[:3], b"\xff\xfe", *block[4:]]]]}, "'utf-8' codec")


def test_a_descriptor_that_is_none_is_refused(things: list[Any]) -> None:
    refused([*things[:-2], ["descriptors", [[1]]], things[-1]], "a descriptor in the state is none")
    refused(
        [*things[:-2], ["descriptors", []], things[-1]],
        "the descriptors in the state are not those of who is in it",
    )


def test_a_state_without_a_daemon_is_refused(things: list[Any]) -> None:
    refused([*things[:1], ["moon", {}], *things[2:]], "the state does not fit together: 'daemon'")


def test_what_has_no_form_is_not_written(busy: ServedCore) -> None:
    server = settled(busy).server
    server._events.subscribers[7] = Subscriber.__new__(Subscriber)
    server._events.subscribers[7].outbound = object()  # type: ignore[assignment]
    with pytest.raises(AttributeError):
        written(server)
    del server._events.subscribers[7]
    (client, *_) = server._attaching.clients
    channel, client._channel = client._channel, Channel()
    with pytest.raises(StateError, match="the state has no form for Channel"):
        written(server)
    client._channel = channel


# ---- descriptors


class Thing(Owner):
    CARRIED = {"fd": Held("end"), "sock": (Socket("socket"), None)}

    def __init__(self, fd: int, sock: socket.socket | None = None) -> None:
        self.fd = fd
        self.sock = sock


def state_of(*things: Thing) -> bytes:
    out = io.BytesIO()
    named = [("thing", f"thing {number}", thing) for number, thing in enumerate(things)]
    state.write(named, list(things), out.write, state.look)
    return out.getvalue()


def test_descriptors_are_known_again_by_what_they_are(log: LogLines) -> None:
    master, slave = os.openpty()
    one, other = socket.socketpair()
    found = state.read(state_of(Thing(master, one), Thing(slave, other)), None, {"thing": Thing})
    checks = {each.what: each.check for each in found.descriptors}
    assert checks["thing 0: end"] == ["pty", int(os.ttyname(slave).rpartition("/")[2])]
    status = os.fstat(slave)
    assert checks["thing 1: end"] == ["file", status.st_dev, status.st_ino, status.st_rdev]
    os.set_inheritable(master, True)
    numbers = one.detach(), other.detach()
    assert found.take_descriptors() == set()
    assert not os.get_inheritable(master)
    first, second = found.things["thing"]
    assert (first.sock.fileno(), second.sock.fileno()) == numbers
    first.sock.send(b"as before")
    assert second.sock.recv(20) == b"as before"
    assert log.read() == []
    for each in (first, second):
        each.sock.close()
        os.close(each.fd)


def test_what_is_another_descriptor_now_is_told_and_looks_ended(log: LogLines) -> None:
    master, slave = os.openpty()
    again, slave_again = os.openpty()
    found = state.read(state_of(Thing(master), Thing(slave)), None, {"thing": Thing})
    os.dup2(again, master)
    os.close(slave)
    assert found.take_descriptors() == {master, slave}
    assert log.read() == [
        "ERROR thing 0: end cannot be taken on: it is another one",
        "ERROR thing 1: end cannot be taken on: Bad file descriptor",
    ]
    assert os.read(master, 10) == b""
    for fd in (master, slave, again, slave_again):
        os.close(fd)


def test_what_belongs_to_nobody_is_closed(log: LogLines) -> None:
    one, other = socket.socketpair()
    fd = one.detach()
    state.read(state_of(Thing(fd)), None, {}).take_descriptors()
    assert log.read() == ["ERROR thing 0: end cannot be taken on: it belongs to nobody"]
    assert other.recv(1) == b""
    other.close()


def test_a_descriptor_that_is_closed_is_not_written() -> None:
    said = "^a descriptor of the daemon is not what it should be: Bad file descriptor$"
    with pytest.raises(StateError, match=said):
        state_of(Thing(77_777))


def test_a_daemon_in_the_middle_of_something_is_not_written(busy: ServedCore) -> None:
    assert busy.server.starting() == "session 'waiting'"
    with pytest.raises(StateError, match="the daemon is in the middle of something"):
        written(busy.server)
