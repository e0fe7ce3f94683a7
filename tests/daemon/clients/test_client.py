"""An attached client between its session and its channel: nothing is shown twice."""

from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from shpool.daemon.clients.client import AttachedClient
from shpool.daemon.loop.reactor import Reactor
from shpool.daemon.sessions.picture import ModelScreen
from shpool.protocol.messages import AttachReply
from shpool.terminal.backlog import Backlog
from shpool.terminal.model import Terminal
from tests.daemon.turning import turn_until

if TYPE_CHECKING:
    from shpool.daemon.clients.channel import Channel
    from shpool.daemon.sessions.session import Session
    from shpool.daemon.sessions.table import SessionTable
    from shpool.keys.scanner import Scanner

LINES = b"".join(b"line %d\r\n" % n for n in range(1, 51))


class FakeChannel:
    """Notes what is shown; `stopped` is what it notices when it looks at its client."""

    full = False
    stopped = False
    user: AttachedClient

    def __init__(self) -> None:
        self.shown = b""

    def answer(self, reply: AttachReply) -> None:
        pass

    def look(self) -> None:
        if self.stopped:
            self.user.channel_away()

    def show(self, data: bytes) -> None:
        self.shown += data

    def read(self, wanted: bool) -> None:
        pass


class Attachment:
    """A client at a session of 10 rows that puts all that is missed into the scrollback."""

    def __init__(self, reactor: Reactor) -> None:
        self.channel = FakeChannel()
        channel = cast("Channel", self.channel)
        table, scanner = cast("SessionTable", None), cast("Scanner", None)
        self.client = AttachedClient(reactor, table, channel, 1, "one", scanner)
        self.screen = screen = ModelScreen(reactor, Backlog(Terminal(10, 40, 200)), 200, _nothing)
        session = SimpleNamespace(
            screen=screen,
            input_full=False,
            hold_output=lambda client: None,
            release_output=lambda client: None,
            redraw=screen.paint,
        )
        self.client.begin(cast("Session", session), AttachReply("Created"), b"", None)

    def output(self, data: bytes) -> None:
        """As the session does when the program writes."""
        self.client.take_output(data)
        self.screen.output(data)


def _nothing() -> None:
    pass


@pytest.fixture
def attachment(reactor: Reactor) -> Attachment:
    return Attachment(reactor)


def test_output_that_finds_the_client_stopped_is_only_in_the_picture(
    attachment: Attachment, reactor: Reactor
) -> None:
    channel = attachment.channel
    attachment.output(b"live\r\n")
    channel.stopped = True
    attachment.output(LINES)
    assert channel.shown == b"live\r\n"
    channel.stopped = False
    attachment.client.channel_back()
    turn_until(reactor, lambda: b"line 50" in channel.shown)
    assert channel.shown.count(b"line 1\x1b") + channel.shown.count(b"line 1\r") == 1


def test_a_client_that_says_twice_that_it_is_back_is_shown_one_picture(
    attachment: Attachment, reactor: Reactor
) -> None:
    channel = attachment.channel
    attachment.output(b"live\r\n")
    attachment.client.channel_away()
    attachment.output(LINES)
    attachment.client.channel_back()
    attachment.client.channel_back()
    turn_until(reactor, lambda: b"line 50" in channel.shown)
    assert channel.shown.count(b"line 50") == 1
    attachment.output(b"live again")
    assert channel.shown.endswith(b"live again")
