"""The daemon is replaced in place under people who work: nothing is lost, doubled or moved."""

from __future__ import annotations

import json
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from threading import Thread

import pytest

from shpool import __version__, pack
from shpool.protocol.msgpack import pack as packed
from tests import packing
from tests.e2e.copies import Copy
from tests.e2e.harness import CHECKOUT, DETACH, Place, eventually
from tests.e2e.test_systemd import start_with_fd_3
from tests.programs import lacking, need
from tests.pythons import FLOOR, installed

UPGRADES = 8

SAME = f"{__version__} -> {__version__}"


def upgrade(
    place: Place, meanwhile: Callable[[], object] = lambda: None, env: dict[str, str] | None = None
) -> str:
    """What `shpool upgrade` prints; `meanwhile` is called again and again."""
    process = place.popen("upgrade", env=env)
    assert process.stdout is not None
    while not select.select([process.stdout], [], [], 0.01)[0]:
        meanwhile()
    out, err = process.communicate()
    assert (process.returncode, err) == (0, b"")
    return out.decode()


# Prints numbers, one a line, without end, and leaves others some of the processor.
NUMBERS = """i=0
while :; do
    n=$((i + 200))
    while [ $i -lt $n ]; do echo $i; i=$((i + 1)); done
    sleep 0.01
done
"""


class Flood(Thread):
    """A client of a session that prints NUMBERS, read all the time: else it would be skipped."""

    def __init__(self, place: Place) -> None:
        super().__init__(daemon=True)
        path = place.scratch / "numbers"
        path.write_text(NUMBERS)
        self.peer = place.raw_attach("flood", f"sh {path}")
        self.output = b""
        self.start()

    def run(self) -> None:
        self.output, _ = self.peer.to_exit_status()

    def end(self) -> int:
        """Interrupt it; how many numbers have come, each once and in order."""
        self.peer.send(b"\x03")
        self.join()
        lines = self.output.split(b"\r\n")
        if lines[-1] in (b"", b"^C"):
            lines.pop()
        assert lines == [b"%d" % number for number in range(len(lines))]
        return len(lines)


class Typist:
    """Somebody who types into `cat`, on a terminal."""

    def __init__(self, place: Place) -> None:
        self.path = place.scratch / "typed"
        self.terminal = place.attach("typing", "-c", f"sh -c 'stty -echo; cat >{self.path}'")
        eventually(self.path.exists)
        self.count = 0

    def type(self) -> None:
        self.terminal.send(f"{self.count}\n")
        self.count += 1

    def check(self) -> None:
        """What was typed has come, once, in order."""
        wanted = "".join(f"{number}\n" for number in range(self.count))
        eventually(lambda: len(self.path.read_text()) >= len(wanted), "all that was typed comes")
        assert self.path.read_text() == wanted
        assert self.count > 10


def test_the_daemon_is_replaced_under_typing_and_output_again_and_again(place: Place) -> None:
    place.start()
    flood, typist = Flood(place), Typist(place)
    events = place.subscribe()
    behind = place.subscribe()
    idle = place.attach("idle")
    assert idle.ask("x=kept; echo $x") == "kept\n"
    idle.send("echo half a ")
    idle.expect("half a ")

    first = upgrade(place, typist.type)
    assert first == f"{SAME}: 3 sessions, 3 clients, 2 subscribers\n"
    descriptors, memory, pid = place.descriptors(), place.memory(), place.daemon_pid
    for number in range(1, UPGRADES):
        upgrade(place, typist.type)
        place.raw_session(f"s{number}")
        if number % 2:
            place.kill(f"s{number}")
    left = [f"s{number}" for number in range(1, UPGRADES) if not number % 2]
    half = place.peer()
    request = packed({"SetLogLevel": {"level": "Debug"}})
    half.send(request[:10])
    upgrade(place, typist.type)
    half.send(request[10:])
    assert half.message() == {}
    half.close()
    idle.send("line of $x\n")
    idle.expect("\nhalf a line of kept\r\n")
    typist.check()
    assert flood.end() > 1000
    assert place.daemon_pid == pid
    assert set(place.sessions()) == {"idle", "typing", *left}
    place.kill(*left)
    wanted = _events(UPGRADES, len(left))
    for each in (events, behind):
        assert each.types(len(wanted)) == wanted
        assert each.nothing_waits()
    typist.terminal.send(DETACH)
    assert typist.terminal.wait() == 0
    # What has gone has nothing open: both sockets of the flood, its pty, and that of the request.
    assert place.descriptors() < descriptors
    assert place.memory() < 1.5 * memory
    idle.send("exit 7\n")
    assert idle.wait() == 7
    assert not place.pids("sleep 1000")


def _events(upgrades: int, left: int) -> list[str]:
    """Those of a session that is made after each upgrade but the first, and of their ends."""
    made = ["session.created", "session.attached", "session.detached"]
    found: list[str] = ["session.created", "session.attached"]  # idle
    for number in range(1, upgrades):
        found += made
        if number % 2:
            found.append("session.removed")
    return [*found, "session.removed", *["session.removed"] * left]


# ---- who and what goes over


def shown(place: Place, name: str) -> str:
    """A session's screen, as it is remembered."""
    done = place.run("peek", name)
    assert done.status == 0
    return done.out


def test_a_full_screen_program_goes_on_where_it_was(place: Place) -> None:
    vim = need("vim")
    place.start()
    path = place.scratch / "file"
    client = place.attach("edit", "-c", f"{vim} -u NONE -n {path}")
    client.expect(r"~")
    client.send("ifirst\rsecond")
    eventually(lambda: "second" in shown(place, "edit"))
    before = shown(place, "edit")
    upgrade(place)
    assert shown(place, "edit") == before
    client.send(" line\x1b:wq\r")
    assert client.wait() == 0
    assert path.read_text() == "first\nsecond line\n"


def test_what_scrolled_by_is_remembered(place: Place) -> None:
    place.start()
    client = place.attach("one")
    client.ask("seq 3000")
    client.ask("printf '\\e[1;31mred \\e]8;;http://x\\alink\\e]8;;\\a wide \\u6f22\\e[m\\n'")

    def history() -> list[object]:
        structure = json.loads(place.run("history", "--json", "one").out)
        del structure["quiet_ms"]
        return [place.run("history", "--ansi", "one").out, structure]

    before = history()
    assert "2999" in str(before)
    upgrade(place)
    assert history() == before
    upgrade(place)
    other = place.attach("-f", "one", rows=40)
    other.expect("2999\r\n3000\r\n")
    other.expect("wide 漢")


@pytest.mark.parametrize("passes", [True, False])
def test_clients_stay_with_their_terminals(place: Place, passes: bool) -> None:
    place.passes = passes
    place.configure()
    place.start()
    client = place.attach("one")
    before = client.first_modes
    assert client.ask("echo in") == "in\n"
    upgrade(place)
    assert client.is_raw()
    client.resize(31, 101)
    eventually(lambda: client.ask("stty size") == "31 101\n", "the size has changed")
    upgrade(place)
    client.send(DETACH[:1])  # half of a key binding
    eventually(lambda: place.run("peek", "one").status == 0)
    upgrade(place)
    client.send(DETACH[1:])
    assert client.wait() == 0
    assert client.modes() == before


def test_a_client_that_is_killed_later_leaves_its_terminal_as_it_was(place: Place) -> None:
    place.start()
    client = place.attach("one")
    client.ask("printf '\\e[?1000h'")
    upgrade(place)
    client.process.kill()
    client.expect(re.escape("\x1b[?1000l"))
    eventually(lambda: client.modes() == client.first_modes, "its modes are restored")


def test_a_client_that_is_stopped_has_its_keys_when_it_goes_on(place: Place) -> None:
    place.start()
    client = place.attach("one")
    client.ask("x=kept")
    client.process.send_signal(signal.SIGSTOP)
    stat = Path(f"/proc/{client.pid}/stat")
    eventually(lambda: stat.read_text().rpartition(")")[2].split()[0] == "T", "it is stopped")
    client.send("echo typed when $x\n")
    upgrade(place)
    assert place.run("send", "one", "-e", "echo sent").status == 0
    eventually(lambda: "\nsent\n" in shown(place, "one"))
    upgrade(place)
    assert "typed" not in shown(place, "one")
    client.process.send_signal(signal.SIGCONT)
    client.expect("sent.*typed when kept\r\n")


def test_all_who_are_at_one_session_stay_who_they_are(place: Place) -> None:
    place.start()
    driver = place.raw_attach("one", "cat", rows=30, cols=100)
    shared = place.raw_attach("one", share=True, rows=30, cols=100)
    small = place.raw_attach("one", read_only=True, rows=10, cols=40)

    def roles() -> list[tuple[object, ...]]:
        rows = place.sessions()["one"]["attachments"]
        return [(row["role"], row["rows"], row["cols"]) for row in rows]

    before = roles()
    assert len(before) == 2  # who only looks on is not attached
    upgrade(place)
    assert roles() == before
    driver.send(b"first\n")
    for each in (driver, shared, small):
        each.output_until(b"first")
    upgrade(place)
    small.send(b"nothing\n")
    shared.send(b"second\n")
    for each in (driver, shared, small):
        assert b"nothing" not in each.output_until(b"second")
    shared.send(DETACH)
    assert shared.to_exit_status()[1] == 0
    assert len(roles()) == 1


PAGER = """#!/bin/sh
printf 'paging '
read line
printf 'and %s' "$line"
read line
"""


def test_a_client_in_the_pager_stays_there(place: Place) -> None:
    (place.scratch / "pager").write_text(PAGER)
    (place.scratch / "pager").chmod(0o755)
    (place.scratch / "motd").write_text("of the day\n")
    place.configure(
        f"motd_args = ['motd={place.scratch}/motd', 'motd_dir=/nowhere']\n"
        f"[motd.pager]\nbin = '{place.scratch}/pager'"
    )
    place.start()
    client = place.attach("one")
    client.expect("paging ")
    client.send("mo")
    upgrade(place)
    client.send("re\n")
    client.expect("and more")
    upgrade(place)
    client.send("\n")
    assert client.ask("echo in") == "in\n"


def test_a_client_that_does_not_read_is_shown_what_it_missed_when_it_does(place: Place) -> None:
    place.start()
    peer = place.raw_attach("one", "sh -c 'seq 200000; echo at the end; sleep 1000'")
    place.logged("takes no output")
    upgrade(place)
    peer.output_until(rb"at the end")
    peer.close()


def test_a_program_that_waits_for_its_client_goes_on_where_it_was(place: Place) -> None:
    place.start()
    peer = place.raw_attach("one", "seq 200000")
    upgrade(place)  # before the client is taken for frozen
    output, status = peer.to_exit_status()
    lines = output.split(b"\r\n")
    assert (lines[-2:], status) == ([b"200000", b""], 0)


def test_who_waits_for_something_waits_on(place: Place) -> None:
    place.start()
    stubborn = place.raw_attach("stubborn", "sh -c 'trap : HUP; echo .; while :; do read x; done'")
    stubborn.output_until(rb"\.")
    place.raw_session("quiet", "cat")
    watching = place.popen("follow", "quiet")
    waiting = place.popen("wait", "--exit", "quiet")
    killing = place.peer()
    eventually(lambda: "Follow" in _asked(place) and "Wait" in _asked(place))
    killing.request({"Kill": {"sessions": ["stubborn"]}})
    upgrade(place)
    assert killing.message() == {"not_found_sessions": []}
    assert place.run("send", "quiet", "-e", "hello").status == 0
    assert watching.stdout is not None
    assert watching.stdout.readline() == b"hello\r\n"
    place.kill("quiet")
    assert waiting.communicate()[0] == b"quiet\texit\n"
    watching.communicate()


def _asked(place: Place) -> str:
    place.request({"SetLogLevel": {"level": "Debug"}})
    return place.log_text()


def test_a_time_to_live_goes_on(place: Place) -> None:
    place.start()
    began = time.monotonic()
    assert place.run("attach", "-b", "--ttl", "3s", "-c", "sleep 1000", "brief").status == 0
    upgrade(place)
    there = "brief" in place.sessions()
    assert there or time.monotonic() - began > 3
    eventually(lambda: "brief" not in place.sessions(), "its time has passed")


def test_a_session_that_is_not_remembered_draws_itself(place: Place) -> None:
    place.configure("session_restore_mode = 'simple'")
    place.start()
    client = place.attach("one")
    assert client.ask("echo in") == "in\n"
    upgrade(place)
    assert client.ask("echo in") == "in\n"
    other = place.attach("-f", "one")
    assert client.wait() == 0
    assert other.ask("echo in") == "in\n"


def test_variables_and_the_configuration_stay(place: Place) -> None:
    place.start()
    assert place.run("var", "set", "where", "here").status == 0
    upgrade(place)
    assert place.run("var", "get", "where").out == "here\n"
    place.configure("[[keybinding]]\nbinding = 'Ctrl-a d'\naction = 'detach'\n")
    client = place.attach("one")
    client.ask("true")
    client.send(b"\x01d")
    assert client.wait() == 0


def test_what_is_started_later_is_as_before(place: Place) -> None:
    place.start()
    question = "ulimit -n; umask; grep -c . /proc/$$/limits; ls -l /proc/$$/fd | wc -l; env | sort"

    def answer(name: str) -> str:
        client = place.attach(name)
        found = client.ask(question)
        client.send("exit\n")
        client.wait()
        return re.sub("SHPOOL__.*|SSH_AUTH.*", "", found.replace(name, "x"))

    before = answer("one")
    assert "SHPOOL__TAKE_OVER" not in before
    upgrade(place)
    assert answer("two") == before


# ---- the process


def test_it_is_the_same_process_by_its_name_and_its_words(place: Place) -> None:
    place.start("-v", "--config-file", str(place.config_file))
    pid = place.daemon_pid

    def looks() -> list[object]:
        proc = Path(f"/proc/{pid}")
        words = (proc / "cmdline").read_bytes().split(b"\0")
        status = (proc / "status").read_text()
        signals = re.findall("^Sig(?:Blk|Ign|Cgt):.*", status, re.MULTILINE)
        return [words[-5:], (proc / "comm").read_text(), signals, (proc / "cwd").readlink()]

    place.fence()
    before = looks()
    upgrade(place)
    assert looks() == before
    assert place.run("set-log-level", "trace").status == 0
    upgrade(place)
    assert place.run("attach", "-b", "one").status == 0
    place.logged("DEBUG connection of pid .* AttachHeader")
    words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    assert words[1:3] == [b"-I", b"-S"]


def test_a_daemon_that_a_client_has_started_keeps_pid_file_and_log(place: Place) -> None:
    assert place.run("attach", "-b", "one").status == 0
    pid = place.autodaemon()
    log = (place.runtime / "daemonized-shpool.log").stat().st_ino
    upgrade(place)
    assert place.autodaemon() == pid
    assert (place.runtime / "daemonized-shpool.log").stat().st_ino == log
    assert "STARTING DAEMON" in place.log_text()
    place.logged("the upgrade from version")
    assert place.run("stop", "--yes").status == 0
    assert not place.socket.exists()


def test_a_daemon_that_lost_its_socket_is_found_as_before(place: Place) -> None:
    place.start()
    client = place.attach("one")
    upgrade(place)
    place.socket.unlink()
    assert place.run("list").out.startswith("NAME")
    assert client.ask("echo in") == "in\n"
    place.socket.unlink()
    upgrade(place)
    assert client.ask("echo in") == "in\n"


# ---- from one program to another


def greeted_by(place: Place) -> str:
    greeting = place.peer().greeting
    assert greeting is not None
    return str(greeting["server"])


def test_to_a_newer_version_and_back(place: Place) -> None:
    place.start()
    newer = Copy(place, version="9.8.7")
    client = place.attach("one", env=newer.env)
    client.ask("x=kept")
    check = f"{__version__} -> 9.8.7 is possible: 1 session, 1 client, 0 subscribers\n"
    assert place.run("upgrade", "--check", env=newer.env).out == check
    assert greeted_by(place) == f"shpool-py {__version__}"
    said = f"{__version__} -> 9.8.7: 1 session, 1 client, 0 subscribers\n"
    assert upgrade(place, env=newer.env) == said
    assert greeted_by(place) == "shpool-py 9.8.7"
    assert client.ask("echo $x") == "kept\n"
    other = place.attach("two")  # of this version, at the newer daemon
    other.ask("true")
    assert upgrade(place).startswith(f"9.8.7 -> {__version__}: 2 sessions, 2 clients")
    assert (client.ask("echo $x"), other.ask("echo in")) == ("kept\n", "in\n")


def test_a_checkout_that_was_pulled_is_another_program(place: Place) -> None:
    checkout = Copy(place)
    place.start(env=checkout.env)
    client = place.attach("one", env=checkout.env)
    client.ask("x=kept")
    checkout.change("__init__.py", f'"{__version__}"', '"9.8.7"')
    checkout.change("daemon/requests.py", "def _list(", "def _list(  # another\n        ")
    assert upgrade(place, env=checkout.env).startswith(f"{__version__} -> 9.8.7: 1 session")
    assert client.ask("echo $x") == "kept\n"
    assert place.run("list", env=checkout.env).out.startswith("NAME")


def test_to_another_python_and_back(place: Place) -> None:
    others = [path for version, path in installed().items() if version >= FLOOR]
    others = [path for path in others if not os.path.samefile(path, sys.executable)]
    if not others:
        lacking("another Python, of 3.9 or later, is needed: apt or pyenv has some")
    place.start()
    client = place.attach("one")
    client.ask("x=kept; seq 100")
    words = ["-I", "-S", str(CHECKOUT / "shpool" / "__main__.py"), "upgrade"]
    for python in (others[0], sys.executable, others[-1], sys.executable):
        done = subprocess.run([python, *words], env=place.env, capture_output=True, check=True)
        assert done.stdout.decode() == f"{SAME}: 1 session, 1 client, 0 subscribers\n"
        program = os.path.realpath(f"/proc/{place.daemon_pid}/exe")
        asked = subprocess.check_output(
            [python, "-c", "import os; print(os.path.realpath('/proc/self/exe'))"], text=True
        )
        assert program == asked.strip()
        assert client.ask("echo $x") == "kept\n"


def test_one_whose_directory_was_removed_goes_on_as_well(place: Place) -> None:
    directory = place.scratch / "here"
    directory.mkdir()
    with open(place.log, "ab") as log:
        place.daemon = subprocess.Popen(
            [*place.command("--config-file", "../../c/shpool/config.toml", "daemon")],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=place.env,
            cwd=directory,
        )
    eventually(place.answers)
    client = place.attach("one")
    client.ask("x=kept")
    directory.rmdir()
    assert upgrade(place).startswith(f"{SAME}: 1 session")
    assert client.ask("echo $x") == "kept\n"
    place.configure("[[keybinding]]\nbinding = 'Ctrl-a d'\naction = 'detach'\n")
    other = place.attach("two")
    other.ask("true")
    other.send(b"\x01d")
    assert other.wait() == 0


def test_one_file_is_replaced_by_another(place: Place) -> None:
    path = place.scratch / "shpool.pyz"

    def pack_as(version: str) -> None:
        sources = pack.sources()
        sources["shpool/__init__.py"] = sources["shpool/__init__.py"].replace(
            __version__.encode(), version.encode()
        )
        pack.write(str(path), packing.packed(sources))

    pack_as("1.1.1")
    link = place.scratch / "shpool"
    link.symlink_to(path)
    with open(place.log, "ab") as log:
        place.daemon = subprocess.Popen(
            [sys.executable, str(link), "daemon"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**place.env, "PYTHONPATH": ""},
            cwd=place.scratch,
        )
    eventually(place.answers)
    client = place.attach("one")
    client.ask("x=kept")
    pack_as("2.2.2")
    done = subprocess.run(
        [sys.executable, link, "upgrade"],
        env={**place.env, "PYTHONPATH": ""},
        cwd="/",
        capture_output=True,
        check=True,
    )
    assert done.stdout == b"1.1.1 -> 2.2.2: 1 session, 1 client, 0 subscribers\n"
    words = Path(f"/proc/{place.daemon_pid}/cmdline").read_bytes().split(b"\0")
    assert words[1:] == [b"-I", b"-S", os.fsencode(path), b"daemon", b""]
    assert client.ask("echo $x") == "kept\n"
    path.unlink()
    assert client.ask("echo $x") == "kept\n"
    assert place.run("list").out.startswith("NAME")
    assert upgrade(place).startswith(f"2.2.2 -> {__version__}: 1 session")


def test_a_socket_that_systemd_has_passed_stays(place: Place) -> None:
    place.runtime.mkdir(0o700)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        sock.bind(str(place.socket))
        sock.listen()
        start_with_fd_3(place, sock.fileno(), {"LISTEN_FDS": "1"})
        client = place.attach("one")
        client.ask("x=kept")
        for _ in range(2):
            assert upgrade(place).startswith(f"{SAME}: 1 session, 1 client")
        assert client.ask("echo $x") == "kept\n"
        assert place.log_text().count("using systemd activation socket") == 1
        assert place.stop() == 0
        assert place.socket.exists()
        assert not place.events_socket.exists()
    place.socket.unlink()


@pytest.mark.parametrize("in_memory", [True, False])
def test_places_that_cannot_be_written_to_hinder_nobody(place: Place, in_memory: bool) -> None:
    old = Copy(place)
    if not in_memory:
        old.change("daemon/rehearsal.py", "os.memfd_create(", "os.memfd_created(")
    place.start(env=old.env)
    client = place.attach("one")
    client.ask("x=kept")
    mark = place.runtime / "another"
    mark.mkdir()
    mark.rmdir()
    assert upgrade(place, env=old.env).startswith(SAME)
    assert sorted(path.name for path in place.runtime.iterdir()) == [
        *("daemon.lock", "events.socket", "sessions", "shpool.socket"),
    ]
    place.runtime.rename(place.scratch / "away")
    done = place.run("upgrade", env=old.env)
    assert done.status == 0
    assert client.ask("echo $x") == "kept\n"
    shutil.rmtree(place.scratch / "away")
