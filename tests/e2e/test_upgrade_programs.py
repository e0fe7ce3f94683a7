"""The process that is replaced, what it is replaced by, and from where to where that goes."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from shpool import __version__, pack
from tests import packing
from tests.e2e.copies import Copy
from tests.e2e.harness import CHECKOUT, Place, eventually
from tests.e2e.test_systemd import start_with_fd_3
from tests.e2e.upgrades import SAME, upgrade
from tests.programs import lacking
from tests.pythons import FLOOR, installed

# ---- the process


def test_it_is_the_same_process_by_its_name_and_its_words(place: Place) -> None:
    log = place.scratch / "log"
    place.start("-v", "--log-file", str(log), "--config-file", str(place.config_file))
    pid = place.daemon_pid

    def looks() -> list[object]:
        proc = Path(f"/proc/{pid}")
        words = (proc / "cmdline").read_bytes().split(b"\0")
        status = (proc / "status").read_text()
        signals = re.findall("^Sig(?:Blk|Ign|Cgt):.*", status, re.MULTILINE)
        return [words[-7:], (proc / "comm").read_text(), signals, (proc / "cwd").readlink()]

    place.fence()
    before = looks()
    upgrade(place)
    assert looks() == before
    assert place.run("set-log-level", "trace").status == 0
    upgrade(place)
    assert place.run("attach", "-b", "one").status == 0
    # The log goes on in its file, at the level that was asked for last.
    eventually(lambda: re.search("DEBUG connection of pid .* AttachHeader", log.read_text()))
    assert [log.read_text().count(each) for each in ("STARTING", "the upgrade from")] == [1, 2]
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
    newer.change("daemon/state.py", "FORMAT = 1", "FORMAT = 2")
    more = 'more = 7\n    CARRIED = {"more": added(int, 7),'
    newer.change("daemon/sessions/session.py", "CARRIED = {", more)
    newer.change("daemon/sessions/session.py", "Deadline, Life", "Deadline, Life, added")
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
    newer.change("daemon/state.py", "NEEDS = 1", "NEEDS = 2")
    upgrade(place, env=newer.env)
    why = f"the state needs format 2, version {__version__} reads 1\n"
    assert place.run("upgrade").err == f"shpool: not a shpool that can take over: {why}"
    assert client.ask("echo $x") == "kept\n"


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
