"""A random walk through the core: comings, goings, floods, frozen clients, kills, in any order.

A model that knows only the rules of the events follows it: each event changes what List shows in
its own way, and nothing else does.  After each step what List shows and what the server could list
must agree, and at the end nothing is left.
"""

from __future__ import annotations

import random
from typing import Any

import pytest

from shpool.config import Config
from shpool.config_values import Motd, RestoreMode
from shpool.daemon.clients.output import GONE
from shpool.daemon.sessions.session import ENDED
from shpool.protocol.replies import Destination
from shpool.protocol.switching import SwitchRequest
from tests.daemon.core import Caller, Core
from tests.daemon.fakes import FakeChild

NAMES = ("a", "b")
STEPS = 400
SHARED_STEPS = 2000

# Those who type and those who watch, by session.
Counts = dict[str, tuple[int, int]]

WISHES: tuple[dict[str, Any], ...] = (
    *({}, {"share": True}, {"share": True}, {"share": True}),
    *({"read_only": True}, {"read_only": True}, {"force": True}, {"existing": True}),
)


TYPED = (
    *(b"x", b"\x00\x11", b"\x00", b"y" * 5000, b"\r", b"\x1b", b"\x1b[?1c", b"\x1b]11;rgb\x07"),
    *(b"\x1b[200~paste", b"\x1b[201~", b"\x1b[<35;1;1M", b"\xc3", b"\x1b[1;2"),
)


class Follower:
    """What List shows, followed from event to event."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._known: Counts = {}
        self._publish = core.events.publish
        core.events.publish = self._published  # type: ignore[method-assign]

    def _published(self, kind: str) -> None:
        self._publish(kind)
        before, after = self._known, self.counts()
        came, went = after.keys() - before.keys(), before.keys() - after.keys()
        changed = [name for name in before.keys() & after.keys() if before[name] != after[name]]
        if kind == "session.created":
            assert (len(came), went, changed) == (1, set(), [])
            assert after[came.pop()] == (0, 0)
        elif kind == "session.removed":
            assert (came, len(went), changed) == (set(), 1, [])
        else:
            assert (came, went, len(changed)) == (set(), set(), 1)
            (typing, watching), (type_now, watch_now) = before[changed[0]], after[changed[0]]
            step = 1 if kind == "session.attached" else -1
            assert sorted((type_now - typing, watch_now - watching)) == sorted((0, step))
        self._known = after

    def counts(self) -> Counts:
        return {
            row.name: (len(row.attachments), len(row.watchers))
            for row in (session.row() for session in self._core.table.listed())
        }

    def check(self) -> None:
        """Nothing has changed without an event."""
        assert self.counts() == self._known


class Walk:
    def __init__(self, core: Core, seed: int, wishes: tuple[dict[str, Any], ...] = ({},)) -> None:
        self.core = core
        self.chance = random.Random(seed)
        self.callers: list[Caller] = []
        self.wishes = wishes
        self.follower = Follower(core)
        core.loop.settle()

    def step(self) -> None:
        steps = (
            *(self.attach, self.attach, self.attach, self.let_run, self.let_run, self.write),
            *(self.type, self.hang_up, self.detach, self.kill, self.end, self.die, self.fail),
            *(self.read, self.read, self.stop_reading, self.wait, self.idle, self.resize),
            *(self.set_variable, self.writable, self.switch),
            *((self.attach,) * 9 if len(self.wishes) > 1 else ()),
        )
        self.chance.choice(steps)()
        self.check()

    # ---- steps

    def attach(self) -> None:
        if len(self.callers) < 5:
            name, before = self.chance.choice(NAMES), self.chance.choice((None, *NAMES))
            wish = self.chance.choice(self.wishes)
            caller = self.core.attach(name, client="shpool-py 1", previous=before, **wish)
            self.callers.append(caller)

    def switch(self) -> None:
        to = Destination(self.chance.choice((*NAMES, "c")), share=self.chance.choice((True, False)))
        back = self.chance.choice((True, False))
        self.core.call().ask(SwitchRequest(self.chance.choice(NAMES), to, back=back))

    def _programs(self) -> list[FakeChild]:
        return list(self.core.programs.started)

    def let_run(self) -> None:
        for child in self._programs():
            child.run()

    def write(self) -> None:
        for child in self._programs():
            if child.runs:
                asked = self.chance.choice((b"", b"\x1b[c", b"\x1b]11;?\x07", b"\x1b[6n"))
                child.write(b"x" * self.chance.choice((1, 100, 8000)) + asked + b"\r\n")

    def type(self) -> None:
        for caller in self.callers:
            if len(self.wishes) == 1 or not self.chance.randrange(4):
                caller.send(self.chance.choice(TYPED))

    def hang_up(self) -> None:
        if self.callers:
            self.callers.pop(self.chance.randrange(len(self.callers))).hang_up()

    def detach(self) -> None:
        self.core.ask({"Detach": {"sessions": [self.chance.choice(NAMES)]}})

    def kill(self) -> None:
        self.core.call().ask({"Kill": {"sessions": [self.chance.choice(NAMES)]}})

    def _some_child(self) -> FakeChild | None:
        children = self._programs()
        return self.chance.choice(children) if children else None

    def end(self) -> None:
        if child := self._some_child():
            child.end(self.chance.randrange(3))

    def die(self) -> None:
        if child := self._some_child():
            child.die(7)

    def fail(self) -> None:
        child = self._some_child()
        if child is not None and not child.runs and child.dead is None:
            child.fail("cannot run")

    def read(self) -> None:
        for caller in self.callers:
            caller.received()
            self.core.loop.writable(caller.near)
        self.callers = [caller for caller in self.callers if not caller.ended]

    def stop_reading(self) -> None:
        for child in self._programs():
            if child.runs:
                for _ in range(40):
                    child.write(b"flood" * 1600)

    def writable(self) -> None:
        for caller in self.callers:
            self.core.loop.writable(caller.near)

    def wait(self) -> None:
        self.core.loop.pass_time(self.chance.choice((0.001, 0.1, 3.0)))

    def idle(self) -> None:
        self.core.loop.idle()

    def resize(self) -> None:
        size = {"rows": self.chance.randrange(60), "cols": 80, "xpixel": 0, "ypixel": 0}
        payload = {"Resize": {"tty_size": size}}
        name = self.chance.choice(NAMES)
        self.core.ask({"SessionMessage": {"session_name": name, "payload": payload}})

    def set_variable(self) -> None:
        self.core.ask({"ModifyVar": {"var": "v", "val": str(self.chance.random())}})

    # ---- what must hold

    def check(self) -> None:
        core = self.core
        rows = {row["name"]: row for row in core.ask("List")["sessions"]}
        attached = {name: len(row["attachments"]) for name, row in rows.items()}
        if len(self.wishes) == 1:
            assert all(count <= 1 for count in attached.values())
        self.follower.check()
        seen = core.events.seen
        assert seen.count("created") - seen.count("removed") == len(rows)
        for session in core.table.all():
            assert session.state.now != ENDED
            assert set(session.clients) <= core.attaching.clients
            roles = session.roles
            assert [seat.client for seat in roles.seats] == session.clients
            assert set(session.clients) >= set(session.typing)
            assert roles.answerer is None or roles.answerer in session.typing
            for client in session.clients:
                assert (client in session.typing) == (client.role != "watcher")
                assert (client is session.driver) == (client.role == "driver")
            driver = session.driver
            if driver is not None and roles._resizing is None:
                assert session.size.current.same(driver.size)
            turns = session.typist.turns if session.typist is not None else None
            assert turns is None or not turns.waiting or not turns.free
        for client in core.attaching.clients:
            assert client.state.now != GONE
        waited_for = {session.name for session in core.table.all()}
        assert set(core.room.waiting) <= waited_for

    def finish(self) -> None:
        """Everybody goes, and nothing is left."""
        for caller in self.callers:
            caller.hang_up()
        core = self.core
        for _ in range(20):
            for child in self._programs():
                child.run()
                child.end(0)
            core.loop.pass_time(10)
            core.loop.idle()
            for caller in core.callers:
                if caller.far.fileno() >= 0:
                    caller.received()
                    core.loop.writable(caller.near)
        assert [(each.name, each.state.now) for each in core.table.all()] == []
        assert core.room.waiting == {}
        assert core.attaching.clients == set()
        assert core.requests.connections == set()
        assert core.programs.children == {}
        assert core.loop.deadlines() == []


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("motd", ["never", "pager"])
@pytest.mark.parametrize("restore", ["screen", "simple"])
def test_nothing_is_lost_or_left_in_any_order(
    core: Core, seed: int, motd: str, restore: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shpool.daemon.clients.motd.message", lambda arguments: b"today")
    values = {
        "pass_terminal": False,
        "motd": Motd(motd, "less", 0),
        "session_restore_mode": RestoreMode(restore),
    }
    core.config.config = Config(values)
    walk = Walk(core, seed)
    for _ in range(STEPS):
        walk.step()
    walk.finish()


@pytest.mark.parametrize(("seed", "restore"), [(0, "screen"), (1, "simple")])
def test_nor_with_five_clients_at_two_sessions(core: Core, seed: int, restore: str) -> None:
    mode = RestoreMode(restore)
    core.config.config = Config({"pass_terminal": False, "session_restore_mode": mode})
    walk = Walk(core, seed, WISHES)
    together = 0
    for _ in range(SHARED_STEPS):
        walk.step()
        together += any(typing > 1 for typing, _ in walk.follower.counts().values())
    assert together > SHARED_STEPS / 20
    walk.finish()
