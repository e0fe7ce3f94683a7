"""Where a daemon has its files: other users' plants, other daemons, and no room for it."""

from __future__ import annotations

import fcntl
import os
import re
import select
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.harness import CHECKOUT, DEADLINE, Place, eventually
from tests.e2e.waiting import LOOK
from tests.programs import as_root, need, no_namespace

STRANGER = 65_534


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def is_refused(place: Place, reason: str, *words: str) -> None:
    """No daemon is started, for this reason, which is told; it does not even take a second try."""
    done = place.run(*words, "list")
    assert done == (1, "", f"shpool: cannot start a daemon: {reason}\n")
    assert place.processes() == {}


# ---- what others have planted


@pytest.fixture
def precious(place: Place) -> Path:
    """A directory of ours, in which somebody wants to have something done."""
    path = place.scratch / "precious"
    (path / "sessions" / "one").mkdir(parents=True)
    (path / "sessions" / "one" / "file").write_text("precious")
    path.chmod(0o755)
    return path


def assert_untouched(precious: Path) -> None:
    assert mode(precious) == 0o755
    assert sorted(path.name for path in precious.rglob("*")) == ["file", "one", "sessions"]


@as_root
def test_a_link_in_somebody_elses_runtime_directory_is_not_followed(
    place: Place, precious: Path
) -> None:
    """What `sudo -E shpool list` meets."""
    place.runtime.symlink_to(precious)
    os.lchown(place.runtime, STRANGER, STRANGER)
    os.chown(place.xdg_runtime, STRANGER, STRANGER)
    is_refused(
        place,
        f"{place.xdg_runtime} belongs to uid {STRANGER}: "
        "set XDG_RUNTIME_DIR to a directory of your own",
    )
    assert_untouched(precious)
    place.runtime.unlink()


def test_a_link_is_not_followed_in_our_own_runtime_directory_either(
    place: Place, precious: Path
) -> None:
    place.runtime.symlink_to(precious)
    is_refused(place, f"{place.runtime} is a link, which is not followed")
    assert_untouched(precious)
    place.runtime.unlink()


def test_session_files_are_not_looked_for_behind_a_link(place: Place, precious: Path) -> None:
    place.runtime.mkdir(0o700)
    (place.runtime / "sessions").symlink_to(precious / "sessions")
    is_refused(place, f"{place.runtime}/sessions is a link, which is not followed")
    assert_untouched(precious)
    (place.runtime / "sessions").unlink()


@as_root
def test_a_runtime_directory_of_somebody_elses_is_left_as_it_is(place: Place) -> None:
    place.runtime.mkdir(0o755)
    place.runtime.chmod(0o755)
    os.chown(place.runtime, STRANGER, STRANGER)
    is_refused(place, f"{place.runtime} belongs to uid {STRANGER}")
    assert mode(place.runtime) == 0o755
    assert list(place.runtime.iterdir()) == []


@as_root
def test_nothing_is_made_in_somebody_elses_home(place: Place) -> None:
    del place.env["XDG_RUNTIME_DIR"]
    os.chown(place.home, STRANGER, STRANGER)
    is_refused(
        place,
        f"{place.home} belongs to uid {STRANGER}: set XDG_RUNTIME_DIR to a directory of your own",
    )
    assert not (place.home / ".local").exists()


@as_root
def test_no_cache_is_made_in_somebody_elses_home(place: Place) -> None:
    copy = place.scratch / "shpool"
    shutil.copytree(CHECKOUT / "shpool", copy, ignore=shutil.ignore_patterns("__pycache__"))
    os.chown(place.home, STRANGER, STRANGER)
    words = [need("unshare"), "--mount", "sh", "-c", 'mount --bind -o ro "$0" "$0" && exec "$@"']
    done = subprocess.run(
        [*words, str(copy), sys.executable, "-IS", str(copy / "__main__.py"), "version"],
        env=place.env,
        capture_output=True,
        check=False,
    )
    if b"mount:" in done.stderr:
        pytest.skip("a mount namespace is not to be had")
    assert (done.returncode, done.stderr) == (0, b"")
    assert not (place.home / ".cache").exists()


PLANTED = ["daemonized-shpool.log", "daemonized-shpool.pid"]


@pytest.fixture
def shared(place: Place) -> Path:
    """A directory that everybody may write to, as /tmp."""
    path = place.root / "t"
    path.mkdir()
    path.chmod(0o1777)
    return path


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_link_beside_the_socket_is_not_written_through(
    place: Place, shared: Path, precious: Path, name: str
) -> None:
    target = precious / "sessions" / "one" / "file"
    target.chmod(0o644)
    (shared / name).symlink_to(target)
    words = ("-s", str(shared / "a"))
    done = place.run(*words, "list")
    what = "log" if "log" in name else "pid file"
    assert done == (
        0,
        "NAME\tSTATUS\n",
        f"shpool: warn: {shared / name} is a link, which is not followed: "
        f"this daemon is without a {what}\n",
    )
    end(place, shared / "a")
    assert (target.read_text(), mode(target)) == ("precious", 0o644)


@as_root
def test_the_files_of_another_users_daemon_are_left_to_it(place: Place, shared: Path) -> None:
    for name in (*PLANTED, "events.socket"):
        (shared / name).write_text("theirs")
        os.chown(shared / name, STRANGER, STRANGER)
    done = place.run("-s", str(shared / "a"), "list")
    assert (done.status, done.out) == (0, "NAME\tSTATUS\n")
    assert done.err == (
        f"shpool: warn: {shared} has another daemon already: "
        "this one is without events, pid file and log\n"
    )
    end(place, shared / "a")
    for name in (*PLANTED, "events.socket"):
        assert (shared / name).read_text() == "theirs"


def test_nobodys_lock_on_the_directory_holds_a_daemon_up(place: Place, shared: Path) -> None:
    lock = os.open(shared, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert place.run("-s", str(shared / "a"), "list").status == 0
        end(place, shared / "a")
    finally:
        os.close(lock)


def daemon_of(place: Place, socket: Path) -> int:
    wanted = f" --socket {socket} daemon"
    (pid,) = [pid for pid, words in place.processes().items() if words.rstrip().endswith(wanted)]
    return pid


def end(place: Place, socket: Path) -> None:
    pid = daemon_of(place, socket)
    os.kill(pid, signal.SIGTERM)
    eventually(lambda: pid not in place.processes(), "the daemon ends")


# ---- two daemons in a directory


@pytest.fixture
def two(place: Place, shared: Path) -> Iterator[tuple[Path, Path]]:
    """The sockets of two daemons; the second was started second, and has said so."""
    first, second = shared / "a", shared / "b"
    assert place.run("-s", str(first), "attach", "-b", "one") == (0, "", "")
    assert place.run("-s", str(second), "attach", "-b", "two") == (
        0,
        "",
        f"shpool: warn: {shared} has another daemon already (pid {daemon_of(place, first)}): "
        "this one is without events, pid file and log\n",
    )
    yield first, second
    for socket in (first, second):
        if socket.exists():
            end(place, socket)


def test_each_of_two_daemons_has_its_sessions(place: Place, two: tuple[Path, Path]) -> None:
    first, second = two
    assert place.run("-s", str(first), "list").out == "NAME\tSTATUS\none\tdisconnected\n"
    assert place.run("-s", str(second), "list").out == "NAME\tSTATUS\ntwo\tdisconnected\n"
    assert place.autodaemon(first.parent) == daemon_of(place, first)


def test_events_are_not_those_of_the_other_daemon(place: Place, two: tuple[Path, Path]) -> None:
    first, second = two
    directory = first.parent
    assert place.run("-s", str(second), "events") == (
        1,
        "",
        f"shpool: the events socket in {directory} is another daemon's "
        f"(pid {daemon_of(place, first)})\n",
    )
    follower = place.popen("-s", str(first), "events")
    kill = ("kill", "one")
    eventually(lambda: place_subscribers(directory) == 1, "it follows")
    assert place.run("-s", str(first), *kill).status == 0
    assert follower.stdout is not None
    assert follower.stdout.readline() == b'{"type":"session.removed"}\n'


def place_subscribers(directory: Path) -> int:
    table = Path("/proc/net/unix").read_text()
    return len(re.findall(rf" 03 .* {directory}/events.socket$", table, re.MULTILINE))


def test_the_end_of_the_second_leaves_what_is_the_firsts(
    place: Place, two: tuple[Path, Path]
) -> None:
    first, second = two
    end(place, second)
    assert not second.exists()
    assert sorted(path.name for path in first.parent.iterdir()) == sorted(
        [*PLANTED, "a", "events.socket"]
    )
    follower = place.popen("-s", str(first), "events")
    eventually(lambda: place_subscribers(first.parent) == 1, "it follows")
    follower.kill()


def test_the_second_takes_over_what_the_first_has_left(
    place: Place, two: tuple[Path, Path]
) -> None:
    first, second = two
    end(place, first)
    follower = place.popen("-s", str(second), "events")

    def heard() -> bool:
        # Not by its connections: one of them only looks whether anybody listens again.
        place.run("-s", str(second), "attach", "-b", "two")
        return bool(select.select([follower.stdout or 0], [], [], LOOK)[0])

    eventually(heard, "it follows")
    assert place.autodaemon(first.parent) == daemon_of(place, second)
    end(place, second)
    assert follower.wait(DEADLINE) == 0
    assert [path.name for path in first.parent.iterdir()] == ["daemonized-shpool.log"]


def test_nothing_is_left_of_a_socket_that_was_elsewhere(place: Place, shared: Path) -> None:
    assert place.run("-s", str(shared / "a"), "attach", "-b", "one").status == 0
    assert len(list(place.runtime.iterdir())) == 1
    end(place, shared / "a")
    assert list(place.runtime.iterdir()) == []


# ---- why there is no daemon


def test_a_bad_configuration_is_told_at_once(place: Place) -> None:
    place.config_file.write_text("shell = [")
    done = place.run("list")
    assert (done.status, done.out) == (1, "")
    assert str(place.config_file) in done.err
    assert done.err.count("\n") == 1


def mounted(place: Place, how: str) -> None:
    """Have commands run with `how`, a mount command, done before in a namespace of their own."""
    place.wrapper = [need("unshare"), "--mount", "sh", "-c", f'{how} && exec "$@"', "sh"]
    if subprocess.run([*place.wrapper, "true"], check=False).returncode:
        no_namespace()


def test_a_read_only_home_is_told_at_once(place: Place) -> None:
    del place.env["XDG_RUNTIME_DIR"]
    home = place.home
    mounted(place, f"mount --bind {home} {home} && mount -o remount,ro,bind {home}")
    said = f"cannot make {home}/.local: Read-only file system"
    is_refused(place, f"{said}; set XDG_RUNTIME_DIR to a directory of your own")


@pytest.mark.parametrize("nodes", [2, 3, 4, 5])
def test_a_full_disk_is_told_at_once(place: Place, nodes: int) -> None:
    """Full at one point or another: it is inodes that are short here."""
    mounted(place, f"mount -t tmpfs -o nr_inodes={nodes} none {place.xdg_runtime}")
    done = place.run("list")
    assert (done.status, done.out) == (1, "")
    assert re.fullmatch(
        r"shpool: cannot start a daemon: cannot (make|listen at) /.*: No space left on device\n",
        done.err,
    )


def test_a_disk_without_a_byte_left_is_told_at_once(place: Place) -> None:
    directory = place.xdg_runtime
    mounted(
        place,
        f"mount -t tmpfs -o size=4k none {directory} && mkdir -m 700 {directory}/shpool "
        f"&& echo full > {directory}/full",
    )
    is_refused(place, f"cannot write {place.runtime}/daemon.lock: No space left on device")


def test_a_program_that_cannot_be_run_is_told_at_once(place: Place) -> None:
    """The interpreter was removed, say by an upgrade, while a client of the old one ran."""
    code = (
        "import sys; sys.executable = '/nowhere/python'; from shpool.cli import main; "
        "sys.exit(main(['list']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=place.env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (
        1,
        "",
        "shpool: cannot start a daemon: cannot run /nowhere/python: No such file or directory\n",
    )
