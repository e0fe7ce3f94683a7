"""What a client says of a daemon, or a system, that does not do what it should."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from shpool import peer
from shpool.client import asking, daemonize, events
from shpool.client.connect import Call, ClientError, LostDaemon, connect
from shpool.client.context import Context
from shpool.client.signals import Signals
from shpool.client.tty import UserTerminal
from shpool.errors import Verdict
from shpool.options import Parsed
from shpool.protocol.attaching import AttachHeader, AttachReply


def fail(*arguments: object) -> None:
    raise OSError(5, "Input/output error")


def test_a_daemon_that_ends_the_connection_has_given_no_answer() -> None:
    near, far = socket.socketpair()
    far.send(b"\x81\xa7version\xa50.4.2")
    connection = Call(near)
    far.close()
    with pytest.raises(LostDaemon, match=r"^the daemon hung up without an answer$"):
        connection.receive()
    connection.close()


def test_a_daemon_of_whom_the_owner_is_not_known_is_told_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = str(tmp_path / "socket")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(path)
        listening.listen()
        monkeypatch.setattr(peer, "credentials", fail)
        said = f"^cannot tell whose daemon is at {path}: Input/output error$"
        with pytest.raises(ClientError, match=said):
            connect(path)


def test_no_daemon_is_started_where_no_process_can_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fork", fail)
    said = "^cannot start a daemon: cannot fork: Input/output error$"
    with pytest.raises(ClientError, match=said):
        daemonize._launch(["true"], {})


class Broken(socket.socket):
    def recv(self, size: int, flags: int = 0) -> bytes:
        raise OSError(5, "Input/output error")


def test_an_event_stream_that_breaks_off_is_no_end(monkeypatch: pytest.MonkeyPatch) -> None:
    with Broken(socket.AF_UNIX) as sock:
        monkeypatch.setattr(events, "_subscribe", lambda context: sock)
        context = Context(Parsed(), {"HOME": "/"})
        with pytest.raises(ClientError, match=r"^the event stream broke off: Input/output error$"):
            events.run(context, Parsed())


def test_a_session_that_stays_occupied_is_said_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    asking_ = asking.Asking(Context(Parsed(), {"HOME": "/"}), Signals(), UserTerminal())
    monkeypatch.setattr(asking, "ask", lambda context, request: None)
    monkeypatch.setattr(asking_, "_attach", lambda header, descriptor: (None, AttachReply("Busy")))
    monkeypatch.setattr(asking_, "pause", lambda seconds: None)
    with pytest.raises(
        Verdict,
        match=r"^session 'one' already has a terminal which remains attached"
        r" even after attempting to detach it$",
    ):
        asking_.attach(
            AttachHeader.from_wire({"name": "one", "local_tty_size": {}, "force": True}), None
        )
