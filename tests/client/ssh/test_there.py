"""What is run there at a copy: whole or not at all, in a private place, and what is left of it."""

from __future__ import annotations

import errno
import hashlib
import os
import subprocess
import sys
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace

import pytest

from shpool import pack
from shpool.client.ssh import there
from shpool.client.ssh.marks import Marks
from shpool.client.ssh.package import THERE
from shpool.program import package
from tests.in_tmp import IN_TMP, clear, stays
from tests.programs import need

NAME = "shpool-9.9.9-abc"
SOURCE = (Path(package()).parent / THERE).read_text()

# Stands for the package: it has what is asked of it.
SMALL = pack.packed(
    {
        "shpool/__init__.py": b"",
        "shpool/pack.py": b"def sources():\n    return {}\n"
        b"def packed(sources, compiled):\n    return b'compiled'\n",
    },
    compiled=False,
)


class Host:
    def __init__(self, root: Path) -> None:
        self.home = root / "home"
        self.home.mkdir()
        self.cache = self.home / ".cache/shpool"
        self.env = {"HOME": str(self.home), "PATH": "/usr/bin:/bin"}

    def run(
        self,
        data: bytes = SMALL,
        *,
        sent: bytes | None = None,
        name: str = NAME,
        term: str = "",
        description: str = "",
    ) -> list[str]:
        """What is told when `sent` comes in place of `data`."""
        digest = hashlib.sha256(data).hexdigest()
        wanted = ("t0", name, len(data), digest, term, description)
        done = subprocess.run(
            [sys.executable, "-IS", "-c", f"{SOURCE}\nmain{wanted!a}\n"],
            input=data if sent is None else sent,
            capture_output=True,
            env=self.env,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, b"")
        words = Marks("t0").feed(done.stdout)
        return [word if isinstance(word, str) else repr(word) for word in words]

    def failure(self, **how: bytes) -> str:
        """Why it failed, once it had asked for the file or before."""
        kind, _, reason = self.run(**how)[-1].partition(";")  # type: ignore[arg-type]
        assert kind == "failed"
        return bytes.fromhex(reason).decode()

    def files(self) -> list[str]:
        return sorted(os.listdir(self.cache))


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


TAG = sys.implementation.cache_tag
ALL = [f"{NAME}-{TAG}.pyz", f"{NAME}.python", f"{NAME}.pyz"]


def test_it_is_taken_in_once_and_compiled(host: Host) -> None:
    assert host.run() == ["want", "done;1"]
    assert host.files() == sorted(ALL)
    assert (host.cache / f"{NAME}.pyz").read_bytes() == SMALL
    assert (host.cache / f"{NAME}-{TAG}.pyz").read_bytes() == b"compiled"
    python = (host.cache / f"{NAME}.python").read_text().rstrip("\n")
    assert os.path.samefile(python, sys.executable)
    assert host.cache.stat().st_mode & 0o777 == 0o700
    assert host.run(sent=b"") == ["done;1"]


def test_what_is_cut_off_is_never_there(host: Host) -> None:
    for size in (0, 1, len(SMALL) - 1):
        said = host.failure(sent=SMALL[:size])
        assert said == f"only {size} of {len(SMALL)} bytes came"
        assert host.files() == []


def test_what_is_not_what_was_sent_is_never_there(host: Host) -> None:
    assert host.failure(sent=SMALL[:-1] + b"x") == "what came is not what was sent"
    assert host.files() == []


def test_what_comes_behind_it_is_left_alone(host: Host) -> None:
    assert host.run(sent=SMALL + b"more") == ["want", "done;1"]
    assert (host.cache / f"{NAME}.pyz").read_bytes() == SMALL


def test_one_that_is_broken_is_made_anew(host: Host) -> None:
    host.run()
    (host.cache / f"{NAME}.pyz").write_bytes(SMALL[:-5])
    assert host.run() == ["want", "done;1"]
    assert (host.cache / f"{NAME}.pyz").read_bytes() == SMALL


def test_one_that_cannot_be_compiled_is_there_all_the_same(host: Host) -> None:
    assert host.run(b"no zip") == ["want", "done;1"]
    assert host.files() == [f"{NAME}.pyz"]


def test_a_cache_of_the_users_own_is_used(host: Host, tmp_path: Path) -> None:
    host.env["XDG_CACHE_HOME"] = str(tmp_path / "cache")
    host.cache = tmp_path / "cache/shpool"
    assert host.run() == ["want", "done;1"]
    assert host.files() == sorted(ALL)
    assert os.listdir(host.home) == []


@pytest.mark.parametrize("why", ["link", "file"])
def test_where_home_will_not_do_it_is_in_tmp(host: Host, why: str) -> None:
    host.cache.parent.mkdir()
    if why == "link":
        (host.home / "elsewhere").mkdir(mode=0o700)
        host.cache.symlink_to(host.home / "elsewhere")
    else:
        host.cache.write_text("in the way")
    name = f"{NAME}{os.getpid()}"
    with stays(taken=True):
        try:
            assert host.run(name=name) == ["want", "done;1"]
            assert IN_TMP.stat().st_mode & 0o777 == 0o700
            assert (IN_TMP / f"{name}.pyz").read_bytes() == SMALL
        finally:
            clear(name)


def test_where_home_is_full_it_is_in_the_next_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    places = [str(tmp_path / "home"), str(tmp_path / "tmp")]
    usual = there.write

    def write(directory: str, path: str, data: bytes) -> None:
        if directory in full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        usual(directory, path, data)

    def told() -> list[object]:
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=BytesIO(SMALL)))
        there.main("t0", NAME, len(SMALL), hashlib.sha256(SMALL).hexdigest(), "", "")
        return list(Marks("t0").feed(capfdbinary.readouterr().out))

    monkeypatch.setattr(there, "_places", lambda: places)
    monkeypatch.setattr(there, "write", write)
    monkeypatch.setattr(there, "_compile", lambda *given: None)
    full = places
    assert told() == ["want", "failed;" + b"No space left on device".hex()]
    full = places[:1]
    assert told() == ["want", "done;1"]
    assert (tmp_path / "tmp" / f"{NAME}.pyz").read_bytes() == SMALL
    assert told() == ["done;1"]
    assert os.listdir(tmp_path / "home") == []


def test_where_there_is_no_place_at_all_it_is_said(
    host: Host, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    monkeypatch.setattr(there, "private_directory", lambda path: None)
    monkeypatch.setenv("XDG_CACHE_HOME", "/cache")
    there.main("t0", NAME, 1, "", "", "")
    (word,) = Marks("t0").feed(capfdbinary.readouterr().out)
    assert isinstance(word, str)
    said = bytes.fromhex(word.partition(";")[2]).decode()
    assert said == "neither /cache/shpool nor /tmp can have it"


def test_a_directory_that_others_could_read_is_made_private_or_not_used(tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir(mode=0o755)
    assert there.private_directory(str(own)) == str(own)
    assert own.stat().st_mode & 0o777 == 0o700
    link = tmp_path / "link"
    link.symlink_to(own)
    assert there.private_directory(str(link)) is None
    assert there.private_directory(str(tmp_path / "a/b")) == str(tmp_path / "a/b")
    assert there.private_directory("/proc/none/b") is None
    assert there.private_directory(os.path.relpath(own)) is None


def test_in_tmp_what_others_could_have_read_is_not_used() -> None:
    open_to_all = Path(f"{IN_TMP}-{os.getpid()}")
    open_to_all.mkdir(mode=0o755)
    try:
        assert there.private_directory(str(open_to_all)) is None
    finally:
        open_to_all.rmdir()


def test_the_last_two_versions_stay_and_those_that_run(host: Host) -> None:
    host.cache.mkdir(parents=True, mode=0o700)
    for age, version in enumerate(("d", "c", "b", "a")):
        for end in (".pyz", f"-{TAG}.pyz", ".python"):
            file = host.cache / f"shpool-1-{version}{end}"
            file.write_text("")
            os.utime(file, (1000 + age, 1000 + age))
    (host.cache / "other.pyz").write_text("")
    runs = f"{host.cache}/shpool-1-c-{TAG}.pyz"
    daemon = subprocess.Popen([sys.executable, "-c", "input()", runs], stdin=subprocess.PIPE)
    try:
        assert host.run() == ["want", "done;1"]
    finally:
        daemon.communicate(b"\n")
    kept = {"-".join(name.rpartition(".")[0].split("-")[:3]) for name in host.files()}
    assert kept == {NAME, "shpool-1-a", "shpool-1-c", "other"}


def test_what_another_copy_has_removed_meanwhile_is_no_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for age, name in enumerate(("shpool-1-b.pyz", "shpool-1-c.pyz")):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (age, age))
    gone = ["shpool-1-a.pyz", "shpool-1-b-tag.pyz"]
    monkeypatch.setattr(there, "_running", list)
    with monkeypatch.context() as before:
        before.setattr(os, "listdir", lambda path: [*gone, "shpool-1-b.pyz", "shpool-1-c.pyz"])
        there.remove_old(str(tmp_path), NAME)
    assert os.listdir(tmp_path) == ["shpool-1-c.pyz"]


def test_a_terminal_that_is_not_known_there_is_learnt(host: Host) -> None:
    described = subprocess.run(
        [need("infocmp"), "-x", "xterm"], capture_output=True, text=True, check=True
    ).stdout.replace("xterm|", "xterm-of-a-test|", 1)
    term = "xterm-of-a-test"
    assert host.run(term=term) == ["want", "done;0"]
    assert host.run(term=term, description="nonsense") == ["done;0"]
    assert host.run(term=term, description=described) == ["done;1"]
    assert (host.home / ".terminfo/x" / term).exists()
    assert host.run(term=term) == ["done;1"]
    assert host.run(term="xterm") == ["done;1"]


def test_without_programs_the_files_tell_which_terminals_are_known(host: Host) -> None:
    host.env["PATH"] = "/nowhere"
    assert host.run(term="xterm-of-a-test", description="x") == ["want", "done;0"]
    (host.home / ".terminfo/78").mkdir(parents=True)
    (host.home / ".terminfo/78/xterm-of-a-test").write_text("")
    assert host.run(term="xterm-of-a-test") == ["done;1"]
