from __future__ import annotations

import os
import resource
import socket
from collections.abc import Iterator

import pytest

from shpool.daemon import startup
from tests.daemon.conftest import LogLines

# ---- a socket that was passed


@pytest.fixture
def passed(monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """A socket where systemd would put one, were this process started by it."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    monkeypatch.setattr(startup, "_LISTEN_FD", sock.fileno())
    yield sock
    sock.close()


@pytest.mark.parametrize("named", [False, True])
def test_a_socket_that_was_passed_is_taken(passed: socket.socket, named: bool) -> None:
    environ = {"LISTEN_FDS": "1"}
    if named:
        environ["LISTEN_PID"] = str(os.getpid())
    os.set_inheritable(passed.fileno(), True)
    taken = startup.activation_socket(environ)
    assert taken is not None
    assert taken.detach() == passed.fileno()
    assert not os.get_inheritable(passed.fileno())


@pytest.mark.parametrize(
    "environ",
    [
        *({}, {"LISTEN_FDS": ""}, {"LISTEN_FDS": "0"}, {"LISTEN_FDS": "2"}),
        *({"LISTEN_FDS": "1", "LISTEN_PID": "1"}, {"LISTEN_FDS": "1", "LISTEN_PID": ""}),
    ],
)
def test_one_that_is_not_for_us_is_left_alone(
    passed: socket.socket, environ: dict[str, str]
) -> None:
    assert startup.activation_socket(environ) is None
    assert passed.fileno() >= 0


@pytest.mark.parametrize(
    ("family", "kind"),
    [(socket.AF_INET, socket.SOCK_STREAM), (socket.AF_UNIX, socket.SOCK_DGRAM)],
)
def test_a_socket_of_another_kind_is_as_none(
    monkeypatch: pytest.MonkeyPatch, family: int, kind: int
) -> None:
    with socket.socket(family, kind) as sock:
        monkeypatch.setattr(startup, "_LISTEN_FD", sock.fileno())
        assert startup.activation_socket({"LISTEN_FDS": "1"}) is None
        os.fstat(sock.fileno())  # it was not closed


# ---- limits


def test_the_limit_of_open_files_is_raised_and_the_one_before_is_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda which: (1024, 4096))
    monkeypatch.setattr(resource, "setrlimit", lambda which, limits: asked.append(limits))
    assert startup.raise_descriptor_limit() == (1024, 4096)
    assert asked == [(4096, 4096)]


@pytest.mark.parametrize("limits", [(4096, 4096), (resource.RLIM_INFINITY,) * 2])
def test_a_limit_that_is_high_enough_is_left(
    monkeypatch: pytest.MonkeyPatch, limits: tuple[int, int]
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda which: limits)
    assert startup.raise_descriptor_limit() is None


def test_a_limit_that_may_not_be_raised_is_logged(
    monkeypatch: pytest.MonkeyPatch, log: LogLines
) -> None:
    def refused(which: int, limits: tuple[int, int]) -> None:
        raise ValueError("not allowed to raise maximum limit")

    monkeypatch.setattr(resource, "getrlimit", lambda which: (64, 4096))
    monkeypatch.setattr(resource, "setrlimit", refused)
    assert startup.raise_descriptor_limit() is None
    assert log.read() == [
        "WARN cannot raise the limit of open files: not allowed to raise maximum limit"
    ]
