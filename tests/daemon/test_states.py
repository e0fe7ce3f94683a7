"""The tables of states are what happens: each change in them comes about, and no other one can."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from shpool.config import Config
from shpool.config_values import Motd
from shpool.daemon.clients import connection, output
from shpool.daemon.clients.channel import ChunkChannel
from shpool.daemon.clients.client import AttachedClient
from shpool.daemon.clients.connection import Connection, StreamUser
from shpool.daemon.life import IllegalTransition, State
from shpool.daemon.sessions import session
from shpool.protocol.requests import TtySize
from tests.daemon.core import Caller, Core
from tests.daemon.fakes import FakeChild

TABLES = {"session": session.LIFE, "connection": connection.LIFE, "client": output.LIFE}


class Play:
    """One session and who asks for it, with what it takes to bring about each change."""

    def __init__(self, core: Core, patch: pytest.MonkeyPatch) -> None:
        self.core = core
        self.patch = patch
        patch.setattr("shpool.daemon.clients.motd.message", lambda arguments: b"today")

    # ---- a session

    def created(self) -> Caller:
        return self.core.attached("one")

    @property
    def shell(self) -> FakeChild:
        return self.core.programs.started[0]

    def not_created(self) -> None:
        self.core.attach("one")
        self.shell.fail("cannot run")

    def ended(self) -> None:
        self.created()
        self.shell.end(0)

    def killed(self) -> None:
        self.created()
        self.core.call().ask({"Kill": {"sessions": ["one"]}})
        self.shell.end(129)

    # ---- a connection

    def answered(self) -> None:
        assert self.core.ask("List") == {"sessions": []}

    def asks_nothing(self) -> None:
        self.core.call().hang_up()

    def does_not_wait(self) -> None:
        self.core.attach("one").hang_up()

    def streaming(self) -> tuple[Connection, Caller]:
        caller = self.core.attach("one")
        ((asked, _),) = self.core.room.waiting["one"]
        asked.open_stream({}, 1000, StreamUser())
        return asked, caller

    # ---- a client

    def flood(self) -> None:
        for _ in range(60):
            self.shell.write(b"flood" * 1600)

    def with_a_pager(self) -> None:
        self.core.config.config = Config({"pass_terminal": False, "motd": Motd("pager", "less", 0)})

    @property
    def pager(self) -> FakeChild:
        return self.core.programs.started[1]

    def waiting(self) -> Caller:
        self.created().hang_up()
        self.flood()
        return self.core.attached("one")

    def shown(self) -> None:
        self.waiting()
        self.core.loop.idle()

    def frozen(self) -> Caller:
        caller = self.created()
        self.flood()
        self.core.loop.pass_time(3)
        return caller

    def reads_again(self) -> None:
        caller = self.frozen()
        for _ in range(40):
            caller.received()
            self.core.loop.writable(caller.near)

    def does_not_read_in_the_pager(self) -> None:
        self.created().hang_up()
        self.flood()
        self.with_a_pager()
        self.core.attached("one")
        self.pager.run()
        for _ in range(60):
            self.pager.write(b"flood" * 1600)
        self.pager.end(0)
        self.core.loop.pass_time(3)

    def paging(self) -> Caller:
        self.with_a_pager()
        return self.created()

    def left_the_pager(self) -> None:
        self.paging()
        self.pager.run()
        self.pager.end(0)

    def left_the_pager_before_an_old_session(self) -> None:
        self.created().hang_up()
        self.flood()
        self.paging()
        self.pager.run()
        self.pager.end(0)

    def drawn(self) -> Caller:
        self.created()
        return self.core.attached("one", size=(10, 40), read_only=True)

    def with_another_that_drives(self) -> None:
        self.created()
        self.core.attached("one", size=(10, 40), share=True)

    def drawn_after_the_pager(self) -> None:
        self.created()
        self.with_a_pager()
        self.core.attached("one", size=(10, 40), read_only=True)
        self.pager.run()
        self.pager.end(0)

    def drawn_before_it_was_live(self) -> None:
        self.waiting()
        self.core.attached("one", size=(10, 40), share=True)

    def drawn_when_it_reads_again(self) -> None:
        caller = self.frozen()
        self.core.attached("one", size=(10, 40), share=True)
        for _ in range(40):
            caller.received()
            self.core.loop.writable(caller.near)

    def drawn_and_then_live(self) -> None:
        self.drawn()
        self.core.attached("one", size=(10, 40), share=True)

    def drawn_and_stopped(self) -> None:
        self.drawn()
        (client,) = (each for each in self.core.attaching.clients if each.state.now == "drawn")
        self.patch.setattr(ChunkChannel, "away", True)
        client.resized(TtySize(24, 80))
        client.place_changed()

    def broken_at_once(self) -> None:
        self.patch.setattr(AttachedClient, "answer", lambda client, reply: 1 / 0)
        self.core.attach("one")
        self.shell.run()


# How each change comes about.
WAYS: dict[tuple[str, str, str], Callable[[Play], object]] = {
    ("session", "starting", "running"): Play.created,
    ("session", "starting", "ended"): Play.not_created,
    ("session", "running", "doomed"): Play.killed,
    ("session", "running", "ended"): Play.ended,
    ("session", "doomed", "ended"): Play.killed,
    ("connection", "greeted", "asked"): Play.answered,
    ("connection", "greeted", "closed"): Play.asks_nothing,
    ("connection", "asked", "answered"): Play.answered,
    ("connection", "asked", "handed"): Play.created,
    ("connection", "asked", "closed"): Play.does_not_wait,
    ("connection", "answered", "closed"): Play.answered,
    ("connection", "asked", "streaming"): Play.streaming,
    ("connection", "streaming", "answered"): lambda play: play.streaming()[0].end_stream(),
    ("connection", "streaming", "closed"): lambda play: play.streaming()[1].hang_up(),
    ("client", "asked", "paging"): Play.paging,
    ("client", "asked", "waiting"): Play.waiting,
    ("client", "asked", "live"): Play.created,
    ("client", "asked", "leaving"): Play.broken_at_once,
    ("client", "paging", "waiting"): Play.left_the_pager_before_an_old_session,
    ("client", "paging", "live"): Play.left_the_pager,
    ("client", "paging", "leaving"): lambda play: play.paging().hang_up(),
    ("client", "asked", "drawn"): Play.drawn,
    ("client", "paging", "drawn"): Play.drawn_after_the_pager,
    ("client", "waiting", "drawn"): Play.drawn_before_it_was_live,
    ("client", "live", "drawn"): Play.with_another_that_drives,
    ("client", "frozen", "drawn"): Play.drawn_when_it_reads_again,
    ("client", "drawn", "waiting"): Play.drawn_and_then_live,
    ("client", "drawn", "frozen"): Play.drawn_and_stopped,
    ("client", "drawn", "leaving"): lambda play: play.drawn().hang_up(),
    ("client", "waiting", "live"): Play.shown,
    ("client", "waiting", "frozen"): Play.does_not_read_in_the_pager,
    ("client", "waiting", "leaving"): lambda play: play.waiting().hang_up(),
    ("client", "live", "frozen"): Play.frozen,
    ("client", "live", "leaving"): lambda play: play.created().hang_up(),
    ("client", "frozen", "waiting"): Play.reads_again,
    ("client", "frozen", "leaving"): lambda play: play.frozen().hang_up(),
    ("client", "leaving", "gone"): lambda play: play.created().hang_up(),
}


def test_a_way_is_known_to_each_change_in_the_tables() -> None:
    assert set(WAYS) == {
        (what, before, after)
        for what, table in TABLES.items()
        for before, next_ones in table.items()
        for after in next_ones
    }


@pytest.mark.parametrize("change", WAYS, ids=" ".join)
def test_each_change_in_the_tables_comes_about(
    core: Core, monkeypatch: pytest.MonkeyPatch, change: tuple[str, str, str]
) -> None:
    seen: set[tuple[str, str, str]] = set()
    become = State.become

    def noted(state: State, after: str) -> None:
        (what,) = (name for name, table in TABLES.items() if table is state.table)
        seen.add((what, state.now, after))
        become(state, after)

    monkeypatch.setattr(State, "become", noted)
    WAYS[change](Play(core, monkeypatch))
    assert change in seen


@pytest.mark.parametrize("what", TABLES)
def test_no_other_change_can_be_made(what: str) -> None:
    table = TABLES[what]
    for before, next_ones in table.items():
        for after in table.keys() - set(next_ones):
            state = State(what, table, before)
            with pytest.raises(IllegalTransition, match=f"{what}: {after} after {before}"):
                state.become(after)
            assert state.now == before


def test_every_state_but_the_first_is_reached_and_every_way_leads_to_a_last_one() -> None:
    for table in TABLES.values():
        first, *others = table
        assert {after for next_ones in table.values() for after in next_ones} == set(others)
        (last,) = (state for state in table if not table[state] and state != "handed")
        reaching = {last, "handed"}
        for _ in table:
            reaching |= {state for state in table if reaching & set(table[state])}
        assert reaching >= {first, *others}


def test_a_request_is_answered_once(core: Core) -> None:
    core.attach("one")
    ((asked, _),) = core.room.waiting["one"]
    asked.reply({})
    for again in (lambda: asked.reply({}), asked.hand_over):
        with pytest.raises(IllegalTransition):
            again()


def test_a_session_starts_once_and_a_running_one_has_not_failed(core: Core) -> None:
    core.attached("one")
    one = core.table.get("one")
    assert one is not None
    with pytest.raises(IllegalTransition):
        one.started(core.programs.started[0].ends)
    one.size.pty = one._pty
    with pytest.raises(IllegalTransition):
        one.state.become("starting")


def test_a_client_enters_once_and_not_after_it_was_let_go(core: Core) -> None:
    caller = core.attached("one")
    one = core.table.get("one")
    (attached,) = core.attaching.clients
    assert one is not None
    with pytest.raises(IllegalTransition):
        attached.enter(one)
    attached.detach()
    with pytest.raises(IllegalTransition):
        attached.enter(one)
    assert caller.output()[1] == 0
