"""A daemon's files, and Python's, are removed, replaced or out of reach: it goes on with its own.

An upgrade, a checkout that is moved, a collection of what no profile needs any more: none of them
asks whether a daemon still runs.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path

import pytest

from shpool import pack
from shpool.protocol import msgpack
from tests.e2e.harness import CHECKOUT, DETACH, Place, Terminal, eventually
from tests.packing import packed
from tests.programs import need, no_namespace
from tests.terminal import recorded

PAGER = """#!/bin/sh
cat "$1"
echo paging
read line
"""

# Between them: both screens, all kinds of characters, pens, margins and modes.
STREAMS = ("textual", "vim-wide", "rich", "tmux", "unicode", "vttest-charset", "fish")


# ---- ways to lose them


class Copy:
    """A copy of the program, from which the daemon of `place` runs, in its directory."""

    wrapper: tuple[str, ...] = ()

    def __init__(self, place: Place) -> None:
        self.place = place
        self.path = place.scratch / "copy"
        self.path.mkdir()
        shutil.copytree(
            CHECKOUT / "shpool", self.path / "shpool", ignore=shutil.ignore_patterns("__pycache__")
        )
        run(place, [*self.wrapper, sys.executable, "-m", "shpool", "daemon"], self.path)

    def lose(self) -> None:
        """What this is about."""


class Removed(Copy):
    def lose(self) -> None:
        shutil.rmtree(self.path)


class Replaced(Copy):
    def lose(self) -> None:
        for path in self.path.rglob("*.py"):
            path.write_text(f"raise RuntimeError('loaded late: {path.name}')\n")


class Overwritten(Copy):
    """One file, and another one's bytes are written into it."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.path = place.scratch / "shpool.pyz"
        pack.write(str(self.path), packed())
        run(place, [sys.executable, str(self.path), "daemon"], place.scratch)

    def lose(self) -> None:
        other = {"shpool/__init__.py": b"raise RuntimeError('loaded late')\n"}
        self.path.write_bytes(packed(other))


class Unmounted(Copy):
    """Python's own library too."""

    def __init__(self, place: Place) -> None:
        # Whoever is not root is, in a user namespace.
        mapped = [] if os.getuid() == 0 else ["--map-root-user"]
        self.wrapper = (need("unshare"), "--mount", *mapped)
        if subprocess.run([*self.wrapper, "true"], check=False).returncode:
            no_namespace()
        super().__init__(place)

    def lose(self) -> None:
        pid = str(self.place.daemon_pid)
        user = [] if os.getuid() == 0 else ["--user", "--preserve-credentials"]
        enter = [need("nsenter"), "--target", pid, "--mount", *user]
        for folder in (str(self.path), sysconfig.get_path("stdlib")):
            subprocess.run([*enter, "mount", "-t", "tmpfs", "none", folder], check=True)
            assert os.listdir(f"/proc/{pid}/root{folder}") == []


def run(place: Place, words: list[str], checkout: Path, log: "Path | None" = None) -> None:
    with open(log or place.log, "ab") as output:
        place.daemon = subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={**place.env, "PYTHONPATH": str(checkout)},
            cwd=checkout,
            start_new_session=True,
        )
    eventually(place.answers, "the daemon answers")


# ---- a life


def before(place: Place) -> None:
    """A session that is old when it happens."""
    for name in STREAMS:
        (place.scratch / name).write_bytes(recorded.stream(name).data)
    (place.scratch / "pager").write_text(PAGER)
    (place.scratch / "pager").chmod(0o755)
    (place.scratch / "motd").write_text("of the day\n")
    client = place.attach("old")
    client.ask("seq 100")
    detached(client)


def after(place: Place) -> None:
    """Everything that a daemon does, most of it for the first time in its life."""
    reattach_and_resize(place)
    edit_the_configuration(place)
    show_a_message_of_the_day(place)
    draw_what_programs_draw(place)
    ask_for_everything(place)
    ask_for_what_cannot_be(place)


def detached(client: Terminal, keys: bytes = DETACH) -> None:
    client.send(keys)
    assert client.wait() == 0


def reattach_and_resize(place: Place) -> None:
    client = place.attach("old", rows=31, cols=101)
    client.expect(r"\b99\r\n100\r\n")
    assert client.ask("stty size") == "31 101\n"
    client.resize(10, 50)
    eventually(lambda: client.ask("stty size") == "10 50\n", "the size has changed")
    detached(client)


def edit_the_configuration(place: Place) -> None:
    place.configure(
        "[[keybinding]]\nbinding = 'Ctrl-a d'\naction = 'detach'\n"
        "[[keybinding]]\nbinding = 'Ctrl-b'\naction = 'noop'\n"
    )
    text = place.config_file.read_text()
    place.config_file.write_text(f"\ufeff{text}")
    client = place.attach("old")
    assert client.ask("echo in") == "in\n"
    detached(client, b"\x01d")
    place.config_file.write_text("[")
    peer = place.raw_attach("old")
    place.logged("the configuration stays as it was")
    peer.send(b"\x01d")
    assert peer.to_exit_status()[1] == 0


def show_a_message_of_the_day(place: Place) -> None:
    shown = f"motd_args = ['motd={place.scratch}/motd', 'motd_dir=/nowhere']\n"
    place.configure(f"{shown}motd = 'dump'")
    client = place.attach("new")
    client.expect("^of the day\r\n")
    detached(client)
    place.configure(f"{shown}[motd.pager]\nbin = '{place.scratch}/pager'")
    client = place.attach("new")
    client.expect("paging")
    client.send("\n")
    assert client.ask("echo in") == "in\n"
    detached(client)
    place.configure("motd = 'dump'")  # as PAM says
    assert place.run("attach", "-b", "pam").status == 0


def draw_what_programs_draw(place: Place) -> None:
    for number, name in enumerate(STREAMS):
        peer = place.raw_attach("old", rows=20 + number)
        peer.send(f"cat {place.scratch}/{name}; echo drawn''{number}.\n".encode())
        peer.output_until(rb"drawn%d\." % number)
        peer.send(DETACH)
        peer.to_exit_status()


def ask_for_everything(place: Place) -> None:
    events = place.subscribe()
    assert place.run("attach", "-b", "-s", "echo started", "asked").status == 0
    assert place.run("attach", "-b", "--ttl", "0:0:1", "-c", "sleep 1000", "brief").status == 0
    eventually(lambda: "brief" not in place.sessions(), "its time has passed")
    for words in (
        ["list", "--json"],
        ["var", "set", "a", "b"],
        ["var", "list"],
        ["var", "unset", "a"],
        ["set-log-level", "trace"],
    ):
        assert place.run(*words).status == 0, words
    client = place.attach("asked")
    client.expect("started")
    other = place.attach("-f", "asked")
    assert client.wait() == 0
    assert other.ask("echo in") == "in\n"
    assert place.run("detach", "asked").status == 0
    assert other.wait() == 0
    assert place.run("kill", "asked", "new", "pam").status == 0
    assert set(place.sessions()) == {"old"}
    assert events.types(2) == ["session.created", "session.attached"]


def ask_for_what_cannot_be(place: Place) -> None:
    for request in (b"\xc1", msgpack.pack("Nonsense"), msgpack.pack({"Kill": {"sessions": 5}})):
        peer = place.peer()
        peer.send(request)
        assert peer.remainder() == b""
    for fields in (
        {"name": "a/b"},
        {"name": "a", "cmd": "/nowhere/to/be/found"},
        {"name": "a", "cmd": "'"},
        {"name": "a", "dir": "/nowhere"},
    ):
        assert "UnexpectedError" in place.raw_attach(**fields).status
    assert place.run("kill", "nobody").status == 1


@pytest.mark.parametrize("way", [Removed, Replaced, Overwritten, Unmounted])
def test_a_daemon_whose_files_are_lost_goes_on(place: Place, way: Callable[[Place], Copy]) -> None:
    copy = way(place)
    before(place)
    copy.lose()
    after(place)
    assert place.stop() == 0


# ---- from inside

AUDITED = """
import os, sys
from shpool import logs
from shpool.daemon import server
from shpool.daemon.loop.reactor import Reactor
from shpool.daemon.sessions.hooks import Hooks
from shpool.paths import Paths

serving = False

def note(*words):
    with open(sys.argv[1], "a") as file:
        print(*words, file=file)

def audit(event, arguments):
    path = arguments[0] if arguments else ""
    if not serving:
        pass
    elif event == "import":
        note("imports", path)
    elif event == "open" and isinstance(path, str) and path.endswith((".py", ".pyc", ".so")):
        note("opens", path)

class Defective:
    def __del__(self):
        raise RuntimeError("a defect in a destructor")

class Broken(Hooks):
    def on_new_session(self, name):
        raise RuntimeError("a defect in a hook")

def defect():
    Defective()
    try:
        {}["key"]
    except KeyError:
        raise RuntimeError("a defect on the loop")

def run(reactor, run=Reactor.run):
    global serving
    reactor.call_later(0, defect)
    loaded = set(sys.modules)
    sys.addaudithook(audit)
    serving = True
    run(reactor)
    serving = False
    note("serves no more, having loaded", set(sys.modules) - loaded)

Reactor.run = run
server.run(Paths(os.environ), [sys.argv[2]], os.environ, None, Broken())
"""


def test_a_daemon_that_serves_loads_nothing_more(place: Place) -> None:
    report, log = place.scratch / "report", place.scratch / "log"
    words = [sys.executable, "-c", AUDITED, str(report), str(place.config_file)]
    run(place, words, CHECKOUT, log)
    before(place)
    place.log.symlink_to(log)  # where what is waited for is looked for
    after(place)
    place.log.unlink()  # nobody is to complain of what stands in it
    assert place.stop() == 0
    assert report.read_text() == "serves no more, having loaded set()\n"
    text = log.read_text()
    assert "RuntimeError: a defect in a hook" in text
    assert "internal error: RuntimeError: a defect in a destructor (<string>:" in text
    assert "RuntimeError: a defect on the loop (reactor.py:" in text
    assert "; after KeyError: 'key' (<string>:" in text


@pytest.mark.parametrize("way", [Removed, Replaced])
def test_an_attached_client_whose_files_are_lost_goes_on(
    place: Place, way: Callable[[Place], Copy]
) -> None:
    copy = way(place)
    client = place.attach("{WHERE}here", env={"PYTHONPATH": str(copy.path)})
    assert client.ask("echo in") == "in\n"
    copy.lose()
    shutil.rmtree(place.runtime)
    client.resize(31, 101)
    eventually(lambda: client.ask("stty size") == "31 101\n", "the size has changed")
    assert place.run("var", "set", "WHERE", "t").status == 0
    client.expect(r"\$ ")
    eventually(lambda: place.statuses().get("there") == "Attached", "it has gone over")
    detached(client)


def test_a_new_client_serves_a_daemon_whose_checkout_has_moved(place: Place) -> None:
    """And the next daemon is the new one's."""
    copy = place.scratch / "copy"
    shutil.copytree(CHECKOUT / "shpool", copy / "shpool")
    place.env["PYTHONPATH"] = str(copy)
    assert place.run("attach", "-b", "-c", "sleep 1000", "one").status == 0
    copy.rename(place.scratch / "moved")
    place.env["PYTHONPATH"] = str(place.scratch / "moved")
    assert set(place.sessions()) == {"one"}
    assert place.run("kill", "one").status == 0
    first = place.end_autodaemon()
    assert place.run("attach", "-b", "-c", "sleep 1000", "two").status == 0
    assert place.end_autodaemon() != first
