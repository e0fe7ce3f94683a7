"""What a program asks is answered once: by a terminal that was shown it, else by the model."""

from __future__ import annotations

import pytest

from shpool import __version__
from shpool.config import Config
from shpool.config_values import RestoreMode
from shpool.daemon.programs.program import Program
from shpool.daemon.sessions.session import Session, SessionKeeper
from tests.daemon.fakes import FakeChild, FakeLoop, FakePrograms, Visitor, make_session

ASK_PLACE = b"\x1b[6n"


def started(
    loop: FakeLoop, programs: FakePrograms, mode: str = "screen"
) -> tuple[Session, FakeChild]:
    config = Config({"session_restore_mode": RestoreMode(mode)})
    session = make_session(loop, SessionKeeper(), config=config)
    session.start(programs, Program("sh", ["sh"], {}, "/"), echo=True)
    (shell,) = programs.started
    shell.run()
    return session, shell


def test_nobody_attached(loop: FakeLoop, programs: FakePrograms) -> None:
    _, shell = started(loop, programs)
    shell.write(b"ab" + ASK_PLACE + b"\x1b[>q")
    loop.idle()  # at once, not when it has been quiet
    assert shell.typed() == b"\x1b[1;3R\x1bP>|shpool(%s)\x1b\\" % __version__.encode()
    loop.pass_time(1)
    loop.idle()
    assert shell.typed() == b""


def test_somebody_attached(loop: FakeLoop, programs: FakePrograms) -> None:
    session, shell = started(loop, programs)
    visitor = Visitor()
    visitor.is_live = True
    session.enter(visitor)
    shell.write(ASK_PLACE)
    session.detach(visitor)
    loop.pass_time(1)
    loop.idle()
    assert shell.typed() == b""


@pytest.mark.parametrize("first_live", [True, False])
def test_somebody_goes_or_comes_within_a_question(
    first_live: bool, loop: FakeLoop, programs: FakePrograms
) -> None:
    session, shell = started(loop, programs)
    visitor = Visitor()
    visitor.is_live = first_live
    session.enter(visitor)
    shell.write(b"\x1b[")
    visitor.is_live = not first_live
    shell.write(b"6n")
    loop.pass_time(1)
    loop.idle()
    assert shell.typed() == (b"\x1b[1;1R" if first_live else b"")


def test_somebody_who_is_shown_nothing(loop: FakeLoop, programs: FakePrograms) -> None:
    session, shell = started(loop, programs)
    session.enter(Visitor())
    shell.write(ASK_PLACE)
    loop.idle()
    assert shell.typed() == b"\x1b[1;1R"


def test_a_question_is_answered_before_a_picture_shows_its_place(
    loop: FakeLoop, programs: FakePrograms
) -> None:
    session, shell = started(loop, programs)
    shell.write(b"some text" + ASK_PLACE)
    visitor = Visitor()
    visitor.is_waiting = True
    session.enter(visitor)
    session.want_picture()
    loop.idle()
    loop.settle()
    assert shell.typed() == b"\x1b[1;10R"
    assert len(visitor.heard) == 1


def test_a_flood_does_not_put_an_answer_off(loop: FakeLoop, programs: FakePrograms) -> None:
    _, shell = started(loop, programs)
    shell.write(ASK_PLACE + b"line\r\n" * 1000)
    shell.write(b"line\r\n" * 1000)
    loop.idle()  # there was no quiet moment yet
    assert shell.typed() == b"\x1b[1;1R"


def test_a_program_that_does_not_read_is_not_answered_for_ever(
    loop: FakeLoop, programs: FakePrograms
) -> None:
    session, shell = started(loop, programs)
    shell.far.setblocking(False)
    for _ in range(3000):
        shell.write(b"\x1b[c" * 100)
        loop.idle()
    assert session.typist is not None
    assert session.typist.full
    answers = b""
    for _ in range(100):
        answers += shell.typed()
        loop.writable(shell.ends.master)
    assert answers == b"\x1b[?62;22c" * (len(answers) // 9)
    assert not session.typist.full
    shell.write(b"\x1b[5n")
    loop.idle()
    assert shell.typed() == b"\x1b[0n"


def test_a_session_without_a_model_answers_nothing(loop: FakeLoop, programs: FakePrograms) -> None:
    _, shell = started(loop, programs, "simple")
    shell.write(ASK_PLACE)
    loop.pass_time(1)
    loop.idle()
    assert shell.typed() == b""
