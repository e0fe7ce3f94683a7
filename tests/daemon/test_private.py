import os
import pathlib
import stat

import pytest

from shpool.daemon.private import (
    LockFile,
    NotOurs,
    PlaceError,
    make_private,
    make_runtime,
    open_private,
    take_within,
)
from shpool.paths import Paths
from tests.programs import as_root

STRANGER = 65_534


def mode(path: pathlib.Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


# ---- directories


def test_a_directory_is_made_its_owners_alone(tmp_path: pathlib.Path) -> None:
    before = os.umask(0)
    try:
        make_private(str(tmp_path / "new"))
    finally:
        os.umask(before)
    assert mode(tmp_path / "new") == 0o700


def test_a_directory_of_ours_that_others_can_enter_is_closed_to_them(
    tmp_path: pathlib.Path,
) -> None:
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    make_private(str(tmp_path / "open"))
    assert mode(tmp_path / "open") == 0o700


@pytest.mark.parametrize("kind", ["link", "dangling link", "file"])
def test_what_is_no_directory_is_not_taken_for_one(tmp_path: pathlib.Path, kind: str) -> None:
    target, path = tmp_path / "target", tmp_path / "shpool"
    target.mkdir(0o755)
    target.chmod(0o755)
    if kind == "link":
        path.symlink_to(target)
    elif kind == "dangling link":
        path.symlink_to(tmp_path / "nothing")
    else:
        path.write_text("")
    with pytest.raises(NotOurs, match="is a link" if "link" in kind else "is something else"):
        make_private(str(path))
    assert mode(target) == 0o755
    assert not (tmp_path / "nothing").exists()


@as_root
def test_a_directory_of_somebody_elses_is_left_as_it_is(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "shpool"
    path.mkdir(0o755)
    path.chmod(0o755)
    os.chown(path, STRANGER, STRANGER)
    with pytest.raises(NotOurs, match=rf"^{path} belongs to uid {STRANGER}$"):
        make_private(str(path))
    assert mode(path) == 0o755


def test_a_runtime_directory_that_was_removed_with_all_above_it_is_made_again(
    tmp_path: pathlib.Path,
) -> None:
    base = tmp_path / "run" / "7"
    make_runtime(Paths({"XDG_RUNTIME_DIR": str(base)}))
    assert (mode(base), mode(base / "shpool")) == (0o700, 0o700)


def test_what_leads_to_where_nothing_can_be_made_is_named(tmp_path: pathlib.Path) -> None:
    (tmp_path / "file").touch()
    said = f"cannot make {tmp_path}/file/7: Not a directory; "
    with pytest.raises(PlaceError, match=f"^{said}XDG_RUNTIME_DIR leads there: log in anew, or "):
        make_runtime(Paths({"XDG_RUNTIME_DIR": f"{tmp_path}/file/7"}))
    with pytest.raises(PlaceError, match=r"; set XDG_RUNTIME_DIR to a directory of your own$"):
        make_runtime(Paths({"HOME": f"{tmp_path}/file"}))


@as_root
@pytest.mark.parametrize("link", [False, True])
def test_nothing_is_made_in_the_runtime_directory_of_somebody_else(
    tmp_path: pathlib.Path, link: bool
) -> None:
    base = tmp_path / "base"
    if link:
        base.symlink_to("/")
        os.lchown(base, STRANGER, STRANGER)
    else:
        base.mkdir()
        os.chown(base, STRANGER, STRANGER)
    with pytest.raises(PlaceError, match=rf"^{base} belongs to uid {STRANGER}: set XDG_RUNTIME"):
        make_runtime(Paths({"XDG_RUNTIME_DIR": str(base)}))
    assert not (base / "shpool").exists()


@as_root
def test_nothing_is_made_in_the_home_of_somebody_else(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.chown(tmp_path, STRANGER, STRANGER)
    paths = Paths({"HOME": str(tmp_path)})
    with pytest.raises(PlaceError, match=rf"^{tmp_path} belongs to uid {STRANGER}"):
        make_runtime(paths)
    assert list(tmp_path.iterdir()) == []
    # A container may have the home of a user of the host mounted as its root's.
    home = type("Passwd", (), {"pw_dir": str(tmp_path)})
    monkeypatch.setattr("shpool.daemon.private.pwd.getpwuid", lambda uid: home)
    make_runtime(paths)
    assert mode(tmp_path / ".local/run/shpool") == 0o700


# ---- files


def test_a_file_is_made_its_owners_alone(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "log"
    path.write_text("old")
    path.chmod(0o666)
    os.close(open_private(str(path), os.O_WRONLY | os.O_APPEND))
    assert (mode(path), path.read_text()) == (0o600, "old")


@pytest.mark.parametrize("kind", ["link", "second name", "fifo", "directory"])
def test_a_planted_file_is_not_opened(tmp_path: pathlib.Path, kind: str) -> None:
    precious, path = tmp_path / "precious", tmp_path / "log"
    precious.write_text("precious")
    precious.chmod(0o644)
    if kind == "link":
        path.symlink_to(precious)
    elif kind == "second name":
        os.link(precious, path)
    elif kind == "fifo":
        os.mkfifo(path)
    else:
        path.mkdir()
    with pytest.raises(NotOurs):
        open_private(str(path), os.O_WRONLY | os.O_APPEND)
    assert (precious.read_text(), mode(precious)) == ("precious", 0o644)


@as_root
def test_a_file_of_somebody_elses_is_not_opened(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "log"
    path.write_text("")
    os.chown(path, STRANGER, STRANGER)
    before = os.listdir("/proc/self/fd")
    with pytest.raises(NotOurs, match=f"belongs to uid {STRANGER}"):
        open_private(str(path), os.O_WRONLY)
    assert os.listdir("/proc/self/fd") == before


def test_a_file_that_cannot_be_made_is_an_error_that_names_it(tmp_path: pathlib.Path) -> None:
    with pytest.raises(PlaceError, match=r"^cannot make .*/absent/log: No such file"):
        open_private(str(tmp_path / "absent" / "log"), os.O_WRONLY)


# ---- locks


def lock_of(tmp_path: pathlib.Path, content: str = "7 here\n") -> LockFile:
    return LockFile(str(tmp_path / "lock"), content)


def test_one_holds_a_lock_and_the_next_learns_who(tmp_path: pathlib.Path) -> None:
    first, second = lock_of(tmp_path, "7 here\n"), lock_of(tmp_path, "8 there\n")
    assert first.take()
    assert not second.take()
    assert second.holder == "7 here"
    first.unlink()
    assert not (tmp_path / "lock").exists()
    assert second.take(), "a lock on a file that is gone keeps nobody out"
    assert (tmp_path / "lock").read_text() == "8 there\n"
    first.close()
    second.close()


def test_what_a_longer_lived_holder_wrote_is_not_left_in_it(tmp_path: pathlib.Path) -> None:
    (tmp_path / "lock").write_text("123456789 a-long-name\n")
    lock = lock_of(tmp_path, "8 b\n")
    assert lock.take()
    assert (tmp_path / "lock").read_text() == "8 b\n"
    lock.close()


def test_somebody_elses_file_is_not_removed(tmp_path: pathlib.Path) -> None:
    lock = lock_of(tmp_path)
    assert lock.take()
    (tmp_path / "lock").unlink()
    (tmp_path / "lock").write_text("another one's")
    assert not lock.stands()
    lock.unlink()
    assert (tmp_path / "lock").read_text() == "another one's"
    lock.close()


def test_a_lock_is_waited_for_as_long_as_it_pays(tmp_path: pathlib.Path) -> None:
    first, second = lock_of(tmp_path), lock_of(tmp_path)
    assert first.take()
    looks: list[bool] = []

    def meanwhile() -> None:
        looks.append(True)
        if len(looks) == 3:
            first.close()

    assert take_within(second, 10.0, meanwhile)
    assert len(looks) == 3
    third = lock_of(tmp_path)
    assert not take_within(third, 0.0)
    second.close()
