"""Whatever lives longer than a turn of the loop can be listed from the server: a daemon that is
replaced in place hands all of it over, and nothing is known to a callback alone."""

from __future__ import annotations

import gc
import os

from shpool.daemon.clients.passed_terminal import Mourner, PassedTerminal
from shpool.daemon.loop.outbound import Outbound
from shpool.daemon.loop.reactor import Owner, Timer
from shpool.daemon.server import Server
from tests.daemon.fakes import FakeLoop
from tests.daemon.served import (
    ServedCore,
    answered,
    doomed,
    frozen,
    going_over,
    paging,
    passing,
    subscribed,
    together,
    waiting,
)

# Of these there is one for the daemon, or they are its doubles; the server knows each by name.
ONE_EACH = {
    *("Server", "Places", "Requests", "Attaching", "SessionTable", "WaitingRoom", "Variables"),
    *("Events", "Hooks", "FakeLoop", "FakePrograms", "LockFile", "PidFile", "FixedConfig"),
}

# What others are made of, without a descriptor, a deadline or a buffer of its own.
PLAIN = {
    *("State", "Program", "SessionDir", "_Interest", "Timer", "_Output", "RuntimeDir"),
    *("Gone", "Onlookers", "TypedLine"),
    # Sentinels, so that what is closed keeps nobody in memory.
    *("ChannelUser", "ConnectionUser", "StreamUser", "OutboundUser", "PagerUser"),
    *("PtyUser", "PictureUser", "Caller", "Core", "NotedEvents"),
}


def of_the_daemon(found: object) -> bool:
    kind = type(found)
    if not isinstance(kind, type) or issubclass(kind, (type, BaseException)):
        return False
    return any(base.__module__.startswith("shpool.daemon.") for base in kind.__mro__)


def test_everything_that_lives_is_listed(served: ServedCore) -> None:
    gc.collect()
    before = {id(each) for each in gc.get_objects()}
    for make in (frozen, paging, doomed, answered, together, waiting):
        make(served)
    ends: list[int] = []
    passing(served, "passed", ends)
    passing(served, "killed", ends).hang_up()
    going_over(served, ends)
    served.attached("escaping").send(b"\x1b")
    served.call().send(b"\x81")
    subscriber = subscribed(served)
    listed = {id(each) for each in served.living()}
    gc.collect()
    found = [each for each in gc.get_objects() if of_the_daemon(each) and id(each) not in before]
    missing = {
        type(each).__name__
        for each in found
        if id(each) not in listed and type(each).__name__ not in ONE_EACH | PLAIN
    }
    assert missing == set()
    subscriber.close()
    for fd in ends:
        os.close(fd)


def test_the_busy_daemon_has_one_of_each_kind(busy: ServedCore) -> None:
    assert busy.names() >= {
        *("Listener", "Subscriber", "Outbound", "Connection", "AttachHeader", "Session", "Pty"),
        *("AttachedClient", "ChunkChannel", "TerminalChannel", "Line", "PassedTerminal"),
        *("Mourner", "Pager", "FakeChild", "PtyEnds", "ModelPicture", "WindowSize", "Typist"),
        *("Roles", "Seat", "Question", "Turns", "Waiting"),
        "AwaitEnd",
    }
    assert sum(isinstance(each, Mourner) for each in busy.living()) == 1
    assert sum(isinstance(each, PassedTerminal) for each in busy.living()) == 3


def test_nothing_is_listed_twice(busy: ServedCore) -> None:
    listed = busy.living()
    assert len({id(each) for each in listed}) == len(listed)


def test_whoever_the_loop_would_call_is_listed(busy: ServedCore) -> None:
    """So that a deadline, or what is watched, is found by its owner."""
    loop, listed = busy.loop, {id(each) for each in busy.living()}
    callbacks = [
        *(timer.callback for timer in loop.deadlines()),
        *(watch.reader for watch in loop._watches.values()),
        *(watch.writer for watch in loop._watches.values()),
        *loop._hangup_callbacks.values(),
    ]
    owners = [getattr(callback, "__self__", None) for callback in callbacks if callback is not None]
    assert len(owners) > 15
    assert {type(owner).__name__ for owner in owners if id(owner) not in listed} <= {
        "FakeLoop",
        "FakePrograms",
        "Server",
    }
    assert all(isinstance(owner, (Owner, FakeLoop, Server)) for owner in owners)


def test_what_waits_to_go_out_is_listed(busy: ServedCore) -> None:
    kept = [each for each in busy.living() if isinstance(each, Outbound) and each.pending]
    assert len(kept) >= 2  # the frozen client's output and an answer that is not read
    assert any(isinstance(timer, Timer) for timer in busy.loop.deadlines())
