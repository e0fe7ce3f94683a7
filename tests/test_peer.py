import os
import socket
from pathlib import Path

from shpool import peer


def test_who_is_at_the_other_end_of_a_socket_is_told_by_the_system() -> None:
    here, there = socket.socketpair()
    assert peer.credentials(here) == (os.getpid(), os.geteuid())
    here.close()
    there.close()


def test_who_listens_is_told_to_who_connects(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(tmp_path / "socket"))
        listener.listen()
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
            sock.connect(str(tmp_path / "socket"))
            assert peer.credentials(sock) == (os.getpid(), os.geteuid())
