import contextlib
import errno
import os
import pathlib
import resource
import socket
import stat
from collections.abc import Iterator

import pytest

from shpool.daemon.loop.listener import Listener, ListenError, bind
from shpool.daemon.loop.reactor import Reactor
from tests.daemon.conftest import LogLines
from tests.daemon.turning import turn_until


def connect(path: pathlib.Path) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.connect(str(path))
    return sock


def leftover(path: pathlib.Path) -> None:
    """A socket at which nobody listens any more, as a killed daemon leaves it."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        sock.bind(str(path))


# ---- binding


def test_a_socket_is_its_owners_alone_whatever_the_umask(tmp_path: pathlib.Path) -> None:
    for mask in (0o000, 0o022, 0o077):
        before = os.umask(mask)
        try:
            sock = bind(str(tmp_path / f"socket-{mask}"))
            assert os.umask(mask) == mask
        finally:
            os.umask(before)
        mode = (tmp_path / f"socket-{mask}").stat().st_mode
        assert stat.S_ISSOCK(mode)
        assert stat.S_IMODE(mode) == 0o600
        sock.close()


def test_a_leftover_that_nobody_answers_at_is_replaced(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "socket"
    leftover(path)
    with pytest.raises(ConnectionRefusedError):
        connect(path)
    with bind(str(path)), connect(path):
        pass


def test_a_link_to_a_leftover_is_replaced_and_not_followed(tmp_path: pathlib.Path) -> None:
    path, elsewhere = tmp_path / "socket", tmp_path / "elsewhere"
    leftover(elsewhere)
    path.symlink_to(elsewhere)
    with bind(str(path)):
        assert not path.is_symlink()
        assert elsewhere.is_socket()


def test_a_daemon_that_answers_is_not_replaced(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "socket"
    with bind(str(path)):
        with pytest.raises(ListenError, match=r"^another daemon is already running$"):
            bind(str(path))
        connect(path).close()


def test_a_daemon_too_busy_to_answer_is_not_replaced(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as busy:
        busy.bind(str(path))
        busy.listen(0)
        waiting = connect(path)  # the backlog is full now
        with pytest.raises(ListenError, match="another daemon is already running"):
            bind(str(path))
        waiting.close()


@pytest.mark.parametrize("kind", ["file", "link to a file", "directory", "fifo"])
def test_what_is_no_socket_is_left_alone(tmp_path: pathlib.Path, kind: str) -> None:
    path, file = tmp_path / "socket", tmp_path / "file"
    file.write_text("precious")
    if kind == "file":
        file.rename(path)
        file = path
    elif kind == "link to a file":
        path.symlink_to(file)
    elif kind == "directory":
        path.mkdir()
    else:
        os.mkfifo(path)
    before = path.lstat()
    with pytest.raises(ListenError, match=r"cannot listen at .*socket: "):
        bind(str(path))
    assert os.path.samestat(path.lstat(), before)
    assert file.read_text() == "precious"


def test_a_place_where_no_socket_can_be_is_an_error_that_names_it(tmp_path: pathlib.Path) -> None:
    with pytest.raises(ListenError, match=r"cannot listen at .*absent/socket: No such file"):
        bind(str(tmp_path / "absent" / "socket"))
    with pytest.raises(ListenError, match=r"cannot listen at .*: AF_UNIX path too long"):
        bind(str(tmp_path / ("x" * 120)))


def test_a_socket_that_cannot_be_had_costs_no_descriptor(tmp_path: pathlib.Path) -> None:
    (tmp_path / "directory").mkdir()
    with bind(str(tmp_path / "socket")):
        before = os.listdir("/proc/self/fd")
        for path in (tmp_path / "directory", tmp_path / "socket", tmp_path / "absent" / "socket"):
            with pytest.raises(ListenError):
                bind(str(path))
        assert os.listdir("/proc/self/fd") == before


# ---- accepting


class Accepted:
    def __init__(self) -> None:
        self.sockets: list[socket.socket] = []

    def __call__(self, sock: socket.socket) -> None:
        self.sockets.append(sock)

    def close(self) -> None:
        for sock in self.sockets:
            sock.close()


def test_each_connection_is_handed_on_and_does_not_block(
    tmp_path: pathlib.Path, reactor: Reactor
) -> None:
    accepted = Accepted()
    listener = Listener(reactor, bind(str(tmp_path / "socket")), accepted)
    clients = [connect(tmp_path / "socket") for _ in range(3)]
    turn_until(reactor, lambda: len(accepted.sockets) == 3)
    assert not any(sock.getblocking() for sock in accepted.sockets)
    assert not any(os.get_inheritable(sock.fileno()) for sock in accepted.sockets)
    for client in clients:
        client.close()
    accepted.close()
    listener.close()


def test_a_flood_of_connections_leaves_room_for_others_in_the_turn(
    tmp_path: pathlib.Path, reactor: Reactor
) -> None:
    accepted = Accepted()
    listener = Listener(reactor, bind(str(tmp_path / "socket")), accepted)
    clients = [connect(tmp_path / "socket") for _ in range(100)]
    reactor._turn()
    assert len(accepted.sockets) == 64
    reactor._turn()
    assert len(accepted.sockets) == 100
    for client in clients:
        client.close()
    accepted.close()
    listener.close()


def lowest_free() -> int:
    with socket.socket() as probe:
        return probe.fileno()


@contextlib.contextmanager
def limit(count: int) -> Iterator[None]:
    """A limit of open files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (count, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_without_descriptors_it_waits_instead_of_spinning_and_then_goes_on(
    tmp_path: pathlib.Path, reactor: Reactor, log: LogLines
) -> None:
    accepted = Accepted()
    listener = Listener(reactor, bind(str(tmp_path / "socket")), accepted)
    client = connect(tmp_path / "socket")
    with limit(lowest_free()):
        reactor._turn()
        assert accepted.sockets == []
        assert (reactor._timeout() or 0) > 0.1  # although a connection is waiting
        listener._resume()
        assert accepted.sockets == []
    turn_until(reactor, lambda: len(accepted.sockets) == 1)
    # Said once, however long it lasts.
    assert log.read() == ["WARN cannot accept connections for now: Too many open files"]
    client.close()
    accepted.close()
    listener.close()


def test_the_last_descriptors_are_left_for_what_is_open_for_a_moment(
    tmp_path: pathlib.Path, reactor: Reactor
) -> None:
    accepted = Accepted()
    listener = Listener(reactor, bind(str(tmp_path / "socket")), accepted)
    clients = [connect(tmp_path / "socket") for _ in range(5)]
    with limit(lowest_free() + 8):
        for _ in range(3):
            reactor._turn()
            listener._resume()
        # Two are for whoever asks; the third is how it was seen that they are taken.
        assert len(accepted.sockets) == 3
        with open(os.devnull), open(os.devnull):
            pass
        accepted.sockets.pop().close()
        accepted.sockets.pop().close()
        listener._resume()
        reactor._turn()
        assert len(accepted.sockets) == 3
    turn_until(reactor, lambda: len(accepted.sockets) == 3)
    for client in clients:
        client.close()
    accepted.close()
    listener.close()


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            OSError(errno.ENOSPC, "No space left on device"),
            "WARN a connection is closed that could not be taken: No space left on device",
        ),
        (MemoryError(), "ERROR internal error: MemoryError: "),
        (RuntimeError("a defect"), "ERROR internal error: RuntimeError: a defect "),
    ],
)
def test_an_error_with_one_connection_costs_that_one_alone(
    tmp_path: pathlib.Path, reactor: Reactor, log: LogLines, error: Exception, said: str
) -> None:
    accepted = Accepted()
    count = 0

    def take(sock: socket.socket) -> None:
        nonlocal count
        count += 1
        if count == 2:
            reactor.on_readable(sock.fileno(), lambda: None)
            raise error
        accepted(sock)

    listener = Listener(reactor, bind(str(tmp_path / "socket")), take)
    clients = [connect(tmp_path / "socket") for _ in range(3)]
    turn_until(reactor, lambda: count == 3)
    assert len(accepted.sockets) == 2
    assert clients[1].recv(1) == b""
    (line,) = log.read()
    assert line.startswith(said)
    clients.append(connect(tmp_path / "socket"))
    turn_until(reactor, lambda: len(accepted.sockets) == 3)
    for client in clients:
        client.close()
    accepted.close()
    listener.close()


@pytest.mark.parametrize(
    "error",
    [
        *(OSError(n, os.strerror(n)) for n in (errno.ENOMEM, errno.EPERM, errno.EPROTO)),
        RuntimeError("a defect"),
    ],
)
def test_whatever_goes_wrong_in_accepting_it_is_tried_again(
    tmp_path: pathlib.Path, reactor: Reactor, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    accepted = Accepted()
    listener = Listener(reactor, bind(str(tmp_path / "socket")), accepted)
    client = connect(tmp_path / "socket")
    with monkeypatch.context() as patch:

        def refuse(sock: socket.socket) -> None:
            raise error

        patch.setattr(socket.socket, "accept", refuse)
        reactor._turn()
    turn_until(reactor, lambda: len(accepted.sockets) == 1)
    client.close()
    accepted.close()
    listener.close()


def test_a_listener_closed_while_it_waits_for_descriptors_stays_closed(
    tmp_path: pathlib.Path, reactor: Reactor
) -> None:
    listener = Listener(reactor, bind(str(tmp_path / "socket")), Accepted())
    reactor.call_later(0, listener.close)
    reactor.call_later(0.001, listener._resume)
    done: list[bool] = []
    reactor.call_later(0.002, lambda: done.append(True))
    turn_until(reactor, lambda: bool(done))
    with pytest.raises(ConnectionRefusedError):
        connect(tmp_path / "socket")
