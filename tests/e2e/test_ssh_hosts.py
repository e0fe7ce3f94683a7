"""shpool ssh to hosts that lack something, or have something else than is expected."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from shpool import __version__
from shpool.client.ssh.package import Package
from shpool.protocol.msgpack import pack
from shpool.protocol.replies import Attachment, SessionRow, list_reply
from tests.e2e.harness import CHECKOUT, DETACH, Place, eventually
from tests.e2e.test_original import BUSY, GET_VARS, NO_VARS, Daemon, attach, data, exited
from tests.e2e.test_ssh import LOST, There
from tests.in_tmp import IN_TMP, clear, stays
from tests.programs import lacking, need
from tests.pythons import installed

ATTACHED = b"\x81\xa6status\x81\xa8Attached\x81\xa8warnings\x90"


@pytest.fixture
def bare(place: Place) -> Iterator[There]:
    """A host where nothing of ours is."""
    with stays():
        yield from _host(place)


@pytest.fixture
def taken(place: Place) -> Iterator[There]:
    """One that may have it in /tmp, which is the same in all tests."""
    with stays(taken=True):
        yield from _host(place)


def _host(place: Place) -> Iterator[There]:
    yield There(place)
    if place.answers():
        assert place.run("stop", "--yes").status == 0


@pytest.fixture
def there(bare: There) -> There:
    bare.have()
    return bare


def only(there: There, *programs: str) -> Path:
    """A PATH there with nothing on it but these and what any system has."""
    folder = there.place.scratch / "bin"
    folder.mkdir()
    for name in ("sh", "od", "id", "ls", "printf", *programs):
        (folder / name).symlink_to(need(name))
    there.env["PATH"] = str(folder)
    there.write()
    return folder


def test_one_with_python_3_9_alone(bare: There) -> None:
    there = bare
    found = installed()
    if (3, 9) not in found:
        lacking("Python 3.9 is not installed")
    folder = only(there, "infocmp", "tic")
    (folder / "python3.9").symlink_to(found[3, 9])
    if (3, 6) in found:
        (folder / "python3").symlink_to(found[3, 6])
    client = there.ssh()
    client.expect(r"\$ ")
    assert client.ask("echo in $SHPOOL_SESSION_NAME") == "in main\n"
    there.lose()
    client.expect(LOST)
    client.expect(r"\$ ")
    client.send(DETACH)
    assert client.wait() == 0
    assert any(name.endswith("-cpython-39.pyz") for name in there.files())
    words = Path(f"/proc/{there.place.autodaemon()}/cmdline").read_text()
    assert "-cpython-39.pyz" in words


def test_one_without_python(bare: There) -> None:
    there = bare
    only(there)
    for _ in range(2):
        client = there.ssh()
        assert client.wait() == 1
        assert "there is no Python of 3.9 or later here, and no shpool: found none" in client.text()
    assert len(there.log) == 3  # it is noted that nothing can be run there
    assert there.files() == []


def test_one_whose_home_cannot_be_written(taken: There) -> None:
    there = taken
    there.env["XDG_CACHE_HOME"] = "/proc/none"
    there.write()
    name = Package().name
    try:
        for word in ("one", "two"):
            client = there.ssh()
            client.expect(r"\$ ")
            assert client.ask(f"echo {word}") == f"{word}\n"
            client.send(DETACH)
            assert client.wait() == 0
        assert IN_TMP.stat().st_mode & 0o777 == 0o700
        assert len(there.log) == 3
        assert f"{IN_TMP}/{name}" in Path(f"/proc/{there.place.autodaemon()}/cmdline").read_text()
    finally:
        clear(name)


@pytest.mark.parametrize("shell", ["fish", "tcsh", "bsd-csh", "zsh"])
def test_one_where_the_account_has_another_shell(there: There, shell: str) -> None:
    there.shell = [need(shell)]
    there.write()
    client = there.ssh("there", "--cmd", "sh -c 'echo \"it'\\''s $TERM\"; read word; exit 9'")
    client.expect("it's xterm\r\n")
    client.send("\r")
    assert client.wait() == 9


def test_one_with_a_daemon_of_another_version(there: There, tmp_path: Path) -> None:
    shutil.copytree(
        CHECKOUT / "shpool", tmp_path / "shpool", ignore=shutil.ignore_patterns("__pycache__")
    )
    init = tmp_path / "shpool/__init__.py"
    init.write_text(init.read_text().replace(f'"{__version__}"', '"0.1.9"'))
    there.place.start(env={"PYTHONPATH": str(tmp_path)})
    client = there.ssh()
    told = client.expect(r"shpool: the daemon here is shpool-py 0\.1\.9; to have .*upgrade\r+\n")
    file = there.cache / f"{Package().name}-{sys.implementation.cache_tag}.pyz"
    assert f"to have {__version__} in its place" in told.group().decode()
    assert re.search(rf" /\S*python\S* {file} upgrade", told.group().decode())
    client.expect(r"\$ ")
    assert client.ask("echo in") == "in\n"
    there.lose()
    client.expect(LOST)
    client.expect(r"\$ ")
    assert client.output.count(b"the daemon here is") == 1
    assert client.output.count(b"upgrade") == 1
    client.send("exit\n")
    assert client.wait() == 0
    there.place.stop()


def test_one_with_the_originals_daemon(there: There) -> None:
    """Who is attached cannot be told to be us: for a while it is waited for that it goes."""
    original = Daemon(there.place)
    try:
        client = there.ssh()
        original.answer(GET_VARS, NO_VARS)
        link = original.attached("main")
        link.send(data(b"first"))
        client.expect("first")
        there.lose()
        client.expect(LOST)
        listed = pack_list()
        for reply in (BUSY, ATTACHED):
            original.answer(GET_VARS, NO_VARS)
            again = original.accept()
            original.answer(b"\xa4List", listed)
            again.expect(attach("main", "main", there.place))
            again.send(reply)
            if reply == BUSY:
                again.close()
                client.expect(LOST)
                client.send("\r")
        again.send(data(b"second"))
        client.expect("second")
        again.send(exited(5))
        assert client.wait() == 5
        assert b"already has a terminal" not in client.output
    finally:
        original.close()


def pack_list() -> bytes:
    """A List reply with one session, somebody attached to it."""
    return pack(list_reply([SessionRow("main", 1, 1, None, [Attachment("main", 1)])]))


def test_one_with_a_shpool_of_its_own(bare: There) -> None:
    there = bare
    program = there.place.scratch / "my shpool"
    words = " ".join(there.place.command())
    program.write_text(f'#!/bin/sh\nPYTHONPATH={CHECKOUT} exec {words} "$@"\n')
    program.chmod(0o755)
    client = there.ssh("there", "--remote", str(program))
    client.expect(r"\$ ")
    assert client.ask("echo in") == "in\n"
    there.lose()
    client.expect(LOST)
    client.expect(r"\$ ")
    client.send("exit 8\n")
    assert client.wait() == 8
    assert there.files() == []
    eventually(lambda: all("-t" in options for options, _, _ in there.log))
