import os
import pathlib

import pytest

from shpool.paths import Paths, PathsError


def test_the_runtime_directory_is_in_that_of_the_user() -> None:
    paths = Paths({"XDG_RUNTIME_DIR": "/run/user/7", "HOME": "/home/ada"})
    assert paths.runtime == "/run/user/7/shpool"
    assert paths.socket == "/run/user/7/shpool/shpool.socket"
    assert paths.events == "/run/user/7/shpool/events.socket"
    assert paths.state == paths.runtime


@pytest.mark.parametrize(
    "environ", [{"HOME": "/home/ada"}, {"HOME": "/home/ada", "XDG_RUNTIME_DIR": ""}]
)
def test_without_one_it_is_in_the_home_directory(environ: dict[str, str]) -> None:
    assert Paths(environ).socket == "/home/ada/.local/run/shpool/shpool.socket"


@pytest.mark.parametrize("given", ["run", "./run", "../run", "~/run", "."])
def test_one_that_is_not_absolute_is_ignored_with_a_warning(given: str) -> None:
    paths = Paths({"HOME": "/home/ada", "XDG_RUNTIME_DIR": given})
    assert paths.socket == "/home/ada/.local/run/shpool/shpool.socket"
    assert paths.warning == f"XDG_RUNTIME_DIR is ignored, since it is not an absolute path: {given}"
    with pytest.raises(PathsError):
        Paths({"XDG_RUNTIME_DIR": given})


@pytest.mark.parametrize("environ", [{}, {"XDG_RUNTIME_DIR": ""}, {"XDG_RUNTIME_DIR": "/run/7"}])
def test_nothing_is_said_of_what_is_absolute_or_unset(environ: dict[str, str]) -> None:
    assert Paths({"HOME": "/home/ada", **environ}).warning is None


@pytest.mark.parametrize("environ", [{}, {"HOME": "", "XDG_RUNTIME_DIR": ""}])
def test_without_either_there_is_no_place(environ: dict[str, str]) -> None:
    with pytest.raises(PathsError, match="neither XDG_RUNTIME_DIR nor HOME is set"):
        Paths(environ)


def test_the_events_socket_stands_beside_the_one_that_is_given() -> None:
    paths = Paths({"HOME": "/home/ada"}, "/tmp/mine/any.name")
    assert paths.socket == "/tmp/mine/any.name"
    assert paths.events == "/tmp/mine/events.socket"
    assert paths.beside_socket("daemonized-shpool.pid") == "/tmp/mine/daemonized-shpool.pid"
    assert paths.runtime == "/home/ada/.local/run/shpool"


def test_what_is_given_is_absolute_before_anybody_changes_directory(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    here = os.getcwd()
    assert Paths({"HOME": "/h"}, "s").socket == f"{here}/s"
    assert Paths({"HOME": "/h"}, "./a/../s").socket == f"{here}/s"
    assert Paths({"HOME": "/h"}, "s").events == f"{here}/events.socket"


def test_two_sockets_never_share_session_files() -> None:
    environ = {"XDG_RUNTIME_DIR": "/run/user/7"}
    states = {Paths(environ, given).state for given in (None, "/tmp/a", "/tmp/b", "/tmp/a/a")}
    assert len(states) == 4
    assert {os.path.dirname(state) for state in states} == {"/run/user/7", "/run/user/7/shpool"}


def test_the_place_of_session_files_is_short_and_the_same_in_every_process() -> None:
    environ = {"XDG_RUNTIME_DIR": "/run/user/7"}
    # FNV-1a of 64 bits; a running daemon and its successor must agree.
    assert Paths(environ, "/tmp/a").state == "/run/user/7/shpool/" + fnv_1a("/tmp/a")
    assert len(os.path.basename(Paths(environ, "/tmp/" + "x" * 90).state)) == 16


def fnv_1a(text: str) -> str:
    value = 14_695_981_039_346_656_037
    for byte in text.encode():
        value = (value ^ byte) * 1_099_511_628_211 % 2**64
    return f"{value:016x}"


def test_the_default_socket_given_by_name_is_the_default_socket() -> None:
    environ = {"XDG_RUNTIME_DIR": "/run/user/7"}
    given = Paths(environ, "/run/user/7/../7/shpool/shpool.socket")
    assert given.state == Paths(environ).state


def test_a_path_that_is_not_utf_8_is_a_path() -> None:
    odd = os.fsdecode(b"/tmp/\xff")
    assert Paths({"HOME": "/h"}, odd).socket == odd
    assert Paths({"HOME": "/h"}, odd).state != Paths({"HOME": "/h"}, "/tmp/?").state
