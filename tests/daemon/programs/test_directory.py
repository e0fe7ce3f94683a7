import os
import pathlib
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator

import pytest

from shpool.daemon.programs.directory import SessionDir, remove_leftovers
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


def snapshot(path: pathlib.Path) -> "dict[str, str]":
    """What stands below `path`: each file's content, each link's target."""
    return {
        str(found.relative_to(path)): os.readlink(found)
        if found.is_symlink()
        else found.read_text()
        if found.is_file()
        else ""
        for found in path.rglob("*")
    }


def agent_link(directory: SessionDir) -> str:
    return os.path.join(directory.path, "ssh-auth-sock.socket")


def fill(directory: SessionDir) -> None:
    """All that a daemon ever writes there, half-written files included."""
    directory.write_forward_env(b"TERM=x\n")
    directory.link_agent("/tmp/agent")
    for name in ("motd", "start.bash", "start.sh", "start.fish", "zsh/.zshenv"):
        path = pathlib.Path(directory.write(name, b"text"))
        path.with_name(path.name + ".new").write_text("half")
    pathlib.Path(directory.path, "forward.env.new").write_text("half")
    os.symlink("/tmp/agent", agent_link(directory) + ".new")


FOREIGN = ("notes", ".zshrc", "zsh/.zcompdump", "zsh/deeper/file", "folder/forward.env")


def plant(path: pathlib.Path, elsewhere: pathlib.Path) -> "dict[str, str]":
    """Put things of the user's there; what snapshot() is to say of them."""
    for name in FOREIGN:
        file = path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("kept")
    (elsewhere / "forward.env").parent.mkdir(exist_ok=True)
    (elsewhere / "forward.env").write_text("kept")
    (path / "link").symlink_to(elsewhere)
    return snapshot(path)


@pytest.fixture
def elsewhere(tmp_path: pathlib.Path) -> "Iterator[pathlib.Path]":
    """A directory that links point to, and whose content must be there at the end."""
    path = tmp_path / "elsewhere"
    (path / "zsh").mkdir(parents=True)
    for name in ("forward.env", "ssh-auth-sock.socket", "start.bash", "zsh/.zshenv"):
        (path / name).write_text("kept")
    before = snapshot(path)
    yield path
    assert snapshot(path) == before


def test_nothing_of_a_daemon_that_was_killed_is_left_in_it(
    directory: SessionDir, tmp_path: pathlib.Path, log: LogLines
) -> None:
    fill(directory)
    SessionDir(str(tmp_path), "two").create()
    SessionDir(str(tmp_path), "one").create()
    assert os.listdir(directory.path) == []
    assert (tmp_path / "sessions" / "two").is_dir()
    assert log.read() == []


@pytest.mark.parametrize("how", ["create", "remove", "leftovers"])
def test_what_others_put_there_stays_and_what_we_wrote_goes(
    tmp_path: pathlib.Path, elsewhere: pathlib.Path, log: LogLines, how: str
) -> None:
    path = tmp_path / "sessions" / "one"
    path.mkdir(parents=True)
    planted = plant(path, elsewhere)
    directory = SessionDir(str(tmp_path), "one")
    directory.create()
    assert snapshot(path) == planted
    fill(directory)
    if how == "create":
        SessionDir(str(tmp_path), "one").create()
    elif how == "remove":
        directory.remove()
    else:
        remove_leftovers(str(tmp_path))
    assert snapshot(path) == planted
    assert log.read() == []


@pytest.mark.parametrize("name", ["forward.env", "start.bash.new", "zsh/.zshenv"])
def test_a_directory_that_has_the_name_of_a_file_of_ours_stays(
    directory: SessionDir, log: LogLines, name: str
) -> None:
    path = pathlib.Path(directory.path, name)
    path.mkdir(parents=True)
    directory.remove()
    assert path.is_dir()
    assert log.read() == []


def test_leftovers_go_of_every_session_and_of_nothing_else(
    tmp_path: pathlib.Path, elsewhere: pathlib.Path, log: LogLines
) -> None:
    for name in ("one", "two", "..."):
        directory = SessionDir(str(tmp_path), name)
        directory.create()
        fill(directory)
    sessions = tmp_path / "sessions"
    (sessions / "link").symlink_to(elsewhere)
    (sessions / "file").write_text("kept")
    os.mkfifo(sessions / "fifo")
    remove_leftovers(str(tmp_path))
    assert sorted(os.listdir(sessions)) == ["fifo", "file", "link"]
    assert log.read() == []


def test_leftovers_behind_a_link_are_not_ours(
    tmp_path: pathlib.Path, elsewhere: pathlib.Path, log: LogLines
) -> None:
    (elsewhere / "sessions").mkdir()
    inner = tmp_path / "inner"
    inner.mkdir()
    (inner / "sessions").symlink_to(tmp_path)
    remove_leftovers(str(inner))
    assert "Not a directory" in log.read()[0] or "symbolic" in log.read()[0]
    with pytest.raises(OSError, match=r"Not a directory|symbolic"):
        SessionDir(str(inner), "elsewhere").create()
    (elsewhere / "sessions").rmdir()


def test_links_below_the_directory_are_not_followed(
    directory: SessionDir, elsewhere: pathlib.Path, log: LogLines
) -> None:
    os.symlink(elsewhere / "zsh", os.path.join(directory.path, "zsh"))
    os.symlink(elsewhere / "forward.env", os.path.join(directory.path, "forward.env"))
    os.symlink(elsewhere / "start.bash", os.path.join(directory.path, "forward.env.new"))
    with pytest.raises(OSError, match=r"Not a directory|symbolic"):
        directory.write("zsh/.zshenv", b"ours")
    directory.write_forward_env(b"ours")
    directory.remove()
    assert os.listdir(directory.path) == ["zsh"]
    assert log.read() == []


@pytest.mark.skipif(os.getuid() != 0, reason="needs root, for a directory of another uid")
def test_a_directory_of_another_uid_is_refused_and_left_alone(
    tmp_path: pathlib.Path, log: LogLines
) -> None:
    path = tmp_path / "sessions" / "one"
    path.mkdir(parents=True)
    (path / "forward.env").write_text("kept")
    os.chown(path, 12345, 12345)
    directory = SessionDir(str(tmp_path), "one")
    with pytest.raises(OSError, match="one belongs to uid 12345"):
        directory.create()
    with pytest.raises(OSError, match="one belongs to uid 12345"):
        directory.make_again()
    directory.remove()
    remove_leftovers(str(tmp_path))
    assert (path / "forward.env").read_text() == "kept"
    assert log.read() == []
    os.chown(tmp_path / "sessions", 12345, 12345)
    os.chown(path, 0, 0)
    remove_leftovers(str(tmp_path))
    assert (path / "forward.env").read_text() == "kept"
    assert "sessions belongs to uid 12345" in log.read()[0]


@pytest.mark.skipif(os.getuid() != 0, reason="needs root, to act as another uid")
def test_another_uid_cannot_have_root_remove_or_write_what_it_likes(
    tmp_path: pathlib.Path, elsewhere: pathlib.Path
) -> None:
    """A runtime directory that somebody else may write to, as after `sudo -E`."""
    for path in (tmp_path, *tmp_path.parents):
        path.chmod(path.stat().st_mode | 0o111)
    state = tmp_path / "shpool"
    state.mkdir()
    os.chown(state, 12345, 12345)
    plan = (
        f"import os; os.setgid(12345); os.setuid(12345); os.chdir({str(state)!r});"
        f"os.mkdir('sessions'); os.symlink({str(elsewhere)!r}, 'sessions/one')"
    )
    subprocess.run([sys.executable, "-c", plan], check=True)
    remove_leftovers(str(state))
    directory = SessionDir(str(state), "one")
    with pytest.raises(OSError, match="belongs to uid 12345"):
        directory.create()
    directory.remove()


def test_a_directory_that_was_there_is_made_its_owners_alone(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "sessions" / "one"
    path.mkdir(parents=True)
    path.chmod(0o755)
    SessionDir(str(tmp_path), "one").create()
    assert mode(path) == 0o700


@pytest.mark.parametrize("gone", ["all", "sessions", "one", "forward.env", "agent", "nothing"])
def test_it_can_be_made_again_as_it_was(
    directory: SessionDir, tmp_path: pathlib.Path, gone: str
) -> None:
    directory.write_forward_env(b"TERM=old\n")
    directory.link_agent("/tmp/agent-1")
    directory.write_forward_env(b"TERM=new\n")
    directory.link_agent("/tmp/agent-2")
    before = snapshot(tmp_path)
    sessions = tmp_path / "sessions"
    if gone == "agent":
        os.unlink(agent_link(directory))
    elif gone == "forward.env":
        os.unlink(os.path.join(directory.path, gone))
    elif gone != "nothing":
        shutil.rmtree({"all": tmp_path, "one": tmp_path / "sessions/one"}.get(gone, sessions))
    directory.make_again()
    assert snapshot(tmp_path) == before
    assert mode(directory.path) == 0o700
    assert mode(os.path.join(directory.path, "forward.env")) == 0o600


def test_what_was_never_told_is_not_made_again(directory: SessionDir) -> None:
    os.rmdir(directory.path)
    directory.make_again()
    assert os.listdir(directory.path) == []


def test_what_could_not_be_written_is_made_again_as_soon_as_it_can(directory: SessionDir) -> None:
    path = os.path.join(directory.path, "forward.env")
    os.mkdir(path)
    with pytest.raises(OSError, match="Is a directory"):
        directory.write_forward_env(b"TERM=x\n")
    os.rmdir(path)
    directory.make_again()
    assert pathlib.Path(path).read_bytes() == b"TERM=x\n"


def test_only_what_is_removed_again_can_be_written(directory: SessionDir) -> None:
    for name in ("notes", "../two/forward.env", "zsh/.zshrc"):
        with pytest.raises(ValueError, match="would never be removed"):
            directory.write(name, b"")


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
        assert os.readlink(agent_link(directory)) == agent
    assert os.listdir(directory.path) == ["ssh-auth-sock.socket"]


def test_a_half_made_agent_link_is_no_obstacle(directory: SessionDir) -> None:
    os.symlink("/tmp/agent-0", agent_link(directory) + ".new")
    directory.link_agent("/tmp/agent-1")
    assert os.readlink(agent_link(directory)) == "/tmp/agent-1"
    assert os.listdir(directory.path) == ["ssh-auth-sock.socket"]


def test_it_goes_with_all_that_we_wrote(directory: SessionDir, log: LogLines) -> None:
    fill(directory)
    directory.remove()
    assert not os.path.lexists(directory.path)
    directory.remove()
    assert log.read() == []


@pytest.mark.parametrize("kind", ["link", "dangling link", "file"])
def test_what_is_no_directory_in_its_place_is_refused_and_stays(
    tmp_path: pathlib.Path, elsewhere: pathlib.Path, log: LogLines, kind: str
) -> None:
    path = tmp_path / "sessions" / "one"
    path.parent.mkdir()
    if kind == "file":
        path.write_text("kept")
    else:
        path.symlink_to(elsewhere if kind == "link" else "/nowhere")
    directory = SessionDir(str(tmp_path), "one")
    with pytest.raises(OSError, match=r"Not a directory|symbolic"):
        directory.create()
    directory.remove()
    assert os.path.lexists(path)
    assert log.read() == []


def test_no_descriptor_is_kept_open(directory: SessionDir, tmp_path: pathlib.Path) -> None:
    (tmp_path / "sessions" / "file").write_text("")
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        fill(directory)
        directory.make_again()
        directory.create()
        with pytest.raises(OSError, match="Not a directory"):
            SessionDir(str(tmp_path), "file").write("forward.env", b"")
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_name_that_the_locale_cannot_write_is_refused_and_leaves_nothing(
    directory: SessionDir, log: LogLines
) -> None:
    other = SessionDir(directory.runtime_dir, "\ud800")  # which no locale can write
    with pytest.raises(OSError, match="Invalid or incomplete multibyte or wide character"):
        other.create()
    other.remove()
    assert os.listdir(f"{directory.runtime_dir}/sessions") == ["one"]
    assert log.read() == []
