"""shpool as one file: however it is run, it starts a daemon of itself, and leaves nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from shpool import pack
from tests.e2e.harness import DEADLINE, Place, Result, eventually
from tests.packing import packed
from tests.programs import need


def one_file(path: Path, *, compiled: bool = False) -> Path:
    path.parent.mkdir(exist_ok=True)
    pack.write(str(path), packed(compiled=compiled))
    return path


def run(place: Place, *words: str | Path, cwd: Path | str = "/") -> Result:
    done = subprocess.run(
        [str(word) for word in words],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env={name: value for name, value in place.env.items() if name != "PYTHONPATH"},
        cwd=cwd,
        timeout=DEADLINE,
        check=False,
    )
    return Result(done.returncode, done.stdout.decode(), done.stderr.decode())


def words_of(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/cmdline").read_text().rstrip("\0").split("\0")


@pytest.mark.parametrize("way", ["path", "here", "spaces", "link", "python", "relative", "name"])
def test_however_it_is_run_it_starts_a_daemon_of_itself(place: Place, way: str) -> None:
    need("python3")
    folder = place.scratch / ("a place with spaces" if way == "spaces" else "bin")
    file = one_file(folder / ("sp" if way == "name" else "shpool"))
    link = place.scratch / "link"
    link.symlink_to(file)
    ways: dict[str, list[str | Path]] = {
        "here": ["./shpool"],
        "link": [link],
        "python": [sys.executable, file],
        "relative": [sys.executable, "shpool"],
    }
    program = ways.get(way, [file])
    assert run(place, *program, "attach", "-b", "-c", "sleep 1000", "one", cwd=folder) == (
        *(0, "", ""),
    )
    words = words_of(place.autodaemon())
    assert words[1:] == ["-I", "-S", str(file), "--socket", str(place.socket), "daemon"]
    place.socket.unlink()  # what one file is called is no matter to who looks for a daemon
    assert run(place, *program, "list", "--short", cwd=folder) == (0, "one\n", "")
    assert run(place, *program, "stop", "--yes", cwd=folder) == (0, "", "")
    assert os.listdir(folder) == [file.name]
    assert not (place.home / ".cache").exists()


def test_a_daemon_in_the_foreground_is_found_whatever_its_file_is_called(place: Place) -> None:
    need("python3")
    file = one_file(place.scratch / "sp")
    with open(place.log, "ab") as log:
        place.daemon = subprocess.Popen([file, "daemon"], env=place.env, stderr=log, cwd="/")
    eventually(place.answers, "the daemon answers")
    place.raw_session("one")
    place.socket.unlink()
    assert place.run("list", "--short") == (0, "one\n", "")


@pytest.mark.parametrize("compiled", [False, True])
def test_a_session_of_one_file(place: Place, compiled: bool) -> None:
    file = one_file(place.scratch / "shpool", compiled=compiled)
    client = place.program([sys.executable, str(file), "attach", "main"])
    assert client.ask("echo in") == "in\n"
    client.send("\x00\x11")
    assert client.wait() == 0
    again = place.program([sys.executable, str(file), "attach", "main"])
    assert again.ask("echo again") == "again\n"
    assert run(place, sys.executable, file, "stop", "--yes") == (0, "", "")
    assert again.wait() == 1


def test_from_a_file_system_that_is_read_only(place: Place) -> None:
    need("unshare")
    mapped = [] if os.getuid() == 0 else ["--map-root-user"]
    folder = place.scratch / "bin"
    one_file(folder / "shpool")
    script = (
        f'mount --bind "{folder}" "{folder}" && mount -o remount,bind,ro "{folder}" || exit 99\n'
        f'"{folder}/shpool" attach -b -c "sleep 1000" one && "{folder}/shpool" list --short &&'
        f'"{folder}/shpool" stop --yes'
    )
    done = run(place, need("unshare"), "--mount", *mapped, "sh", "-c", script)
    if done.status == 99 or "unshare" in done.err:
        pytest.skip(f"a mount namespace is not to be had: {done.err}")
    assert done == (0, "one\n", "")
