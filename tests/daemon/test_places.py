from __future__ import annotations

import os
import pathlib
import socket
import stat
from collections.abc import Iterator

import pytest

from shpool import logs
from shpool.daemon import places as places_module
from shpool.daemon.loop.listener import ListenError, Taken
from shpool.daemon.places import Places
from shpool.daemon.private import LockFile, PlaceError
from shpool.errors import ShpoolError
from shpool.paths import Paths
from tests.daemon.conftest import LogLines


class Made:
    """Places below a directory, and what they have warned of."""

    def __init__(self, base: pathlib.Path) -> None:
        self.base = base
        self.runtime = base / "r" / "shpool"
        self.all: list[Places] = []
        self.warnings: list[str] = []

    def places(
        self,
        given: pathlib.Path | None = None,
        *,
        activated: socket.socket | None = None,
        log_file: str | None = None,
        daemonized: bool = True,
    ) -> Places:
        paths = Paths({"XDG_RUNTIME_DIR": str(self.base / "r")}, str(given) if given else None)
        made = Places(paths, activated, log_file, daemonized, self.warnings.append)
        self.all.append(made)
        return made

    def take(self, places: Places) -> Places:
        """Have all that is needed to serve, or nothing."""
        try:
            places.occupy()
            places.bind()
        except ShpoolError:
            places.leave()
            raise
        return places

    def names(self) -> list[str]:
        return sorted(path.name for path in self.runtime.iterdir())


@pytest.fixture
def made(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Made]:
    own = logs.Log()
    monkeypatch.setattr(logs, "log", own)
    made = Made(tmp_path)
    yield made
    for places in made.all:
        for sock in (places.events, places.requests):
            if sock is not None:
                sock.close()
        places.leave()
    if own.fd is not None:
        os.close(own.fd)


ALL = [
    *("daemon.lock", "daemonized-shpool.log", "daemonized-shpool.pid"),
    *("events.socket", "shpool.socket"),
]


def answers(path: pathlib.Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        return sock.connect_ex(str(path)) == 0


# ---- taking and leaving


def test_all_is_there_and_private_and_all_but_the_log_goes(made: Made) -> None:
    places = made.places()
    made.take(places)
    assert made.names() == ALL
    for name in ALL:
        assert stat.S_IMODE((made.runtime / name).lstat().st_mode) == 0o600
    assert (made.runtime / "daemonized-shpool.pid").read_text() == f"{os.getpid()}\n"
    places.withdraw()
    assert made.names() == ["daemon.lock", "daemonized-shpool.log"]
    places.leave()
    assert made.names() == ["daemonized-shpool.log"]
    assert made.warnings == []


def test_one_in_the_foreground_has_no_pid_file_and_no_log(made: Made) -> None:
    made.take(made.places(daemonized=False))
    assert made.names() == ["daemon.lock", "events.socket", "shpool.socket"]


def test_a_second_one_for_the_same_socket_is_refused_at_once(made: Made) -> None:
    made.take(made.places())
    with pytest.raises(Taken, match=r"^another daemon is already running$"):
        made.take(made.places())
    assert made.names() == ALL


def test_what_stands_in_the_way_leaves_nothing_behind(made: Made) -> None:
    made.runtime.mkdir(parents=True)
    (made.runtime / "shpool.socket").write_text("precious")
    with pytest.raises(ListenError, match="it exists and is no socket"):
        made.take(made.places(daemonized=False))
    assert made.names() == ["shpool.socket"]


def test_leftovers_of_sessions_go_and_a_planted_link_is_refused(
    made: Made, tmp_path: pathlib.Path
) -> None:
    precious = tmp_path / "precious"
    (precious / "one").mkdir(parents=True)
    (made.runtime / "sessions" / "one").mkdir(parents=True)
    places = made.places()
    made.take(places)
    assert list((made.runtime / "sessions").iterdir()) == []
    places.leave()
    (made.runtime / "sessions").rmdir()
    (made.runtime / "sessions").symlink_to(precious)
    with pytest.raises(PlaceError, match="sessions is a link"):
        made.take(made.places())
    assert (precious / "one").exists()


# ---- two in one directory


def test_the_second_of_a_directory_is_without_what_is_the_firsts(
    made: Made, tmp_path: pathlib.Path
) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    first, second = made.places(shared / "a"), made.places(shared / "b")
    made.take(first)
    made.take(second)
    assert second.events is None
    assert made.warnings == [
        f"{shared} has another daemon already (pid {os.getpid()}): "
        "this one is without events, pid file and log"
    ]
    second.leave()
    assert sorted(path.name for path in shared.iterdir()) == [
        *("a", "daemonized-shpool.log", "daemonized-shpool.pid", "events.socket"),
    ]
    assert [path.name for path in made.runtime.iterdir()] == [os.path.basename(first._paths.state)]
    first.leave()
    assert list(made.runtime.iterdir()) == []


# ---- taking it again


@pytest.mark.parametrize("gone", ["events.socket", "shpool.socket", "daemonized-shpool.pid"])
def test_what_is_gone_is_made_again_and_the_rest_is_kept(made: Made, gone: str) -> None:
    places = made.places()
    made.take(places)
    (made.runtime / gone).unlink()
    before = {name: (made.runtime / name).lstat().st_ino for name in made.names()}
    sockets = {"events.socket": places.events, "shpool.socket": places.requests}
    places.again()
    assert made.names() == ALL
    assert {name: (made.runtime / name).lstat().st_ino for name in before} == before
    for name, before_it in sockets.items():
        now = places.events if name == "events.socket" else places.requests
        assert (now is before_it) == (name != gone)
        assert answers(made.runtime / name)


def test_after_a_logout_all_is_made_again_and_goes_at_the_end(made: Made) -> None:
    places = made.places()
    made.take(places)
    logs.info("before")
    for name in ALL:
        (made.runtime / name).unlink()
    made.runtime.rmdir()
    made.runtime.parent.rmdir()
    places.again()
    logs.info("after")
    assert made.names() == ALL
    assert stat.S_IMODE(made.runtime.stat().st_mode) == 0o700
    log = (made.runtime / "daemonized-shpool.log").read_text()
    assert "after" in log
    assert "before" not in log
    places.leave()
    assert made.names() == ["daemonized-shpool.log"]


def test_a_log_that_nobody_asked_for_does_not_grow_for_ever(
    made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "_MOST", 2000)
    monkeypatch.setattr(logs, "_KEPT", 500)
    log = made.runtime / "daemonized-shpool.log"
    places = made.places()
    made.take(places)
    for moved in (False, True):
        if moved:
            log.rename(made.runtime / "elsewhere")
            places.again()
        for _ in range(200):
            logs.info("a line")
        assert 0 < log.stat().st_size < 2000
        assert "a line\n" in log.read_text()  # also what another one has opened for it is read
    # The program that takes over has the descriptor alone.
    assert logs.log.fd is not None
    logs.log.to(logs.log.fd, os.write)
    places.limit_log()
    for _ in range(200):
        logs.info("a line")
    assert log.stat().st_size < 2000


def test_a_log_that_is_still_there_goes_on(made: Made) -> None:
    places = made.places()
    made.take(places)
    logs.info("before")
    places.again()
    logs.info("after")
    log = (made.runtime / "daemonized-shpool.log").read_text()
    assert log.index("before") < log.index("after")


def test_a_log_of_the_users_that_was_moved_away_is_opened_anew(
    made: Made, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "own.log"
    logs.log.to_file(str(path))
    places = made.places(log_file=str(path))
    made.take(places)
    path.rename(tmp_path / "own.log.1")
    places.again()
    logs.info("after")
    assert "after" in path.read_text()
    assert "daemonized-shpool.log" not in made.names()
    monkeypatch.setattr(logs, "_MOST", 2000)
    for _ in range(200):
        logs.info("a line")
    assert path.stat().st_size > 2000  # how long it may be is the user's affair


def test_somebody_else_who_answers_by_now_is_left_alone(made: Made, log: LogLines) -> None:
    places = made.places(daemonized=False)
    made.take(places)
    for name in ("events.socket", "shpool.socket"):
        (made.runtime / name).unlink()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as other:
        other.bind(str(made.runtime / "shpool.socket"))
        other.listen()
        theirs = (made.runtime / "shpool.socket").lstat().st_ino
        before = places.requests
        places.again()
        assert places.requests is before
        assert (made.runtime / "shpool.socket").lstat().st_ino == theirs
        path = made.runtime / "shpool.socket"
        assert f"WARN another daemon is at {path} by now, and is left alone" in log.read()
        places.leave()
        assert (made.runtime / "shpool.socket").lstat().st_ino == theirs


def test_a_daemon_that_has_taken_the_place_by_now_is_left_alone(made: Made, log: LogLines) -> None:
    first, second = made.places(daemonized=False), made.places(daemonized=False)
    made.take(first)
    for name in made.names():
        (made.runtime / name).unlink()
    made.take(second)
    before = {name: (made.runtime / name).lstat().st_ino for name in made.names()}
    first.again()
    assert {name: (made.runtime / name).lstat().st_ino for name in made.names()} == before
    said = f"a daemon (pid {os.getpid()}) is here by now, and is left alone"
    assert f"WARN cannot bind anew: {said}" in log.read()


def test_what_cannot_be_made_is_logged(made: Made, log: LogLines) -> None:
    places = made.places(daemonized=False)
    made.take(places)
    for name in made.names():
        (made.runtime / name).unlink()
    made.runtime.rmdir()
    made.runtime.write_text("in the way")
    places.again()
    assert f"WARN cannot bind anew: {made.runtime} is something else" in log.read()


def test_a_socket_that_was_passed_is_kept_unless_its_path_is_gone(made: Made) -> None:
    made.runtime.mkdir(parents=True)
    path = made.runtime / "shpool.socket"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as passed:
        passed.bind(str(path))
        passed.listen()
        places = made.places(activated=passed, daemonized=False)
        made.take(places)
        places.again()
        assert places.requests is passed
        path.unlink()
        places.again()
        assert places.requests is not passed
        assert answers(path)
        places.leave()
        assert not path.exists(), "it was bound by the daemon"


def test_a_socket_that_was_passed_is_not_taken_for_another_daemons(made: Made) -> None:
    """A predecessor is about to end; what answers is the socket that systemd has kept."""
    made.runtime.mkdir(parents=True)
    before = LockFile(str(made.runtime / "daemon.lock"), "7 here\n")
    assert before.take()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as passed:
        passed.bind(str(made.runtime / "shpool.socket"))
        passed.listen()
        places = made.places(activated=passed, daemonized=False)
        looks: list[bool] = []

        def ends() -> None:
            looks.append(True)
            before.close()

        places._give_up, give_up = ends, places._give_up  # type: ignore[method-assign]
        give_up()
        made.take(places)
        assert looks == [True]


def test_what_somebody_else_left_who_answered_before_is_replaced(made: Made) -> None:
    places = made.places(daemonized=False)
    made.take(places)
    path = made.runtime / "shpool.socket"
    path.unlink()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as other:
        other.bind(str(path))
        other.listen()
        places.again()
    assert not answers(path)
    places.again()
    assert answers(path)
    assert places.requests is not None
    assert places.requests.getsockname() == str(path)


@pytest.mark.parametrize(
    ("theirs", "ours", "same"),
    [
        ("a boot-1", "a boot-1", True),
        ("renamed boot-1", "a boot-1", True),
        ("a boot-2", "a boot-1", False),
        ("a", "a", True),
        ("b", "a", False),
        ("a", "a boot-1", True),
        ("b boot-1", "a", False),
    ],
)
def test_a_host_is_known_by_its_start_or_else_its_name(
    monkeypatch: pytest.MonkeyPatch, theirs: str, ours: str, same: bool
) -> None:
    monkeypatch.setattr(places_module, "_host", lambda: ours)
    assert places_module._is_here(theirs) == same


def test_a_socket_without_a_place_is_kept(made: Made) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as passed:
        passed.bind(b"\0shpool-test-%d" % os.getpid())
        passed.listen()
        places = made.places(activated=passed, daemonized=False)
        made.take(places)
        places.again()
        assert places.requests is passed
