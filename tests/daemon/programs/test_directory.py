import os
import pathlib
import stat

import pytest

from shpool.daemon.programs.directory import SessionDir
from tests.daemon.conftest import LogLines


@pytest.fixture
def directory(tmp_path: pathlib.Path) -> SessionDir:
    directory = SessionDir(str(tmp_path), "one")
    directory.create()
    return directory


def mode(path: "str | pathlib.Path") -> int:
    return stat.S_IMODE(os.lstat(path).st_mode)


def test_it_stands_below_sessions_and_is_its_owners_alone(tmp_path: pathlib.Path) -> None:
    before = os.umask(0o077)  # the daemon's
    try:
        directory = SessionDir(str(tmp_path), "one")
        directory.create()
    finally:
        os.umask(before)
    assert directory.path == str(tmp_path / "sessions" / "one")
    assert mode(directory.path) == 0o700
    assert os.listdir(directory.path) == []


def test_nothing_of_a_daemon_that_was_killed_is_left_in_it(tmp_path: pathlib.Path) -> None:
    left = tmp_path / "sessions" / "one"
    (left / "folder" / "deeper").mkdir(parents=True)
    (left / "folder" / "file").write_text("old")
    (left / "link").symlink_to("/nowhere")
    (left / "folder" / "link to a folder").symlink_to(tmp_path)
    other = tmp_path / "sessions" / "two"
    other.mkdir()
    SessionDir(str(tmp_path), "one").create()
    assert list(left.iterdir()) == []
    assert other.is_dir()


def test_a_file_is_replaced_in_one_step_and_readable_by_its_owner_alone(
    directory: SessionDir,
) -> None:
    path = pathlib.Path(directory.path, "forward.env")
    directory.write("forward.env", b"TERM=old\n")
    with path.open("rb") as reader:
        directory.write("forward.env", b"TERM=new\n")
        assert reader.read() == b"TERM=old\n"
    assert path.read_bytes() == b"TERM=new\n"
    assert mode(path) == 0o600
    assert os.listdir(directory.path) == ["forward.env"]


def test_a_file_that_cannot_be_replaced_leaves_no_half_behind(directory: SessionDir) -> None:
    os.mkdir(os.path.join(directory.path, "forward.env"))
    with pytest.raises(OSError, match="Is a directory"):
        directory.write("forward.env", b"TERM=x\n")
    assert os.listdir(directory.path) == ["forward.env"]


def test_the_agent_link_points_at_the_latest_agent(directory: SessionDir) -> None:
    for agent in ("/tmp/agent-1", "/tmp/agent-2", "/tmp/agent-2"):
        directory.link_agent(agent)
        assert os.readlink(directory.agent_link) == agent
    assert os.path.basename(directory.agent_link) == "ssh-auth-sock.socket"
    assert os.listdir(directory.path) == ["ssh-auth-sock.socket"]


def test_a_half_made_agent_link_is_no_obstacle(directory: SessionDir) -> None:
    os.symlink("/tmp/agent-0", directory.agent_link + ".new")
    directory.link_agent("/tmp/agent-1")
    assert os.readlink(directory.agent_link) == "/tmp/agent-1"
    assert os.listdir(directory.path) == ["ssh-auth-sock.socket"]


def test_it_goes_with_all_that_is_in_it(
    directory: SessionDir, tmp_path: pathlib.Path, log: LogLines
) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "file").write_text("kept")
    directory.write("forward.env", b"")
    directory.link_agent("/tmp/agent")
    os.symlink(precious, os.path.join(directory.path, "link"))
    os.makedirs(os.path.join(directory.path, "made by the user", "deeper"))
    directory.remove()
    assert not os.path.lexists(directory.path)
    assert (precious / "file").read_text() == "kept"
    directory.remove()
    assert log.read() == []


def test_a_link_in_its_place_is_removed_and_not_followed(
    tmp_path: pathlib.Path, log: LogLines
) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "file").write_text("kept")
    (tmp_path / "sessions").mkdir()
    directory = SessionDir(str(tmp_path), "one")
    os.symlink(precious, directory.path)
    directory.create()
    assert (precious / "file").read_text() == "kept"
    assert not os.path.islink(directory.path)
    directory.remove()
    assert log.read() == []


def test_a_file_in_its_place_is_no_obstacle(tmp_path: pathlib.Path) -> None:
    (tmp_path / "sessions").mkdir()
    (tmp_path / "sessions" / "one").write_text("")
    directory = SessionDir(str(tmp_path), "one")
    directory.create()
    assert os.path.isdir(directory.path)
