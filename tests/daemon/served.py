"""A whole server on a loop whose events a test chooses, and what can be at it."""

from __future__ import annotations

import os
import socket
import tty

from shpool.config import Config
from shpool.config_values import Motd
from shpool.daemon.server import Server
from shpool.protocol import chunks
from shpool.protocol.attaching import AttachHeader
from shpool.protocol.msgpack import pack
from shpool.protocol.requests import TtySize
from shpool.protocol.running import RunRequest
from shpool.terminal.marks import Prompt
from tests.daemon.core import Caller, Core, FixedConfig
from tests.daemon.fakes import FakeLoop, FakePrograms


class ServedCore(Core):
    """A server's own core, on the test's loop."""

    def __init__(self, server: Server, loop: FakeLoop, programs: FakePrograms) -> None:
        self.loop = loop
        self.programs = programs
        self.config = FixedConfig(Config({"pass_terminal": False}))
        self.callers: list[Caller] = []
        self.serve(server)

    def serve(self, server: Server) -> None:
        """Go on with this server."""
        self.server = server
        self.table = server._table
        self.room = server._room
        self.attaching = server._attaching
        self.requests = server._requests
        self.attaching._config = self.config

    def living(self) -> list[object]:
        return list(self.server.living())

    def names(self) -> set[str]:
        return {type(each).__name__ for each in self.living()}


def frozen(core: ServedCore) -> None:
    core.attached("frozen")
    for _ in range(60):
        core.programs.started[-1].write(b"flood" * 1600)
    core.loop.pass_time(3)


def paging(core: ServedCore) -> None:
    core.config.config = Config({"pass_terminal": False, "motd": Motd("pager", "less", 0)})
    core.attached("paging")
    core.programs.started[-1].run()
    core.config.config = Config({"pass_terminal": False})


def waiting(core: ServedCore) -> None:
    core.attach("waiting")
    core.attach("waiting")


def running(core: ServedCore) -> None:
    """One command at a prompt that has begun, and one that waits for that prompt."""
    core.attached("prompt")
    session = core.table.get("prompt")
    assert session is not None
    session.prompt = Prompt("0a1b", "bash")
    mark = "\x1b]133;%s;aid=0a1b\x07"
    core.programs.started[-1].write((mark % "A" + mark % "B" + "\x1b[?2004h").encode())
    core.loop.pass_time(1)
    core.loop.idle()
    for line in ("make", "true"):
        core.call().ask(RunRequest("prompt", [], line, 1_000_000))
    core.loop.idle()
    core.programs.started[-1].write((mark % "C").encode())


def doomed(core: ServedCore) -> None:
    core.attached("doomed", ttl_secs=1000)
    core.call().ask({"Kill": {"sessions": ["doomed"]}})


def answered(core: ServedCore) -> None:
    """Who does not read its answer."""
    caller = core.call()
    caller._near.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)
    for _ in range(200):
        core.requests.variables.change(os.urandom(4).hex().replace("0", "a"), "x" * 20)
    caller.ask("GetVars")


def together(core: ServedCore) -> None:
    """Three at one session, one in the midst of a paste, one waiting for its end, one asked."""
    first = core.attached("together")
    second = core.attached("together", share=True)
    core.attached("together", read_only=True)
    core.loop.pass_time(0.03)
    core.loop.idle()
    core.programs.started[-1].write(b"\x1b[c\x1b]11;?\x07\x1b[")
    first.send(b"\x1b[200~pasted")
    second.send(b"key\x1b[")


def passing(core: ServedCore, name: str, ends: list[int]) -> Caller:
    master, slave = os.openpty()
    tty.setraw(slave)
    ends += [master, slave]
    core.config.config = Config({})
    caller = core.call()
    header = AttachHeader(name, name, TtySize(24, 80), [("TERM", "xterm")])
    socket.send_fds(caller.far, [pack(header.to_wire())], [slave])
    core.loop.readable(caller.near)
    core.programs.started[-1].run()
    core.config.config = Config({"pass_terminal": False})
    return caller


def going_over(core: ServedCore, ends: list[int]) -> None:
    """Whose client is on its way to another session."""
    caller = passing(core, "left", ends)
    caller.send(chunks.frame(chunks.DETACH, chunks.GOES_OVER))


def subscribed(core: ServedCore) -> socket.socket:
    near, far = socket.socketpair()
    near.setblocking(False)
    core.server._events.accepted(near)
    return far


def watched(core: ServedCore) -> None:
    """A session with a driver, one who shares it on a small terminal, and one who only looks."""
    core.attached("watched")
    size = {"rows": 10, "cols": 40, "xpixel": 0, "ypixel": 0}
    for wish in ("share", "read_only"):
        header = AttachHeader("watched", "watched", TtySize.from_wire(size), [("TERM", "xterm")])
        setattr(header, wish, True)
        core.call().ask(header)


def settle(core: ServedCore) -> None:
    """All that is being started runs, and nearly every program has written something."""
    session = core.table.get("prompt")
    for program in list(core.programs.started):
        program.run()
        if session is not None and program.pid == session.pid:
            continue  # a prompt would end what runs there
        program.write(b"\x1b[31mred\x1b[m e\xcc\x81\r\n" * 40 + b"\x1b]133;A\x07$ ")
    core.loop.pass_time(0.03)
    core.loop.idle()


def outside(core: ServedCore, name: str) -> None:
    """Whatever may be asked for that takes its time, and of which not all was done yet."""

    def ask(kind: str, fields: dict[str, object]) -> None:
        caller = core.call()
        caller._near.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)
        caller.ask({kind: fields})

    session = core.table.get(name)
    assert session is not None
    (shell,) = [each for each in core.programs.started if each.pid == session.pid]
    shell.write(b"line\r\n" * 600)
    core.loop.idle()
    screen = {"session_name": name, "from_screen": True, "restores": True}
    ask("Follow", screen)
    ask("Send", {"session_name": name, "items": [["text", "x" * 500_000]], "timeout_ms": 5000})
    ask("Send", {"session_name": name, "items": [["text", "second"]], "timeout_ms": 5000})
    quiet = [["quiet", "500"], ["exit", ""]]
    ask("Wait", {"sessions": [name, "nobody"], "conditions": quiet, "timeout_ms": 9000})
    core.loop.idle()
    ask("Wait", {"sessions": [name], "conditions": [], "text": True, "since": 0})
    ask("Peek", {"session_name": name, "history": True})
