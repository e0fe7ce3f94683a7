"""The same random walk twice, once with the server replaced after every step: what each client,
each program and each subscriber is sent is the same, byte for byte."""

from __future__ import annotations

import random
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from shpool import logs
from shpool.config import Config
from shpool.config_values import Motd, RestoreMode
from shpool.paths import LOG_FILE_NAME
from shpool.protocol.attaching import AttachHeader
from shpool.protocol.requests import TtySize
from shpool.terminal.backlog import Backlog
from shpool.terminal.marks import Prompt
from tests.daemon.carrying import carry_over
from tests.daemon.core import Caller
from tests.daemon.fakes import FakeChild
from tests.daemon.served import ServedCore, subscribed

NAMES = ("a", "b")
STEPS = 120

SIZE = TtySize(24, 80)


class Walk:
    """Comings, goings, floods, frozen clients, kills, and requests from outside."""

    def __init__(self, core: ServedCore, seed: int, *, carried: bool, sizes: bool = False) -> None:
        """`sizes`: of terminals there are several, so that sessions are drawn on some."""
        self.core = core
        self.sizes = sizes
        self.carried = carried
        self.chance = random.Random(seed)
        self.callers: list[Caller] = []
        self.joined: list[Caller] = []
        self.heard: list[bytes] = []  # by callers
        self.shells: dict[int, bytes] = {}  # what was typed to programs, by pid
        self.subscriber = subscribed(core)
        self.times = 0  # that the server was replaced

    def walk(self) -> None:
        often: tuple[Callable[[], None], ...] = (
            *(self.attach, self.attach, self.share, self.watch, self.let_run, self.let_run),
            *(self.write, self.write, self.draw, self.type, self.type, self.read, self.read),
            *(self.flood, self.wait, self.idle, self.idle, self.set_variable),
            *(self.writable, self.ask_slowly, self.send, self.send_key, self.peek, self.answer),
            *(self.await_text, self.await_quiet, self.follow, self.run, self.mark, self.mark),
        )
        steps = (*often, *often, *often, self.hang_up, self.hang_up, self.detach)
        steps = (*steps, self.kill, self.end)
        if self.sizes:
            steps = (*steps, *[self.resize] * 4)
        for _ in range(STEPS):
            self.chance.choice(steps)()
            self.core.loop.settle()
            if self.carried and not self.core.server.starting():
                carry_over(self.core)
                self.times += 1
        self.finish()

    # ---- who comes

    def _join(self, **wishes: object) -> None:
        if len(self.core.attaching.clients) < 6:
            name = self.chance.choice(NAMES)
            size = self.chance.choice((SIZE, SIZE, TtySize(10, 40))) if self.sizes else SIZE
            caller = self._call()
            header = AttachHeader(name, name, size, [("TERM", "xterm")])
            for wish, value in wishes.items():
                setattr(header, wish, value)
            caller.ask(header)
            self.joined.append(caller)

    def _call(self) -> Caller:
        caller = self.core.call()
        self.callers.append(caller)
        self.heard.append(b"")
        return caller

    def attach(self) -> None:
        self._join()

    def share(self) -> None:
        self._join(share=True)

    def watch(self) -> None:
        self._join(read_only=True)

    def ask_slowly(self) -> None:
        """Half a request, and perhaps the rest."""
        caller = self._call()
        caller.send(b"\x81\xa4Kill\x81")
        if self.chance.random() < 0.5:
            caller.send(b"\xa8sessions\x91\xa1" + self.chance.choice(NAMES).encode())

    def kill(self) -> None:
        self._ask({"Kill": {"sessions": [self.chance.choice(NAMES)]}})

    def _ask(self, request: object) -> None:
        self._call().ask(request)

    def send(self) -> None:
        lines = "line\r" * self.chance.choice((1, 3, 20_000))
        self._send([("text", lines)])

    def send_key(self) -> None:
        self._send([("key", "Up"), ("text", "x")])

    def _send(self, items: list[tuple[str, str]]) -> None:
        name = self.chance.choice(NAMES)
        self._ask({"Send": {"session_name": name, "items": items, "timeout_ms": 2000}})

    def peek(self) -> None:
        self._ask({"Peek": {"session_name": self.chance.choice(NAMES), "history": True}})

    def await_text(self) -> None:
        since = self.chance.choice((None, 0))
        self._wait([], text=True, since=since)

    def await_quiet(self) -> None:
        self._wait([("quiet", "500"), ("exit", ""), ("detached", "")], timeout_ms=4000)

    def _wait(self, conditions: list[tuple[str, str]], **fields: object) -> None:
        names = [self.chance.choice(NAMES)]  # of several the order is the loop's
        self._ask({"Wait": {"sessions": names, "conditions": conditions, **fields}})

    def follow(self) -> None:
        screen = self.chance.random() < 0.5
        request = {"from_screen": screen, "restores": screen}
        self._ask({"Follow": {"session_name": self.chance.choice(NAMES), **request}})

    def run(self) -> None:
        request = {"session_name": self.chance.choice(NAMES), "words": ["make"]}
        self._ask({"Run": {**request, "timeout_ms": self.chance.choice((None, 4000))}})

    # ---- programs

    def _programs(self) -> list[FakeChild]:
        return list(self.core.programs.started)

    def let_run(self) -> None:
        for child in self._programs():
            child.run()

    def _write(self, data: bytes) -> None:
        for child in self._programs():
            if child.runs:
                child.write(data)

    def write(self) -> None:
        self._write(b"x" * self.chance.choice((1, 100, 3000)) + b"\r\n")

    def draw(self) -> None:
        """Colours, the alternate screen, a title, half a sequence."""
        self._write(
            self.chance.choice(
                (
                    b"\x1b[1;31mred\x1b[m \xe6\x97\xa5\xe6\x9c\xac e\xcc\x81\r\n" * 30,
                    b"\x1b[?1049h\x1b[5;5Hhere\x1b[?25l",
                    b"\x1b[?1049l\x1b]2;title\x07\x1b[?2004h\x1b[c",
                    b"\x1b[38;5;",
                    b"\xf0\x9f",
                )
            )
        )

    def mark(self) -> None:
        """A shell shows its prompt, runs a command, or has run one; or another one below it."""
        for session in self.core.table.all():
            if session.prompt.shell != "zsh":  # which marks with a word by chance
                session.prompt = Prompt("0a1b", "zsh")
        ours = b"\x1b]133;%s;aid=0a1b\x07"
        self._write(
            self.chance.choice(
                (
                    ours % b"A" + b"$ " + ours % b"B" + b"\x1b[?2004h",
                    ours % b"C" + b"out",
                    ours % b"D;3" + ours % b"A" + b"$ " + ours % b"B" + b"\x1b[?2004h",
                    b"\x1b]133;A\x07$ \x1b]133;B\x07",
                )
            )
        )

    def flood(self) -> None:
        for _ in range(40):
            self._write(b"flood" * 1600)

    def end(self) -> None:
        children = self._programs()
        if children:
            self.chance.choice(children).end(self.chance.randrange(3))

    def answer(self) -> None:
        """Programs read what was typed."""
        for child in self._programs():
            self._hear(child)
            self.core.loop.writable(child.ends.master)

    def _hear(self, child: FakeChild) -> None:
        self.shells[child.pid] = self.shells.get(child.pid, b"") + child.typed()

    # ---- clients

    def type(self) -> None:
        for caller in self.joined:
            caller.send(self.chance.choice((b"x", b"\x00\x11", b"\x00", b"y" * 5000, b"\x1b")))

    def hang_up(self) -> None:
        callers = self.chance.choice((self.callers, self.joined))
        if callers:
            self.chance.choice(callers).hang_up()

    def detach(self) -> None:
        self._ask({"Detach": {"sessions": [self.chance.choice(NAMES)]}})

    def read(self) -> None:
        for number, caller in enumerate(self.callers):
            if caller.far.fileno() >= 0:
                self.heard[number] += caller.received()
                self.core.loop.writable(caller.near)

    def writable(self) -> None:
        for caller in self.callers:
            self.core.loop.writable(caller.near)

    def resize(self) -> None:
        size = {"rows": self.chance.randrange(60), "cols": 80, "xpixel": 0, "ypixel": 0}
        payload = {"Resize": {"tty_size": size}}
        name = self.chance.choice(NAMES)
        self._ask({"SessionMessage": {"session_name": name, "payload": payload}})

    def set_variable(self) -> None:
        self._ask({"ModifyVar": {"var": "v", "val": str(self.chance.random())}})

    # ---- time

    def wait(self) -> None:
        self.core.loop.pass_time(self.chance.choice((0.001, 0.1, 3.0)))

    def idle(self) -> None:
        self.core.loop.idle()

    def finish(self) -> None:
        """All is read, all programs end, and all is over."""
        for _ in range(30):
            self.let_run()
            self.answer()
            self.core.loop.pass_time(1)
            self.core.loop.idle()
            self.read()
        for _ in range(10):  # who waits for a session may have it made again
            for child in self._programs():
                child.run()
                self._hear(child)
                child.end(0)
            self.core.loop.pass_time(10)
            self.core.loop.idle()
            self.read()

    def told(self) -> bytes:
        data = b""
        while True:
            try:
                piece = self.subscriber.recv(1 << 20, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return data
            data += piece


@pytest.mark.parametrize(
    ("seed", "motd", "restore"),
    [
        (0, "never", "screen"),
        (1, "pager", "screen"),
        (2, "pager", "simple"),
        (3, "never", "simple"),
    ],
)
def test_nobody_notices_that_the_server_is_another_one(
    new_served: Callable[[], ServedCore],
    seed: int,
    motd: str,
    restore: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # What is skipped makes room, so that more is read at once.
    monkeypatch.setattr(Backlog, "lighten", lambda backlog: None)
    walks = []
    for carried in (False, True):
        core = new_served()
        core.config.config = configured(motd, restore)
        walk = Walk(core, seed, carried=carried)
        walk.walk()
        walks.append(walk)
    alone, replaced = walks
    assert replaced.times > STEPS / 4
    assert replaced.shells == alone.shells
    for number, (heard, expected) in enumerate(zip(replaced.heard, alone.heard)):
        assert heard == expected, number
    assert replaced.told() == alone.told()
    for walk in walks:
        check_that_all_is_over(walk)


@pytest.mark.parametrize("seed", range(2))
def test_terminals_of_several_sizes_are_drawn_on_by_another_one(
    new_served: Callable[[], ServedCore], seed: int
) -> None:
    """When a picture is drawn, and how much of it, is not the same then."""
    core = new_served()
    core.config.config = configured("never", "screen")
    walk = Walk(core, seed, carried=True, sizes=True)
    walk.walk()
    assert walk.times > STEPS / 4
    check_that_all_is_over(walk)


def configured(motd: str, restore: str) -> Config:
    values = {
        "pass_terminal": False,
        "motd": Motd(motd, "less", 0),
        "session_restore_mode": RestoreMode(restore),
    }
    return Config(values)


def check_that_all_is_over(walk: Walk) -> None:
    core = walk.core
    walk.subscriber.close()
    assert core.loop.deadlines() == []
    assert core.table.all() == []
    assert core.attaching.clients == set()
    assert core.programs.children == {}
    assert logs.log._room is not None  # its length is limited, by who takes over too
    log = Path(core.server._paths.beside_socket(LOG_FILE_NAME)).read_text()
    assert "created, pid" in log
    assert "internal error" not in log
