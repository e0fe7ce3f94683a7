"""Clients whose terminals have another size than the pty: when they are drawn, at what cost."""

from __future__ import annotations

import random

import pytest

from shpool.config import Config
from shpool.config_values import RestoreMode
from shpool.daemon.clients.client import AttachedClient
from shpool.daemon.sessions.model_picture import ModelPicture
from shpool.daemon.sessions.session import Session
from shpool.protocol.requests import TtySize
from shpool.terminal.drawn import Drawing
from shpool.terminal.leave import Watch
from shpool.terminal.model import Terminal
from shpool.terminal.window import Window
from tests.daemon.core import Caller, Core
from tests.daemon.fakes import inject

LINES = b"".join(b"line %d\r\n" % number for number in range(1, 61))


class Screen:
    """What is to be seen on a caller's terminal."""

    def __init__(self, caller: Caller, rows: int, cols: int) -> None:
        self.caller = caller
        self.terminal = Terminal(rows, cols, 200)
        self.output = b""  # of late
        self.status: int | None = None

    def look(self) -> list[str]:
        """The lines on it that are not blank."""
        self.output, status = self.caller.output()
        self.status = status if self.status is None else self.status
        self.terminal.feed(self.output)
        lines = [row.text.replace("\0", " ").rstrip() for row in self.terminal.lines]
        return [line for line in lines if line]

    @property
    def alternate(self) -> bool:
        self.look()
        return self.terminal.screen is self.terminal.alternate

    def history(self) -> list[str]:
        return [piece if isinstance(piece, str) else piece[0] for piece in self.terminal.history]


class Pair:
    """A driver of 24 rows and 80 columns, and a watcher of another size."""

    def __init__(self, core: Core, rows: int = 10, cols: int = 40) -> None:
        self.core = core
        self.driver = Screen(core.attached("one"), 24, 80)
        self.watcher = Screen(core.attached("one", size=(rows, cols), read_only=True), rows, cols)
        (self.shell,) = core.programs.started
        self.settle()

    def settle(self, seconds: float = 1.0) -> None:
        for _ in range(round(seconds * 100)):
            self.core.loop.pass_time(0.01)
            self.core.loop.idle()
        self.driver.look()
        self.watcher.look()

    def pictures(self, seconds: float, data: bytes = b"x", step: float = 0.002) -> int:
        """How many the watcher is sent while the program writes every so often."""
        seen = 0
        for _ in range(round(seconds / step)):
            self.shell.write(data)
            self.core.loop.pass_time(step)
            self.core.loop.idle()
            seen += bool(self.watcher.caller.output()[0])
            self.driver.caller.output()
        return seen


@pytest.fixture
def pair(core: Core) -> Pair:
    return Pair(core)


def one(core: Core, role: str) -> AttachedClient:
    (client,) = (each for each in core.attaching.clients if each.role == role)
    return client


def resize(core: Core, role: str, rows: int, cols: int) -> None:
    session = core.table.get("one")
    assert session is not None
    one(core, role).pid = 4242  # in tests all have the same
    session.resize(4242, TtySize(rows, cols))
    one(core, role).pid = 1
    core.loop.settle()


def test_who_has_another_size_is_drawn_what_its_terminal_has_room_for(pair: Pair) -> None:
    pair.shell.write(LINES + b"$ ")
    pair.settle()
    assert pair.watcher.look() == [f"line {n}" for n in range(52, 61)] + ["$"]
    assert pair.watcher.alternate
    assert not pair.driver.alternate


def test_the_driver_is_passed_every_byte_as_it_is(pair: Pair) -> None:
    pair.shell.write(b"\x1b[31mword\x1b[?1000h")
    assert pair.driver.caller.output() == (b"\x1b[31mword\x1b[?1000h", None)
    pair.settle()
    assert "word" in pair.watcher.look()[0]
    assert b"1000h" not in pair.watcher.output


def test_who_is_drawn_for_hears_bells_and_has_the_clipboard(pair: Pair) -> None:
    pair.shell.write(b"\x07")
    pair.settle()
    assert pair.watcher.output == b"\x07"
    pair.shell.write(b"\x07word\x1b]52;c;aGVsbG8=\x07\x1b]52;c;?\x07")
    pair.settle()
    output = pair.watcher.output
    assert output.endswith(b"\x1b]52;c;aGVsbG8=\x1b\\\x07")
    assert output.count(b"\x07") == 1
    assert pair.watcher.look() == ["word"]
    session = pair.core.table.get("one")
    assert session is not None
    assert isinstance(session.picture, ModelPicture)
    pair.watcher.caller.hang_up()
    assert session.picture._backlog.terminal.news is None


def test_nothing_is_done_while_nothing_changes(pair: Pair) -> None:
    pair.shell.write(b"word")
    pair.settle()
    assert pair.core.loop.deadlines() == []
    pair.watcher.caller.received()
    pair.core.loop.pass_time(1000)
    assert pair.watcher.caller.received() == b""


def test_who_types_goes_live_and_the_other_one_is_drawn(core: Core) -> None:
    first = Screen(core.attached("one"), 24, 80)
    (shell,) = core.programs.started
    shell.write(LINES + b"$ ")
    second = Screen(core.attached("one", size=(10, 40), share=True), 10, 40)

    def settle() -> None:
        core.loop.pass_time(1)
        core.loop.idle()

    settle()
    assert (first.alternate, second.alternate) == (True, False)
    dots = "·" * 40
    assert first.look() == [f"line {n:<35}{dots}" for n in range(52, 61)] + [
        f"${' ' * 39}{dots}",
        *["·" * 80] * 14,
    ]
    shell.write(b"".join(b"missed %d\r\n" % n for n in range(30)) + b"$ ")
    settle()
    first.look()
    first.caller.send(b"x")
    assert shell.typed() == b"x"
    settle()
    assert (first.alternate, second.alternate) == (False, True)
    told = [line.rstrip() for line in first.history() + first.look()]
    assert told[-31:] == ["$ missed 0", *[f"missed {n}" for n in range(1, 30)], "$"]
    lines = [line for line in told if line.startswith("line")]
    assert lines == [f"line {n}" for n in range(1, 61)]  # none is lost, none is there twice
    shell.write(b"echo")
    assert first.caller.output()[0] == b"echo"


def test_lines_missed_while_drawn_come_back_whatever_the_restore_mode(core: Core) -> None:
    core.config.config = Config(
        {
            "pass_terminal": False,
            "session_restore_mode": RestoreMode("lines", 2),
            "output_spool_lines": 500,
        }
    )
    test_who_types_goes_live_and_the_other_one_is_drawn(core)


def test_there_are_no_more_than_thirty_pictures_a_second(pair: Pair) -> None:
    assert 20 <= pair.pictures(1.0) <= 31


def test_a_picture_that_took_long_is_followed_by_nine_times_as_long_without_one(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    change = Drawing.change

    def slow(drawing: Drawing) -> bytes:
        pair.core.loop.now += 0.01
        return change(drawing)

    monkeypatch.setattr(Drawing, "change", slow)
    assert 9 <= pair.pictures(1.0) <= 11


def test_a_picture_is_due_whether_output_pauses_or_not(pair: Pair) -> None:
    for _ in range(12):  # never quiet for long enough to be interpreted for its own sake
        pair.shell.write(b"x")
        pair.core.loop.pass_time(0.005)
        pair.core.loop.idle()
    assert pair.watcher.look()[0].startswith("xxxxx")


def test_terminals_of_one_size_cost_one_drawing(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    others = [
        Screen(pair.core.attached("one", size=(10, 40), read_only=True), 10, 40) for _ in range(9)
    ]
    pair.settle()
    for each in others:
        each.look()
    drawn: list[Drawing] = []
    change = Drawing.change

    def noted(drawing: Drawing) -> bytes:
        drawn.append(drawing)
        return change(drawing)

    monkeypatch.setattr(Drawing, "change", noted)
    pair.shell.write(b"word")
    pair.settle()
    assert len(drawn) == 1
    assert [each.look()[0][:4] for each in [pair.watcher, *others]] == ["word"] * 10
    assert {each.output for each in others} == {others[0].output}


def test_who_does_not_read_is_skipped_and_then_drawn_whole(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[int] = []
    change = Drawing.change

    def noted(drawing: Drawing) -> bytes:
        drawn.append(n)
        return change(drawing)

    monkeypatch.setattr(Drawing, "change", noted)
    for n in range(400):
        pair.shell.write(b"\x1b[H" + b"%d" % n * 200)
        pair.driver.caller.received()
        pair.core.loop.pass_time(0.05)
        pair.core.loop.idle()
        assert pair.core.loop.reads(pair.shell.ends.master)
    waits = one(pair.core, "watcher")._channel.full
    assert waits
    assert drawn[-1] < 399, "for nobody who takes it nothing is drawn"
    assert drawn == list(range(len(drawn)))
    pair.shell.write(b"\x1b[H\x1b[2Jthe end")
    pair.settle()
    for _ in range(30):
        pair.watcher.look()
        pair.core.loop.writable(pair.watcher.caller.near)
    assert pair.core.loop.deadlines() != []
    pair.settle()
    assert pair.watcher.look() == ["the end"]
    assert pair.core.loop.deadlines() == []


def test_a_synchronized_update_is_drawn_when_it_ends(pair: Pair) -> None:
    pair.shell.write(b"before")
    pair.settle()
    pair.shell.write(b"\x1b[?2026h\x1b[Hbegun")
    pair.settle(0.1)
    assert pair.watcher.look() == ["before"]
    pair.shell.write(b" and ended\x1b[?2026l")
    pair.core.loop.idle()
    assert pair.watcher.look() == ["begun and ended"]


def test_an_update_that_does_not_end_is_waited_for_no_longer_than_that(pair: Pair) -> None:
    pair.shell.write(b"\x1b[?2026hbegun")
    pair.settle(0.14)
    assert pair.watcher.look() == []
    pair.settle(0.05)
    assert pair.watcher.look() == ["begun"]
    pair.shell.write(b" more")
    pair.settle(0.2)
    assert pair.watcher.look() == ["begun more"]
    pair.shell.write(b" again")
    pair.settle(0.05)
    assert pair.watcher.look() == ["begun more"]
    pair.settle(0.2)
    assert pair.watcher.look() == ["begun more again"]
    assert pair.core.loop.deadlines() == []


def test_a_terminal_that_changes_its_size_is_drawn_anew(pair: Pair) -> None:
    pair.shell.write(LINES + b"$ ")
    pair.settle()
    resize(pair.core, "watcher", 5, 40)
    pair.watcher.terminal.resize(5, 40)
    pair.settle()
    assert pair.watcher.look() == ["line 57", "line 58", "line 59", "line 60", "$"]
    resize(pair.core, "watcher", 24, 80)
    pair.watcher.terminal.resize(24, 80)
    pair.settle()
    assert not pair.watcher.alternate
    pair.shell.write(b"live")
    assert pair.watcher.caller.output() == (b"live", None)


def test_a_session_that_changes_its_size_is_drawn_anew(pair: Pair) -> None:
    pair.shell.write(LINES + b"$ ")
    pair.settle()
    resize(pair.core, "driver", 3, 20)
    pair.settle()
    shown = pair.watcher.look()
    assert shown[:3] == [
        "line 59" + " " * 13 + "·" * 20,
        "line 60" + " " * 13 + "·" * 20,
        "$" + " " * 19 + "·" * 20,
    ]
    assert shown[3:] == ["·" * 40] * 7
    resize(pair.core, "driver", 10, 40)
    pair.settle()
    assert not pair.watcher.alternate


def test_a_drawn_terminal_is_left_as_it_was_before(pair: Pair) -> None:
    pair.shell.write(b"\x1b[?1h\x1b[5 q\x1b[?1049htext")
    pair.settle()
    one(pair.core, "watcher").detach()
    assert not pair.watcher.alternate
    assert pair.watcher.status == 0
    assert pair.watcher.look() == []
    assert pair.watcher.terminal.shape == 0
    assert not pair.watcher.terminal.modes.get(1)


def test_when_the_session_ends_a_drawn_terminal_is_left(pair: Pair) -> None:
    watch = Watch()
    pair.shell.write(b"last words")
    pair.shell.end(3)
    output, status = pair.watcher.caller.output()
    watch.output(output)
    assert status == 3
    assert not watch.state


def test_where_nothing_is_remembered_everybody_is_passed_what_comes(core: Core) -> None:
    simple = Config({"pass_terminal": False, "session_restore_mode": RestoreMode("simple", 0)})
    core.config.config = simple
    pair = Pair(core)
    pair.shell.write(b"word")
    assert pair.watcher.caller.output() == (b"word", None)


def test_with_an_error_in_the_model_a_drawn_client_is_passed_what_comes(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair.shell.write(b"word")
    pair.settle()
    session = pair.core.table.get("one")
    assert session is not None
    inject(monkeypatch, session.picture, "_advance")
    pair.shell.write(b"more")
    pair.settle()
    assert not pair.watcher.alternate
    pair.shell.write(b"again")
    assert pair.watcher.caller.output() == (b"again", None)
    assert pair.driver.look()


def test_an_error_in_one_that_is_drawn_ends_that_one(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Screen(pair.core.attached("one", size=(10, 40), read_only=True), 10, 40)
    pair.settle()
    (first, *_) = [each for each in pair.core.attaching.clients if each.state.now == "drawn"]
    inject(monkeypatch, first._drawn, "draw")
    pair.shell.write(b"word")
    pair.settle()
    other.look()
    shown = [pair.watcher.caller.ended, other.caller.ended]
    assert sorted(shown) == [False, True]
    assert (other if shown[0] else pair.watcher).look() == ["word"]


def test_what_stopped_a_client_is_drawn_over(pair: Pair) -> None:
    pair.shell.write(b"word")
    pair.settle()
    pair.watcher.terminal.feed(b"\x1b[?1049l[1]+  Stopped\r\n$ fg\r\n")
    one(pair.core, "watcher").channel_away()
    one(pair.core, "watcher").channel_back()
    pair.settle()
    assert pair.watcher.alternate
    assert pair.watcher.look() == ["word"]


def test_questions_are_answered_while_the_driver_is_drawn(core: Core) -> None:
    """As long as its size is not the pty's: its own terminal has not seen the question."""
    driver = core.attached("one")
    (shell,) = core.programs.started
    (client,) = core.attaching.clients
    client.size = TtySize(10, 40)
    client.place_changed()
    assert client.state.now == "drawn"
    shell.write(b"\x1b[c")
    core.loop.pass_time(1)
    core.loop.idle()
    assert shell.typed() == b"\x1b[?62;22c"
    assert b"\x1b[c" not in driver.output()[0]


class Crowd:
    """Several at one session, in terminals of any size, of whom each does something at random."""

    SIZES = ((24, 80), (10, 40), (30, 100), (10, 81), (5, 20))

    def __init__(self, core: Core, seed: int) -> None:
        self.core = core
        self.chance = random.Random(seed)
        self.screens: list[tuple[AttachedClient, Screen]] = []
        self.wrapped_anew: set[AttachedClient] = set()  # by the terminal, from its own scrollback
        self.join()
        self.lines = 0

    def join(self) -> None:
        rows, cols = self.chance.choice(self.SIZES)
        wish = {self.chance.choice(("share", "read_only")): True} if self.screens else {}
        before = set(self.core.attaching.clients)
        caller = self.core.attached("one", size=(rows, cols), **wish)
        (client,) = self.core.attaching.clients - before
        client.pid = 5000 + len(self.core.callers)
        self.screens.append((client, Screen(caller, rows, cols)))

    def leave(self) -> None:
        if len(self.screens) > 1:
            self.screens.pop(self.chance.randrange(len(self.screens)))[1].caller.hang_up()

    def write(self) -> None:
        pick = self.chance.randrange
        self.lines += 1
        data = self.chance.choice(
            (
                b"\x1b[?1049h\x1b[%d;%dHx" % (pick(40), pick(99)),
                b"\x1b[?1049l",
                b"\x1b[3%dmcolour\x1b[m\x1b[?25%c" % (pick(8), self.chance.choice(b"hl")),
                *[b"line %d\r\n" % self.lines * pick(50)] * 3,
            )
        )
        self.core.programs.started[0].write(data)

    def type(self) -> None:
        self.chance.choice(self.screens)[1].caller.send(b"x")

    def resize(self) -> None:
        client, screen = self.chance.choice(self.screens)
        rows, cols = self.chance.choice(self.SIZES)
        screen.look()
        screen.terminal.resize(rows, cols)
        session = self.core.table.get("one")
        assert session is not None
        session.resize(client.pid, TtySize(rows, cols))
        self.core.loop.settle()
        if client.state.now == "live":
            self.wrapped_anew.add(client)

    def go_away(self) -> None:
        client, screen = self.chance.choice(self.screens)
        if client.state.now != "gone":
            client.channel_away()
            screen.look()
            screen.terminal.feed(b"[1]+  Stopped\r\n$ fg\r\n")
            client.channel_back()

    def read(self) -> None:
        for _, screen in self.screens:
            screen.look()
            self.core.loop.writable(screen.caller.near)

    def wait(self) -> None:
        self.core.loop.pass_time(self.chance.choice((0.01, 0.05, 0.6)))
        self.core.loop.idle()

    def step(self) -> None:
        steps = (self.join, self.leave, self.type, self.type, self.resize, self.go_away)
        self.chance.choice((*steps, self.write, self.write, self.read, self.wait))()

    def check(self) -> None:
        """Everybody shows what there is to see."""
        for _ in range(100):
            self.read()
            self.core.loop.pass_time(0.1)
            self.core.loop.idle()
        session = self.core.table.get("one")
        assert session is not None
        assert isinstance(session.picture, ModelPicture)
        model = session.picture._backlog.terminal
        assert (model.rows, model.cols) == session.size.current.cells
        for client, screen in self.screens:
            shown = screen.terminal
            fits = client.size.cells == session.size.current.cells
            assert client.state.now == ("live" if fits else "drawn")
            if fits:
                assert (shown.screen is shown.alternate) == (model.screen is model.alternate)
            else:
                assert shown.screen is shown.alternate
            if not fits:
                self.wrapped_anew.discard(client)
            if client not in self.wrapped_anew:
                window = Window(*client.size.cells) if fits else part_of(session, client)
                assert shows(shown) == expected(model, window), client.state.now
        assert self.core.loop.deadlines() == []


def part_of(session: Session, client: AttachedClient) -> Window:
    drawings = session.picture.drawings
    assert drawings is not None
    return drawings._groups[client.size.cells].drawing.window


def shows(terminal: Terminal) -> list[str]:
    return [row.text.replace("\0", " ").rstrip() for row in terminal.lines]


def expected(model: Terminal, window: Window) -> list[str]:
    """What there is to see in a window."""
    dots = "·" * window.cols
    texts = [row.text.ljust(model.cols, "\0") + dots for row in model.lines[window.top :]]
    texts += [dots * 4] * window.rows
    seen = [text[window.left : window.left + window.cols] for text in texts[: window.rows]]
    return [text.replace("\0", " ").rstrip() for text in seen]


@pytest.mark.parametrize("seed", range(4))
def test_whoever_does_what_at_last_everybody_shows_what_there_is_to_see(
    core: Core, seed: int
) -> None:
    crowd = Crowd(core, seed)
    for _ in range(6):
        for _ in range(40):
            crowd.step()
        crowd.check()
