"""A session between its shell and its clients, with a shell that does as the test says."""

from __future__ import annotations

import signal

import pytest

from shpool.config import Config
from shpool.config_values import RestoreMode
from shpool.daemon.programs.program import Program
from shpool.daemon.programs.spawn import SpawnError
from shpool.daemon.sessions.participant import Participant
from shpool.daemon.sessions.session import DOOMED, ENDED, RUNNING, Session, SessionKeeper
from shpool.protocol.requests import TtySize
from tests.daemon.conftest import LogLines
from tests.daemon.fakes import (
    FakeChild,
    FakeDirectory,
    FakeLoop,
    FakePrograms,
    Visitor,
    make_session,
)

SH = Program("sh", ["sh"], {"A": "b"}, "/")


class Keeper(SessionKeeper):
    """Notes what it hears, and in which state the session was then."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, str]] = []

    def session_running(self, session: Session) -> None:
        self.heard.append(("running", session.state.now))

    def session_failed(self, session: Session, reason: str) -> None:
        self.heard.append((reason, session.state.now))

    def session_left(self, session: Session, client: Participant) -> None:
        self.heard.append(("left", session.state.now))

    def session_ended(self, session: Session) -> None:
        self.heard.append(("ended", session.state.now))


class Started:
    """A session whose shell has been forked."""

    def __init__(
        self, loop: FakeLoop, programs: FakePrograms, mode: str = "screen", ttl: int | None = None
    ) -> None:
        self.loop = loop
        self.keeper = Keeper()
        config = Config({"session_restore_mode": RestoreMode(mode)})
        self.session = make_session(loop, self.keeper, config=config, ttl=ttl)
        self.session.start(programs, SH, echo=True)
        self.shell: FakeChild = programs.started[-1]
        self.ada = Visitor()
        self.ada.is_live = True

    def run(self) -> Started:
        self.shell.run()
        self.session.enter(self.ada)
        return self

    @property
    def read(self) -> bool:
        """Somebody reads what the shell writes."""
        return self.loop.reads(self.shell.ends.master)

    @property
    def removed(self) -> int:
        assert isinstance(self.session.directory, FakeDirectory)
        return self.session.directory.removed


@pytest.fixture
def started(loop: FakeLoop, programs: FakePrograms) -> Started:
    return Started(loop, programs)


def test_a_shell_that_runs_is_told_of_with_its_pid_and_what_it_was_given(started: Started) -> None:
    started.shell.run()
    assert started.keeper.heard == [("running", RUNNING)]
    assert started.session.pid == started.shell.pid
    assert started.session.device == started.shell.ends.device
    assert started.session.env == {"A": "b"}


def test_a_shell_that_cannot_be_run_leaves_nothing(started: Started) -> None:
    started.shell.fail("cannot run 'sh'")
    assert started.keeper.heard == [("cannot run 'sh'", ENDED)]
    assert started.removed == 1
    assert started.loop.deadlines() == []
    assert started.shell.ends.master < 0


def test_where_no_process_can_be_made_the_caller_is_told(
    loop: FakeLoop, programs: FakePrograms
) -> None:
    session = make_session(loop, Keeper())
    programs.refuse = SpawnError("cannot fork: not allowed")
    with pytest.raises(SpawnError, match="cannot fork: not allowed"):
        session.start(programs, SH, echo=True)
    assert session.pid == 0
    assert session.device is None


def test_what_is_written_goes_to_each_client_and_what_is_typed_to_the_shell(
    started: Started,
) -> None:
    session = started.run().session
    bob = Visitor(78)
    session.enter(bob)
    started.shell.write(b"word")
    session.take_input(started.ada, b"key")
    assert (started.ada.heard, bob.heard) == ([b"word"], [b"word"])
    assert started.shell.typed() == b"key"


def test_a_client_that_can_take_no_more_holds_the_shell_until_it_goes(started: Started) -> None:
    session = started.run().session
    started.ada.is_full = True
    assert started.read
    started.shell.write(b"one")
    assert not started.read
    started.shell.write(b"two")
    assert started.ada.heard == [b"one"]
    session.detach(started.ada)
    assert started.read
    assert started.keeper.heard[-1] == ("left", RUNNING)


def test_a_shell_that_does_not_read_is_told_of_and_that_it_reads_again(started: Started) -> None:
    session = started.run().session
    assert not session.full_for(started.ada)
    for _ in range(40):
        session.take_input(started.ada, b"y" * 30_000)
    started.loop.settle()
    assert session.full_for(started.ada)
    while started.shell.typed():
        started.loop.writable(started.shell.ends.master)
    assert not session.full_for(started.ada)
    assert started.ada.heard == ["full", "drained"]


def test_the_shells_last_words_come_before_its_status(started: Started) -> None:
    started.run()
    started.shell.far.send(b"last words")
    started.shell.end(3)
    assert started.ada.heard == ["shell ended", b"last words", ("leave", 3)]
    assert started.keeper.heard[-1] == ("ended", ENDED)
    assert started.removed == 1
    assert started.loop.deadlines() == []


def test_who_still_waits_for_a_picture_at_the_end_is_shown_one_with_the_last_words_in_it(
    started: Started,
) -> None:
    started.run()
    started.ada.is_waiting = True
    started.shell.far.send(b"last words")
    started.shell.end(0)
    picture = started.session.picture.draw()
    assert b"last words" in picture
    assert started.ada.heard == [
        *("shell ended", b"last words", ("picture", picture), ("leave", 0)),
    ]


def test_a_shell_that_does_not_go_when_it_is_asked_to_is_killed(started: Started) -> None:
    session = started.run().session
    session.kill()
    session.kill()
    assert session.state.now == DOOMED
    assert started.shell.signals == [signal.SIGHUP, signal.SIGCONT]
    started.loop.pass_time(0.4)
    assert started.shell.signals == [signal.SIGHUP, signal.SIGCONT]
    started.loop.pass_time(0.2)
    assert started.shell.signals[2:] == [signal.SIGKILL]
    started.shell.end(137)
    assert started.ada.heard[-1] == ("leave", 137)


def test_a_program_of_another_users_loses_its_terminal_where_it_would_be_killed(
    started: Started, log: LogLines
) -> None:
    session = started.run().session
    started.shell.is_others = True
    session.kill()
    started.loop.pass_time(0.4)
    assert started.shell.ends.master >= 0
    started.loop.pass_time(0.2)
    assert started.shell.ends.master < 0
    said = "WARN session 'one': its program cannot be killed, so it loses its terminal"
    assert log.read()[-1] == said
    session.take_input(started.ada, b"into nothing")
    session.resize(started.ada.pid, TtySize(9, 9))
    session.check_output()
    started.shell.end(129)
    assert started.ada.heard[-1] == ("leave", 129)
    assert started.keeper.heard[-1] == ("ended", ENDED)


def test_a_session_lives_no_longer_than_it_was_given(
    loop: FakeLoop, programs: FakePrograms
) -> None:
    started = Started(loop, programs, ttl=60).run()
    loop.pass_time(59)
    assert started.shell.signals == []
    loop.pass_time(1)
    assert started.shell.signals == [signal.SIGHUP, signal.SIGCONT]
    started.shell.end(129)
    assert loop.deadlines() == []


def test_a_session_that_is_abandoned_hangs_up_on_everybody_and_hears_of_nothing_more(
    started: Started,
) -> None:
    session = started.run().session
    before = list(started.keeper.heard)
    session.abandon()
    session.abandon()
    started.shell.end(129)
    session.kill()
    session.detach(started.ada)
    session.resize(started.ada.pid, TtySize(9, 9))
    assert started.ada.heard == ["drop"]
    assert started.shell.signals == [signal.SIGHUP, signal.SIGCONT]
    assert started.keeper.heard == before
    assert started.removed == 1


def test_a_session_that_is_abandoned_while_it_is_started_takes_no_terminal(
    started: Started,
) -> None:
    started.session.abandon()
    started.shell.run()
    assert started.keeper.heard == []
    assert started.shell.ends.master < 0


def test_a_picture_is_shown_to_those_who_wait_for_it_alone(started: Started) -> None:
    session = started.run().session
    bob = Visitor(78)
    session.enter(bob)
    started.shell.write(b"word")
    bob.is_waiting = True
    session.want_picture()
    assert not started.read  # so that the wait has an end
    started.loop.idle()
    started.loop.settle()
    assert started.read
    assert started.ada.heard == [b"word"]
    (picture,) = (each for each in bob.heard if isinstance(each, tuple))
    assert b"word" in picture[1]


def test_in_mode_simple_the_program_is_made_to_draw_itself(
    loop: FakeLoop, programs: FakePrograms
) -> None:
    started = Started(loop, programs, "simple").run()
    session, bob = started.session, Visitor(78)
    session.enter(bob)
    bob.is_waiting = True
    session.want_picture()
    loop.settle()
    assert bob.heard == [("picture", b"")]
    assert len(loop.deadlines()) == 1  # until which the pty is larger


def test_a_row_says_what_a_list_shows(started: Started) -> None:
    session = started.run().session
    session.started_at_ms = session.last_connected_at_ms = 7
    row = session.row()
    assert (row.name, row.started_at_unix_ms, row.last_connected_at_unix_ms) == ("one", 7, 7)
    assert row.last_disconnected_at_unix_ms is None
    assert [(each.pid, each.session_name_template) for each in row.attachments] == [(77, "one")]
