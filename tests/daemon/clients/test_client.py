"""An attached client between its session and its channel: nothing is shown twice,
and nothing that is typed gets stuck."""

from __future__ import annotations

import pytest

from shpool.config import Config
from shpool.config_values import RestoreMode
from shpool.daemon.clients.channel import Channel
from shpool.daemon.clients.client import AttachedClient, ClientUser
from shpool.daemon.programs.program import Program
from shpool.daemon.sessions.session import Session, SessionKeeper
from shpool.keys.scanner import Scanner
from tests.daemon.fakes import FakeLoop, FakePrograms, make_session

LINES = b"".join(b"line %d\r\n" % n for n in range(1, 101))


class FakeChannel(Channel):
    """Notes what is shown; `stopped` is what it notices when it looks at its client."""

    def __init__(self) -> None:
        self.shown = b""
        self.stopped = False
        self.told: list[object] = []
        self.is_full = False

    @property
    def full(self) -> bool:
        return self.is_full

    @property
    def away(self) -> bool:
        return self.stopped

    def look(self) -> bool:
        return not self.stopped

    def show(self, data: bytes) -> None:
        self.shown += data

    def read(self, wanted: bool) -> None:
        pass

    def leave(self, last_words: bytes, status: int) -> None:
        self.told.append(("leave", status))


class Attachment:
    """A client at a session that puts all that is missed into the scrollback."""

    def __init__(self, loop: FakeLoop, programs: FakePrograms) -> None:
        self.loop = loop
        self.channel = FakeChannel()
        self.session = make_session(
            loop,
            SessionKeeper(),
            config=Config({"session_restore_mode": RestoreMode("lines", 200)}),
        )
        self.session.start(programs, Program("sh", ["sh"], {}, "/"), echo=True)
        (self.shell,) = programs.started
        self.shell.run()
        self.client = AttachedClient(
            loop,
            self.channel,
            Scanner([(("Ctrl-a", "d"), "detach")]),
            ClientUser(),
            pid=1,
            template="one",
            size=self.session.size.current,
            device=None,
            fresh=True,
        )
        self.session.enter(self.client)
        self.client.enter(self.session)

    def output(self, data: bytes) -> None:
        self.shell.write(data)

    def typed(self) -> bytes:
        """What the shell has been typed since it was asked last."""
        try:
            return self.shell.far.recv(65536)
        except BlockingIOError:
            return b""

    def catch_up(self) -> None:
        self.loop.pass_time(1)
        self.loop.idle()


@pytest.fixture
def attachment(loop: FakeLoop, programs: FakePrograms) -> Attachment:
    return Attachment(loop, programs)


def test_output_that_finds_the_client_stopped_is_only_in_the_picture(
    attachment: Attachment,
) -> None:
    channel = attachment.channel
    attachment.output(b"live\r\n")
    channel.stopped = True
    attachment.output(LINES)
    assert channel.shown == b"live\r\n"
    channel.stopped = False
    attachment.client.channel_back()
    attachment.catch_up()
    assert channel.shown.count(b"line 100") == 1
    assert channel.shown.count(b"line 1\x1b") + channel.shown.count(b"line 1\r") == 1


def test_a_client_that_says_twice_that_it_is_back_is_shown_one_picture(
    attachment: Attachment,
) -> None:
    channel = attachment.channel
    attachment.output(b"live\r\n")
    attachment.client.channel_away()
    attachment.output(LINES)
    attachment.client.channel_back()
    attachment.client.channel_back()
    attachment.catch_up()
    assert channel.shown.count(b"line 100") == 1
    attachment.output(b"live again")
    assert channel.shown.endswith(b"live again")


def test_an_escape_is_passed_on_when_nothing_comes_after_it(
    attachment: Attachment, loop: FakeLoop
) -> None:
    client = attachment.client
    client.channel_input(b"x\x1b")
    assert attachment.typed() == b"x"
    loop.pass_time(0.05)
    assert attachment.typed() == b"\x1b"
    client.channel_input(b"\x1b")
    assert attachment.typed() == b"\x1b"
    loop.pass_time(0.05)
    assert not loop.deadlines()


def test_a_binding_is_waited_for_without_limit(attachment: Attachment, loop: FakeLoop) -> None:
    client = attachment.client
    client.channel_input(b"\x1b[97;5u")
    assert not loop.deadlines()
    loop.pass_time(3600)
    assert attachment.typed() == b""
    client.channel_input(b"\x1b[100u")
    assert attachment.channel.told == [("leave", 0)]
    assert not loop.deadlines()


def test_the_rest_of_a_key_or_a_paste_is_not_missed_while_nothing_is_read(
    attachment: Attachment, loop: FakeLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = attachment.client
    full = False
    monkeypatch.setattr(Session, "full_for", lambda *_: full)
    for part, rest in ((b"\x1b[9", b"7;5ux"), (b"\x1b[200~", b"\x01d\x1b[201~x")):
        full = True
        client.front_full()
        client.channel_input(part)
        seen = attachment.typed()
        loop.pass_time(60)
        assert attachment.typed() == b""
        assert not loop.deadlines()
        full = False
        client.front_drained()
        client.channel_input(rest)
        assert seen + attachment.typed() == part + rest


def test_a_client_that_has_gone_is_not_waited_for(attachment: Attachment, loop: FakeLoop) -> None:
    attachment.client.channel_input(b"\x1b")
    assert loop.deadlines()
    attachment.client.drop()
    assert not loop.deadlines()
